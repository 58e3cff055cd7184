"""The score of a service over the scans that a store has of it, as a line and as a table."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from assay.reports import figures
from assay.reports.charts import Trend, trend
from assay.reports.html.scores import move
from assay.reports.html.views import Move
from assay.reports.plain import plain
from assay.scanner.history.records import Change, ScanRecord, ServiceHistory
from assay.scanner.results import Execution
from assay.scanner.verdicts import Severity

__all__ = ["HistoryView", "history_view"]

SHOWN = 30
"""Scans in the table."""


@dataclass(frozen=True, slots=True)
class ScanRow:
    """A scan and what it brought against the one before; `notes` are what else than code may have moved its score."""

    day: str
    commit: str
    score: str
    move: Move | None
    fails: str
    new: str
    fixed: str
    notes: str


@dataclass(frozen=True, slots=True)
class HistoryView:
    """A service's scans, the newest first; no `trend` where not two of them have a score."""

    name: str
    branch: str
    trend: Trend | None
    rows: tuple[ScanRow, ...]
    of: str


def history_view(history: ServiceHistory) -> HistoryView:
    """What the store tells of the service up to this scan."""
    changes = history.changes
    return HistoryView(
        name=plain(history.service.label),
        branch=plain(changes[-1].scan.branch),
        trend=trend([change.scan for change in changes]),
        rows=tuple(_row(change) for change in reversed(changes[-SHOWN:])),
        of=figures.count(len(changes), "scan"),
    )


def _row(change: Change) -> ScanRow:
    scan, before = change.scan, change.before
    score = scan.grade if scan.score is None else f"{figures.score(scan.score)} {scan.grade}"
    return ScanRow(
        day=f"{scan.at:%Y-%m-%d %H:%M}",
        commit=plain((scan.commit or figures.NOTHING)[:12]),
        score=plain(score),
        move=None if before is None else move(before.score, scan.score),
        fails=" / ".join(f"{scan.fails[severity]:,}" for severity in Severity),
        new=figures.NOTHING if before is None else f"{len(change.new):,}",
        fixed=figures.NOTHING if before is None else f"{len(change.fixed):,}",
        notes="; ".join(_notes(scan, before)),
    )


def _notes(scan: ScanRecord, before: ScanRecord | None) -> Iterator[str]:
    if before is not None:
        if scan.edition != before.edition:
            yield f"edition {plain(before.edition)} → {plain(scan.edition)}"
        if scan.configuration != before.configuration:
            yield "another configuration"
        if scan.tool_version != before.tool_version:
            yield f"Assay {plain(before.tool_version)} → {plain(scan.tool_version)}"
    if scan.execution is not Execution.COMPLETE:
        yield "not everything was read"
