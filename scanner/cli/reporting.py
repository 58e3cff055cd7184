"""The reports that a command is told to write, and how HTML ones are to be."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from assay.scanner.cli import wiring

if TYPE_CHECKING:
    from assay.scanner.history.records import ServiceHistory
    from assay.scanner.results import ScanResult

_R = TypeVar("_R")

HTML = "html"
INLINE, FILES = "inline", "files"


@dataclass(frozen=True, slots=True)
class Reports:
    """Files to write by format; `snippets`: HTML shows the code, `assets` says where it has its style and script."""

    targets: tuple[tuple[str, Path], ...]
    snippets: bool
    assets: str

    def __bool__(self) -> bool:
        return bool(self.targets)

    @property
    def files(self) -> Iterator[Path]:
        """All that is written, beside the reports too."""
        for form, file in self.targets:
            yield file
            if form == HTML and self.assets == FILES:
                yield from (file.with_name(name) for name in _assets())

    def check(self, form: str | None) -> None:
        """Raises before anything is scanned: UnwritableError, and a usage error for an option that is in vain.

        `form` is what goes to standard output.
        """
        from assay.scanner.output import check_writable

        is_file = any(name == HTML for name, _ in self.targets)
        if not self.snippets and not is_file and form != HTML:
            raise click.UsageError("--no-snippets keeps code out of HTML reports, and none is asked for")
        if self.assets == FILES and not is_file:
            raise click.UsageError("--assets files writes beside an HTML report, and --report html=FILE is not there")
        for file in self.files:
            check_writable(file)

    def write(self, result: ScanResult, history: Sequence[ServiceHistory] = ()) -> None:
        """Every report, whole or not at all; HTML tells the history too, where there is one. Raises UnwritableError."""
        from assay.scanner.output import write_text

        for form, file in self.targets:
            if form == HTML and self.assets == FILES:
                for name, text in _assets().items():
                    write_text(file.with_name(name), text)
            write_text(file, self._text(form, result, self.assets, history))

    def text(self, form: str, result: ScanResult, history: Sequence[ServiceHistory] = ()) -> str:
        """What goes to standard output; there HTML is always in one piece."""
        return self._text(form, result, INLINE, history)

    def _text(self, form: str, result: ScanResult, assets: str, history: Sequence[ServiceHistory]) -> str:
        if form != HTML:
            return wiring.renderer(form)(result)
        from assay.reports import html

        return html.render(result, snippets=self.snippets, assets=html.Assets(assets), history=history)


def takes_reports(command: Callable[..., _R]) -> Callable[..., _R]:
    """Give a command the options of reports; it is handed what they make as `reports`."""

    @functools.wraps(command)
    def called(*args: object, **given: object) -> _R:
        targets, snippets, assets = (given.pop(name) for name in ("reports", "snippets", "assets"))
        reports = Reports(targets, snippets, assets)  # type: ignore[arg-type]
        return command(*args, reports=reports, **given)

    for option in (_ASSETS, _SNIPPETS, wiring.REPORTS):
        called = option(called)
    return called


_SNIPPETS = click.option(
    "--snippets/--no-snippets",
    default=True,
    help="Whether HTML reports show lines of the code; without them one can leave the company.",
)
_ASSETS = click.option(
    "--assets",
    type=click.Choice([INLINE, FILES]),
    default=INLINE,
    help="Where HTML reports have style and script: in themselves, or in files beside them, as Jenkins asks for.",
)


def _assets() -> dict[str, str]:
    from assay.reports import html

    return html.assets()
