"""Libraries that measure every request: whether they tell requests apart by their routes, or by raw paths."""

from __future__ import annotations

from collections.abc import Iterator

from assay.scanner.dataflow.numbering import Ordinals, around
from assay.scanner.linker.project import Project, last_name
from assay.scanner.linker.scopes import Scope
from assay.scanner.model.metric import Cardinality, MetricLabel
from assay.scanner.model.role import Role
from assay.scanner.readers.python import form

_FLASK = (
    "PrometheusMetrics",
    "RESTfulPrometheusMetrics",
    "ConnexionPrometheusMetrics",
    "GunicornPrometheusMetrics",
    "GunicornInternalPrometheusMetrics",
    "UWsgiPrometheusMetrics",
)
_BY_ROUTE = frozenset({"endpoint", "url_rule", "blueprint"})


def setups(project: Project) -> Iterator[MetricLabel]:
    """Of prometheus-flask-exporter, prometheus-fastapi-instrumentator and starlette_exporter."""
    counted = Ordinals()
    packages = project.imported_packages
    if "prometheus_flask_exporter" in packages:
        for call, scope in _calls(project, "prometheus_flask_exporter.", *_FLASK):
            yield from _flask(call, scope, counted)
    if "prometheus_fastapi_instrumentator" in packages:
        for call, scope in _calls(project, "prometheus_fastapi_instrumentator.", "Instrumentator"):
            grouped = _is_false(call.keyword("should_group_untemplated"))
            ignored = _is_true(call.keyword("should_ignore_untemplated"))
            said = "paths without a route are kept as they are" if grouped and not ignored else "the route's template"
            spread = Cardinality.ANY if grouped and not ignored else Cardinality.FEW
            yield _label(call, scope, counted, "handler", spread, said)
    if "starlette_exporter" in packages:
        for call, scope in project.calls_named("PrometheusMiddleware", "add_middleware", "Middleware"):
            if scope.module.role is Role.PROD and _is_of_starlette_exporter(call, scope, project):
                raw = _is_false(call.keyword("group_paths")) or _is_false(call.keyword("filter_unhandled_paths"))
                said = "paths are kept as they are" if raw else "the route's template"
                yield _label(call, scope, counted, "path", Cardinality.ANY if raw else Cardinality.FEW, said)


def _calls(project: Project, library: str, *names: str) -> Iterator[tuple[form.Call, Scope]]:
    for call, scope in project.calls_named(*names):
        if scope.module.role is Role.PROD and (project.callee_name(call, scope) or "").startswith(library):
            yield call, scope


def _flask(call: form.Call, scope: Scope, counted: Ordinals) -> Iterator[MetricLabel]:
    grouped = call.keyword("group_by")
    if (
        _is_false(call.keyword("export_defaults"))
        or _is_true(call.keyword("group_by_endpoint"))
        or call.has_double_star
    ):
        return
    if grouped is None:
        yield _label(call, scope, counted, "path", Cardinality.ANY, "without `group_by` it is the raw path")
    elif isinstance(grouped, form.Const):
        is_route = grouped.value in _BY_ROUTE
        said = f"`{grouped.value}`"
        yield _label(call, scope, counted, "path", Cardinality.FEW if is_route else Cardinality.ANY, said)


def _is_of_starlette_exporter(call: form.Call, scope: Scope, project: Project) -> bool:
    made = call.func if last_name(call.func) == "PrometheusMiddleware" else call.args[0].value if call.args else None
    return made is not None and (project.qualified_name(made, scope) or "").startswith("starlette_exporter")


def _label(call: form.Call, scope: Scope, counted: Ordinals, label: str, spread: Cardinality, said: str) -> MetricLabel:
    function = around(scope)
    metric = "requests"
    number = counted.next(function, f"{metric} {label}")
    module = scope.module
    return MetricLabel(function, metric, label, number, module.location(call), module.role, spread, said)


def _is_false(node: form.Expr | None) -> bool:
    return isinstance(node, form.Const) and node.value is False


def _is_true(node: form.Expr | None) -> bool:
    return isinstance(node, form.Const) and node.value is True
