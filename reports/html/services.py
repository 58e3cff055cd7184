"""A service on the overview: its grade and what a better one needs, and its sections as bars."""

from __future__ import annotations

from assay.reports import arithmetic, figures
from assay.reports.arithmetic import Tally
from assay.reports.html.gains import NextGrade, next_grade
from assay.reports.html.scores import Earlier, earlier, move
from assay.reports.html.views import Bar, SectionView, ServiceView, WeakView
from assay.reports.plain import plain
from assay.scanner.results import PrincipleScore, ScanResult, SectionScore, ServiceResult

__all__ = ["bar", "cap", "is_rated", "passed_of_judged", "service_view", "summary"]

_NOTHING = Tally(0, 0, 0, 0, 0)
_NAMED = 4
"""Principles that are named as the way to the next grade."""
_WEAKEST = 5


def service_view(index: int, service: ServiceResult, result: ScanResult) -> ServiceView:
    """The service, with what changed in it since the base of the result."""
    tally = Tally.of(rule for principle in _principles(service) for rule in principle.rules)
    old = earlier(result, service)
    return ServiceView(
        anchor=f"service-{index}",
        name=plain(service.name),
        root=plain(service.root),
        frameworks=plain(" · ".join(service.frameworks)) or "no framework recognised",
        grade=plain(service.grade),
        is_rated=is_rated(service),
        grade_class=f"grade-{service.grade.lower()}" if is_rated(service) else "grade-none",
        score=figures.score(service.score),
        move=move(old.score, service.score),
        before_waivers="" if service.score_before_waivers is None else figures.score(service.score_before_waivers),
        coverage=figures.percent(service.coverage),
        summary=summary(service),
        next_grade=_way_up(service, tally),
        failed=tally.failed,
        review=tally.review,
        arithmetic=arithmetic.of_service(service),
        sections=tuple(_section(s, old) for s in service.sections if Tally.of_section(s) != _NOTHING),
        weakest=tuple(_weak(p, old) for p in _weakest(service)),
    )


def is_rated(service: ServiceResult) -> bool:
    """Whether it has a grade: a letter."""
    return len(service.grade) == 1


def summary(service: ServiceResult) -> str:
    """How many principles are kept, and what keeps the others down."""
    scored = [p for p in _principles(service) if p.score is not None]
    if not scored:
        return "No principle could be scored."
    kept = sum(p.score == 100 for p in scored)
    grave = sum(p.cap is not None for p in scored)
    sentence = f"{kept} of {figures.count(len(scored), 'scored principle')} fully kept"
    return f"{sentence}, {grave} with a critical or high fail." if grave else f"{sentence}."


def bar(tally: Tally) -> Bar | None:
    """Passes and fails as shares; None where nothing was judged."""
    if tally.compliance is None:
        return None
    return Bar(f"{tally.compliance * 100:.2f}", f"{(1 - tally.compliance) * 100:.2f}")


def _principles(service: ServiceResult) -> list[PrincipleScore]:
    return [principle for section in service.sections for principle in section.principles]


def _section(section: SectionScore, old: Earlier) -> SectionView:
    tally = Tally.of_section(section)
    return SectionView(
        id=section.id,
        title=plain(section.title),
        score=figures.score(section.score),
        move=move(old.sections.get(section.id), section.score),
        bar=bar(tally),
        passed_of_judged=passed_of_judged(tally),
        failed=tally.failed,
        review=tally.review,
        waived=tally.waived,
        capped=figures.joined([principle.id for principle in section.principles if cap(principle)]),
    )


def _weakest(service: ServiceResult) -> list[PrincipleScore]:
    """The few that are kept least; among equals the one that weighs most."""
    broken = [(p.score, -p.weight, p.id, p) for p in _principles(service) if p.score is not None and p.score < 100]
    return [principle for *_, principle in sorted(broken, key=lambda entry: entry[:3])][:_WEAKEST]


def _weak(principle: PrincipleScore, old: Earlier) -> WeakView:
    tally = Tally.of(principle.rules)
    return WeakView(
        id=principle.id,
        title=plain(principle.title),
        score=figures.score(principle.score),
        move=move(old.principles.get(principle.id), principle.score),
        cap=cap(principle),
        bar=bar(tally),
        passed_of_judged=passed_of_judged(tally),
    )


def cap(principle: PrincipleScore) -> str:
    """What keeps the score down, where that is the cap and not the score itself."""
    return f"capped at {principle.cap}" if principle.cap is not None and principle.score == principle.cap else ""


def passed_of_judged(tally: Tally) -> str:
    """`17 of 20`; empty where nothing was judged."""
    judged = tally.passed + tally.failed
    return f"{tally.passed:,} of {judged:,}" if judged else ""


def _way_up(service: ServiceResult, tally: Tally) -> str:
    if not is_rated(service):
        return _way_to_a_rating(service, tally)
    needed = next_grade(service)
    if needed is None:
        return "A is the best grade."
    return f"Grade {needed.grade} begins at {needed.lowest}, {_points(needed.missing)} away: {_by(needed)}."


def _by(needed: NextGrade) -> str:
    """The fewest principles that are enough; of many only the first."""
    names = [gain.principle for gain in needed.by]
    brought = _points(needed.brought)
    if len(names) == 1:
        return f"{names[0]} fully kept would bring {brought}"
    if len(names) <= _NAMED:
        return f"{figures.joined(names)} fully kept would bring {brought}"
    return f"at least {len(names)} principles have to be kept, {figures.joined(names[:_NAMED])} first"


def _way_to_a_rating(service: ServiceResult, tally: Tally) -> str:
    if service.score is None:
        return "There was nothing to judge."
    open_points = []
    unread = service.files_wanted - service.files_read
    if unread:
        open_points.append(f"{figures.count(unread, 'file')} could not be read")
    if tally.review:
        open_points.append(
            f"{figures.count(tally.review, 'question')} of the review {'is' if tally.review == 1 else 'are'} open"
        )
    why = f": {figures.joined(open_points)}" if open_points else ""
    return f"Only {figures.percent(service.coverage)} could be judged, too little for a grade{why}."


def _points(points: float) -> str:
    shown = figures.score(points)
    return f"{shown} {'point' if shown == '1.0' else 'points'}"
