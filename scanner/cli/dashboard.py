"""`assay dashboard`: a static site about all services that a store has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from assay.scanner import __version__
from assay.scanner.cli.exits import problems_told, tell
from assay.scanner.cli.history import Moment
from assay.scanner.cli.keeping import READ_STORE, opened

if TYPE_CHECKING:
    from assay.reports.dashboard import Portfolio
    from assay.scanner.history.records import ScanRecord
    from assay.scanner.history.store import Store
    from assay.scanner.sites import Site


@click.group()
def dashboard() -> None:
    """Show all services that a store has, how they stand and where they go."""


@dashboard.command()
@READ_STORE
@click.option(
    "--output",
    "-o",
    type=click.Path(path_type=Path),
    required=True,
    help="The folder of the site: one that isn't there, an empty one, or an earlier dashboard.",
)
@click.option(
    "--stale-days",
    type=click.IntRange(min=1),
    default=30,
    show_default=True,
    help="A service that wasn't scanned for so long is grey, and in no average.",
)
@click.option("--snippets/--no-snippets", default=True, help="Whether the full reports show lines of the code.")
@click.option("--reports/--no-reports", default=True, help="Whether each service's full report is written, too.")
@click.option("--today", type=Moment(), help="The day that counts as today; by default the current one.")
def build(store: str, output: Path, stale_days: int, snippets: bool, reports: bool, today: datetime | None) -> None:
    """Write a static site that opens from disk and from any web server.

    What is there already and hasn't changed isn't written again; pages of services that are gone are removed.
    """
    from assay.reports.dashboard import Portfolio, pages
    from assay.reports.figures import count
    from assay.reports.plain import plain
    from assay.scanner.sites import Site

    with problems_told():
        with opened(store) as known:
            site = Site.at(output)
            portfolio = Portfolio.read(known, today or datetime.now(UTC), stale_days)
            kept = _kept(portfolio.scans) if reports else {}
            _write_reports(site, known, portfolio, kept, snippets=snippets)
        for address, text in pages(portfolio, kept):
            site.put(address, text)
        site.close()
    done = f"{count(site.written, 'file')} written, {site.removed:,} removed"
    tell(f"{count(len(portfolio.services), 'service')} in {plain(str(output / 'index.html'))}; {done}")


def _kept(scans: Mapping[int, Sequence[ScanRecord]]) -> dict[int, ScanRecord]:
    """The newest scan of each service whose whole report the store still has."""
    newest = {service: next((s for s in reversed(of_one) if s.has_report), None) for service, of_one in scans.items()}
    return {service: scan for service, scan in newest.items() if scan is not None}


def _write_reports(
    site: Site, store: Store, portfolio: Portfolio, kept: Mapping[int, ScanRecord], *, snippets: bool
) -> None:
    """A report takes long to draw, and says nothing new as long as scan and version are the same."""
    from assay.reports import html
    from assay.reports.dashboard import addresses

    for service in portfolio.services:
        scan = kept.get(service.id)
        if scan is None:
            continue
        address = addresses.report(service)
        origin = f"scan {scan.id} of {scan.stored.isoformat()}, {__version__}, {'with' if snippets else 'no'} snippets"
        if site.is_current(address, origin):
            continue
        result = store.report(scan.id)
        if result is not None:
            site.put(address, html.render(result, snippets=snippets), origin)
