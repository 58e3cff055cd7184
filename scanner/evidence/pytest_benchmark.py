"""The JSON of pytest-benchmark, whose durations are seconds."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

from assay.scanner.evidence.figures import TimedThing, Timing, TimingReport
from assay.scanner.evidence.parsing import Json, number, problem, table, time_of_text

_TOOL = "pytest-benchmark"


def read(document: Mapping[str, Json]) -> TimingReport:
    """Read the document. Raises ReadProblem."""
    benchmarks = document.get("benchmarks")
    if not isinstance(benchmarks, list):
        raise problem(f"benchmarks is no list, as {_TOOL} writes it; let {_TOOL} write the file anew")
    return TimingReport(_TOOL, time_of_text(document.get("datetime")), tuple(_timings(benchmarks)))


def _timings(benchmarks: list[Json]) -> Iterator[Timing]:
    for place, said in enumerate(benchmarks):
        benchmark = table(said, f"benchmarks[{place}]", _TOOL)
        stats = table(benchmark.get("stats"), f"the stats of benchmarks[{place}]", _TOOL)
        data = stats.get("data")
        times = sorted(n for item in data if (n := number(item)) is not None) if isinstance(data, list) else []
        yield Timing(
            TimedThing.BENCHMARK,
            str(benchmark.get("fullname") or benchmark.get("name") or place),
            samples=int(rounds) if (rounds := number(stats.get("rounds"))) is not None else None,
            p95_ms=times[math.ceil(0.95 * len(times)) - 1] * 1000 if times else None,
            mean_ms=_milliseconds(stats.get("mean")),
            deviation_ms=_milliseconds(stats.get("stddev")),
            median_ms=_milliseconds(stats.get("median")),
            max_ms=_milliseconds(stats.get("max")),
        )


def _milliseconds(seconds: Json) -> float | None:
    found = number(seconds)
    return None if found is None else found * 1000
