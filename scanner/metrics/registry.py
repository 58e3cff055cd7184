"""The metrics that code defines, under the names that Prometheus sees them by.

prometheus_client adds `_total` to counters and makes several series of a histogram; OpenTelemetry's exporter turns dots
into underscores and adds units (opentelemetry.io/docs/specs/otel/compatibility/prometheus_and_openmetrics).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from functools import cached_property

from assay.scanner.dataflow.constants import string_value
from assay.scanner.linker.project import Project
from assay.scanner.linker.scopes import Module, Scope
from assay.scanner.metrics.emissions import is_emission
from assay.scanner.model.place import Evidence
from assay.scanner.model.role import Role
from assay.scanner.readers.python import form


class Maker(Enum):
    """What keeps a metric."""

    PROMETHEUS = "prometheus"
    OPENTELEMETRY = "opentelemetry"
    STATSD = "statsd"


_PROMETHEUS = (
    *("Counter", "Gauge", "Histogram", "Summary", "Info", "Enum"),
    *("CounterMetricFamily", "GaugeMetricFamily", "HistogramMetricFamily", "SummaryMetricFamily"),
    *("InfoMetricFamily", "StateSetMetricFamily", "UntypedMetricFamily"),
)
_OPENTELEMETRY = (
    *("create_counter", "create_histogram", "create_up_down_counter", "create_gauge", "create_observable_counter"),
    *("create_observable_gauge", "create_observable_up_down_counter", "metric_counter", "metric_histogram"),
    "metric_up_down_counter",
)
_EMISSIONS = ("incr", "decr", "increment", "decrement", "timing", "timer", "timed", "gauge", "histogram", "counter")
_OF_REQUESTS = {
    "prometheus_flask_exporter": "defaults_prefix",
    "prometheus_fastapi_instrumentator": "metric_namespace",
    "starlette_exporter": "prefix",
}
"""Libraries that measure requests, with the argument that says what the names of their metrics begin with."""
_EXPORTERS = (
    *("PrometheusMetrics", "RESTfulPrometheusMetrics", "ConnexionPrometheusMetrics", "GunicornPrometheusMetrics"),
    *("GunicornInternalPrometheusMetrics", "UWsgiPrometheusMetrics", "PrometheusMiddleware"),
)
_LIBRARIES = ("prometheus_client.", "aioprometheus.", "django_prometheus.", "prometheus_async.")
_SUFFIX = re.compile(r"_(total|bucket|sum|count|created|info|max|min|avg|mean|quantile|upper|lower|median|stddev)$")
_UNIT = re.compile(r"_(seconds|milliseconds|microseconds|ms|s|bytes|kilobytes|ratio|percent|requests|items)$")


@dataclass(frozen=True, slots=True)
class DefinedMetric:
    """A metric of the code. `stem` is its name without what exporters add, with `*` for what isn't known."""

    stem: str
    maker: Maker
    module: Module
    node: form.Call

    @property
    def place(self) -> Evidence:
        return self.module.evidence(self.node, "the metric")

    @property
    def is_whole(self) -> bool:
        return "*" not in self.stem


def defined_metrics(project: Project) -> Iterator[DefinedMetric]:
    """Those of production code."""
    packages = project.imported_packages
    if packages & {"prometheus_client", "aioprometheus", "django_prometheus", "prometheus_async"}:
        for call, scope in project.calls_named(*_PROMETHEUS):
            named = (project.callee_name(call, scope) or "").startswith(_LIBRARIES)
            if named and scope.module.role is Role.PROD and call.args:
                yield _prometheus(call, scope, project)
    yield from _of_requests(project)
    for call, scope in project.calls_named(*_OPENTELEMETRY) if packages & {"opentelemetry", "logfire"} else ():
        name = call.argument(0, "name")
        if name is not None and scope.module.role is Role.PROD:
            yield DefinedMetric(stem_of(_text(name, scope, project)), Maker.OPENTELEMETRY, scope.module, call)
    for call, scope in project.calls_named(*_EMISSIONS):
        if scope.module.role is Role.PROD and is_emission(call):
            yield DefinedMetric(stem_of(emitted_name(call, scope, project)), Maker.STATSD, scope.module, call)


def _of_requests(project: Project) -> Iterator[DefinedMetric]:
    """What libraries measure of requests, under a name of the service's choice."""
    for library, argument in _OF_REQUESTS.items():
        names = (*_EXPORTERS, "instrument", "add_middleware") if library in project.imported_packages else ()
        for call, scope in project.calls_named(*names):
            prefix = call.keyword(argument)
            if prefix is not None and scope.module.role is Role.PROD:
                for metric in ("http_*", "request*"):
                    stem = stem_of(f"{_text(prefix, scope, project)}_{metric}")
                    yield DefinedMetric(stem, Maker.PROMETHEUS, scope.module, call)


def emitted_name(call: form.Call, scope: Scope, project: Project) -> str:
    """The name of what the call sends, with `*` for what isn't known."""
    return _text(call.args[0].value, scope, project)


def _prometheus(call: form.Call, scope: Scope, project: Project) -> DefinedMetric:
    name = call.argument(0, "name")
    parts = [call.keyword("namespace"), call.keyword("subsystem"), name, call.keyword("unit")]
    given = [_text(part, scope, project) for part in parts if part is not None]
    is_text = [part for part in given if part]
    return DefinedMetric(stem_of("_".join(is_text) or "*"), Maker.PROMETHEUS, scope.module, call)


def _text(node: form.Expr, scope: Scope, project: Project) -> str:
    """The name, with `*` for what isn't known."""
    known = string_value(node, scope, project)
    if known is not None:
        return known
    if isinstance(node, form.Template):
        return "".join(
            part if isinstance(part, str) else (string_value(part.value, scope, project) or "*") for part in node.parts
        )
    if isinstance(node, form.Call) and isinstance(node.func, form.Attr) and node.func.attr == "format":
        return re.sub(r"\{[^}]*\}", "*", string_value(node.func.value, scope, project) or "*")
    return "*"


def stem_of(name: str) -> str:
    """A metric's name as exporters write it, without suffixes and units."""
    plain = re.sub(r"[^a-zA-Z0-9_:*]", "_", name.strip()).lower()
    before = ""
    while before != plain:
        before = plain
        plain = _UNIT.sub("", _SUFFIX.sub("", plain))
    return plain


class Registry:
    """What the code of a project counts."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self.metrics = tuple(defined_metrics(project))
        self._whole = {m.stem: m for m in self.metrics if m.is_whole}
        self._patterns = [
            (re.compile(re.escape(m.stem).replace(r"\*", ".*")), m)
            for m in self.metrics
            if not m.is_whole and m.stem.strip("*_")
        ]
        self.is_open = any(not m.stem.strip("*_") for m in self.metrics)
        """Some names aren't known at all."""

    def defines(self, name: str) -> DefinedMetric | None:
        """The metric that a query means by the name."""
        stem = stem_of(name)
        whole = self._whole.get(stem)
        return whole or next((m for pattern, m in self._patterns if pattern.fullmatch(stem)), None)

    def mentions(self, name: str) -> Evidence | None:
        """A string of the code that is the name: what is handed to a helper."""
        return self._mentioned.get(stem_of(name))

    @cached_property
    def _mentioned(self) -> dict[str, Evidence]:
        return {
            stem_of(text): Evidence(module.span(0, 1), f"speaks of {text}")
            for module in self._project.modules.values()
            if module.role is Role.PROD
            for text in module.facts.mentions.strings
            if "_" in text or "." in text
        }
