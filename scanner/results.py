"""What a scan found, as plain data: the only thing that reports see."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property

from assay.scanner import __version__
from assay.scanner.diagnostics import Diagnostic
from assay.scanner.model.place import Evidence, Location
from assay.scanner.verdicts import Kind, Severity


@dataclass(frozen=True, slots=True)
class SubjectReference:
    """Names a subject in a report: its type, its stable identity, and what a person calls it."""

    kind: str
    id: str
    label: str


class State(StrEnum):
    """What became of a finding since the base that a scan is compared with."""

    NEW = "new"
    EDITED = "edited"
    """The line was changed, and it is still wrong: not new."""
    MOVED = "moved"
    KNOWN = "known"


class AcceptedBy(StrEnum):
    """How somebody said that a finding may stay."""

    WAIVER = "waiver"
    """An entry in `.assay/waivers.toml`."""
    IGNORE = "ignore"
    """A comment in the code."""


@dataclass(frozen=True, slots=True)
class Acceptance:
    """Somebody's word that a finding may stay. Dates are ISO 8601; what wasn't said is empty."""

    by: AcceptedBy
    reason: str
    id: str = ""
    owner: str = ""
    approver: str = ""
    ticket: str = ""
    created: str = ""
    expires: str = ""

    def __str__(self) -> str:
        """`W-014 of @payments: at most 20 users exist (until 2026-06-30)`."""
        name = self.id or ("ignored" if self.by is AcceptedBy.IGNORE else "")
        who = " of ".join(part for part in (name, self.owner) if part)
        return f"{who}: {self.reason}" + (f" (until {self.expires})" if self.expires else "")


@dataclass(frozen=True, slots=True)
class WaiverUse:
    """A waiver in a list: what it is about, where it is written, and how many findings it covers of at most `maximum`.

    `days_old` since it was created; `days_left` after today, negative once it has expired.
    """

    acceptance: Acceptance
    target: str
    place: str
    covered: int
    maximum: int | None
    days_old: int
    days_left: int


@dataclass(frozen=True, slots=True)
class JudgedVerdict:
    """One rule's verdict on one subject of one service.

    `acceptance` says by whose word a finding may stay, `state` what became of it since the base, where there is one.
    `lapsed` is the waiver that covered it until it expired. `line_hash` identifies a finding's place for GitHub's code
    scanning.
    """

    service: str
    rule: str
    kind: Kind
    severity: Severity
    subject: SubjectReference
    location: Location
    message: str
    evidence: tuple[Evidence, ...]
    fingerprint: str
    acceptance: Acceptance | None = None
    flows: tuple[tuple[Evidence, ...], ...] = ()
    state: State | None = None
    lapsed: Acceptance | None = None
    line_hash: str = ""

    @property
    def is_finding(self) -> bool:
        return self.kind in (Kind.FAIL, Kind.REVIEW)

    @property
    def waiver(self) -> str | None:
        """The acceptance in one sentence."""
        return None if self.acceptance is None else str(self.acceptance)

    @property
    def places(self) -> Iterator[Location]:
        """All that it points at: the subject, the evidence and the steps of the flows."""
        yield self.location
        for steps in (self.evidence, *self.flows):
            yield from (step.location for step in steps)


@dataclass(frozen=True, slots=True)
class RuleOption:
    """A threshold of a rule that users may set: its default and the value that it was judged by, both as they are
    written in `assay.toml`.
    """

    name: str
    default: str
    value: str


@dataclass(frozen=True, slots=True)
class RuleInfo:
    """A rule as reports show it. Analyzers' checks (bandit, radon) are rules too, with `advisory` set: they have no
    denominator, so they never count in a score. `since` is the edition that a rule came with; `is_preview`: that is
    newer than the one the tree is judged by, so what it says is shown, and counts neither in a score nor at the gate.
    `subject` is what a person calls the things that it judges, such as "SQL site"; empty for an analyzer's check.
    """

    code: str
    name: str
    title: str
    principle: str
    severity: Severity
    cwe: tuple[int, ...]
    why: str
    fix: str
    references: tuple[str, ...] = ()
    advisory: bool = False
    since: str = ""
    is_preview: bool = False
    subject: str = ""
    options: tuple[RuleOption, ...] = ()

    @property
    def section(self) -> str:
        """The id of the section that its principle is in: API of API4."""
        return self.principle.rstrip("0123456789")

    @property
    def counts(self) -> bool:
        """Whether its verdicts count in scores and at the gate."""
        return not self.advisory and not self.is_preview


@dataclass(frozen=True, slots=True)
class RuleScore:
    """How many subjects a rule judged, by outcome; `waived` ones are in no other count."""

    code: str
    passed: int = 0
    failed: int = 0
    review: int = 0
    not_applicable: int = 0
    waived: int = 0

    @property
    def compliance(self) -> float | None:
        """pass / (pass + fail), 0 to 1; None when nothing was judged."""
        judged = self.passed + self.failed
        return self.passed / judged if judged else None


class PrincipleStatus(StrEnum):
    """Whether a principle has a score, and if not, why."""

    SCORED = "scored"
    NOT_APPLICABLE = "not applicable"
    NEEDS_ATTESTATION = "needs attestation"
    ATTESTED = "attested"
    """A person gave their word for it; that is no score."""
    NO_RULE_YET = "no rule yet"


@dataclass(frozen=True, slots=True)
class Attestation:
    """A person's word for what code can't show. `expires` is ISO 8601, `link` leads to the proof."""

    statement: str
    by: str
    expires: str
    link: str = ""


@dataclass(frozen=True, slots=True)
class PrincipleScore:
    """`score` is 0 to 100; `cap` is the ceiling that an unwaived critical or high fail put on it (None: no cap).

    `is_attested` as in the standard: code alone can't show it. `attestation` is the word that a person gave for it.
    """

    id: str
    title: str
    weight: float
    status: PrincipleStatus
    score: float | None
    cap: int | None
    rules: tuple[RuleScore, ...]
    is_attested: bool = False
    attestation: Attestation | None = None


@dataclass(frozen=True, slots=True)
class SectionScore:
    """The weighted mean of its scored principles, or None."""

    id: str
    title: str
    weight: float
    score: float | None
    principles: tuple[PrincipleScore, ...]


class ConnectionKind(StrEnum):
    """What a service is connected with."""

    CONTAINER = "container"
    """It runs the service."""
    MESSAGES = "messages"
    """A topic or a queue that the service reads or publishes to."""
    SERVICE = "service"
    """Another one of the same tree."""
    HOST = "host"
    ADDRESS = "address"
    """Whatever is at an address that a setting holds."""
    COMPUTED = "computed"
    """Calls whose address is put together when they are made."""
    DATABASE = "database"
    TASKS = "tasks"
    """Work that is done outside of requests."""
    INFRASTRUCTURE = "infrastructure"
    """A database, a broker or a proxy that is run beside the service; that it is used isn't seen in the code."""


@dataclass(frozen=True, slots=True)
class Connection:
    """What a service is connected with, by name; `what` says in words how that is known: `3 calls`, `106 tables`."""

    kind: ConnectionKind
    name: str
    what: str


@dataclass(frozen=True, slots=True)
class ServiceResult:
    """One deployable backend's score. `coverage` is the share (0 to 1) of subjects and files that could be judged.

    `files_read` are its files that were read, of the `files_wanted` that should have been. `score_before_waivers` is
    what the score would be if nothing were accepted; None where that is the same. `connections` are in a total order.
    """

    name: str
    root: str
    frameworks: tuple[str, ...]
    score: float | None
    grade: str
    coverage: float
    sections: tuple[SectionScore, ...]
    files_read: int = 0
    files_wanted: int = 0
    score_before_waivers: float | None = None
    connections: tuple[Connection, ...] = ()


def is_team(owner: str) -> bool:
    """Whether an owner in CODEOWNERS is several people, as far as the name tells: `@acme/payments`, and not `@ada`."""
    return owner.startswith("@") and "/" in owner


@dataclass(frozen=True, slots=True)
class Since:
    """Only findings in lines changed since `revision` are shown; `hidden` counts the others.

    `base` is the commit that was compared with: where the revision and the scanned one parted.
    """

    revision: str
    base: str
    hidden: int


@dataclass(frozen=True, slots=True)
class Scanned:
    """What was scanned and how much of it; `since` where not all findings are shown.

    `commit` is the one that is checked out, made at `committed` (ISO 8601, UTC). `seconds` is how long the scan took,
    which only a terminal shows: reports of the same tree are the same bytes. `prefix` is where the root lies in its git
    repository, such as `backend/`; empty at the top, and where there is no repository. `web` is where the repository is
    seen on the web, such as `https://github.com/acme/shop`; empty where that isn't known.
    """

    root: str
    commit: str | None
    committed: str | None
    seconds: float
    files: int
    lines: int
    since: Since | None = None
    prefix: str = ""
    web: str = ""


class BaseKind(StrEnum):
    """What a scan is compared with."""

    COMMIT = "commit"
    """A commit's tree, judged as the head is."""
    BASELINE = "baseline"
    """The baseline file."""


@dataclass(frozen=True, slots=True)
class Base:
    """What a scan was compared with. `name` is what a person calls it, such as "merge base of origin/main".

    `commit` is None for a baseline; `fixed` are its findings that are gone; `services` are its scores, none for a
    baseline. `stale` counts the baseline's entries that match nothing.
    """

    kind: BaseKind
    name: str
    commit: str | None
    fixed: tuple[JudgedVerdict, ...] = ()
    services: tuple[ServiceResult, ...] = ()
    stale: int = 0


class Outcome(StrEnum):
    """Whether a condition of the gate is met."""

    MET = "met"
    NOT_MET = "not met"
    NOT_EVALUATED = "not evaluated"
    """What it compares with is missing: neither yes nor no."""
    NOT_APPLICABLE = "not applicable"
    """There is nothing to measure."""
    ANNOUNCED = "announced"
    """It will count from a date on; until then it is only shown."""


@dataclass(frozen=True, slots=True)
class Condition:
    """One demand of the gate: `value operator limit`, such as `1 ≤ 0`, in `unit` ("", "%" or "points").

    `name` says what is measured ("new high findings"), `note` who, where or why. `fingerprints` are the findings that
    it counts.
    """

    name: str
    outcome: Outcome
    value: float | None
    operator: str
    limit: float
    unit: str = ""
    note: str = ""
    fingerprints: tuple[str, ...] = ()

    @property
    def margin(self) -> float | None:
        """How far the value may still go; negative where it went too far."""
        if self.value is None:
            return None
        return self.value - self.limit if self.operator == "≥" else self.limit - self.value


class GateStatus(StrEnum):
    """What the gate says of a change."""

    PASSED = "passed"
    FAILED = "failed"
    UNTRUSTED = "not to be trusted"
    """Something was not read, or an error in Assay kept it from judging: neither yes nor no."""


@dataclass(frozen=True, slots=True)
class GateResult:
    """The gate's word, why in one sentence, and all its conditions. `is_enforced` is off where it only warns."""

    status: GateStatus
    reason: str
    conditions: tuple[Condition, ...]
    is_enforced: bool = True


@dataclass(frozen=True, slots=True)
class IgnoreComment:
    """`# assay: ignore[API401] reason` in a scanned file: its place, the lines that it speaks of, and what it says.

    It says nothing as long as it names no rule (`codes` is empty) or gives no reason.
    """

    location: Location
    first_line: int
    last_line: int
    codes: tuple[str, ...]
    reason: str


class Execution(StrEnum):
    """How far a scan got."""

    COMPLETE = "complete"
    DEGRADED = "degraded"
    """Files could not be read: what was found is real, and nothing is known of the rest."""
    FAILED = "failed"
    """An error in Assay itself."""


@dataclass(frozen=True)  # without slots, so that what is asked again and again can be remembered
class ScanResult:
    """Everything a report can show. Verdicts are in the total order path, line, column, rule, subject."""

    edition: str
    scanned: Scanned
    services: tuple[ServiceResult, ...]
    rules: tuple[RuleInfo, ...]
    verdicts: tuple[JudgedVerdict, ...]
    diagnostics: tuple[Diagnostic, ...]
    sources: Mapping[str, Mapping[int, str]] = field(default_factory=dict)
    """The lines that show findings, by path and number, for code frames."""
    openings: Mapping[str, Mapping[int, str]] = field(default_factory=dict)
    """What opened the string of several lines that a line of `sources` begins in; without it colours would go wrong."""
    files: Mapping[str, str] = field(default_factory=dict)
    """A digest of the content of each file that was scanned, by path: 8 hex digits."""
    exclude: tuple[str, ...] = ()
    """The patterns, in gitignore syntax, of what the configuration leaves out."""
    tool_version: str = __version__
    """The version of Assay that made this result; a report written later still names it."""
    ignores: tuple[IgnoreComment, ...] = ()
    configuration: str = ""
    """A digest of what was configured besides the edition and can change a verdict."""
    base: Base | None = None
    gate: GateResult | None = None
    notices: tuple[str, ...] = ()
    """What a person should know, and no reason to fail: waivers that expire soon, stale entries of the baseline."""
    owners: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Who owns the files that findings are in, by path, as the repository's CODEOWNERS says it; by its folder, whose
    each service is.
    """

    def team(self, service: ServiceResult) -> str:
        """Whose the service is; empty where nobody says."""
        return next(iter(self.owners.get(service.root, ())), "")

    def line(self, path: str, number: int) -> str:
        """The text of a line that a finding cites; empty where there is none."""
        return self.sources.get(path, {}).get(number, "")

    @property
    def execution(self) -> Execution:
        if any(d.reason.is_internal_error for d in self.diagnostics):
            return Execution.FAILED
        return Execution.DEGRADED if any(d.reason.is_unread_file for d in self.diagnostics) else Execution.COMPLETE

    @cached_property
    def counting(self) -> frozenset[str]:
        """The codes of the rules whose verdicts count."""
        return frozenset(rule.code for rule in self.rules if rule.counts)

    def rule(self, code: str) -> RuleInfo:
        return next(r for r in self.rules if r.code == code)

    @cached_property
    def findings(self) -> tuple[JudgedVerdict, ...]:
        """Fails and reviews, worst first: fails before reviews, then severity, path and line."""
        return tuple(
            sorted(
                (v for v in self.verdicts if v.is_finding),
                key=lambda v: (v.kind is Kind.REVIEW, v.severity.rank, v.location, v.rule, v.subject.id),
            )
        )
