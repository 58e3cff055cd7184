"""The heat map: services by principles, each with its score, so that a gap that many share is seen at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from assay.reports import figures
from assay.reports.dashboard import addresses
from assay.reports.dashboard.page import render
from assay.reports.dashboard.portfolio import Portfolio
from assay.reports.dashboard.teams import choices
from assay.reports.html.scores import cell
from assay.reports.plain import plain
from assay.scanner.history.records import PrincipleRecord, ServiceRecord
from assay.scanner.results import PrincipleStatus

__all__ = ["ADDRESS", "HeatCell", "HeatTable", "heat_cell", "page", "table"]

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
    team: str
    grade: str
    score: HeatCell
    note: str
    cells: tuple[tuple[str, HeatCell | None], ...]


@dataclass(frozen=True, slots=True)
class HeatTable:
    """Services by principles."""

    columns: tuple[_Column, ...]
    rows: tuple[_Row, ...]


def page(portfolio: Portfolio) -> str:
    """All services."""
    return render(
        "heat.html.j2",
        ADDRESS,
        "Heat map · Assay",
        portfolio.state,
        heat=table(portfolio.services, portfolio),
        teams=choices(portfolio),
    )


def table(services: Sequence[ServiceRecord], portfolio: Portfolio) -> HeatTable:
    """Principles without a score in any of the services are left out."""
    judged = {p.id for s in services for p in portfolio.principles.get(s.id, ()) if p.score is not None}
    shown = [p for p in portfolio.standard.principles if p.id in judged]
    columns = tuple(_Column(plain(p.id), plain(p.title), addresses.principle(p.id)) for p in shown)
    return HeatTable(columns, tuple(_row(service, [p.id for p in shown], portfolio) for service in services))


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
    grade = scan.grade if portfolio.is_counted(service) else ""
    team = addresses.team_name(scan.team)
    return _Row(plain(service.label), addresses.service(service), team, plain(grade), total, note, cells)
