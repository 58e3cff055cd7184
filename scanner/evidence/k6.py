"""Summaries of k6: of `--summary-export`, and the data that `handleSummary` is given (grafana.com/docs/k6)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from assay.scanner.evidence.figures import TimedThing, Timing, TimingReport
from assay.scanner.evidence.parsing import Json, number, problem, table

_TOOL = "k6"
_DURATION = "http_req_duration"
_P95 = "p(95)"


def read(document: Mapping[str, Json]) -> TimingReport:
    """Read the document. k6 tells no time. Raises ReadProblem."""
    metrics = table(document.get("metrics"), "metrics", _TOOL)
    timings = tuple(_timings(metrics))
    if not timings:
        raise problem(f"no metric {_DURATION} in it: the scenario sent no HTTP request")
    return TimingReport(_TOOL, "", timings)


def _timings(metrics: Mapping[str, Json]) -> Iterator[Timing]:
    samples = _values(metrics.get("http_reqs"), "http_reqs").get("count")
    others = [m for name, metric in sorted(metrics.items()) if not name.startswith(_DURATION) for m in _missed(metric)]
    for name, metric in sorted(metrics.items()):
        if name != _DURATION and not name.startswith(f"{_DURATION}{{"):
            continue
        values = _values(metric, name)
        p95 = number(values.get(_P95))
        missed = _missed(metric)
        if p95 is None and not missed:
            continue
        whole = name == _DURATION
        yield Timing(
            TimedThing.REQUEST,
            "all requests" if whole else name.removeprefix(_DURATION).strip("{}"),
            samples=int(counted) if whole and (counted := number(samples)) is not None else None,
            p95_ms=p95,
            mean_ms=number(values.get("avg")),
            median_ms=number(values.get("med")),
            max_ms=number(values.get("max")),
            missed=(*missed, *(others if whole else ())),
        )


def _values(metric: Json, name: str) -> Mapping[str, Json]:
    if metric is None:
        return {}
    said = table(metric, name, _TOOL)
    return table(said.get("values", said), f"the values of {name}", _TOOL)


def _missed(metric: Json) -> list[str]:
    """Thresholds that weren't kept: `{"ok": false}`, or `true` in the summary export, "crossed"."""
    thresholds = metric.get("thresholds") if isinstance(metric, Mapping) else None
    if not isinstance(thresholds, Mapping):
        return []
    return [
        name
        for name, said in sorted(thresholds.items())
        if said is True or (isinstance(said, Mapping) and said.get("ok") is False)
    ]
