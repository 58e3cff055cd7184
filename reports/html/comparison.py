"""What moved since the base, and why: each service's score, its principles, and the findings that are new or gone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from assay.reports import figures, selection
from assay.reports.change_markdown import fixed_fails
from assay.reports.gate import compared_with
from assay.reports.html import addresses
from assay.reports.html.code import place
from assay.reports.html.scores import move
from assay.reports.html.views import Move
from assay.reports.plain import plain
from assay.scanner.results import JudgedVerdict, PrincipleScore, RuleScore, ScanResult, ServiceResult, State

__all__ = ["ComparisonView", "comparison"]

SHOWN = 50
"""Findings of each sort."""

_COUNTS = (("passed", "pass"), ("failed", "fail"), ("review", "to review"), ("waived", "waived"))
"""What moves a principle's score, or could have."""


@dataclass(frozen=True, slots=True)
class ReasonView:
    """A rule whose subjects are judged otherwise than at the base: `pass 3 → 5, fail 2 → 0`."""

    code: str
    counts: str


@dataclass(frozen=True, slots=True)
class PrincipleMove:
    """A principle whose score or subjects changed."""

    id: str
    title: str
    before: str
    after: str
    move: Move | None
    reasons: tuple[ReasonView, ...]


@dataclass(frozen=True, slots=True)
class ServiceMove:
    """A service's score before and after; `words` where one of them is missing."""

    name: str
    before: str
    after: str
    move: Move | None
    words: str
    principles: tuple[PrincipleMove, ...]


@dataclass(frozen=True, slots=True)
class FindingLine:
    """A finding in one line; `address` is its page's, empty for one that is gone."""

    severity: str
    code: str
    message: str
    place: str
    address: str


@dataclass(frozen=True, slots=True)
class ComparisonView:
    """The page; services only where the base has scores."""

    compared_with: str
    services: tuple[ServiceMove, ...]
    still: str
    new: tuple[FindingLine, ...]
    new_count: int
    fixed: tuple[FindingLine, ...]
    fixed_count: int


def comparison(result: ScanResult) -> ComparisonView | None:
    """None where nothing was compared with."""
    base = result.base
    if base is None:
        return None
    new = [finding for finding in selection.open_fails(result) if finding.state is State.NEW]
    fixed = fixed_fails(result)
    moves = tuple(_services(base.services, result.services)) if base.services else ()
    moved = tuple(one for one in moves if one.principles or one.words or one.before != one.after)
    still = len(moves) - len(moved)
    return ComparisonView(
        compared_with=compared_with(base),
        services=moved,
        still=f"{figures.count(still, 'service')} with the same verdicts." if still else "",
        new=tuple(_line(finding, addresses.of_finding(finding)) for finding in new[:SHOWN]),
        new_count=len(new),
        fixed=tuple(_line(finding, "") for finding in fixed[:SHOWN]),
        fixed_count=len(fixed),
    )


def _services(before: Iterable[ServiceResult], after: Iterable[ServiceResult]) -> Iterator[ServiceMove]:
    old, new = ({service.name: service for service in services} for services in (before, after))
    for name in dict.fromkeys((*new, *old)):
        first, last = old.get(name), new.get(name)
        scores = [None if service is None else service.score for service in (first, last)]
        yield ServiceMove(
            name=plain(name),
            before=figures.score(scores[0]),
            after=figures.score(scores[1]),
            move=move(scores[0], scores[1]),
            words="it was not there" if first is None else "it is gone" if last is None else "",
            principles=tuple(_principles(first, last)) if first and last else (),
        )


def _principles(before: ServiceResult, after: ServiceResult) -> Iterator[PrincipleMove]:
    """Those that moved most first."""
    old, new = _by_id(before), _by_id(after)
    found = []
    for id_, principle in (old | new).items():
        first, last = old.get(id_), new.get(id_)
        reasons = tuple(_reasons(_by_code(first), _by_code(last)))
        scores = [None if one is None else one.score for one in (first, last)]
        if not reasons and scores[0] == scores[1]:
            continue
        size = 100.0 if None in scores and scores[0] != scores[1] else abs((scores[1] or 0.0) - (scores[0] or 0.0))
        view = PrincipleMove(
            id=plain(id_),
            title=plain(principle.title),
            before=figures.score(scores[0]),
            after=figures.score(scores[1]),
            move=move(scores[0], scores[1]),
            reasons=reasons,
        )
        found.append((-size, id_, view))
    return (view for *_, view in sorted(found, key=lambda one: one[:2]))


def _reasons(before: dict[str, RuleScore], after: dict[str, RuleScore]) -> Iterator[ReasonView]:
    for code in sorted(before | after):
        old, new = (known.get(code, RuleScore(code)) for known in (before, after))
        counts = [
            f"{word} {getattr(old, name):,} → {getattr(new, name):,}"
            for name, word in _COUNTS
            if getattr(old, name) != getattr(new, name)
        ]
        if counts:
            yield ReasonView(plain(code), ", ".join(counts))


def _by_id(service: ServiceResult) -> dict[str, PrincipleScore]:
    return {p.id: p for section in service.sections for p in section.principles}


def _by_code(principle: PrincipleScore | None) -> dict[str, RuleScore]:
    return {} if principle is None else {rule.code: rule for rule in principle.rules}


def _line(finding: JudgedVerdict, address: str) -> FindingLine:
    return FindingLine(
        finding.severity.value, plain(finding.rule), plain(finding.message), place(finding.location), address
    )
