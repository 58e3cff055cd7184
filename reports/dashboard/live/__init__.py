"""The dashboard while scans arrive: an ASGI application that draws each page from the store when it is asked for."""

from assay.reports.dashboard.live.application import application
from assay.reports.dashboard.live.pages import Live

__all__ = ["Live", "application"]
