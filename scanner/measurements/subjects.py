"""What was measured."""

from __future__ import annotations

from collections.abc import Iterator

from assay.scanner.gathered import Gathered
from assay.scanner.measurements.coverage import coverage_figures
from assay.scanner.measurements.reports import Reports
from assay.scanner.measurements.timings import timings
from assay.scanner.model.measurement import CoverageFigure, MeasuredTiming


def measurements(gathered: Gathered) -> Iterator[CoverageFigure | MeasuredTiming]:
    """Coverage and latencies, of every service that a report is of."""
    reports = Reports(gathered)
    yield from coverage_figures(gathered, reports)
    yield from timings(gathered, reports)
