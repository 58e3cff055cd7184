"""What moved lately in all services, newest first."""

from __future__ import annotations

from itertools import chain

from assay.reports.dashboard import log
from assay.reports.dashboard.page import render
from assay.reports.dashboard.portfolio import LOG_DAYS, Portfolio

__all__ = ["ADDRESS", "page"]

ADDRESS = "changes.html"
_SHOWN = 500


def page(portfolio: Portfolio) -> str:
    """The last ones; each service's page has its own."""
    found = list(chain.from_iterable(log.entries(service, portfolio) for service in portfolio.services))
    found.sort(key=lambda entry: entry.order, reverse=True)
    return render(
        "changes.html.j2",
        ADDRESS,
        "Changes · Assay",
        entries=tuple(found[:_SHOWN]),
        more=max(0, len(found) - _SHOWN),
        log_days=LOG_DAYS,
    )
