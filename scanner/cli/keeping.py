"""The store that commands keep scans in, and read them from."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.core import ParameterSource

from assay.scanner.cli.exits import problems_told, tell

if TYPE_CHECKING:
    from assay.scanner.history.store import Store
    from assay.scanner.results import ScanResult

_URL = "a file, or postgresql://USER@HOST/DATABASE; by default $ASSAY_STORE"
STORE = click.option("--store", envvar="ASSAY_STORE", metavar="URL", help=f"Keep the result in this store: {_URL}.")
READ_STORE = click.option("--store", envvar="ASSAY_STORE", metavar="URL", required=True, help=f"The store: {_URL}.")
MAYBE_STORE = click.option("--store", envvar="ASSAY_STORE", metavar="URL", help=f"The store that has scans: {_URL}.")


def opened(url: str, *, create: bool = False) -> Store:
    """Raises StoreError."""
    from assay.reports import json_report
    from assay.scanner.history.store import Store

    return Store.open(url, json_report, create=create)


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


def keep(url: str | None, result: ScanResult, root: Path) -> None:
    """Add the result of a scan of the tree, and say so on standard error; what goes wrong ends the program."""
    if url is None:
        return
    from assay.scanner.history.origin import origin_of

    with problems_told(), opened(url, create=True) as store:
        kept(store, store.add(result, origin_of(root), datetime.now(UTC)))


def kept(store: Store, scans: tuple[int, ...]) -> None:
    """Say which scans there are now."""
    from assay.reports.plain import plain

    numbers = ", ".join(map(str, scans))
    tell(f"kept as scan{'s' if len(scans) != 1 else ''} {numbers} in {plain(store.name)}")
