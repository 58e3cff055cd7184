"""`assay convert`: other reports of a scan that is over."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from assay.scanner.cli import wiring
from assay.scanner.cli.exits import problems_told
from assay.scanner.cli.printing import print_text, show
from assay.scanner.cli.reporting import Reports, takes_reports

if TYPE_CHECKING:
    from rich.console import Console

    from assay.scanner.results import ScanResult

STANDARD_INPUT = "-"


@click.command()
@click.argument("results", type=click.Path(path_type=Path))
@takes_reports
@click.option(
    "--format",
    "-f",
    "form",
    type=wiring.FORMAT_CHOICE,
    metavar="FORMAT",
    help="What to write to standard output: text, unless --report names files.",
)
def convert(results: Path, reports: Reports, form: str | None) -> None:
    """Write reports of a scan from its JSON report, byte for byte as the scan itself would have.

    RESULTS is the file that `assay scan --report json=FILE` wrote, or - for standard input.
    """
    with problems_told():
        reports.check(form)
        result = read_result(results)
        reports.write(result)
    if form == "text" or (form is None and not reports):
        show(lambda console: _summary(result, console))
    elif form is not None:
        print_text(reports.text(form, result))


def _summary(result: ScanResult, console: Console) -> None:
    from assay.reports import gate, terminal

    terminal.render(result, console)
    if result.gate is not None:
        gate.render(result, console, {})


def read_result(file: Path) -> ScanResult:
    """The result in a JSON report, from standard input for `-`. Raises ReportError."""
    from assay.reports import json_report

    if str(file) == STANDARD_INPUT:
        return json_report.parsed(sys.stdin.buffer.read(), "standard input")
    return json_report.read(file)
