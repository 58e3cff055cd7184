"""The store that commands keep scans in, and read them from."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.core import ParameterSource

from assay.scanner.cli.exits import tell

if TYPE_CHECKING:
    from assay.scanner.cli.reporting import Reports
    from assay.scanner.history.records import ServiceHistory
    from assay.scanner.history.store import Store
    from assay.scanner.results import ScanResult

_TOLD = 100
"""Scans that a history goes back."""
_URL = "a file, or postgresql://USER@HOST/DATABASE; by default $ASSAY_STORE"
STORE = click.option("--store", envvar="ASSAY_STORE", metavar="URL", help=f"Keep the result in this store: {_URL}.")
READ_STORE = click.option("--store", envvar="ASSAY_STORE", metavar="URL", required=True, help=f"The store: {_URL}.")
MAYBE_STORE = click.option("--store", envvar="ASSAY_STORE", metavar="URL", help=f"The store that has scans: {_URL}.")


def opened(url: str, *, create: bool = False, patience: int | None = None) -> Store:
    """`patience`: the seconds to wait for others, where it isn't the usual one. Raises StoreError."""
    from assay.reports import json_report
    from assay.scanner.history.database import PATIENCE
    from assay.scanner.history.store import Store

    return Store.open(url, json_report, create=create, patience=PATIENCE if patience is None else patience)


def wanted(url: str | None, unfit: str | None) -> str | None:
    """The store to keep a scan in, seen to be there before the work is done. `unfit` is the option, where there is one,
    that makes a scan of only a part: the command line can't ask for both, and the environment then asks for nothing.

    Raises a usage error and StoreError.
    """
    if url is None:
        return None
    if unfit is not None:
        if click.get_current_context().get_parameter_source("store") is ParameterSource.COMMANDLINE:
            raise click.UsageError(f"--store keeps whole scans, and {unfit} makes none")
        return None
    # It is opened again for what is to be kept: worker processes shouldn't inherit a connection.
    opened(url, create=True).close()
    return url


def keep(url: str | None, result: ScanResult, root: Path) -> tuple[ServiceHistory, ...]:
    """Add the result of a scan of the tree, and say so on standard error; the history that it is a part of now.

    Raises StoreError.
    """
    if url is None:
        return ()
    from assay.scanner.history.origin import origin_of

    with opened(url, create=True) as store:
        scans = store.add(result, origin_of(root), datetime.now(UTC))
        kept(store, scans)
        return tuple(_history(store, scan) for scan in scans)


def keep_and_write(url: str | None, result: ScanResult, root: Path, reports: Reports) -> tuple[ServiceHistory, ...]:
    """Keep the result, and write its reports with the history that it is a part of: without one where that fails.

    Raises StoreError and UnwritableError.
    """
    history: tuple[ServiceHistory, ...] = ()
    try:
        history = keep(url, result, root)
    finally:
        reports.write(result, history)
    return history


def _history(store: Store, scan: int) -> ServiceHistory:
    """What led to a scan: the last so many of its branch."""
    from assay.scanner.history.records import ServiceHistory

    details = store.scan(scan)
    service, branch = details.service, details.scan.branch
    scans = [s for s in store.scans(service.id, branch=branch) if s.at <= details.scan.at][-_TOLD:]
    return ServiceHistory(service, store.changes(service.id, since=scans[0].at, until=details.scan.at, branch=branch))


def kept(store: Store, scans: tuple[int, ...]) -> None:
    """Say which scans there are now."""
    from assay.reports.plain import plain

    numbers = ", ".join(map(str, scans))
    tell(f"kept as scan{'s' if len(scans) != 1 else ''} {numbers} in {plain(store.name)}")
