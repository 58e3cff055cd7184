"""Which kinds of process are traced, by what runs where they start."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from assay.scanner.linker.project import last_name
from assay.scanner.linker.scopes import FunctionSymbol
from assay.scanner.model.place import Evidence
from assay.scanner.model.telemetry import DependencyKind, ProcessTrace
from assay.scanner.readers.python import form
from assay.scanner.telemetry import agents, sentry
from assay.scanner.telemetry.code import ServiceCode
from assay.scanner.telemetry.found import (
    BOTH,
    WORKER,
    Found,
    below_agents,
    called,
    imports,
    in_modules,
    is_named_nowhere,
    shown,
)
from assay.scanner.telemetry.libraries import REQUESTS
from assay.scanner.telemetry.processes import RunningKind, started_by
from assay.scanner.telemetry.uses import uses

_PROVIDERS = ("set_tracer_provider", "configure_azure_monitor", "configure_opentelemetry")
_TRACING_PACKAGES = ("opentelemetry.", "azure.monitor.", "splunk_otel", "uptrace")
_OWN_TRACERS = (
    "aws_xray_sdk.ext",
    "opencensus.ext",
    "beeline",
    "jaeger_client",
    "flask_opentracing",
    "django_opentracing",
)
_INSTRUMENTED = tuple(name for name in REQUESTS if name.startswith(("opentelemetry.", "litestar.")))
_CLOUD_QUEUES = frozenset({"sqs", "sns", "kinesis", "events", "lambda", "stepfunctions"})
_DEEPEST = 3
"""Callers of callers that are looked at."""
_WORK = frozenset({"task", "shared_task", "actor", "job", "periodic_task", "command", "route", "get", "post"})
"""Decorators of what runs long after the process has started."""


def process_traces(code: ServiceCode, kinds: Sequence[RunningKind]) -> Iterator[ProcessTrace]:
    """One for each kind of process that the service runs."""
    if not kinds:
        return
    calls = [*uses(code, DependencyKind.HTTP), *uses(code, DependencyKind.QUEUE), *_other_calls(code)]
    tracing = [*_started(code), *below_agents(code)]
    hints = [*_hints(code)]
    for running in kinds:
        mine = [f for f in tracing if f.is_of(running) and started_by(code, running, f.evidence)]
        mine.sort(key=lambda f: not f.is_at_home(running))
        doubts = [f.evidence for f in mine if not f.is_sure] + [f.evidence for f in hints if f.is_of(running)]
        yield ProcessTrace(
            service_root=code.service.root,
            kind=running.kind,
            location=running.location,
            role=running.role,
            calls=shown(calls),
            traced=shown(f.evidence for f in mine if f.is_sure),
            doubtful=shown(doubts or agents.declared(code)),
        )


def _other_calls(code: ServiceCode) -> Iterator[Evidence]:
    """Channels of gRPC, and clients of what hands messages on to others."""
    for call, scope in code.calls_named("insecure_channel", "secure_channel"):
        if (code.project.callee_name(call, scope) or "").startswith("grpc."):
            yield Evidence(scope.module.location(call), "a channel to another service")
    for call, scope in code.calls_named("client", "resource"):
        named = call.argument(0, "service_name")
        is_queue = isinstance(named, form.Const) and named.value in _CLOUD_QUEUES
        if is_queue and (code.project.callee_name(call, scope) or "").startswith(("boto3.", "aioboto3.")):
            yield Evidence(scope.module.location(call), "messages for others")


def _started(code: ServiceCode) -> Iterator[Found]:
    """Calls that set tracing up on the way of the process's start."""
    for call, scope in code.calls_named(*_PROVIDERS):
        name = code.project.callee_name(call, scope) or ""
        if name.startswith(_TRACING_PACKAGES) and _is_at_start(scope.function, code):
            found = called(code, call, scope, f"calls {last_name(call.func)}", BOTH)
            is_dead = scope.function is not None and is_named_nowhere(scope.function, code)
            yield replace(found, is_sure=found.is_sure and not is_dead)
    yield from _in_workers(code)
    for call, scope in code.calls_named("configure"):
        if code.project.callee_name(call, scope) == "logfire.configure":
            yield called(code, call, scope, "sets logfire up", BOTH)
    for module, evidence in imports(code, _OWN_TRACERS):
        yield Found(evidence, BOTH, module)
    yield from in_modules(code, sentry.traced(code))


def _in_workers(code: ServiceCode) -> Iterator[Found]:
    """Celery instrumented as its workers start, in code that has a provider."""
    if any(True for _ in code.calls_named("set_tracer_provider")):
        for call, scope in code.calls_named("instrument"):
            decorators = scope.function.decorators if scope.function is not None else ()
            is_at_start = any(
                "worker_process_init" in (form.dotted(d.func if isinstance(d, form.Call) else d) or "")
                for d in decorators
            )
            if is_at_start and (code.project.callee_name(call, scope) or "").startswith(
                "opentelemetry.instrumentation.celery"
            ):
                yield called(code, call, scope, "instruments the worker as it starts", WORKER)


def _hints(code: ServiceCode) -> Iterator[Found]:
    """What traces only where something else sets it up, or the environment says so."""
    yield from in_modules(code, sentry.traced_elsewhere(code))
    for module, evidence in imports(code, _INSTRUMENTED):
        yield Found(evidence, BOTH, module)
    for call, scope in code.calls_named("start_as_current_span"):
        yield called(code, call, scope, "opens a span", BOTH)


def _is_at_start(function: FunctionSymbol | None, code: ServiceCode, deepest: int = _DEEPEST) -> bool:
    """Whether the function runs when the process starts, rather than for a task or a request."""
    if function is None:
        return True
    decorated = {last_name(d.func if isinstance(d, form.Call) else d) for d in function.decorators}
    if not decorated.isdisjoint(_WORK):
        return False
    callers = [scope for _, scope in code.project.callers(function)] if deepest else []
    return not callers or any(_is_at_start(scope.function, code, deepest - 1) for scope in callers)
