"""A service's page: where it goes, how it stands in each section and principle, and what to mend first."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice

from assay.reports import figures
from assay.reports.charts import trend
from assay.reports.dashboard import addresses, comparing, log
from assay.reports.dashboard.heat import HeatCell, heat_cell
from assay.reports.dashboard.page import render
from assay.reports.dashboard.portfolio import Portfolio, is_rated
from assay.reports.dashboard.teams import named
from assay.reports.dashboard.worst import worst
from assay.reports.html.scores import move
from assay.reports.plain import plain
from assay.scanner.history.records import PrincipleRecord, ScanRecord, ServiceRecord
from assay.scanner.results import PrincipleStatus
from assay.scanner.verdicts import Severity

__all__ = ["page"]

_FINDINGS, _SCANS, _ENTRIES = 10, 20, 20


@dataclass(frozen=True, slots=True)
class _Principle:
    id: str
    title: str
    address: str
    cell: HeatCell | None
    status: str
    cap: str


@dataclass(frozen=True, slots=True)
class _Section:
    id: str
    title: str
    score: str
    kind: str
    principles: tuple[_Principle, ...]


@dataclass(frozen=True, slots=True)
class _Scan:
    day: str
    commit: str
    score: str
    grade: str
    coverage: str
    fails: str
    edition: str


def page(service: ServiceRecord, portfolio: Portfolio, report: ScanRecord | None) -> str:
    """`report` is the scan whose full report lies beside the page; None where none is kept."""
    scan, before = service.latest, portfolio.month_ago(service)
    scans = portfolio.scans.get(service.id, ())
    entries = log.entries(service, portfolio)
    return render(
        "service.html.j2",
        addresses.service(service),
        f"{plain(service.label)} · Assay",
        portfolio.state,
        name=plain(service.label),
        team=named(scan.team),
        grade=plain(scan.grade),
        grade_class=f"grade-{scan.grade.lower()}" if portfolio.is_counted(service) else "grade-none",
        score=figures.score(scan.score),
        coverage=figures.percent(scan.coverage),
        move=move(None if before is None else before.score, scan.score),
        facts=_facts(service),
        stale=f"{scan.stored:%Y-%m-%d}" if portfolio.is_stale(service) else "",
        unrated="" if is_rated(scan) or scan.score is None else figures.percent(scan.coverage),
        is_incomplete=portfolio.is_incomplete(service),
        counts=tuple((severity.value, portfolio.fails(service, severity)) for severity in Severity),
        review=scan.review,
        accepted=scan.accepted,
        trend=trend(scans),
        sections=_sections(service, portfolio),
        findings=tuple(
            worst(finding, service, scan.team, has_report=report is not None)
            for finding in islice(portfolio.open_fails(service), _FINDINGS)
        ),
        open_=figures.count(scan.failed, "open fail"),
        report=addresses.report(service) if report is not None else "",
        report_is_older=report is not None and report.id != scan.id,
        report_day="" if report is None else f"{report.at:%Y-%m-%d}",
        badge=addresses.badge(service),
        compare=comparing.link(service, portfolio),
        entries=entries[:_ENTRIES],
        more_entries=max(0, len(entries) - _ENTRIES),
        log_days=portfolio.log_days,
        scans=tuple(_scan(each) for each in reversed(scans[-_SCANS:])),
        scans_of=figures.count(len(scans), "scan"),
    )


def _facts(service: ServiceRecord) -> tuple[tuple[str, str], ...]:
    scan = service.latest
    facts = [
        ("Repository", plain(service.repository)),
        ("Branch", plain(service.branch)),
        ("Commit", plain(scan.commit[:12]) if scan.commit else ""),
        ("Of", f"{scan.at:%Y-%m-%d}"),
        ("Scanned", f"{scan.stored:%Y-%m-%d}"),
        ("Frameworks", plain(", ".join(scan.frameworks))),
        ("Standard", f"edition {plain(scan.edition)}"),
    ]
    return tuple((term, text) for term, text in facts if text)


def _sections(service: ServiceRecord, portfolio: Portfolio) -> tuple[_Section, ...]:
    is_stale = portfolio.is_stale(service)
    principles = portfolio.principles.get(service.id, ())
    sections = []
    for section in portfolio.sections.get(service.id, ()):
        rows = tuple(_principle(p, is_stale) for p in principles if p.section == section.id)
        score = figures.score(section.score)
        sections.append(_Section(plain(section.id), plain(section.title), score, "", rows))
    return tuple(sections)


def _principle(principle: PrincipleRecord, is_stale: bool) -> _Principle:
    status = "" if principle.status is PrincipleStatus.SCORED else principle.status.value
    if principle.attested_until:
        status = f"attested until {plain(principle.attested_until)}"
    return _Principle(
        plain(principle.id),
        plain(principle.title),
        addresses.principle(principle.id),
        heat_cell(principle, is_stale=is_stale),
        status,
        "" if principle.cap is None else f"capped at {principle.cap}",
    )


def _scan(scan: ScanRecord) -> _Scan:
    fails = "/".join(f"{scan.fails.get(severity, 0):,}" for severity in Severity)
    commit = plain(scan.commit[:10]) if scan.commit else figures.NOTHING
    score, share = figures.score(scan.score), figures.percent(scan.coverage)
    return _Scan(f"{scan.at:%Y-%m-%d}", commit, score, plain(scan.grade), share, fails, plain(scan.edition))
