"""Scores as they are shown: how far they went since the base, and shaded by the grade that they would be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from assay.reports import figures
from assay.reports.html.views import Cell, Move
from assay.scanner.results import ScanResult, ServiceResult
from assay.scanner.scoring import GRADES

__all__ = ["Earlier", "cell", "earlier", "move"]


@dataclass(frozen=True, slots=True)
class Earlier:
    """A service's scores at the base, by section and by principle; none where it wasn't there."""

    score: float | None
    sections: Mapping[str, float | None]
    principles: Mapping[str, float | None]


def earlier(result: ScanResult, service: ServiceResult) -> Earlier:
    """What the service scored at the base of the scan."""
    services = result.base.services if result.base else ()
    old = next((s for s in services if s.name == service.name), None)
    if old is None:
        return Earlier(None, {}, {})
    return Earlier(
        old.score,
        {section.id: section.score for section in old.sections},
        {p.id: p.score for section in old.sections for p in section.principles},
    )


def move(before: float | None, after: float | None) -> Move | None:
    """The difference of the two as they are shown; None where one of them is no score."""
    if before is None or after is None:
        return None
    points = round(float(figures.score(after)) - float(figures.score(before)), 1)
    if not points:
        return Move("same", "=", "", "as before")
    kind, symbol, word = ("better", "▲", "up") if points > 0 else ("worse", "▼", "down")
    return Move(kind, symbol, word, f"{abs(points):.1f}")


def cell(score: float | None) -> Cell:
    """A score shaded by the grade that it would be."""
    if score is None:
        return Cell("none", figures.NOTHING)
    return Cell(next(letter.lower() for lowest, letter in GRADES if score >= lowest), figures.score(score))
