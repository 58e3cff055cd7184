"""A baseline on a terminal: how many findings of each rule it holds, and how many of them are gone."""

from __future__ import annotations

from collections import Counter

from rich.console import Console

from assay.reports import figures
from assay.reports.plain import plain
from assay.reports.screen import Screen
from assay.scanner.results import ScanResult


def render(held: Counter[str], later: Counter[str], compared: ScanResult, console: Console) -> None:
    """`held` counts the entries by rule, `later` those of them that were accepted after the first ones; `compared` is
    the tree of today, compared with the baseline.
    """
    assert compared.base is not None
    screen = Screen(console)
    gone = Counter(f.rule for f in compared.base.fixed)
    screen.line(f"{plain(compared.base.name)}: {figures.count(held.total(), 'finding')}", style="bold")
    screen.table(
        [("Rule", False), ("held", True), ("still there", True), ("gone", True), ("accepted later", True)],
        [
            (plain(code), f"{held[code]:,}", f"{held[code] - gone[code]:,}", f"{gone[code]:,}", f"{later[code]:,}")
            for code in sorted(held)
        ],
    )
    if gone:
        screen.line(f"{figures.count(gone.total(), 'entry', 'entries')} match nothing: assay baseline prune drops them")
