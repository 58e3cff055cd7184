"""How a command ends: its exit code, and the one line for a mistake that is the user's to mend."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

import click

FINE, GATE_NOT_MET, UNTRUSTED, INTERRUPTED, CLOSED_PIPE = 0, 1, 2, 130, 141
"""Exit codes; the last two are what a shell shows for a program ended by SIGINT and SIGPIPE."""


@contextmanager
def problems_told() -> Iterator[None]:
    """Errors that are the user's to mend become one line and exit code 2."""
    try:
        yield
    except users_errors() as error:
        fail(str(error))


def users_errors() -> tuple[type[Exception], ...]:
    """Asked for only once something went wrong, so that the engine isn't loaded to list rules."""
    from assay.reports.json_report import ReportError
    from assay.scanner.baseline import BaselineError
    from assay.scanner.cache import CacheError
    from assay.scanner.config import ConfigError
    from assay.scanner.discovery import BadRootError
    from assay.scanner.engine import NothingToScanError
    from assay.scanner.evidence.given import EvidenceError
    from assay.scanner.git import GitError
    from assay.scanner.history.records import StoreError
    from assay.scanner.libraries import LibraryError
    from assay.scanner.movement import MovementError
    from assay.scanner.output import UnwritableError
    from assay.scanner.rulebook import RulebookError
    from assay.scanner.watching import WatchError

    return (
        BadRootError,
        NothingToScanError,
        ConfigError,
        UnwritableError,
        LibraryError,
        EvidenceError,
        RulebookError,
        GitError,
        WatchError,
        CacheError,
        BaselineError,
        ReportError,
        MovementError,
        StoreError,
    )


def fail(message: str) -> NoReturn:
    """Say it on standard error, and exit with 2."""
    from assay.reports.plain import plain

    # Messages quote names of files and keys, which may be a stranger's.
    text = "\n".join(map(plain, message.split("\n")))
    click.echo(f"assay: {text}", err=True)
    sys.exit(UNTRUSTED)


def tell(message: str) -> None:
    """Say it on standard error, and go on."""
    click.echo(f"assay: {message}", err=True)
