"""What moved lately in all services, newest first."""

from __future__ import annotations

from assay.reports.dashboard import log
from assay.reports.dashboard.page import render
from assay.reports.dashboard.portfolio import Portfolio

__all__ = ["ADDRESS", "page"]

ADDRESS = "changes.html"
_SHOWN = 500


def page(portfolio: Portfolio) -> str:
    """The last ones; each service's page has its own."""
    entries, more = log.latest(portfolio.services, portfolio, _SHOWN)
    return render(
        "changes.html.j2",
        ADDRESS,
        "Changes · Assay",
        portfolio.state,
        entries=entries,
        more=more,
        log_days=portfolio.log_days,
        newest=f"{max(each.latest.at for each in portfolio.services):%Y-%m-%d}" if portfolio.services else "",
    )
