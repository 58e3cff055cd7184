"""What each service records of its requests and of what it calls."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from assay.scanner.gathered import Gathered
from assay.scanner.model.place import Evidence
from assay.scanner.model.role import Role
from assay.scanner.model.subject import Subject
from assay.scanner.model.telemetry import (
    DependencyKind,
    DependencyTelemetry,
    LatencyMeasurement,
)
from assay.scanner.readers.python import form
from assay.scanner.telemetry import agents, sentry, timing
from assay.scanner.telemetry.client_traces import client_traces
from assay.scanner.telemetry.code import ServiceCode
from assay.scanner.telemetry.error_reports import error_reports
from assay.scanner.telemetry.libraries import DEPENDENCIES, EVERYTHING, LOGFIRE, QUERY_EVENTS, REQUESTS
from assay.scanner.telemetry.message_traces import message_traces
from assay.scanner.telemetry.metrics import metric_exports
from assay.scanner.telemetry.processes import running_kinds
from assay.scanner.telemetry.request_ids import request_ids
from assay.scanner.telemetry.tracers import tracer_setups
from assay.scanner.telemetry.tracing import process_traces
from assay.scanner.telemetry.uses import uses

_SHOWN = 3


def telemetry(gathered: Gathered) -> Iterator[Subject]:
    """What is recorded of each service."""
    for service in gathered.services:
        code = ServiceCode(service, gathered)
        everything = (*code.named(EVERYTHING), *agents.commands(code), *agents.injected(code), *sentry.traced(code))
        latency = _latency(code, everything)
        yield latency
        yield from _dependencies(code, everything, is_dark=not latency.recorded)
        kinds = list(running_kinds(code))
        yield from metric_exports(code, kinds, latency)
        yield from process_traces(code, kinds)
        yield from tracer_setups(code)
        yield from error_reports(code, kinds)
        yield from message_traces(code, kinds)
        yield from client_traces(code)
        yield from request_ids(code)


def _latency(code: ServiceCode, everything: tuple[Evidence, ...]) -> LatencyMeasurement:
    """What records the requests."""
    gathered, service = code.gathered, code.service
    recorded = (*code.named(REQUESTS), *everything, *_logfire(code, None), *timing.emitted(code))
    elsewhere = (*timing.timed(code), *sentry.traced_elsewhere(code), *agents.meshes(code), *agents.declared(code))
    serves = any(gathered.owners.of(e.location.path) is service for _, e in gathered.endpoints)
    return LatencyMeasurement(service.root, service.location, Role.PROD, _shown(recorded), _shown(elsewhere), serves)


def _dependencies(
    code: ServiceCode, everything: tuple[Evidence, ...], *, is_dark: bool
) -> Iterator[DependencyTelemetry]:
    """What records the calls of each kind of dependency that is used."""
    service = code.service
    for kind in DependencyKind:
        used = _shown(uses(code, kind))
        if not used:
            continue
        found = [*code.named(DEPENDENCIES[kind]), *everything, *_logfire(code, kind)]
        found += _query_events(code) if kind is DependencyKind.DATABASE else ()
        yield DependencyTelemetry(
            service.root,
            kind,
            service.location,
            Role.PROD,
            used,
            _shown(found),
            _shown(_recorded_by_hand(code, kind)),
            is_dark and not found,
        )


def _recorded_by_hand(code: ServiceCode, kind: DependencyKind) -> Iterator[Evidence]:
    """What tells of each call, and may be recorded by somebody."""
    for call, scope in code.calls_named("start_as_current_span", "start_span"):
        yield Evidence(scope.module.location(call), "opens a span by hand, which may be around such calls")
    if kind is DependencyKind.DATABASE:
        for call, scope in code.calls_named("get_recorded_queries", "get_debug_queries"):
            yield Evidence(scope.module.location(call), "asks for the queries of a request")
    elif kind is DependencyKind.QUEUE:
        for setting in code.gathered.settings:
            mine = code.gathered.owners.of(setting.location.path) is code.service
            if mine and "send_task_events" in setting.name.lower():
                yield Evidence(setting.location, "workers send events of their tasks")


def _logfire(code: ServiceCode, kind: DependencyKind | None) -> Iterator[Evidence]:
    for name, records in LOGFIRE.items():
        if records is kind:
            for call, scope in code.calls_named(name):
                yield Evidence(scope.module.location(call), f"calls {name}")


def _query_events(code: ServiceCode) -> Iterator[Evidence]:
    for call, scope in code.calls_named("listens_for", "listen"):
        event = call.positional[1] if len(call.positional) > 1 else None
        if isinstance(event, form.Const) and event.value in QUERY_EVENTS:
            yield Evidence(scope.module.location(call), f"listens for {event.value}")
    for call, scope in code.calls_named("execute_wrapper"):
        yield Evidence(scope.module.location(call), "wraps every query of Django")


def _shown(evidence: Iterable[Evidence]) -> tuple[Evidence, ...]:
    return tuple(dict.fromkeys(evidence))[:_SHOWN]
