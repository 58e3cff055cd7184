"""`assay scan --watch`: scanning again at each change, until Ctrl-C."""

from __future__ import annotations

import gc
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import click

from assay.scanner.cli.exits import users_errors
from assay.scanner.cli.printing import print_text, show

if TYPE_CHECKING:
    from threading import Event

    from assay.scanner.results import ScanResult
    from assay.scanner.watching import News


def watch_tree(path: Path, written: list[Path], run: Callable[[], ScanResult]) -> None:
    """Show the first result, then what each change makes new or gone. Raises the user's errors."""
    from threading import Event

    from assay.reports import terminal
    from assay.scanner import watching
    from assay.scanner.discovery import check_root

    check_root(path)
    stop = Event()
    batches = watching.changes_in(path, written, stop)
    next(batches)
    first = run()
    show(lambda console: terminal.render(first, console))
    print_text("Watching for changes; Ctrl-C ends it.\n")
    with suppress(KeyboardInterrupt):
        for news in watching.follow(first, batches, run, users_errors()):
            _tell(news)
            _collect_garbage(stop)


def _collect_garbage(stop: Event) -> None:
    """None is collected during a scan, and watching is many scans. Ctrl-C meanwhile sets the event."""
    import signal

    # Raised while an object is being finalised, KeyboardInterrupt would be dropped.
    before = signal.signal(signal.SIGINT, lambda *_: stop.set())
    try:
        gc.collect()
    finally:
        signal.signal(signal.SIGINT, before)


def _tell(news: News) -> None:
    from assay.reports import difference
    from assay.scanner.watching import Incomplete, Mistake

    match news:
        case Mistake(message):
            click.echo(f"assay: {message}", err=True)
        case Incomplete(diagnostics):
            show(lambda console: difference.render_incomplete(diagnostics, console))
        case _:
            show(lambda console: difference.render(news, console))
