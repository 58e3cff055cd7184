"""What the HTML report says, as plain values: the templates only loop over them and leave out what is empty.

All text is harmless already; the template engine escapes it, code alone comes as markup.
"""

from __future__ import annotations

from dataclasses import dataclass

from markupsafe import Markup


@dataclass(frozen=True, slots=True)
class VerdictMark:
    """A verdict's kind as a symbol with its word; never colour alone."""

    kind: str
    symbol: str
    word: str


@dataclass(frozen=True, slots=True)
class Bar:
    """Widths in percent of the whole bar."""

    passed: str
    failed: str


@dataclass(frozen=True, slots=True)
class RuleRow:
    """One rule within its principle, or in the table of what was checked."""

    code: str
    name: str
    title: str
    severity: str
    weight: str
    passed: int
    failed: int
    review: int
    not_applicable: int
    waived: int
    compliance: str
    has_findings: bool


@dataclass(frozen=True, slots=True)
class PrincipleView:
    """A principle with a score, its rules and the arithmetic from them to it."""

    id: str
    title: str
    score: str
    capped: bool
    arithmetic: str
    rules: tuple[RuleRow, ...]


@dataclass(frozen=True, slots=True)
class UnscoredView:
    """A principle without a score, and why."""

    id: str
    title: str
    status: str


@dataclass(frozen=True, slots=True)
class SectionView:
    """A section of one service: its figures, and its scored principles."""

    id: str
    title: str
    score: str
    bar: Bar | None
    compliance: str
    passed_of_judged: str
    judged: str
    failed: int
    review: int
    waived: int
    arithmetic: str
    principles: tuple[PrincipleView, ...]


@dataclass(frozen=True, slots=True)
class ServiceView:
    """One service; `grade_class` picks the colour of its grade."""

    anchor: str
    name: str
    root: str
    frameworks: str
    grade: str
    is_rated: bool
    grade_class: str
    score: str
    before_waivers: str
    coverage: str
    summary: str
    failed: int
    review: int
    arithmetic: str
    sections: tuple[SectionView, ...]
    has_scored_principles: bool
    unscored: tuple[UnscoredView, ...]


@dataclass(frozen=True, slots=True)
class LineView:
    """One line of code, highlighted; `notes` are the evidence's texts to show below it."""

    number: int
    code: Markup
    notes: tuple[str, ...]
    is_cited: bool
    follows_gap: bool


@dataclass(frozen=True, slots=True)
class ExcerptView:
    """Lines of one file; `is_elsewhere`: of another one than the finding is in."""

    path: str
    is_elsewhere: bool
    lines: tuple[LineView, ...]


@dataclass(frozen=True, slots=True)
class PlaceView:
    """Evidence that no excerpt shows."""

    place: str
    text: str


@dataclass(frozen=True, slots=True)
class StepView:
    """A step of a flow; `code` is its line, None where that isn't shown."""

    place: str
    text: str
    code: Markup | None


@dataclass(frozen=True, slots=True)
class FindingView:
    """One finding; `anchor` is the id of its element, `is_open` says whether it is unfolded at first."""

    anchor: str
    mark: VerdictMark
    message: str
    subject: str
    place: str
    service: str
    fingerprint: str
    waiver: str | None
    lapsed: str | None
    excerpts: tuple[ExcerptView, ...]
    elsewhere: tuple[PlaceView, ...]
    flows: tuple[tuple[StepView, ...], ...]
    is_open: bool


@dataclass(frozen=True, slots=True)
class RuleFindings:
    """The findings of one rule at one severity, with the rule's help said once."""

    anchor: str | None
    code: str
    name: str
    title: str
    severity: str
    section: str
    principle: str
    why: str
    fix: str
    cwe: tuple[str, ...]
    references: tuple[str, ...]
    advisory: bool
    counts: str
    is_open: bool
    findings: tuple[FindingView, ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """One option of a filter; the label says how many findings it leaves."""

    value: str
    label: str


@dataclass(frozen=True, slots=True)
class Filter:
    """One drop-down of the findings' filter."""

    name: str
    label: str
    choices: tuple[Choice, ...]


@dataclass(frozen=True, slots=True)
class CheckedRule:
    """A rule with its counts over all services; `examples` are passes, `more` counts the others."""

    row: RuleRow
    examples: tuple[PlaceView, ...]
    more: str


@dataclass(frozen=True, slots=True)
class DiagnosticView:
    """Something that could not be read or understood, and what to do about it."""

    reason: str
    place: str
    message: str
    remedy: str
    is_internal_error: bool


@dataclass(frozen=True, slots=True)
class Fact:
    """A term and what it stands for."""

    term: str
    text: str


@dataclass(frozen=True, slots=True)
class AcceptedView:
    """A waiver with the findings that it covers, or the comments in a file that give one reason."""

    owner: str
    name: str
    rules: str
    reason: str
    findings: int
    created: str
    expires: str
    has_expired: bool


@dataclass(frozen=True, slots=True)
class Page:
    """The whole report."""

    title: str
    scanned: str
    edition: str
    facts: tuple[Fact, ...]
    incomplete: str
    notices: tuple[str, ...]
    services: tuple[ServiceView, ...]
    has_many_services: bool
    findings_summary: str
    frames_note: str
    filters: tuple[Filter, ...]
    groups: tuple[RuleFindings, ...]
    accepted: tuple[AcceptedView, ...]
    more_accepted: int
    checked: tuple[CheckedRule, ...]
    diagnostics: tuple[DiagnosticView, ...]
    severities: tuple[Fact, ...]
