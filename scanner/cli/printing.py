"""What commands write to the terminal: results to standard output, everything else to standard error."""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO, TypeVar

from assay.scanner.cli.colour import chosen, has_colours
from assay.scanner.cli.exits import CLOSED_PIPE

if TYPE_CHECKING:
    from rich.console import Console

    from assay.scanner.options import Progress

_PIPE_WIDTH = 100
_T = TypeVar("_T")


def show(render: Callable[[Console], _T]) -> _T:
    """Let a report write to the terminal, in one piece."""
    console = console_on(sys.stdout)
    with console.capture() as written:
        answer = render(console)
    print_text(_without_commands(written.get()), console.encoding)
    return answer


def console_on(stream: TextIO) -> Console:
    """As wide as the terminal, with colours where the stream is to have them."""
    from rich.console import Console

    are_wanted = has_colours(stream, chosen(), os.environ)
    return Console(
        file=stream,
        width=None if stream.isatty() else _PIPE_WIDTH,
        highlight=False,
        force_terminal=are_wanted,
        no_color=not are_wanted,
        color_system="standard" if are_wanted else None,
    )


def _without_commands(text: str) -> str:
    """In a GitHub workflow a line of the text that looks like a command would be run as one. What ends the pause must
    not be guessed: it depends on the whole text, so that no text can hold its own.
    """
    if os.environ.get("GITHUB_ACTIONS") != "true":
        return text
    mark = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    return f"::stop-commands::{mark}\n{text}::{mark}::\n"


def print_text(text: str, encoding: str = "utf-8") -> None:
    """Write it to standard output; a reader that has seen enough (`| head`) ends the program without a word."""
    try:
        sys.stdout.buffer.write(text.encode(encoding, "replace"))
        sys.stdout.flush()
    except BrokenPipeError:
        # Python would complain when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(CLOSED_PIPE)


@contextmanager
def progress_shown() -> Iterator[Progress]:
    """A bar on a terminal, nothing in CI or in a pipe."""
    if not sys.stderr.isatty() or os.environ.get("CI"):
        yield lambda *_: None
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=console_on(sys.stderr), transient=True, auto_refresh=False) as bar:
        task = bar.add_task("reading", total=None)

        def update(stage: str, done: int, total: int) -> None:
            bar.update(task, description=stage, completed=done, total=total, refresh=True)

        yield update
