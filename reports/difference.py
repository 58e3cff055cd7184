"""What a later scan found otherwise than the one before, in a few lines on a terminal."""

from __future__ import annotations

from rich.console import Console

from assay.reports import figures
from assay.reports.plain import plain
from assay.reports.screen import Screen
from assay.scanner.diagnostics import Diagnostic
from assay.scanner.differences import Difference, ScoreChange
from assay.scanner.results import JudgedVerdict

_GONE, _NEW = ("- gone ", "green"), ("+ new  ", "bold red")


def render(difference: Difference, console: Console) -> None:
    """A line for each finding that is gone or new, the count of all, and scores that moved."""
    screen = Screen(console)
    for finding in difference.gone:
        _finding(_GONE, finding, screen)
    for finding in difference.new:
        _finding(_NEW, finding, screen)
    if difference.gone or difference.new:
        new, gone = len(difference.new), len(difference.gone)
        screen.line(f"{figures.count(difference.findings, 'finding')}: {new:,} new, {gone:,} gone", style="bold")
    else:
        screen.line(f"no change in findings ({difference.findings:,})")
    if difference.scores:
        screen.line("score: " + "; ".join(_score(change) for change in difference.scores))


def render_incomplete(diagnostics: tuple[Diagnostic, ...], console: Console) -> None:
    """What keeps a scan from being compared."""
    screen = Screen(console)
    for diagnostic in diagnostics:
        line = "" if diagnostic.line is None else f":{diagnostic.line}"
        reason = diagnostic.reason.value.replace("-", " ")
        screen.line((f"{plain(diagnostic.path)}{line}", "bold"), f"  {reason}: {plain(diagnostic.message)}")
    screen.line("not compared: what is missing can't be told from what is mended", style="dim")


def _finding(sign: tuple[str, str], finding: JudgedVerdict, screen: Screen) -> None:
    place = f"{plain(finding.location.path)}:{finding.location.line}"
    kind = f"{figures.SYMBOLS[finding.kind]} {figures.WORDS[finding.kind]}"
    screen.line(sign, (place, "bold"), f"  {plain(finding.rule)}  {kind}  {plain(finding.message)}")


def _score(change: ScoreChange) -> str:
    before, after = figures.score(change.before), figures.score(change.after)
    grades = f" ({plain(change.grade_before or figures.NOTHING)} → {plain(change.grade_after or figures.NOTHING)})"
    moved = grades if change.grade_before != change.grade_after else f" ({plain(change.grade_after)})"
    return f"{plain(change.service)} {before} → {after}{moved}"
