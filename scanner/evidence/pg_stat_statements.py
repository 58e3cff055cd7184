r"""Exports of PostgreSQL's pg_stat_statements, as CSV (`\copy ... csv header`) or JSON; durations are milliseconds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from assay.scanner.evidence.figures import START, TimedThing, Timing, TimingReport
from assay.scanner.evidence.parsing import Json, count, number, problem, table
from assay.scanner.readers.span import Span

_TOOL = "pg_stat_statements"


def read(rows: Iterable[tuple[Span, Json]]) -> TimingReport:
    """Read the rows, each with its place. Raises ReadProblem."""
    return TimingReport(_TOOL, "", tuple(_timings(rows)))


def _timings(rows: Iterable[tuple[Span, Json]]) -> Iterator[Timing]:
    for span, said in rows:
        line = span.line if span is not START else None
        row = table(said, "a row", _TOOL)
        query = row.get("query")
        if not isinstance(query, str):
            raise problem("a row has no query; export the columns query, calls, mean_exec_time, stddev_exec_time", line)
        # Before PostgreSQL 13, planning was not told apart (release notes of 13).
        mean = _of(row, "mean_exec_time", "mean_time")
        if mean is None:
            raise problem("a row has no mean_exec_time; export it besides query and calls", line)
        yield Timing(
            TimedThing.QUERY,
            " ".join(query.split()),
            span,
            samples=count(row.get("calls"), "calls", _TOOL, line),
            mean_ms=mean,
            deviation_ms=_of(row, "stddev_exec_time", "stddev_time"),
            max_ms=_of(row, "max_exec_time", "max_time"),
        )


def _of(row: Mapping[str, Json], *names: str) -> float | None:
    return next((found for name in names if (found := number(row.get(name))) is not None), None)
