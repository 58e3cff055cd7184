"""What the JSON report holds: the structs are the contract, and the schema in `schemas/` demands what they declare."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, field

from assay.scanner.diagnostics import Reason
from assay.scanner.results import AcceptedBy, BaseKind, ConnectionKind, Execution, Outcome, PrincipleStatus, State
from assay.scanner.verdicts import Kind, Severity

SCHEMA_VERSION: Literal["2.0"] = "2.0"
"""The minor number grows when fields are added, the major one when any is changed or removed."""

Count = Annotated[int, Meta(ge=0)]
Position = Annotated[int, Meta(ge=1, description="Counts from 1.")]
Score = Annotated[float, Meta(ge=0, le=100, description="0 to 100.")]
Weight = Annotated[float, Meta(ge=0, description="Its share in the mean that it is part of.")]
IsoDate = Annotated[str, Meta(description="Such as 2026-06-30 (ISO 8601); empty where none was said.")]
Path = Annotated[str, Meta(description="Relative to the scanned root, with `/`.")]

LinesByFile = dict[str, dict[int, str]]


class _Node(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Everything in the contract: no field is ever left out, none is unknown."""


class Tool(_Node, frozen=True):
    """What made the report."""

    name: Literal["assay"]
    version: str


class Since(_Node, frozen=True):
    """Only findings in lines changed since a revision are listed; scores count all of them."""

    revision: str
    base: Annotated[str, Meta(description="The commit compared with: where the revision and HEAD parted.")]
    hidden: Annotated[int, Meta(ge=0, description="Findings in other lines, which are not listed.")]


class Scanned(_Node, frozen=True):
    """What was scanned, and how much of it; `since` is null where all findings are listed."""

    root: str
    commit: str | None
    committed: Annotated[str, Meta(description="When the commit was made: ISO 8601, UTC.")] | None
    files: Count
    lines: Count
    since: Since | None
    prefix: Annotated[str, Meta(description="Where the root lies in its git repository, such as `backend/`; or empty.")]
    web: Annotated[
        str, Meta(description="Where the repository is seen on the web, such as `https://github.com/a/b`; or empty.")
    ]


class RuleScore(_Node, frozen=True):
    """How many subjects a rule judged, by outcome; waived ones are in no other count."""

    code: str
    passed: Count = field(name="pass")
    failed: Count = field(name="fail")
    review: Count
    not_applicable: Count = field(name="notApplicable")
    waived: Count


class Attestation(_Node, frozen=True):
    """A person's word for what code can't show."""

    statement: str
    by: str
    expires: IsoDate
    link: str


class Principle(_Node, frozen=True):
    """One principle's score, the ceiling that an unwaived critical or high fail put on it, and its rules."""

    id: str
    title: str
    weight: Weight
    status: PrincipleStatus
    score: Score | None
    cap: Annotated[int, Meta(ge=0, le=100)] | None
    is_attested: Annotated[bool, Meta(description="Code alone can't show it.")] = field(name="attested")
    attestation: Attestation | None
    rules: tuple[RuleScore, ...]


class Section(_Node, frozen=True):
    """The weighted mean of its principles that have a score; null where none has one."""

    id: str
    title: str
    weight: Weight
    score: Score | None
    principles: tuple[Principle, ...]


class Connection(_Node, frozen=True):
    """Something that a service is connected with; `what` says in words how that is known."""

    kind: ConnectionKind
    name: str
    what: str


class Service(_Node, frozen=True):
    """One deployable backend. `coverage` is the share of subjects and files that could be judged; of `files_wanted`,
    which should have been read, `files_read` were. `score_before_waivers` is what the score would be if nothing were
    accepted; null where that is the same.
    """

    name: str
    root: Path
    frameworks: tuple[str, ...]
    score: Score | None
    score_before_waivers: Score | None
    grade: Literal["A", "B", "C", "D", "E", "not rated"]
    coverage: Annotated[float, Meta(ge=0, le=1)]
    files_read: Count
    files_wanted: Count
    connections: tuple[Connection, ...]
    sections: tuple[Section, ...]


class RuleOption(_Node, frozen=True):
    """A threshold that users may set: its default and the value that was judged by, as `assay.toml` has them."""

    name: str
    default: str
    value: str


class Rule(_Node, frozen=True):
    """One checkable demand. Advisory ones are an analyzer's and count in no score; nor do previews, which are newer
    than the edition. `since` is the edition that a rule came with.
    """

    code: str
    name: str
    title: str
    principle: str
    severity: Severity
    cwe: Annotated[
        tuple[Annotated[int, Meta(ge=1)], ...], Meta(description="Numbers of the Common Weakness Enumeration.")
    ]
    help: Annotated[str, Meta(description="Why it matters and how to fix it, as plain text.")]
    why: str
    fix: str
    references: tuple[str, ...]
    advisory: bool
    since: str
    is_preview: bool = field(name="preview")
    subject: Annotated[str, Meta(description="What a person calls the things that it judges; empty for an analyzer's.")]
    options: tuple[RuleOption, ...]


class Subject(_Node, frozen=True):
    """What was judged: its type, an identity that survives moved lines, and what a person calls it."""

    kind: str
    id: str
    label: str


class Location(_Node, frozen=True):
    """A stretch of one file. Columns count Unicode code points; the end is exclusive."""

    path: Path
    line: Position
    column: Position
    end_line: Position
    end_column: Position


class Evidence(_Node, frozen=True):
    """A place, and what it shows."""

    location: Location
    text: str


class Acceptance(_Node, frozen=True):
    """Somebody's word that a finding may stay; what wasn't said is empty."""

    by: AcceptedBy
    reason: str
    id: str
    owner: str
    approver: str
    ticket: str
    created: IsoDate
    expires: IsoDate


class Verdict(_Node, frozen=True):
    """One rule's word on one subject of one service. `waiver` says in a sentence by whom, why and until when it is
    accepted, `acceptance` says the same in parts; `lapsed` is the waiver that covered it until it expired. `state` is
    what became of it since the base, `line_hash` its line as GitHub's code scanning knows it.
    """

    service: str
    rule: str
    kind: Kind
    severity: Severity
    subject: Subject
    location: Location
    message: str
    evidence: tuple[Evidence, ...]
    flows: Annotated[
        tuple[tuple[Evidence, ...], ...],
        Meta(description="Ways that a value takes to the subject, each with its steps in order."),
    ]
    fingerprint: str
    waiver: str | None
    acceptance: Acceptance | None
    lapsed: Acceptance | None
    state: State | None
    line_hash: str


class Diagnostic(_Node, frozen=True):
    """Something that could not be read or understood; without a line, the whole file is meant."""

    path: Path
    line: Position | None
    reason: Reason
    message: str


class Base(_Node, frozen=True):
    """What was compared with: a commit or the baseline file. `fixed` are its findings that are gone, `services` its
    scores; `stale` counts the baseline's entries that match nothing.
    """

    kind: BaseKind
    name: str
    commit: str | None
    fixed: tuple[Verdict, ...]
    services: tuple[Service, ...]
    stale: Count


class Decision(StrEnum):
    """The gate's word."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_EVALUATED = "not-evaluated"
    """Something could not be read or judged: neither yes nor no."""


class Condition(_Node, frozen=True):
    """One demand of the gate: `value operator limit`. `fingerprints` are the findings that it counts."""

    name: str
    outcome: Outcome
    value: float | None
    operator: str
    limit: float
    unit: str
    note: str
    fingerprints: tuple[str, ...]


class Gate(_Node, frozen=True):
    """Whether a change may be merged, and why; where it isn't enforced, it only warns."""

    status: Decision
    reason: str
    is_enforced: bool = field(name="enforced")
    conditions: tuple[Condition, ...]


class IgnoreComment(_Node, frozen=True):
    """A comment in the code that says why findings of some lines may stay."""

    location: Location
    first_line: Position
    last_line: Position
    codes: tuple[str, ...]
    reason: str


class Report(_Node, frozen=True):
    """What a scan of a source tree found."""

    schema_version: Literal["2.0"]
    tool: Tool
    edition: Annotated[str, Meta(description="The edition of the standard that was applied.")]
    configuration: Annotated[str, Meta(description="A digest of what was configured besides the edition.")]
    execution: Execution
    gate: Annotated[Gate | None, Meta(description="Null where no gate was asked.")]
    notices: Annotated[tuple[str, ...], Meta(description="What a person should know, and no reason to fail.")]
    scanned: Scanned
    services: tuple[Service, ...]
    rules: tuple[Rule, ...]
    verdicts: tuple[Verdict, ...]
    diagnostics: tuple[Diagnostic, ...]
    base: Annotated[Base | None, Meta(description="Null where nothing was compared with.")]
    ignores: tuple[IgnoreComment, ...]
    sources: Annotated[LinesByFile, Meta(description="The lines that show findings, by path and number.")]
    openings: Annotated[
        LinesByFile,
        Meta(description="What opened the string that some of these lines begin in, by path and number."),
    ]
    files: Annotated[dict[str, str], Meta(description="A digest of the content of each scanned file, by path.")]
    exclude: Annotated[
        tuple[str, ...], Meta(description="What the configuration leaves out: patterns in gitignore syntax.")
    ]
    owners: Annotated[
        dict[str, tuple[str, ...]],
        Meta(description="Who owns the files with findings, by path (CODEOWNERS); by its root, whose a service is."),
    ]
