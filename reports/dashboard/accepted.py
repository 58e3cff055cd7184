"""Accepted debt: which findings may stay, by whose word, and until when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from itertools import groupby

from assay.reports import figures
from assay.reports.dashboard import addresses
from assay.reports.dashboard.page import render
from assay.reports.dashboard.portfolio import Portfolio
from assay.reports.plain import plain
from assay.scanner.history.records import FindingRecord, ServiceRecord

__all__ = ["ADDRESS", "SOON_DAYS", "Row", "page", "row"]

ADDRESS = "accepted.html"
_SHOWN = 500
"""Findings of one owner: a baseline may hold thousands."""
SOON_DAYS = 30


@dataclass(frozen=True, slots=True)
class Row:
    """`mark` is `expired` or `soon`, where it is; else empty."""

    expires: str
    mark: str
    service: str
    address: str
    severity: str
    rule: str
    rule_address: str
    subject: str
    by: str
    reason: str
    ticket: str


@dataclass(frozen=True, slots=True)
class _Owner:
    name: str
    number: str
    rows: tuple[Row, ...]
    more: int


def page(portfolio: Portfolio) -> str:
    """By owner, what ends first on top; those that nobody owns are last."""
    found = [
        (service, finding, finding.acceptance)
        for service in portfolio.services
        for finding in portfolio.findings.get(service.id, ())
        if finding.acceptance is not None
    ]
    found.sort(key=lambda item: (item[2].owner == "", item[2].owner, item[2].expires or "9999", item[0].label))
    owners = []
    for owner, of_one in groupby(found, key=lambda item: item[2].owner):
        rows = tuple(row(service, finding, portfolio) for service, finding, _ in of_one)
        number = figures.count(len(rows), "finding")
        owners.append(_Owner(plain(owner) or "Nobody named", number, rows[:_SHOWN], max(0, len(rows) - _SHOWN)))
    marks = [one.mark for owner in owners for one in owner.rows]
    return render(
        "accepted.html.j2",
        ADDRESS,
        "Accepted · Assay",
        portfolio.state,
        owners=tuple(owners),
        number=figures.count(len(found), "accepted finding"),
        expired=marks.count("expired"),
        soon=marks.count("soon"),
        soon_days=SOON_DAYS,
    )


def row(service: ServiceRecord, finding: FindingRecord, portfolio: Portfolio) -> Row:
    """An accepted finding."""
    acceptance = finding.acceptance
    assert acceptance is not None
    return Row(
        plain(acceptance.expires),
        _mark(acceptance.expires, portfolio),
        plain(service.label),
        addresses.service(service),
        finding.severity.value,
        plain(finding.rule),
        addresses.rule(finding.rule),
        plain(finding.subject.label),
        " ".join(part for part in (acceptance.by.value, plain(acceptance.id)) if part),
        plain(acceptance.reason),
        plain(acceptance.ticket),
    )


def _mark(expires: str, portfolio: Portfolio) -> str:
    """How close its end is; ISO 8601 days sort as text."""
    if not expires:
        return ""
    if expires < f"{portfolio.now:%Y-%m-%d}":
        return "expired"
    return "soon" if expires <= f"{portfolio.now + timedelta(days=SOON_DAYS):%Y-%m-%d}" else ""
