"""The statistics that Locust writes as CSV (`--csv`): one line for each request, and one for all together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from assay.scanner.evidence.figures import TimedThing, Timing, TimingReport
from assay.scanner.evidence.parsing import count, number, problem
from assay.scanner.readers.span import Span

_TOOL = "Locust"
_ALL = "Aggregated"


def read(rows: Iterable[tuple[Span, Mapping[str, str]]]) -> TimingReport:
    """Read the rows, each with its place. The statistics tell no time. Raises ReadProblem."""
    return TimingReport(_TOOL, "", tuple(_timings(rows)))


def _timings(rows: Iterable[tuple[Span, Mapping[str, str]]]) -> Iterator[Timing]:
    for span, row in rows:
        if row.get("Name") == _ALL:
            continue
        samples = count(row.get("Request Count"), "Request Count", _TOOL, span.line)
        p95 = number(row.get("95%"))
        if p95 is None and samples:
            raise problem(f"95% is {row.get('95%', '')!r}, which is no number; let Locust write it anew", span.line)
        yield Timing(
            TimedThing.REQUEST,
            f"{row.get('Type', '')} {row.get('Name', '')}".strip(),
            span,
            samples=samples,
            p95_ms=p95,
            mean_ms=number(row.get("Average Response Time")),
            median_ms=number(row.get("Median Response Time")),
            max_ms=number(row.get("Max Response Time")),
        )
