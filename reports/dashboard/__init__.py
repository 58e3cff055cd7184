"""The dashboard: a static site about all services of a store over time, which needs no network and no server."""

from assay.reports.dashboard.portfolio import Portfolio
from assay.reports.dashboard.site import pages

__all__ = ["Portfolio", "pages"]
