"""Whether a service counts what it is there for: orders, payments, deliveries, by result."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from assay.scanner.gathered import Gathered
from assay.scanner.linker.project import Project, last_name
from assay.scanner.linker.scopes import Scope
from assay.scanner.metrics.emissions import OPENTELEMETRY, PROMETHEUS, is_emission
from assay.scanner.metrics.registry import Maker, defined_metrics, emitted_name
from assay.scanner.model.metric import OutcomeMetrics
from assay.scanner.model.place import Evidence
from assay.scanner.model.role import Role
from assay.scanner.readers.python import form
from assay.scanner.services import ServiceRoot
from assay.scanner.telemetry.timing import is_around_requests

_COUNTING = ("inc", "dec", "observe", "set", "labels", "add", "record", "count_exceptions", "time", "track_inprogress")
_EMITTING = (
    *("incr", "decr", "increment", "decrement", "timing", "timer", "timed", "gauge", "histogram", "counter", "send"),
    *("distribution", "add_metric", "put_metric"),
)
_TECHNICAL = frozenset(
    """http https request requests response responses route endpoint api call calls function db database sql query
    queries cache redis memcached rq celery task tasks job jobs queue queues worker workers gc memory cpu
    process thread threads connection connections pool socket websocket grpc latency uptime build version health
    healthcheck info python event loop retry retries exception exceptions""".split()
)
"""Words of metrics of the machinery, which looks alike in all services."""
_OF_ANYTHING = frozenset({"app", "application", "service", "server", "error", "errors", "failure", "failures"})
"""Words that name no outcome by themselves."""
_INSTRUMENTATION = re.compile(
    r"(^|/)(\w*(middlewares?|instrument\w*|telemetry|observability|prometheus|statsd|monitoring|tracing|exporter)\w*)(/|\.py$)",
    re.IGNORECASE,
)
_CHANGING = frozenset({"POST", "PUT", "PATCH", "DELETE"})
_SHOWN = 3


@dataclass(frozen=True, slots=True, eq=False)
class _Use:
    name: str
    call: form.Call
    scope: Scope


def outcome_metrics(gathered: Gathered) -> Iterator[OutcomeMetrics]:
    """One for each service."""
    uses = list(_uses(gathered.project))
    technical = _TECHNICAL - _words_of_tables(gathered)
    for service in gathered.services:
        mine = [use for use in uses if gathered.owners.of(use.scope.module.path) is service]
        outcomes = [use for use in mine if _is_outcome(use, technical, gathered.project)]
        yield OutcomeMetrics(
            service.root,
            service.location,
            Role.PROD,
            tuple(_changes(gathered, service)),
            tuple(sorted({use.name for use in mine})),
            tuple(use.scope.module.evidence(use.call, f"counts {use.name}") for use in outcomes[:_SHOWN]),
            tuple(use.scope.module.evidence(use.call, f"counts {use.name}") for use in mine[:_SHOWN]),
        )


def _changes(gathered: Gathered, service: ServiceRoot) -> Iterator[Evidence]:
    """Endpoints that change something, a few of them."""
    found = (
        Evidence(endpoint.location, endpoint.label)
        for _, endpoint in gathered.endpoints
        if endpoint.method in _CHANGING and gathered.owners.of(endpoint.location.path) is service
    )
    yield from (evidence for evidence, _ in zip(found, range(_SHOWN), strict=False))


def _uses(project: Project) -> Iterator[_Use]:
    names = _instruments(project)
    packages = project.imported_packages
    if packages & (PROMETHEUS | OPENTELEMETRY):
        for call, scope in project.calls_named(*_COUNTING):
            metric = names.get(_receiver(call) or "")
            if metric is not None and scope.module.role is Role.PROD:
                yield _Use(metric, call, scope)
    for call, scope in project.calls_named(*_EMITTING):
        if scope.module.role is Role.PROD and is_emission(call):
            yield _Use(emitted_name(call, scope, project), call, scope)


def _receiver(call: form.Call) -> str | None:
    """The name of the metric in `ORDERS.labels("web").inc()` and `metrics.ORDERS.inc()`."""
    on = call.func.value if isinstance(call.func, form.Attr) else None
    if isinstance(on, form.Call):
        return None  # the call of `labels` is asked by itself
    return last_name(on) if on is not None else None


def _instruments(project: Project) -> dict[str, str]:
    """Names that code gives metrics, with the metrics' own."""
    kept = {id(m.node): m for m in defined_metrics(project) if m.maker is not Maker.STATSD}
    names: dict[str, str] = {}
    for module in {metric.module.path: metric.module for metric in kept.values()}.values():
        given = ((target, a.value) for a, _ in module.assignments for target in a.targets)
        bound = ((name, b.value) for s in module.scopes for name, bs in s.bindings.items() for b in bs)
        for name, value in (*((last_name(target), value) for target, value in given), *bound):
            metric = kept.get(id(value))
            if metric is not None and name is not None:
                names[name] = metric.stem if metric.is_whole else name.lower()
    return names


def _words_of_tables(gathered: Gathered) -> frozenset[str]:
    """What the product itself speaks of: a service for tasks counts tasks."""
    words = (word.lower() for table in gathered.tables for word in re.findall(r"[A-Z]?[a-z]+", table.name))
    return frozenset(each for word in words for each in (word, f"{word}s", word.removesuffix("s")))


def _is_outcome(use: _Use, technical: frozenset[str], project: Project) -> bool:
    words = {word for word in re.split(r"[^a-z]+", use.name.lower()) if word}
    if words <= _OF_ANYTHING or not words.isdisjoint(technical):
        return False
    function = use.scope.function
    asking = [scope for _, scope in project.callers(function)] if function is not None else []
    return any(_is_of_the_domain(scope) for scope in (use.scope, *asking))


def _is_of_the_domain(scope: Scope) -> bool:
    return not _INSTRUMENTATION.search(scope.module.path) and not is_around_requests(scope, strict=True)
