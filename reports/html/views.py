"""What the HTML report says, as plain values: the templates only loop over them and leave out what is empty.

All text is harmless already; the template engine escapes it, code alone comes as markup.
"""

from __future__ import annotations

from dataclasses import dataclass

from markupsafe import Markup

CROWD = 6


@dataclass(frozen=True, slots=True)
class Fact:
    """A term and what it stands for."""

    term: str
    text: str


@dataclass(frozen=True, slots=True)
class Mark:
    """An outcome as a symbol with its word; never colour alone. `kind` is its class."""

    kind: str
    symbol: str
    word: str


@dataclass(frozen=True, slots=True)
class Bar:
    """Widths in percent of the whole bar."""

    passed: str
    failed: str


@dataclass(frozen=True, slots=True)
class Move:
    """How far a score went since the base. `kind` is `better`, `worse` or `same`."""

    kind: str
    symbol: str
    word: str
    text: str


@dataclass(frozen=True, slots=True)
class Count:
    """How many findings there are of one sort; `address` lists them."""

    kind: str
    number: str
    word: str
    address: str


@dataclass(frozen=True, slots=True)
class Status:
    """The whole report in one sentence, and why."""

    mark: Mark
    headline: str
    reason: str


@dataclass(frozen=True, slots=True)
class SectionView:
    """A section of one service with its figures."""

    id: str
    title: str
    score: str
    move: Move | None
    bar: Bar | None
    passed_of_judged: str
    failed: int
    review: int
    waived: int
    capped: str


@dataclass(frozen=True, slots=True)
class WeakView:
    """One of the principles that are kept least."""

    id: str
    title: str
    score: str
    move: Move | None
    cap: str
    bar: Bar | None
    passed_of_judged: str


@dataclass(frozen=True, slots=True)
class ServiceView:
    """One service; `grade_class` picks the colour of its grade, `next_grade` says what a better one needs."""

    anchor: str
    name: str
    root: str
    frameworks: str
    grade: str
    is_rated: bool
    grade_class: str
    score: str
    move: Move | None
    before_waivers: str
    coverage: str
    summary: str
    next_grade: str
    failed: int
    review: int
    arithmetic: str
    sections: tuple[SectionView, ...]
    weakest: tuple[WeakView, ...]


@dataclass(frozen=True, slots=True)
class Task:
    """What to do first: a rule whose fails weigh most."""

    severity: str
    code: str
    title: str
    fix: str
    amount: str
    gain: str
    owners: str
    address: str
    where: str


@dataclass(frozen=True, slots=True)
class ConditionView:
    """A condition of the gate: how far it is from its limit, and some of the findings that it counts."""

    mark: Mark
    name: str
    value: str
    limit: str
    margin: str
    note: str
    findings: tuple[str, ...]
    more: int


@dataclass(frozen=True, slots=True)
class Change:
    """What became of findings since the base."""

    compared_with: str
    counts: tuple[Count, ...]
    fixed: tuple[str, ...]
    more_fixed: int


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
    """One finding in full; `address` is its page's, `anchor` its element's id here, `is_open`: unfolded at first."""

    address: str
    anchor: str
    mark: Mark
    severity: str
    code: str
    rule: str
    state: str
    message: str
    subject: str
    place: str
    service: str
    fingerprint: str
    why: str
    fix: str
    lapsed: str
    excerpts: tuple[ExcerptView, ...]
    elsewhere: tuple[PlaceView, ...]
    flows: tuple[tuple[StepView, ...], ...]
    is_open: bool


@dataclass(frozen=True, slots=True)
class Cell:
    """A score; `kind` picks its shade."""

    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Heat:
    """The sections' scores of several services: a row of cells for each service, a column for each section."""

    sections: tuple[Fact, ...]
    rows: tuple[tuple[Cell, ...], ...]


@dataclass(frozen=True, slots=True)
class Overview:
    """The first page."""

    name: str
    facts: tuple[Fact, ...]
    status: Status
    incomplete: str
    notices: tuple[str, ...]
    counts: tuple[Count, ...]
    services: tuple[ServiceView, ...]
    heat: Heat | None
    unmet: tuple[ConditionView, ...]
    others: tuple[ConditionView, ...]
    change: Change | None
    tasks: tuple[Task, ...]
    coming: tuple[str, ...]
    findings_title: str
    findings: tuple[FindingView, ...]
    all_findings: str
    severities: tuple[Fact, ...]

    @property
    def has_many_services(self) -> bool:
        return len(self.services) > 1

    @property
    def has_crowd(self) -> bool:
        """Whether the services are too many to be told one after the other."""
        return len(self.services) > CROWD


@dataclass(frozen=True, slots=True)
class RuleRow:
    """One rule within its principle."""

    code: str
    name: str
    severity: str
    weight: str
    passed: int
    failed: int
    review: int
    not_applicable: int
    waived: int
    compliance: str


@dataclass(frozen=True, slots=True)
class AttestationView:
    """A person's word for a principle; `link` is empty unless it is an address of the web."""

    statement: str
    by: str
    expires: str
    link: str


@dataclass(frozen=True, slots=True)
class PrincipleView:
    """A principle: its score with what limits it, or `status` where it has none."""

    id: str
    title: str
    weight: str
    score: str
    move: Move | None
    cap: str
    status: str
    attestation: AttestationView | None
    bar: Bar | None
    passed_of_judged: str
    worst: str
    worst_amount: str
    review: int
    waived: int
    arithmetic: str
    rules: tuple[RuleRow, ...]


@dataclass(frozen=True, slots=True)
class PrincipleGroup:
    """A section's principles of one service."""

    id: str
    title: str
    weight: str
    score: str
    move: Move | None
    arithmetic: str
    principles: tuple[PrincipleView, ...]


@dataclass(frozen=True, slots=True)
class PrincipleTable:
    """All principles of one service."""

    anchor: str
    service: str
    grade: str
    score: str
    arithmetic: str
    groups: tuple[PrincipleGroup, ...]


@dataclass(frozen=True, slots=True)
class MatrixRow:
    """A principle over all services."""

    id: str
    title: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Principles:
    """The page of principles; `matrix` only where there are several services."""

    summary: str
    tables: tuple[PrincipleTable, ...]
    matrix: tuple[MatrixRow, ...]
