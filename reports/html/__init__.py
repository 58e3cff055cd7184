"""The HTML report: one file that needs no network and no server, and whose first screen needs no JavaScript."""

from assay.reports.html.document import Assets, assets, render

__all__ = ["Assets", "assets", "render"]
