"""The first page: how all services stand, which got better or worse, and which nobody has looked at lately."""

from __future__ import annotations

from dataclasses import dataclass

from assay.reports import figures
from assay.reports.charts import Spark, spark
from assay.reports.dashboard import addresses, averages, teams
from assay.reports.dashboard.page import render
from assay.reports.dashboard.portfolio import Portfolio
from assay.reports.dashboard.teams import TeamName
from assay.reports.html.scores import move
from assay.reports.html.views import Move
from assay.reports.plain import plain
from assay.scanner.history.records import ServiceRecord
from assay.scanner.verdicts import Severity

__all__ = ["ADDRESS", "page"]

ADDRESS = "index.html"
_MOVERS = 5


@dataclass(frozen=True, slots=True)
class _Row:
    """A service in the table; `grade_class` is empty where nothing may be coloured."""

    name: str
    address: str
    team: TeamName
    grade: str
    grade_class: str
    score: str
    sort_score: str
    coverage: str
    move: Move | None
    points: float
    spark: Spark | None
    critical: int
    high: int
    scanned: str
    is_stale: bool
    is_incomplete: bool
    edition: str


@dataclass(frozen=True, slots=True)
class _Share:
    """How many services have a grade; `width` is in percent of all services."""

    grade: str
    kind: str
    number: int
    width: str


def page(portfolio: Portfolio) -> str:
    """Only services that were rated lately are in figures about all."""
    rows = tuple(_row(service, portfolio) for service in portfolio.services)
    moved = sorted((row for row in rows if row.move and not row.is_stale), key=lambda row: (-row.points, row.name))
    return render(
        "index.html.j2",
        ADDRESS,
        "Dashboard · Assay",
        portfolio.state,
        sentence=_sentence(portfolio),
        notes=tuple(_notes(portfolio)),
        rows=rows,
        shares=_distribution(portfolio),
        teams=teams.choices(portfolio),
        better=tuple(row for row in moved if row.points > 0)[:_MOVERS],
        worse=tuple(row for row in reversed(moved) if row.points < 0)[:_MOVERS],
        stale_days=portfolio.stale_days,
    )


def _row(service: ServiceRecord, portfolio: Portfolio) -> _Row:
    scan, before = service.latest, portfolio.month_ago(service)
    moved = move(None if before is None else before.score, scan.score)
    is_counted = portfolio.is_counted(service)
    points = 0.0 if before is None else (scan.score or 0.0) - (before.score or 0.0)
    return _Row(
        plain(service.label),
        addresses.service(service),
        teams.named(scan.team),
        plain(scan.grade),
        scan.grade.lower() if is_counted else "",
        figures.score(scan.score),
        "-1" if scan.score is None else f"{scan.score:.3f}",
        figures.percent(scan.coverage),
        moved,
        points if moved and moved.kind != "same" else 0.0,
        spark(portfolio.scans.get(service.id, ())),
        portfolio.fails(service, Severity.CRITICAL),
        portfolio.fails(service, Severity.HIGH),
        f"{scan.stored:%Y-%m-%d}",
        portfolio.is_stale(service),
        portfolio.is_incomplete(service),
        plain(scan.edition),
    )


def _sentence(portfolio: Portfolio) -> str:
    """What somebody who has one minute should know."""
    services = portfolio.services
    if not services:
        return "No service was scanned yet."
    counted = averages.counted(services, portfolio)
    number = figures.count(len(services), "service")
    if not counted:
        return f"{number}, none of them rated in the last {portfolio.stale_days} days."
    critical = [service for service in counted if portfolio.fails(service, Severity.CRITICAL)]
    fails = sum(portfolio.fails(service, Severity.CRITICAL) for service in critical)
    open_ = f"{figures.count(fails, 'critical fail')} open in {len(critical)} of them" if fails else "no critical fail"
    worst = min(counted, key=lambda service: service.latest.score or 0.0)
    lowest = f"; lowest is {plain(worst.label)} ({plain(worst.latest.grade)}, {figures.score(worst.latest.score)})"
    rated = "all of them rated" if len(counted) == len(services) else f"{len(counted):,} rated lately"
    return f"{number}, {rated}: {averages.sentence(counted, portfolio)}, {open_}{lowest if len(counted) > 1 else ''}."


def _notes(portfolio: Portfolio) -> list[str]:
    services = portfolio.services
    notes = []
    stale = sum(map(portfolio.is_stale, services))
    if stale:
        all_ = figures.count(len(services), "service")
        notes.append(f"{stale:,} of {all_} not scanned for {portfolio.stale_days} days: grey, and in no average.")
    unrated = sum(not portfolio.is_stale(service) and not portfolio.is_counted(service) for service in services)
    if unrated:
        all_ = figures.count(len(services), "service")
        notes.append(f"{unrated:,} of {all_} not rated: too little of the code could be judged to say how it stands.")
    incomplete = sum(map(portfolio.is_incomplete, services))
    if incomplete:
        scans = figures.count(incomplete, "newest scan")
        notes.append(f"{scans} could not read or judge everything: what is missing there is unknown.")
    editions = sorted({service.latest.edition for service in services})
    if len(editions) > 1:
        named = figures.joined([plain(edition) for edition in editions])
        notes.append(f"The services were judged by several editions of the standard ({named}): compare with care.")
    return notes


def _distribution(portfolio: Portfolio) -> tuple[_Share, ...]:
    services = portfolio.services
    grades = averages.grades(averages.counted(services, portfolio))
    stale = sum(map(portfolio.is_stale, services))
    numbers = [(letter, letter.lower(), number) for letter, number in grades]
    numbers.append(("not rated", "none", len(services) - stale - sum(number for _, number in grades)))
    numbers.append(("not scanned lately", "none", stale))
    return tuple(_Share(name, kind, n, f"{100 * n / max(1, len(services)):.1f}") for name, kind, n in numbers)
