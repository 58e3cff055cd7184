"""The terminal's summary as a text file: without colours, for lines of 100 characters."""

from __future__ import annotations

import io
from dataclasses import replace

from rich.console import Console

from assay.reports import gate, terminal
from assay.scanner.results import ScanResult

WIDTH = 100


def render(result: ScanResult) -> str:
    """What `assay scan` shows in a pipe, but for how long it took, and below it what `assay gate` shows."""
    written = io.StringIO()
    console = Console(file=written, width=WIDTH, color_system=None, force_terminal=False)
    timeless = replace(result, scanned=replace(result.scanned, seconds=0.0))
    terminal.render(timeless, console)
    if result.gate is not None:
        written.write("\n")
        gate.render(timeless, console, {})
    return written.getvalue()
