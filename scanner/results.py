"""What a scan found, as plain data: the only thing that reports see."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

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


@dataclass(frozen=True, slots=True)
class JudgedVerdict:
    """One rule's verdict on one subject of one service."""

    service: str
    rule: str
    kind: Kind
    severity: Severity
    subject: SubjectReference
    location: Location
    message: str
    evidence: tuple[Evidence, ...]
    fingerprint: str
    waiver: str | None = None
    flows: tuple[tuple[Evidence, ...], ...] = ()

    @property
    def is_finding(self) -> bool:
        return self.kind in (Kind.FAIL, Kind.REVIEW)

    @property
    def places(self) -> Iterator[Location]:
        """All that it points at: the subject, the evidence and the steps of the flows."""
        yield self.location
        for steps in (self.evidence, *self.flows):
            yield from (step.location for step in steps)


@dataclass(frozen=True, slots=True)
class RuleInfo:
    """A rule as reports show it. Analyzers' checks (bandit, radon) are rules too, with `advisory` set: they have no
    denominator, so they never count in a score.
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
    NO_RULE_YET = "no rule yet"


@dataclass(frozen=True, slots=True)
class PrincipleScore:
    """`score` is 0 to 100; `cap` is the ceiling that an unwaived critical or high fail put on it (None: no cap)."""

    id: str
    title: str
    weight: float
    status: PrincipleStatus
    score: float | None
    cap: int | None
    rules: tuple[RuleScore, ...]


@dataclass(frozen=True, slots=True)
class SectionScore:
    """The weighted mean of its scored principles, or None."""

    id: str
    title: str
    weight: float
    score: float | None
    principles: tuple[PrincipleScore, ...]


@dataclass(frozen=True, slots=True)
class ServiceResult:
    """One deployable backend's score. `coverage` is the share (0 to 1) of subjects and files that could be judged."""

    name: str
    root: str
    frameworks: tuple[str, ...]
    score: float | None
    grade: str
    coverage: float
    sections: tuple[SectionScore, ...]


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
    """What was scanned, when (ISO 8601, UTC), and how much of it; `since` where not all findings are shown."""

    root: str
    commit: str | None
    started: str
    seconds: float
    files: int
    lines: int
    since: Since | None = None


@dataclass(frozen=True, slots=True)
class ScanResult:
    """Everything a report can show. Verdicts are in the total order path, line, column, rule, subject."""

    edition: str
    scanned: Scanned
    services: tuple[ServiceResult, ...]
    rules: tuple[RuleInfo, ...]
    verdicts: tuple[JudgedVerdict, ...]
    diagnostics: tuple[Diagnostic, ...]
    sources: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """The lines of each file that a finding or its evidence cites, for code frames."""
    tool_version: str = __version__
    """The version of Assay that made this result; a report written later still names it."""

    def rule(self, code: str) -> RuleInfo:
        return next(r for r in self.rules if r.code == code)

    @property
    def findings(self) -> tuple[JudgedVerdict, ...]:
        """Fails and reviews, worst first: fails before reviews, then severity, path and line."""
        return tuple(
            sorted(
                (v for v in self.verdicts if v.is_finding),
                key=lambda v: (v.kind is Kind.REVIEW, v.severity.rank, v.location, v.rule, v.subject.id),
            )
        )


@dataclass(frozen=True, slots=True)
class OptionInfo:
    """A threshold of a rule that users may set, with its default, both as they are written in `assay.toml`."""

    name: str
    default: str


@dataclass(frozen=True, slots=True)
class RulePage:
    """What a rule's page says: the rule, what it judges, and what can be set."""

    rule: RuleInfo
    subject: str
    options: tuple[OptionInfo, ...] = ()


@dataclass(frozen=True, slots=True)
class PrinciplePage:
    """What a principle's page says; `attested` as in the standard: code alone can't show it."""

    id: str
    title: str
    statement: str
    weight: float
    attested: bool
    rules: tuple[RulePage, ...]


@dataclass(frozen=True, slots=True)
class SectionPage:
    """A chapter of the standard; `weight` is its share of the overall score, in percent."""

    id: str
    title: str
    weight: float
    principles: tuple[PrinciplePage, ...]


@dataclass(frozen=True, slots=True)
class StandardPages:
    """The standard to read: sections, principles and rules in its order, and the analyzers' checks by code."""

    edition: str
    sections: tuple[SectionPage, ...]
    checks: tuple[RuleInfo, ...]
