"""All pages of the dashboard, but for the full reports, which are pages of their own."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from assay.reports import badge
from assay.reports.dashboard import (
    accepted,
    addresses,
    changes,
    comparing,
    heat,
    index,
    principles,
    rules,
    service,
    team_pages,
)
from assay.reports.dashboard.page import Draw
from assay.reports.dashboard.portfolio import Portfolio, is_rated
from assay.reports.plain import plain
from assay.scanner.history.records import ScanRecord, ServiceRecord
from assay.scanner.results import ServiceResult

__all__ = ["pages"]


def pages(portfolio: Portfolio, reports: Mapping[int, ScanRecord]) -> dict[str, Draw]:
    """What draws each page, by the page's address relative to the site's top; `reports` are the scans, by service,
    whose full report is beside them.
    """
    drawn: dict[str, Draw] = {
        index.ADDRESS: partial(index.page, portfolio),
        heat.ADDRESS: partial(heat.page, portfolio),
        principles.LIST: partial(principles.listing, portfolio),
        rules.LIST: partial(rules.listing, portfolio),
        accepted.ADDRESS: partial(accepted.page, portfolio),
        changes.ADDRESS: partial(changes.page, portfolio),
        comparing.ADDRESS: partial(comparing.page, portfolio),
        team_pages.LIST: partial(team_pages.listing, portfolio),
    }
    for one in portfolio.services:
        drawn[addresses.service(one)] = partial(service.page, one, portfolio, reports.get(one.id))
        drawn[addresses.badge(one)] = partial(_badge, one, portfolio)
    return drawn | team_pages.pages(portfolio, reports) | principles.pages(portfolio) | rules.pages(portfolio)


def _badge(one: ServiceRecord, portfolio: Portfolio) -> str:
    scan = one.latest
    if portfolio.is_stale(one):
        return badge.picture(value := f"not scanned since {scan.stored:%Y-%m-%d}", f"{plain(one.label)} {value}")
    grade = scan.grade if is_rated(scan) else "not rated"
    return badge.of_services((ServiceResult(one.label, scan.root, (), scan.score, grade, scan.coverage, ()),))
