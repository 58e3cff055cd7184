"""The heat map: services by principles, each with its score, so that a gap that many share is seen at once."""

from __future__ import annotations

from dataclasses import dataclass

from assay.reports import figures
from assay.reports.dashboard import addresses
from assay.reports.dashboard.page import render
from assay.reports.dashboard.portfolio import Portfolio
from assay.reports.html.scores import cell
from assay.reports.plain import plain
from assay.scanner.history.records import PrincipleRecord, ServiceRecord
from assay.scanner.results import PrincipleStatus

__all__ = ["ADDRESS", "HeatCell", "heat_cell", "page"]

ADDRESS = "heat-map.html"
_SYMBOLS = {"a": "✓", "b": "✓", "c": "!", "d": "!", "e": "✗"}


@dataclass(frozen=True, slots=True)
class HeatCell:
    """`of` is `12 of 13`: the subjects that pass; `kind` is the shade, which a symbol tells, too."""

    kind: str
    symbol: str
    score: str
    of: str
    value: str


@dataclass(frozen=True, slots=True)
class _Column:
    id: str
    title: str
    address: str


@dataclass(frozen=True, slots=True)
class _Row:
    name: str
    address: str
    score: HeatCell
    note: str
    cells: tuple[tuple[str, HeatCell | None], ...]


def page(portfolio: Portfolio) -> str:
    """Principles without a score in any service are left out."""
    judged = {p.id for of_one in portfolio.principles.values() for p in of_one if p.score is not None}
    shown = [p for p in portfolio.standard.principles if p.id in judged]
    columns = tuple(_Column(plain(p.id), plain(p.title), addresses.principle(p.id)) for p in shown)
    rows = tuple(_row(service, [p.id for p in shown], portfolio) for service in portfolio.services)
    return render("heat.html.j2", ADDRESS, "Heat map · Assay", columns=columns, rows=rows)


def heat_cell(principle: PrincipleRecord, *, is_stale: bool) -> HeatCell | None:
    """None where there is no score."""
    if principle.score is None:
        return None
    judged = principle.passed + principle.failed
    return _shaded(principle.score, f"{principle.passed:,} of {judged:,}", is_stale)


def _shaded(score: float, of: str, is_stale: bool) -> HeatCell:
    shade = cell(score)
    return HeatCell("stale" if is_stale else shade.kind, _SYMBOLS[shade.kind], shade.text, of, f"{score:.2f}")


def _row(service: ServiceRecord, ids: list[str], portfolio: Portfolio) -> _Row:
    is_stale = portfolio.is_stale(service)
    found = {p.id: p for p in portfolio.principles.get(service.id, ()) if p.status is PrincipleStatus.SCORED}
    cells = tuple((plain(id_), heat_cell(found[id_], is_stale=is_stale) if id_ in found else None) for id_ in ids)
    scan = service.latest
    total = (
        HeatCell("none", "", figures.NOTHING, plain(scan.grade), "-1")
        if scan.score is None or not (is_stale or portfolio.is_counted(service))
        else _shaded(scan.score, plain(scan.grade), is_stale)
    )
    note = f"not scanned since {scan.stored:%Y-%m-%d}" if is_stale else ""
    return _Row(plain(service.label), addresses.service(service), total, note, cells)
