"""The pages of principles: which services keep each of them, the best one as the example to follow."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from assay.reports import figures
from assay.reports.dashboard import addresses
from assay.reports.dashboard.heat import HeatCell, heat_cell
from assay.reports.dashboard.page import Draw, render
from assay.reports.dashboard.portfolio import Portfolio
from assay.reports.plain import plain
from assay.scanner.history.records import PrincipleRecord, ServiceRecord

__all__ = ["LIST", "listing", "pages"]

LIST = "principles.html"


@dataclass(frozen=True, slots=True)
class _Row:
    name: str
    address: str
    cell: HeatCell | None
    status: str
    is_stale: bool


@dataclass(frozen=True, slots=True)
class _Summary:
    """A principle over all services that are counted; `kept` is `12 of 14 services`, those at 90 and above."""

    id: str
    title: str
    section: str
    address: str
    mean: str
    value: str
    kept: str
    passed: str


def listing(portfolio: Portfolio) -> str:
    """All principles that any service was judged by."""
    rows = tuple(
        _summary(principle, _found(principle.id, portfolio), portfolio) for principle in _judged_anywhere(portfolio)
    )
    return render("principles.html.j2", LIST, "Principles · Assay", portfolio.state, rows=rows)


def pages(portfolio: Portfolio) -> dict[str, Draw]:
    """A page for each of them, by address."""
    return {addresses.principle(one.id): partial(_page, one, portfolio) for one in _judged_anywhere(portfolio)}


def _page(principle: PrincipleRecord, portfolio: Portfolio) -> str:
    found = _found(principle.id, portfolio)
    ordered = sorted(found, key=lambda pair: (-_score(pair[1]), pair[0].label))
    rules = tuple(
        (plain(rule.code), plain(rule.title), addresses.rule(rule.code))
        for rule in portfolio.standard.rules
        if rule.principle == principle.id and _is_judged(rule.code, portfolio)
    )
    return render(
        "principle.html.j2",
        addresses.principle(principle.id),
        f"{plain(principle.id)} · Assay",
        portfolio.state,
        summary=_summary(principle, found, portfolio),
        rows=tuple(_row(service, record, portfolio) for service, record in ordered),
        rules=rules,
    )


def _is_judged(code: str, portfolio: Portfolio) -> bool:
    return any(rule.code == code for of_one in portfolio.rules.values() for rule in of_one)


def _judged_anywhere(portfolio: Portfolio) -> list[PrincipleRecord]:
    judged = {p.id for of_one in portfolio.principles.values() for p in of_one}
    return [principle for principle in portfolio.standard.principles if principle.id in judged]


def _found(id_: str, portfolio: Portfolio) -> list[tuple[ServiceRecord, PrincipleRecord]]:
    return [
        (service, record)
        for service in portfolio.services
        for record in portfolio.principles.get(service.id, ())
        if record.id == id_
    ]


def _score(record: PrincipleRecord) -> float:
    return -1.0 if record.score is None else record.score


def _row(service: ServiceRecord, record: PrincipleRecord, portfolio: Portfolio) -> _Row:
    is_stale = portfolio.is_stale(service)
    shown = heat_cell(record, is_stale=is_stale)
    return _Row(plain(service.label), addresses.service(service), shown, record.status.value, is_stale)


def _summary(
    principle: PrincipleRecord, found: list[tuple[ServiceRecord, PrincipleRecord]], portfolio: Portfolio
) -> _Summary:
    scored = [(r, r.score) for s, r in found if r.score is not None and not portfolio.is_stale(s)]
    mean = sum(score for _, score in scored) / len(scored) if scored else None
    kept = sum(record.failed == 0 for record, _ in scored)
    passed, judged = sum(r.passed for r, _ in scored), sum(r.passed + r.failed for r, _ in scored)
    return _Summary(
        plain(principle.id),
        plain(principle.title),
        plain(principle.section),
        addresses.principle(principle.id),
        figures.score(mean),
        "-1" if mean is None else f"{mean:.2f}",
        f"{kept:,} of {figures.count(len(scored), 'service')}" if scored else figures.NOTHING,
        f"{passed:,} of {judged:,}" if judged else figures.NOTHING,
    )
