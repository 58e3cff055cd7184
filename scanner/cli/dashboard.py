"""`assay dashboard`: a site about all services that a store has, as files or live."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

import click

from assay.scanner import __version__
from assay.scanner.cli.exits import fail, problems_told, tell
from assay.scanner.cli.history import Moment
from assay.scanner.cli.keeping import READ_STORE, opened

if TYPE_CHECKING:
    from assay.reports.dashboard import Portfolio
    from assay.scanner.history.records import ScanRecord
    from assay.scanner.history.store import Store
    from assay.scanner.sites import Site

_PATIENCE = 10
"""Seconds that somebody waits for a page while others hold the store."""
_STALE_DAYS = click.option(
    "--stale-days",
    type=click.IntRange(min=1),
    default=30,
    show_default=True,
    help="A service that wasn't scanned for so long is grey, and in no average.",
)
_SNIPPETS = click.option(
    "--snippets/--no-snippets", default=True, help="Whether the full reports show lines of the code."
)

_LOG_DAYS = click.option(
    "--log-days", type=click.IntRange(min=1), default=90, show_default=True, help="How far back changes are told."
)


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
@_STALE_DAYS
@_SNIPPETS
@click.option("--reports/--no-reports", default=True, help="Whether each service's full report is written, too.")
@click.option("--today", type=Moment(), help="The day that counts as today; by default the current one.")
@_LOG_DAYS
def build(
    store: str,
    output: Path,
    stale_days: int,
    snippets: bool,
    reports: bool,
    today: datetime | None,
    log_days: int,
) -> None:
    """Write a static site that opens from disk and from any web server.

    What is there already and hasn't changed isn't written again; pages of services that are gone are removed.
    """
    from assay.reports.dashboard import Portfolio, pages
    from assay.reports.figures import count
    from assay.reports.plain import plain
    from assay.scanner.sites import Site

    with problems_told():
        with opened(store) as whole, whole.at_one_moment() as known:
            site = Site.at(output)
            portfolio = Portfolio.read(known, today or datetime.now(UTC), stale_days, log_days=log_days)
            kept = _write_reports(site, known, portfolio, snippets=snippets) if reports else {}
            _write_courses(site, known, portfolio)
        for address, draw in pages(portfolio, kept).items():
            site.put(address, draw())
        site.close()
    done = f"{count(site.written, 'file')} written, {site.removed:,} removed"
    tell(f"{count(len(portfolio.services), 'service')} in {plain(str(output / 'index.html'))}; {done}")


@dashboard.command()
@READ_STORE
@click.option(
    "--host",
    default="127.0.0.1",
    show_default=True,
    help="The address to listen on; 0.0.0.0 for all of this machine's.",
)
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8711,
    show_default=True,
    help="The port to listen on; 0 for any that is free.",
)
@click.option(
    "--allow-host",
    "names",
    metavar="NAME",
    multiple=True,
    help="Another name by which it is reached, such as that of a proxy before it; may be repeated.",
)
@_STALE_DAYS
@_SNIPPETS
@_LOG_DAYS
def serve(
    store: str, host: str, port: int, names: tuple[str, ...], stale_days: int, snippets: bool, log_days: int
) -> None:
    """Show the site live on this machine, until Ctrl-C.

    Each page is drawn from the store when it is asked for, and says so when scans came since. There is no sign-in:
    where it listens on an address that others reach, everyone can read it.
    """
    from assay.reports.figures import count

    with problems_told(), opened(store) as known:
        services = count(len(known.services()), "service")
    try:
        from assay.reports.dashboard.live import Live
        from assay.scanner.cli.serving import serve_live
    except ModuleNotFoundError as error:
        fail(f"the live dashboard takes {error.name}: pip install 'assay[serve]'")
    live = Live(lambda: opened(store, patience=_PATIENCE), stale_days, log_days, snippets=snippets)
    serve_live(live, host, port, names, services)


def _write_reports(site: Site, store: Store, portfolio: Portfolio, *, snippets: bool) -> Mapping[int, ScanRecord]:
    """The scans, by service, whose full report the site has now.

    A report takes long to draw, and says nothing new as long as scan and version are the same.
    """
    from assay.reports import html
    from assay.reports.dashboard import addresses
    from assay.reports.json_report import ReportError
    from assay.reports.plain import plain

    kept = dict(portfolio.reports())
    for service in portfolio.services:
        scan = kept.get(service.id)
        if scan is None:
            continue
        address = addresses.report(service)
        origin = f"scan {scan.id} of {scan.stored.isoformat()}, {__version__}, {'with' if snippets else 'no'} snippets"
        if site.is_current(address, origin):
            continue
        try:
            result = store.report(scan.id)
        except ReportError as error:
            tell(f"{plain(service.label)} gets no full report: {error}")
            result = None
        if result is None:
            del kept[service.id]
        else:
            site.put(address, html.render(result, snippets=snippets), origin)
    return kept


def _write_courses(site: Site, store: Store, portfolio: Portfolio) -> None:
    """What a page for comparing loads; it takes long to ask for, too."""
    from assay.reports.dashboard import addresses, courses

    for service in portfolio.services:
        address = addresses.data(service)
        scans = repr([(scan.id, scan.stored) for scan in portfolio.scans[service.id]])
        origin = f"scans {sha256(scans.encode()).hexdigest()[:16]}, {__version__}"
        if not site.is_current(address, origin):
            site.put(address, courses.script(service, store.course(service.id)), origin)
