"""The page that compares two scans: its table of now against 30 days ago is there without a script."""

from __future__ import annotations

import json
from dataclasses import dataclass

from markupsafe import Markup

from assay.reports import figures
from assay.reports.dashboard import addresses
from assay.reports.dashboard.page import render
from assay.reports.dashboard.portfolio import Portfolio
from assay.reports.html.scores import move
from assay.reports.html.views import Move
from assay.reports.plain import plain
from assay.scanner.history.records import ScanRecord, ServiceRecord
from assay.scanner.results import Execution

__all__ = ["ADDRESS", "link", "page"]

ADDRESS = "compare.html"


@dataclass(frozen=True, slots=True)
class _Row:
    """A service then and now; `then_at` is empty where there is nothing to compare with."""

    name: str
    key: str
    then: str
    then_at: str
    before: str
    sort_before: str
    now: str
    after: str
    sort_after: str
    move: Move | None
    points: float
    fails_before: str
    fails_after: str
    note: str
    is_stale: bool


def page(portfolio: Portfolio) -> str:
    """The script has all else from the services' histories (`courses`)."""
    return render(
        "compare.html.j2",
        ADDRESS,
        "Compare · Assay",
        portfolio.state,
        is_comparing=True,
        rows=tuple(_row(service, portfolio) for service in portfolio.services),
        standard=_standard(portfolio),
    )


def link(service: ServiceRecord, portfolio: Portfolio) -> str:
    """The page's address where it compares the service with itself 30 days ago; empty where it has one scan."""
    before, key = _before(service, portfolio), addresses.name(service)
    return "" if before is None else f"{ADDRESS}#from={key}@{_moment(before)}&to={key}"


def _before(service: ServiceRecord, portfolio: Portfolio) -> ScanRecord | None:
    before = portfolio.month_ago(service)
    if before is not None and before.id == service.latest.id:
        scans = portfolio.scans.get(service.id, ())
        return scans[-2] if len(scans) > 1 else None
    return before


def _moment(scan: ScanRecord) -> str:
    """As the page's address names a scan: the last one up to then."""
    return f"{scan.at:%Y-%m-%dT%H:%M:%S}"


def _row(service: ServiceRecord, portfolio: Portfolio) -> _Row:
    scan, before = service.latest, portfolio.month_ago(service)
    moved = None if before is None else move(before.score, scan.score)
    points = 0.0 if moved is None or before is None else (scan.score or 0.0) - (before.score or 0.0)
    return _Row(
        plain(service.label),
        addresses.name(service),
        "" if before is None else f"{before.at:%Y-%m-%d}",
        "" if before is None or before.id == scan.id else _moment(before),
        figures.score(None if before is None else before.score),
        _sorted(None if before is None else before.score),
        f"{scan.at:%Y-%m-%d}",
        figures.score(scan.score),
        _sorted(scan.score),
        moved,
        points if moved and moved.kind != "same" else 0.0,
        figures.NOTHING if before is None else f"{before.failed:,}",
        f"{scan.failed:,}",
        "" if before is None else "; ".join(_notes(before, scan)),
        portfolio.is_stale(service),
    )


def _sorted(score: float | None) -> str:
    return "-1" if score is None else f"{score:.3f}"


def _notes(before: ScanRecord, scan: ScanRecord) -> list[str]:
    """What the difference may come from besides the code."""
    notes = []
    if before.edition != scan.edition:
        notes.append(f"not the same standard: {plain(before.edition)} and {plain(scan.edition)}")
    if before.configuration != scan.configuration:
        notes.append("not the same configuration")
    if any(one.execution is not Execution.COMPLETE for one in (before, scan)):
        notes.append("not everything was read")
    return notes


def _standard(portfolio: Portfolio) -> Markup:
    """Names and addresses, for the script."""
    known = portfolio.standard
    # Others have no page.
    principles = {one.id for of_one in portfolio.principles.values() for one in of_one}
    rules = {rule.code for of_one in portfolio.rules.values() for rule in of_one}
    told = {
        "services": [[addresses.name(service), plain(service.label)] for service in portfolio.services],
        "sections": [[plain(one.id), plain(one.title)] for one in known.sections],
        "principles": [
            [plain(p.id), plain(p.section), plain(p.title), addresses.principle(p.id) if p.id in principles else ""]
            for p in known.principles
        ],
        "rules": [
            [plain(r.code), plain(r.principle), plain(r.title), addresses.rule(r.code) if r.code in rules else ""]
            for r in known.rules
        ],
    }
    text = json.dumps(told, separators=(",", ":"))
    # JSON needs none of these, so no text can end the element that it stands in.
    for sign in "<>&":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return Markup(text)  # noqa: S704 - nothing in it means anything to HTML
