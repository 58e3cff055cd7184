"""The pages of teams: how the services of each stand, what gaps they share, and what to mend first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from itertools import chain

from assay.reports import figures
from assay.reports.dashboard import accepted, addresses, averages, heat, log
from assay.reports.dashboard.page import Draw, render
from assay.reports.dashboard.portfolio import MONTH, Portfolio
from assay.reports.dashboard.teams import Owned, Team, TeamName, named, teams
from assay.reports.dashboard.worst import worst
from assay.reports.html.scores import move
from assay.reports.html.views import Move
from assay.reports.plain import plain
from assay.scanner.history.records import PrincipleRecord, ScanRecord, ServiceRecord
from assay.scanner.verdicts import Severity

__all__ = ["LIST", "listing", "pages"]

LIST = "teams.html"
_FINDINGS, _ENTRIES, _GAPS, _RULES = 20, 30, 10, 3


@dataclass(frozen=True, slots=True)
class _Summary:
    """A team in the table. Its figures are over its `counted` services; fails and accepted findings over all that were
    scanned lately.
    """

    team: TeamName
    services: int
    counted: str
    average: str
    sort_average: str
    grades: tuple[tuple[str, int], ...]
    critical: int
    high: int
    accepted: int
    move: Move | None
    points: str
    better: int
    worse: int
    elsewhere: int


@dataclass(frozen=True, slots=True)
class _Service:
    name: str
    address: str
    grade: str
    grade_class: str
    score: str
    sort_score: str
    move: Move | None
    critical: int
    high: int
    scanned: str
    is_stale: bool


@dataclass(frozen=True, slots=True)
class _Gap:
    """A principle that several services fail; `rules` are those that most of them fail."""

    id: str
    title: str
    address: str
    failing: int
    judged: int
    mean: str
    rules: tuple[tuple[str, str, int], ...]

    @property
    def is_shared(self) -> bool:
        """Whether one cause is likelier than many."""
        return self.failing * 2 >= self.judged


def listing(portfolio: Portfolio) -> str:
    """All teams by name: they own services of different sorts, so no order is a ranking."""
    rows = tuple(_summary(team, portfolio) for team in teams(portfolio))
    nobody = sum(not service.latest.team for service in portfolio.services)
    return render(
        "teams.html.j2",
        LIST,
        "Teams · Assay",
        portfolio.state,
        rows=rows,
        nobody=figures.count(nobody, "service") if nobody else "",
        stale_days=portfolio.stale_days,
    )


def pages(portfolio: Portfolio, reports: Mapping[int, ScanRecord]) -> dict[str, Draw]:
    """A page for each of them, by address; `reports` are the scans whose full report is kept, by service."""
    return {addresses.team(team.name): partial(_page, team, portfolio, reports) for team in teams(portfolio)}


def _page(team: Team, portfolio: Portfolio, reports: Mapping[int, ScanRecord]) -> str:
    fails = team.open_fails(portfolio)
    ending = [row for row in _accepted(team, portfolio) if row.mark]
    entries = _entries(team, portfolio)
    name = named(team.name)
    return render(
        "team.html.j2",
        addresses.team(team.name),
        f"{name.text} · Assay",
        portfolio.state,
        team=name,
        is_nobody=not team.name,
        sentence=_sentence(team, portfolio),
        services=tuple(_service(service, portfolio) for service in team.services),
        heat=heat.table(team.services, portfolio),
        gaps=_gaps(team, portfolio),
        findings=tuple(worst(f, s, team.name, has_report=s.id in reports) for s, f in fails[:_FINDINGS]),
        open_=figures.count(len(fails), "open fail"),
        elsewhere=len(team.elsewhere),
        accepted=figures.count(len(_accepted(team, portfolio)), "accepted finding"),
        ending=tuple(ending),
        soon_days=accepted.SOON_DAYS,
        entries=entries[:_ENTRIES],
        more_entries=max(0, len(entries) - _ENTRIES),
        log_days=min(portfolio.log_days, MONTH.days),
    )


def _lately(team: Team, portfolio: Portfolio) -> list[ServiceRecord]:
    return [service for service in team.services if not portfolio.is_stale(service)]


def _summary(team: Team, portfolio: Portfolio) -> _Summary:
    counted, lately = averages.counted(team.services, portfolio), _lately(team, portfolio)
    moves = [_moved(service, portfolio) for service in counted]
    mean, points = averages.average(counted), averages.moved(counted, portfolio)
    return _Summary(
        named(team.name),
        len(team.services),
        f"{len(counted):,} of {len(team.services):,}",
        figures.score(mean),
        "-1" if mean is None else f"{mean:.3f}",
        tuple((letter, number) for letter, number in averages.grades(counted) if number),
        sum(portfolio.fails(service, Severity.CRITICAL) for service in lately),
        sum(portfolio.fails(service, Severity.HIGH) for service in lately),
        sum(service.latest.accepted for service in lately),
        None if points is None else averages.as_move(points),
        "" if points is None else f"{points:.3f}",
        sum(one is not None and one.kind == "better" for one in moves),
        sum(one is not None and one.kind == "worse" for one in moves),
        len(team.elsewhere),
    )


def _sentence(team: Team, portfolio: Portfolio) -> str:
    number = figures.count(len(team.services), "service")
    counted = averages.counted(team.services, portfolio)
    if not team.services:
        return f"No service is theirs; {figures.count(len(team.elsewhere), 'finding')} in files that they own are."
    if not counted:
        return f"{number}, none of them rated in the last {portfolio.stale_days} days."
    rated = "" if len(counted) == len(team.services) else f", {len(counted):,} rated lately"
    critical = sum(portfolio.fails(service, Severity.CRITICAL) for service in counted)
    open_ = f"{figures.count(critical, 'critical fail')} open" if critical else "no critical fail"
    return f"{number}{rated}: {averages.sentence(counted, portfolio)}, {open_}."


def _moved(service: ServiceRecord, portfolio: Portfolio) -> Move | None:
    before = portfolio.month_ago(service)
    return move(None if before is None else before.score, service.latest.score)


def _service(service: ServiceRecord, portfolio: Portfolio) -> _Service:
    scan = service.latest
    return _Service(
        plain(service.label),
        addresses.service(service),
        plain(scan.grade),
        scan.grade.lower() if portfolio.is_counted(service) else "",
        figures.score(scan.score),
        "-1" if scan.score is None else f"{scan.score:.3f}",
        _moved(service, portfolio),
        portfolio.fails(service, Severity.CRITICAL),
        portfolio.fails(service, Severity.HIGH),
        f"{scan.stored:%Y-%m-%d}",
        portfolio.is_stale(service),
    )


def _gaps(team: Team, portfolio: Portfolio) -> tuple[_Gap, ...]:
    """Those that at least two of its services have, what most have first."""
    lately = _lately(team, portfolio)
    found = [gap for p in portfolio.standard.principles if (gap := _gap(p, lately, portfolio)).failing > 1]
    return tuple(sorted(found, key=lambda gap: (-gap.failing, -gap.failing / gap.judged, gap.id))[:_GAPS])


def _gap(principle: PrincipleRecord, services: list[ServiceRecord], portfolio: Portfolio) -> _Gap:
    records = [p for s in services for p in portfolio.principles.get(s.id, ()) if p.id == principle.id]
    judged = [record for record in records if record.compliance is not None]
    scores = [record.score for record in judged if record.score is not None]
    failed = Counter(
        rule.code
        for service in services
        for rule in portfolio.rules.get(service.id, ())
        if rule.principle == principle.id and rule.counts.failed
    )
    most = sorted(failed.items(), key=lambda item: (-item[1], item[0]))[:_RULES]
    return _Gap(
        plain(principle.id),
        plain(principle.title),
        addresses.principle(principle.id),
        sum(record.failed > 0 for record in judged),
        len(judged),
        figures.score(sum(scores) / len(scores) if scores else None),
        tuple((plain(code), addresses.rule(code), number) for code, number in most),
    )


def _accepted(team: Team, portfolio: Portfolio) -> list[accepted.Row]:
    """In its services and its files, what ends first on top."""
    found: list[Owned] = [one for one in team.findings(portfolio) if one[1].acceptance is not None]
    rows = [accepted.row(service, finding, portfolio) for service, finding in found]
    return sorted(rows, key=lambda row: (row.expires or "9999", row.service, row.rule, row.subject))


def _entries(team: Team, portfolio: Portfolio) -> list[log.Entry]:
    day = f"{portfolio.now - timedelta(days=min(portfolio.log_days, MONTH.days)):%Y-%m-%d}"
    found = chain.from_iterable(log.entries(service, portfolio) for service in team.services)
    return sorted((entry for entry in found if entry.day >= day), key=lambda entry: entry.order, reverse=True)
