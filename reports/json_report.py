"""The JSON report: Assay's public, machine-readable contract, and its JSON Schema.

The structs are the contract: what they declare is what is written and what the schema in `schemas/` demands.
"""

from __future__ import annotations

from typing import Annotated, Literal, TypeVar

import msgspec
from msgspec import Meta, field

from assay.reports.jsontext import json_text, schema_text
from assay.scanner.diagnostics import Reason
from assay.scanner.results import PrincipleStatus, RuleInfo, ScanResult
from assay.scanner.verdicts import Kind, Severity

SCHEMA_VERSION: Literal["2.0"] = "2.0"
"""The minor number grows when fields are added, the major one when any is changed or removed."""

Count = Annotated[int, Meta(ge=0)]
Position = Annotated[int, Meta(ge=1, description="Counts from 1.")]
Score = Annotated[float, Meta(ge=0, le=100, description="0 to 100.")]
Path = Annotated[str, Meta(description="Relative to the scanned root, with `/`.")]


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


class RuleScore(_Node, frozen=True):
    """How many subjects a rule judged, by outcome; waived ones are in no other count."""

    code: str
    passed: Count = field(name="pass")
    failed: Count = field(name="fail")
    review: Count
    not_applicable: Count = field(name="notApplicable")
    waived: Count


class Principle(_Node, frozen=True):
    """One principle's score, the ceiling that an unwaived critical or high fail put on it, and its rules."""

    id: str
    title: str
    status: PrincipleStatus
    score: Score | None
    cap: Annotated[int, Meta(ge=0, le=100)] | None
    rules: tuple[RuleScore, ...]


class Section(_Node, frozen=True):
    """The weighted mean of its principles that have a score; null where none has one."""

    id: str
    title: str
    score: Score | None
    principles: tuple[Principle, ...]


class Service(_Node, frozen=True):
    """One deployable backend. `coverage` is the share of subjects and files that could be judged."""

    name: str
    root: Path
    frameworks: tuple[str, ...]
    score: Score | None
    grade: Literal["A", "B", "C", "D", "E", "not rated"]
    coverage: Annotated[float, Meta(ge=0, le=1)]
    sections: tuple[Section, ...]


class Rule(_Node, frozen=True):
    """One checkable demand. Advisory ones are an analyzer's and count in no score."""

    code: str
    name: str
    title: str
    principle: str
    severity: Severity
    cwe: Annotated[
        tuple[Annotated[int, Meta(ge=1)], ...], Meta(description="Numbers of the Common Weakness Enumeration.")
    ]
    help: Annotated[str, Meta(description="Why it matters and how to fix it, as plain text.")]
    advisory: bool


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


class Verdict(_Node, frozen=True):
    """One rule's word on one subject of one service. `waiver` says by whom, why and until when it is accepted."""

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


class Diagnostic(_Node, frozen=True):
    """Something that could not be read or understood; without a line, the whole file is meant."""

    path: Path
    line: Position | None
    reason: Reason
    message: str


class Report(_Node, frozen=True):
    """What a scan of a source tree found."""

    schema_version: Literal["2.0"]
    tool: Tool
    edition: Annotated[str, Meta(description="The edition of the standard that was applied.")]
    scanned: Scanned
    services: tuple[Service, ...]
    rules: tuple[Rule, ...]
    verdicts: tuple[Verdict, ...]
    diagnostics: tuple[Diagnostic, ...]


def render(result: ScanResult) -> str:
    """The report as JSON text, the same bytes for the same result.

    Raises msgspec.ValidationError if the result breaks the contract, such as a score above 100.
    """
    return json_text(
        Report(
            schema_version=SCHEMA_VERSION,
            tool=Tool("assay", result.tool_version),
            edition=result.edition,
            scanned=_copied(result.scanned, Scanned),
            services=_copied(result.services, tuple[Service, ...]),
            rules=tuple(_rule(rule) for rule in result.rules),
            verdicts=_copied(result.verdicts, tuple[Verdict, ...]),
            diagnostics=_copied(result.diagnostics, tuple[Diagnostic, ...]),
        )
    )


def schema() -> str:
    """The JSON Schema (2020-12) of the report, as `schemas/report.schema.json` holds it."""
    return schema_text(Report, f"Assay report {SCHEMA_VERSION}")


Copied = TypeVar("Copied")


def _copied(source: object, target: type[Copied]) -> Copied:
    """The attributes that the contract names, checked against it."""
    return msgspec.convert(source, target, from_attributes=True)


def _rule(rule: RuleInfo) -> Rule:
    return Rule(
        code=rule.code,
        name=rule.name,
        title=rule.title,
        principle=rule.principle,
        severity=rule.severity,
        cwe=rule.cwe,
        help=f"Why: {rule.why}\nFix: {rule.fix}",
        advisory=rule.advisory,
    )
