"""Where code counts or measures: the metric, and the values of its labels."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from assay.scanner.linker.project import Project, last_name
from assay.scanner.linker.scopes import How, Scope
from assay.scanner.model.role import Role
from assay.scanner.readers.python import form

PROMETHEUS = frozenset(
    {
        "prometheus_client",
        "django_prometheus",
        "aioprometheus",
        "prometheus_fastapi_instrumentator",
        "starlette_exporter",
    }
    | {"prometheus_flask_exporter", "sanic_prometheus", "prometheus_async", "aiohttp_prometheus_exporter"}
)
OPENTELEMETRY = frozenset({"opentelemetry", "logfire"})
_RECORDING = ("add", "record", "set", "inc", "observe", "dec", "amend")
"""Methods that take labels as a dictionary: OpenTelemetry's behind the value, aioprometheus's before it."""
_EMITTING = (
    *("incr", "decr", "increment", "decrement", "timing", "timer", "timed", "gauge", "histogram", "distribution"),
    *("counter", "count", "put_metric", "add_metric", "emit", "send", "send_metric", "record_metric", "meter", "set"),
)
_RECEIVERS = ("statsd", "metric", "dogstatsd", "datadog", "stats_client", "telemetry", "meter")
"""Words in the name of what sends metrics."""
_LABELS = ("tags", "labels", "attributes", "metric_tags", "dimensions", "label_values")


@dataclass(frozen=True, slots=True, eq=False)
class LabelValue:
    """A value that becomes a part of a metric's name or one of its labels. `label` is its name, where it has one;
    `metric` what a person calls the metric.
    """

    node: form.Expr
    scope: Scope
    label: str
    metric: str


def label_values(project: Project) -> Iterator[LabelValue]:
    """Those of production code."""
    packages = project.imported_packages
    if packages & PROMETHEUS:
        yield from _prometheus(project)
    if packages & (OPENTELEMETRY | {"aioprometheus"}):
        yield from _dictionaries(project)
    for call, scope in project.calls_named(*_EMITTING):
        if scope.module.role is Role.PROD and is_emission(call):
            yield from _of_emission(call, scope)


def is_emission(call: form.Call) -> bool:
    """A call that sends a named value, of a client for it or of a module of the project's."""
    if not isinstance(call.func, form.Attr) or not call.args:
        return False
    receiver = (form.dotted(call.func.value) or "").lower().rpartition(".")[2]
    if not any(word in receiver for word in _RECEIVERS):
        return False
    first = call.args[0].value
    is_text = isinstance(first, form.Template) or (isinstance(first, form.Const) and isinstance(first.value, str))
    is_text = is_text or (isinstance(first, form.Call) and last_name(first.func) == "format")
    return is_text or isinstance(first, form.Binary)


def _prometheus(project: Project) -> Iterator[LabelValue]:
    for call, scope in project.calls_named("labels"):
        if scope.module.role is not Role.PROD or not isinstance(call.func, form.Attr):
            continue
        metric = form.dotted(call.func.value) or "a metric"
        for number, arg in enumerate(call.args):
            if arg.star == 2:
                for label, value in _entries(arg.value, scope):
                    yield LabelValue(value, scope, label, metric)
            elif not arg.star:
                yield LabelValue(arg.value, scope, arg.name or f"label {number + 1}", metric)


def _dictionaries(project: Project) -> Iterator[LabelValue]:
    for call, scope in project.calls_named(*_RECORDING):
        if scope.module.role is not Role.PROD or not isinstance(call.func, form.Attr) or not call.args:
            continue
        given = call.keyword("attributes") or call.keyword("labels")
        if given is None:
            given = next((arg.value for arg in call.args[:2] if isinstance(arg.value, form.Dict)), None)
        if given is None and call.func.attr in ("add", "record") and len(call.positional) > 1:
            named = call.positional[1]
            is_labels = isinstance(named, form.Name) and any(w in named.id for w in ("attr", "label", "tags"))
            given = named if is_labels else None
        for label, value in _entries(given, scope) if given is not None else ():
            yield LabelValue(value, scope, label, form.dotted(call.func.value) or "a metric")


def _of_emission(call: form.Call, scope: Scope) -> Iterator[LabelValue]:
    first = call.args[0].value
    metric = _shown(first)
    for part in _parts(first):
        yield LabelValue(part, scope, "its name", metric)
    for name in _LABELS:
        given = call.keyword(name)
        if given is not None:
            for label, value in _entries(given, scope):
                yield LabelValue(value, scope, label, metric)


def _shown(name: form.Expr) -> str:
    if isinstance(name, form.Const):
        return str(name.value)
    if isinstance(name, form.Template):
        return "".join(part if isinstance(part, str) else "…" for part in name.parts)
    if isinstance(name, form.Call) and isinstance(name.func, form.Attr):
        return _shown(name.func.value)
    if isinstance(name, form.Binary):
        return _shown(name.left)
    return "a metric"


def _parts(name: form.Expr) -> Iterator[form.Expr]:
    """What is put into a name."""
    if isinstance(name, form.Template):
        yield from (part.value for part in name.parts if isinstance(part, form.Hole))
    elif isinstance(name, form.Call):
        yield from (arg.value for arg in name.args if not arg.star)
    elif isinstance(name, form.Binary):
        yield from _parts(name.left)
        right = name.right
        yield from right.items if isinstance(right, form.Display) else (right,)


def _entries(given: form.Expr, scope: Scope, depth: int = 3) -> Iterator[tuple[str, form.Expr]]:
    """Labels with their values: of a dictionary, a call of `dict`, a list of `name:value`, and a name for one."""
    if isinstance(given, form.Dict):
        for key, value in zip(given.keys, given.values, strict=True):
            if key is None and depth:
                yield from _entries(value, scope, depth - 1)
            elif isinstance(key, form.Const):
                yield str(key.value), value
    elif isinstance(given, form.Call) and last_name(given.func) == "dict":
        yield from ((arg.name, arg.value) for arg in given.args if arg.name is not None)
    elif isinstance(given, form.Display):
        for item in given.items:
            yield from ((_label_of(item), part) for part in _parts(item))
    elif isinstance(given, form.Name) and depth:
        for binding in scope.lookup(given.id, given.start):
            if binding.how is How.ASSIGN and binding.value is not None and binding.scope is scope:
                yield from _entries(binding.value, scope, depth - 1)
        yield from _added(given.id, scope)


def _added(name: str, scope: Scope) -> Iterator[tuple[str, form.Expr]]:
    """What a function puts into a dictionary of its own, key by key."""
    for node in scope.function.walk() if scope.function is not None else ():
        if isinstance(node, form.Assign) and node.value is not None:
            for target in node.targets:
                match target:
                    case form.Subscript(value=form.Name(id=owner), index=form.Const(value=key)) if owner == name:
                        yield str(key), node.value


def _label_of(item: form.Expr) -> str:
    """What stands before the colon of `f"path:{path}"`."""
    return _shown(item).partition(":")[0].strip("… ") or "a tag"
