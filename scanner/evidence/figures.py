"""Figures as a tool wrote them into a file, with their units in their names: durations are milliseconds."""

from __future__ import annotations

from enum import StrEnum
from typing import TypeAlias

import msgspec

from assay.scanner.readers.span import Span

START = Span(1, 1, 1, 1)
"""The place of a figure in a format of which nobody reads lines."""


class FileCoverage(msgspec.Struct, frozen=True, array_like=True):
    """How much of one source file ran. `path` is as the tool wrote it; `branches` is 0 where they weren't measured."""

    path: str
    statements: int
    covered: int
    branches: int = 0
    covered_branches: int = 0


class CoverageReport(msgspec.Struct, frozen=True, array_like=True, tag="coverage"):
    """What a run of the tests covered. `sources` are folders that paths may be relative to, `made` is when (ISO 8601,
    UTC), empty where the file doesn't say.
    """

    tool: str
    made: str
    sources: tuple[str, ...]
    files: tuple[FileCoverage, ...]


class JunitReport(msgspec.Struct, frozen=True, array_like=True, tag="tests"):
    """How many tests ran, and how they ended."""

    tool: str
    made: str
    tests: int
    failures: int
    errors: int
    skipped: int


class TimedThing(StrEnum):
    """What took that long."""

    QUERY = "query"
    REQUEST = "request"
    BENCHMARK = "benchmark"


class Timing(msgspec.Struct, frozen=True, array_like=True):
    """How long something took. What the file doesn't tell is None."""

    what: TimedThing
    name: str
    span: Span = START
    samples: int | None = None
    p95_ms: float | None = None
    mean_ms: float | None = None
    deviation_ms: float | None = None
    median_ms: float | None = None
    max_ms: float | None = None
    missed: tuple[str, ...] = ()
    """Thresholds of the tool's own that weren't kept."""


class TimingReport(msgspec.Struct, frozen=True, array_like=True, tag="timings"):
    """The timings of one run."""

    tool: str
    made: str
    timings: tuple[Timing, ...]


Report: TypeAlias = CoverageReport | JunitReport | TimingReport


class EvidenceFacts(msgspec.Struct, frozen=True, array_like=True, tag="evidence"):
    """What one file of measurements holds."""

    report: Report


class EvidenceFile(msgspec.Struct, frozen=True, array_like=True):
    """A file that was named, besides what the tree holds. `path` is relative to the scanned root where it lies in it,
    else its name.
    """

    path: str
    facts: EvidenceFacts


DEFAULT_MAX_AGE_DAYS = 30


class Measured(msgspec.Struct, frozen=True, array_like=True):
    """What is known of measurements besides what the tree holds. Times are ISO 8601, empty where nobody knows.

    `committed` is when the tree was; `changed` tells of files of measurements in it when they last were, for formats
    that name no time. What was measured more than `max_age_days` before the tree was committed says little of it.
    """

    files: tuple[EvidenceFile, ...] = ()
    committed: str = ""
    changed: dict[str, str] = {}
    max_age_days: int = DEFAULT_MAX_AGE_DAYS


NOTHING_MEASURED = Measured()
