"""All pages of the dashboard, but for the full reports, which are pages of their own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from assay.reports import badge
from assay.reports.dashboard import accepted, addresses, changes, heat, index, principles, rules, service
from assay.reports.dashboard.portfolio import Portfolio, is_rated
from assay.reports.plain import plain
from assay.scanner.history.records import ScanRecord, ServiceRecord
from assay.scanner.results import ServiceResult

__all__ = ["pages"]


def pages(portfolio: Portfolio, reports: Mapping[int, ScanRecord]) -> Iterator[tuple[str, str]]:
    """Each page's address, relative to the site's top, with its text; `reports` are the scans, by service, whose full
    report is beside them.
    """
    yield index.ADDRESS, index.page(portfolio)
    yield heat.ADDRESS, heat.page(portfolio)
    yield principles.LIST, principles.listing(portfolio)
    yield rules.LIST, rules.listing(portfolio)
    yield accepted.ADDRESS, accepted.page(portfolio)
    yield changes.ADDRESS, changes.page(portfolio)
    for one in portfolio.services:
        yield addresses.service(one), service.page(one, portfolio, reports.get(one.id))
        yield addresses.badge(one), _badge(one, portfolio)
    yield from principles.pages(portfolio)
    yield from rules.pages(portfolio)


def _badge(one: ServiceRecord, portfolio: Portfolio) -> str:
    scan = one.latest
    if portfolio.is_stale(one):
        return badge.picture(value := f"not scanned since {scan.stored:%Y-%m-%d}", f"{plain(one.label)} {value}")
    grade = scan.grade if is_rated(scan) else "not rated"
    return badge.of_services((ServiceResult(one.label, scan.root, (), scan.score, grade, scan.coverage, ()),))
