"""How metrics leave each kind of process: scraped from an endpoint, or pushed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from assay.scanner.linker.project import last_name, last_part
from assay.scanner.model.log import ProcessKind
from assay.scanner.model.place import Evidence
from assay.scanner.model.telemetry import LatencyMeasurement, MetricExport
from assay.scanner.readers.python import form
from assay.scanner.telemetry import agents, sentry
from assay.scanner.telemetry.code import ServiceCode
from assay.scanner.telemetry.found import BOTH, WEB, WORKER, Found, below_agents, called, imports, shown
from assay.scanner.telemetry.processes import RunningKind, started_by

_EXPOSED = {
    "make_asgi_app": WEB,
    "make_wsgi_app": WEB,
    "make_aiohttp_handler": WEB,
    "generate_latest": WEB,
    "handle_metrics": WEB,
    "start_http_server": BOTH,
    "start_wsgi_server": BOTH,
    "push_to_gateway": BOTH,
    "pushadd_to_gateway": BOTH,
    "write_to_textfile": BOTH,
}
"""Functions of prometheus_client that give its registry away."""
_EXPOSING_OBJECTS = frozenset(
    {"PrometheusMetrics", "RESTfulPrometheusMetrics", "GunicornPrometheusMetrics", "GunicornInternalPrometheusMetrics"}
    | {"UWsgiPrometheusMetrics", "ConnexionPrometheusMetrics"}
)
"""Of prometheus-flask-exporter; they add the route themselves."""
_EXPOSING_IMPORTS = (
    "starlette_exporter.handle_metrics",
    "starlette_exporter.handle_openmetrics",
    "starlette_prometheus.metrics",
    "aioprometheus.render",
    "aioprometheus.service",
    "aioprometheus.asgi",
    "litestar.plugins.prometheus.PrometheusController",
    "litestar.contrib.prometheus.PrometheusController",
    "django_prometheus.exports",
    "aiohttp_prometheus",
    "aiohttp_prometheus_exporter",
    "falcon_prometheus",
    "prometheus_client.MetricsHandler",
    "prometheus_client.exposition.MetricsHandler",
)
_EXPOSING_METHODS = {"expose": "prometheus_fastapi_instrumentator", "expose_endpoint": "sanic_prometheus"}
_EXPOSING_SETTINGS = ("PROMETHEUS_METRICS_EXPORT_PORT", "PROMETHEUS_METRICS_EXPORT_PORT_RANGE")
"""By which django-prometheus opens a port of its own."""
_WORKERS_OWN = (
    "celery_exporter",
    "celery_prometheus_exporter",
    "celery_prometheus",
    "rq_exporter",
    "dramatiq.middleware.prometheus",
    "dramatiq.middleware.Prometheus",
)
_PUSHING_PACKAGES = frozenset(
    {"statsd", "datadog", "markus", "aiodogstatsd", "aio_statsd", "django_statsd", "aws_embedded_metrics", "telegraf"}
    | {"influxdb_client", "pystatsd", "google.cloud.monitoring_v3", "aws_lambda_powertools.metrics"}
)
_PUSHING_MIDDLEWARE = ("apitally", "flask_statsdclient", "django_statsd.middleware")
_EMISSIONS = (
    *("incr", "decr", "increment", "decrement", "timing", "timer", "timed", "gauge", "histogram", "distribution"),
    *("counter", "put_metric", "add_metric", "create_time_series"),
)
_METERS = ("MeterProvider", "set_meter_provider", "configure_azure_monitor", "OTLPMetricExporter")
_INSTRUMENTS = ("Counter", "Histogram", "Summary", "Gauge")
_OTEL_INSTRUMENTS = ("create_counter", "create_histogram", "create_up_down_counter")


def metric_exports(
    code: ServiceCode, kinds: Sequence[RunningKind], latency: LatencyMeasurement
) -> Iterator[MetricExport]:
    """One for each kind of process that the service runs."""
    if not kinds:
        return
    exporting = [*_exposed(code), *_pushed(code), *below_agents(code)]
    kept = [*_kept(code)]
    outside = [*_outside(code)]
    for running in kinds:
        mine = [f for f in exporting if f.is_of(running) and started_by(code, running, f.evidence)]
        mine.sort(key=lambda f: not f.is_at_home(running))
        doubts = [f.evidence for f in outside if f.is_of(running) and started_by(code, running, f.evidence)]
        doubts = doubts or list(agents.declared(code))
        yield MetricExport(
            service_root=code.service.root,
            kind=running.kind,
            location=running.location,
            role=running.role,
            exported=shown(f.evidence for f in mine if f.is_sure),
            kept=shown(f.evidence for f in kept if f.is_of(running)),
            doubtful=shown([*(f.evidence for f in mine if not f.is_sure), *doubts]),
            of_requests=latency.recorded or latency.doubtful if running.kind is ProcessKind.WEB else (),
        )


# --- scraped ---


def _exposed(code: ServiceCode) -> Iterator[Found]:
    for call, scope in code.calls_named(*_EXPOSED):
        name = code.project.callee_name(call, scope) or ""
        if name.startswith("prometheus_client."):
            yield called(code, call, scope, f"calls {last_part(name)}", _EXPOSED[last_part(name)])
    for method, package in _EXPOSING_METHODS.items():
        if any(package in m.imported_packages for m in code.modules):
            for call, scope in code.calls_named(method):
                yield called(code, call, scope, "exposes them on a route", WEB)
    for call, scope in code.calls_named(*sorted(_EXPOSING_OBJECTS), "for_app_factory"):
        made = code.project.qualified_name(call.func, scope) or ""
        path = call.argument(1, "path")
        is_off = isinstance(path, form.Const) and path.value is None
        if made.startswith("prometheus_flask_exporter") and not is_off:
            yield called(code, call, scope, "adds a route with the metrics", WEB)
    yield from _included(code)
    yield from (Found(e, WEB, m) for m, e in imports(code, _EXPOSING_IMPORTS))
    yield from (Found(e, WORKER, m) for m, e in imports(code, _WORKERS_OWN))
    yield from (Found(e, WORKER) for e in agents.exporters(code))


def _included(code: ServiceCode) -> Iterator[Found]:
    """The routes of django-prometheus, and the port that its settings open."""
    for call, scope in code.calls_named("include"):
        target = call.args[0].value if call.args else None
        named = target.value if isinstance(target, form.Const) else form.dotted(target) if target is not None else None
        if named == "django_prometheus.urls":
            yield called(code, call, scope, "includes its routes", WEB)
    for module in code.modules:
        for name in _EXPOSING_SETTINGS:
            for binding in module.scope.bindings.get(name, ()):
                yield Found(Evidence(module.span(binding.offset, binding.offset + len(name)), name), BOTH)


# --- pushed ---


def _pushed(code: ServiceCode) -> Iterator[Found]:
    for call, scope in code.calls_named("put_metric_data"):
        yield called(code, call, scope, "sends them to CloudWatch", BOTH)
    yield from (Found(e, WEB) for e in code.named(_PUSHING_MIDDLEWARE))
    providers = [call for call, _ in code.calls_named("MeterProvider")]
    is_read = not providers or any(call.args for call in providers)
    for call, scope in code.calls_named(*_METERS) if is_read else ():
        name = code.project.callee_name(call, scope) or ""
        if name.startswith(("opentelemetry.", "azure.monitor.")):
            yield called(code, call, scope, f"calls {last_part(name)}", BOTH)
    for call, scope in code.calls_named("configure"):
        if code.project.callee_name(call, scope) == "logfire.configure":
            yield called(code, call, scope, "logfire sends metrics", BOTH)
    is_known = any(
        not m.imported_packages.isdisjoint(p.partition(".")[0] for p in _PUSHING_PACKAGES) for m in code.modules
    )
    for call, scope in code.calls_named(*_EMISSIONS):
        owner = call.func.value if isinstance(call.func, form.Attr) else None
        receiver = (form.dotted(owner) or "").lower() if owner is not None else ""
        name = (code.project.callee_name(call, scope) or "") if is_known else ""
        if any(name.startswith(f"{package}.") for package in _PUSHING_PACKAGES) or (is_known and "statsd" in receiver):
            yield called(code, call, scope, f"calls {last_name(call.func)} of {receiver or name}", BOTH)
        elif "metric" in receiver and call.args and not name.startswith(("prometheus_client.", "opentelemetry.")):
            found = called(code, call, scope, f"hands a metric to {receiver}", BOTH)
            yield Found(found.evidence, BOTH, scope.module, is_sure=False)


# --- neither, or out of sight ---


def _kept(code: ServiceCode) -> Iterator[Found]:
    """Metrics that something has to give away."""
    for call, scope in code.calls_named(*_INSTRUMENTS):
        if (code.project.callee_name(call, scope) or "").startswith("prometheus_client."):
            yield Found(Evidence(scope.module.location(call), "a metric"), BOTH, scope.module)
    for call, scope in code.calls_named(*_OTEL_INSTRUMENTS):
        if call.args:
            yield Found(Evidence(scope.module.location(call), "a metric without a provider"), BOTH, scope.module)
    counting = ("prometheus_fastapi_instrumentator", "starlette_exporter", "starlette_prometheus", "django_prometheus")
    yield from (Found(e, WEB, m) for m, e in imports(code, counting))


def _outside(code: ServiceCode) -> Iterator[Found]:
    """What may take metrics, or make them, without a word in the code."""
    for evidence in (*agents.meshes(code), *agents.scraped(code)):
        yield Found(evidence, WEB if "Gunicorn" in evidence.text else BOTH)
    for evidence in (*sentry.traced(code), *sentry.traced_elsewhere(code)):
        yield Found(evidence, BOTH)
    for call, scope in code.calls_named("TracerProvider"):
        yield called(code, call, scope, "only traces leave the process", BOTH)
    for call, scope in code.calls_named("RedisBroker", "RabbitmqBroker"):
        if (code.project.callee_name(call, scope) or "").startswith("dramatiq.") and not call.keyword("middleware"):
            yield called(code, call, scope, "Dramatiq before version 2 serves metrics by itself", WORKER)
    for setting in code.gathered.settings:
        if "send_task_events" in setting.name.lower() and code.owns(setting.location.path):
            yield Found(Evidence(setting.location, "workers send events of their tasks"), WORKER)
