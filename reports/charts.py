"""Scores over time as lines: the geometry of small pictures, and what they say in words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from assay.reports import figures
from assay.reports.plain import plain
from assay.scanner.history.records import ScanRecord
from assay.scanner.scoring import GRADES

__all__ = ["Dot", "EditionMark", "Spark", "Trend", "spark", "trend"]

SPARK_WIDTH, SPARK_HEIGHT, SPARK_SCANS = 96, 24, 30
WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 760, 220, 36, 12, 24, 24
_NEAR = 60
"""How close to an end of the line words beside a mark would be cut."""


@dataclass(frozen=True, slots=True)
class Spark:
    """Lines as SVG points, one for each stretch without a gap; `words` say the same."""

    lines: tuple[str, ...]
    words: str


@dataclass(frozen=True, slots=True)
class Dot:
    """A scan on the line, and what it says when it is pointed at."""

    x: str
    y: str
    words: str


@dataclass(frozen=True, slots=True)
class EditionMark:
    """Where the standard's edition or the configuration changed: what moved there may be their doing. `anchor` is
    where the words stand that the mark is beside, in SVG's terms.
    """

    x: str
    words: str
    anchor: str = "middle"


@dataclass(frozen=True, slots=True)
class Level:
    """The lowest score of a grade."""

    y: str
    grade: str


@dataclass(frozen=True, slots=True)
class Trend:
    """A service's score over time."""

    lines: tuple[str, ...]
    dots: tuple[Dot, ...]
    editions: tuple[EditionMark, ...]
    configurations: tuple[EditionMark, ...]
    levels: tuple[Level, ...]
    first: str
    last: str
    words: str


def spark(scans: Sequence[ScanRecord]) -> Spark | None:
    """The last scans' scores, evenly spaced; None where there is nothing to compare."""
    shown = scans[-SPARK_SCANS:]
    scores = [scan.score for scan in shown if scan.score is not None]
    if len(scores) < 2:
        return None
    step = (SPARK_WIDTH - 4) / (len(shown) - 1)
    points = [
        None if scan.score is None else (2 + index * step, 2 + (100 - scan.score) / 100 * (SPARK_HEIGHT - 4))
        for index, scan in enumerate(shown)
    ]
    return Spark(tuple(_lines(points)), f"Score over {figures.count(len(shown), 'scan')}: {_course(scores)}")


def trend(scans: Sequence[ScanRecord]) -> Trend | None:
    """All scans' scores by time; None where fewer than two have one."""
    scores = [scan.score for scan in scans if scan.score is not None]
    if len(scores) < 2:
        return None
    first, last = scans[0].at, scans[-1].at
    points = [None if s.score is None else (_x(s.at, first, last), _y(s.score)) for s in scans]
    dots = tuple(
        Dot(f"{point[0]:.1f}", f"{point[1]:.1f}", _scan_in_words(scan))
        for scan, point in zip(scans, points, strict=True)
        if point is not None
    )
    editions = tuple(
        _edition_mark(_x(scan.at, first, last), scan)
        for before, scan in pairwise(scans)
        if scan.edition != before.edition
    )
    configurations = tuple(
        EditionMark(f"{_x(scan.at, first, last):.1f}", f"{scan.at:%Y-%m-%d}: another configuration")
        for before, scan in pairwise(scans)
        if scan.configuration != before.configuration
    )
    levels = tuple(Level(f"{_y(lowest):.1f}", letter) for lowest, letter in GRADES)
    told = f"Score over {figures.count(len(scans), 'scan')} from {first:%Y-%m-%d} to {last:%Y-%m-%d}: {_course(scores)}"
    changed = figures.joined([mark.words for mark in editions])
    words = f"{told}; changes of the standard: {changed}." if changed else f"{told}."
    days = f"{first:%Y-%m-%d}", f"{last:%Y-%m-%d}"
    return Trend(tuple(_lines(points)), dots, editions, configurations, levels, *days, words)


def _edition_mark(x: float, scan: ScanRecord) -> EditionMark:
    anchor = "start" if x < LEFT + _NEAR else "end" if x > WIDTH - RIGHT - _NEAR else "middle"
    return EditionMark(f"{x:.1f}", f"edition {plain(scan.edition)}", anchor)


def _course(scores: Sequence[float]) -> str:
    low, high = figures.score(min(scores)), figures.score(max(scores))
    return f"from {figures.score(scores[0])} to {figures.score(scores[-1])}, lowest {low}, highest {high}"


def _scan_in_words(scan: ScanRecord) -> str:
    commit = f", {plain(scan.commit[:12])}" if scan.commit else ""
    return f"{scan.at:%Y-%m-%d}{commit}: {figures.score(scan.score)} {plain(scan.grade)}"


def _x(at: datetime, first: datetime, last: datetime) -> float:
    span = (last - first).total_seconds()
    share = (at - first).total_seconds() / span if span else 0.5
    return LEFT + share * (WIDTH - LEFT - RIGHT)


def _y(score: float) -> float:
    return TOP + (100 - score) / 100 * (HEIGHT - TOP - BOTTOM)


def _lines(points: Iterable[tuple[float, float] | None]) -> Iterable[str]:
    """Where a scan has no score, the line has a gap."""
    run: list[str] = []
    for point in points:
        if point is None:
            if run:
                yield " ".join(run)
            run = []
        else:
            run.append(f"{point[0]:.1f},{point[1]:.1f}")
    if run:
        yield " ".join(run)
