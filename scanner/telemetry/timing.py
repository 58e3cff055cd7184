"""Code around every request that takes its time: middleware, hooks and decorators of the service's own."""

from __future__ import annotations

from collections.abc import Iterator

from assay.scanner.linker.project import last_name
from assay.scanner.linker.scopes import Scope
from assay.scanner.model.place import Evidence
from assay.scanner.readers.python import form
from assay.scanner.telemetry.code import ServiceCode

_HOOKS = frozenset(
    {"before_request", "after_request", "teardown_request", "before_app_request", "after_app_request", "middleware"}
    | {"teardown_app_request", "on_request", "on_response"}
)
"""Decorators of what a framework calls around requests."""
_EMITTING = ("timing", "timer", "observe", "histogram", "distribution", "timed", "record_duration", "record")
_CLOCKS = ("perf_counter", "monotonic", "process_time", "default_timer", "time")
_OF_A_REQUEST = frozenset({"request", "req", "response", "resp", "scope", "environ", "get_response", "call_next"})
_AROUND_A_REQUEST = frozenset({"scope", "environ", "get_response", "call_next"})


def emitted(code: ServiceCode) -> Iterator[Evidence]:
    """A metric of a duration that code around every request writes."""
    for call, scope in code.calls_named("time"):
        # `HISTOGRAM.labels(...).time()` around the request.
        on = call.func.value if isinstance(call.func, form.Attr) else None
        is_metric = isinstance(on, form.Call) and isinstance(on.func, form.Attr) and on.func.attr == "labels"
        is_metric = is_metric or (code.project.callee_name(call, scope) or "").startswith("prometheus_client.")
        if is_metric and is_around_requests(scope):
            yield Evidence(scope.module.location(call), "records the duration of a request")
    for call, scope in code.calls_named(*_EMITTING):
        named = bool(call.args) and isinstance(call.args[0].value, form.Const | form.Template)
        if isinstance(call.func, form.Attr) and (named or call.func.attr == "observe") and is_around_requests(scope):
            yield Evidence(scope.module.location(call), "records the duration of a request")


def timed(code: ServiceCode) -> Iterator[Evidence]:
    """Code around every request that looks at the clock."""
    for call, scope in code.calls_named(*_CLOCKS):
        is_clock = call.func.attr != "time" if isinstance(call.func, form.Attr) else True
        is_clock = is_clock or form.dotted(call.func) in ("time.time", "_time.time")
        # Views look at the clock for reasons of their own.
        strict = form.dotted(call.func) in ("time", "time.time", "_time.time")
        if is_clock and is_around_requests(scope, strict=strict):
            yield Evidence(scope.module.location(call), "takes the time of a request")


def is_around_requests(scope: Scope, *, strict: bool = False) -> bool:
    """Whether a framework calls the function around requests, as its parameters tell. A strict look doesn't take a view
    for one.
    """
    function = scope.function
    if function is None:
        return False
    names = {p.name for p in function.node.params}
    owner = function.owner
    is_middleware = owner is not None and "middleware" in owner.name.lower()
    is_hook = any(last_name(d.func if isinstance(d, form.Call) else d) in _HOOKS for d in function.decorators)
    wanted = _AROUND_A_REQUEST if strict else _OF_A_REQUEST
    return is_middleware or is_hook or not names.isdisjoint(wanted)
