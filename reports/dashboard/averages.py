"""Figures about several services at once: only those that were rated lately are in them, each as much as any other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from assay.reports import figures
from assay.reports.dashboard.portfolio import Portfolio
from assay.reports.html.views import Move
from assay.scanner.history.records import ServiceRecord
from assay.scanner.scoring import GRADES

__all__ = ["as_move", "average", "counted", "grades", "moved", "sentence"]


def counted(services: Iterable[ServiceRecord], portfolio: Portfolio) -> list[ServiceRecord]:
    """Those of the services whose score says anything about today."""
    return [service for service in services if portfolio.is_counted(service)]


def average(services: Sequence[ServiceRecord]) -> float | None:
    """The mean score, 0 to 100, of services that are all counted; None where there are none."""
    return _mean([service.latest.score or 0.0 for service in services])


def moved(services: Iterable[ServiceRecord], portfolio: Portfolio) -> float | None:
    """By how many points the mean moved over 30 days, of those that have both scores; None where none has."""
    pairs = [
        (before.score, service.latest.score)
        for service in services
        if (before := portfolio.month_ago(service)) is not None and before.score is not None
    ]
    return _mean([(new or 0.0) - old for old, new in pairs])


def sentence(services: Sequence[ServiceRecord], portfolio: Portfolio) -> str:
    """`74.2 of 100 on average (1.2 up over 30 days)`, of services that are counted."""
    points = moved(services, portfolio)
    told = f"{figures.score(average(services))} of 100 on average"
    if points is None:
        return told
    shown = as_move(points)
    return f"{told} ({shown.text} {shown.word} over 30 days)" if shown.word else f"{told} (as 30 days ago)"


def as_move(points: float) -> Move:
    """As it is shown beside a score."""
    if abs(points) < 0.05:
        return Move("same", "=", "", "as before")
    kind, symbol, word = ("better", "▲", "up") if points > 0 else ("worse", "▼", "down")
    return Move(kind, symbol, word, f"{abs(points):.1f}")


def grades(services: Iterable[ServiceRecord]) -> list[tuple[str, int]]:
    """How many have each grade, best first."""
    found = Counter(service.latest.grade for service in services)
    return [(letter, found[letter]) for _, letter in GRADES]


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None
