"""What takes the trace, or the id of a request, along with messages, for each library that sends them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from assay.scanner.linker.project import last_name
from assay.scanner.linker.scopes import ClassSymbol, How, Scope
from assay.scanner.model.log import ProcessKind
from assay.scanner.model.place import Evidence
from assay.scanner.model.role import Role
from assay.scanner.model.telemetry import MessageTracing
from assay.scanner.readers.python import form
from assay.scanner.telemetry import sentry
from assay.scanner.telemetry.code import ServiceCode
from assay.scanner.telemetry.found import BOTH, Found, below_agents, called, imports, in_modules, shown
from assay.scanner.telemetry.processes import RunningKind, started_by

_PACKAGES: Mapping[str, tuple[str, ...]] = {
    "Celery": ("celery",),
    "RQ": ("rq", "django_rq", "flask_rq2"),
    "Dramatiq": ("dramatiq",),
    "arq": ("arq",),
    "Huey": ("huey",),
    "Django Q": ("django_q",),
    "Kafka": ("kafka", "aiokafka", "confluent_kafka"),
    "RabbitMQ": ("pika", "aio_pika"),
    "Kombu": ("kombu",),
    "NATS": ("nats",),
    "FastStream": ("faststream",),
    "SQS": ("boto3", "aioboto3", "aiobotocore"),
    "SNS": ("boto3", "aioboto3", "aiobotocore"),
    "Google Pub/Sub": ("google",),
}
"""By which packages a library sends, under the names that messages have for it."""
_CARRYING: Mapping[str, tuple[str, ...]] = {
    "Celery": (
        "opentelemetry.instrumentation.celery",
        "asgi_correlation_id.extensions.celery",
        "django_guid.integrations.CeleryIntegration",
        "django_guid.integrations.celery",
        "django_structlog.celery",
        "celery.signals.before_task_publish",
    ),
    "Dramatiq": ("sentry_dramatiq", "opentelemetry_instrumentor_dramatiq"),
    "arq": ("opentelemetry_instrumentation_arq",),
    "Kafka": (
        "opentelemetry.instrumentation.kafka",
        "opentelemetry.instrumentation.aiokafka",
        "opentelemetry.instrumentation.confluent_kafka",
    ),
    "RabbitMQ": ("opentelemetry.instrumentation.pika", "opentelemetry.instrumentation.aio_pika"),
    "FastStream": ("faststream.opentelemetry", "faststream.kafka.opentelemetry", "faststream.rabbit.opentelemetry"),
    "SQS": ("opentelemetry.instrumentation.boto3sqs", "opentelemetry.instrumentation.botocore"),
    "SNS": ("opentelemetry.instrumentation.botocore",),
}
"""What carries the trace or the id in a library's messages."""
_SENDING = (
    *("apply_async", "send_task", "enqueue", "enqueue_call", "enqueue_job", "async_task", "send_with_options"),
    *("send", "send_and_wait", "produce", "publish", "basic_publish", "send_message", "delay"),
)
_BESIDE = ("headers", "meta", "MessageAttributes", "attributes", "correlation_id")
_CONTEXT = re.compile(
    r"(trace|correlation|request)[-_]?(parent|id|context)s?|traceparent|otel\w*|carrier", re.IGNORECASE
)
_CURRENT = re.compile(
    r"(trace|correlation|request)_?id(_?(var|ctx|context))?|(get|current)_\w*(trace|correlation|request)_id"
)
"""What holds the id of the request that runs, or gives it."""
_HOOKS = frozenset({"before_enqueue", "on_job_enqueue", "pre_enqueue"})
"""By which middleware of a library completes each message."""


def message_traces(code: ServiceCode, kinds: Sequence[RunningKind]) -> Iterator[MessageTracing]:
    """One for each library that the service may send by."""
    libraries = {
        library: evidence.location
        for library, packages in _PACKAGES.items()
        if (evidence := next((e for _, e in imports(code, packages)), None)) is not None
    }
    general = [*_by_agents(code), *_by_hand(code)] if libraries and kinds else []
    workers = [k for k in kinds if k.kind is ProcessKind.WORKER]
    senders = [k for k in kinds if k.kind is ProcessKind.WEB] or workers
    for library, location in libraries.items() if kinds else ():
        found = [*general, *(Found(e, BOTH, m) for m, e in imports(code, _CARRYING.get(library, ())))]
        found += _by_names(code, library)
        yield MessageTracing(
            service_root=code.service.root,
            library=library,
            location=location,
            role=Role.PROD,
            sent=shown(_of(found, senders, code)),
            received=shown(_of(found, workers, code)),
            has_receivers=bool(workers),
        )


def _of(found: list[Found], kinds: list[RunningKind], code: ServiceCode) -> Iterator[Evidence]:
    return (f.evidence for f in found for k in kinds if f.is_of(k) and started_by(code, k, f.evidence))


def _by_agents(code: ServiceCode) -> Iterator[Found]:
    """Agents and Sentry put the trace into the messages of the libraries that they know."""
    yield from below_agents(code)
    yield from in_modules(code, (*sentry.traced(code), *sentry.traced_elsewhere(code)))


def _by_hand(code: ServiceCode) -> Iterator[Found]:
    """What code puts into messages itself; who writes that reads it on the other side."""
    for call, scope in code.calls_named("inject"):
        if (code.project.callee_name(call, scope) or "").startswith("opentelemetry."):
            yield Found(called(code, call, scope, "puts the trace into a carrier", BOTH).evidence, BOTH)
    for call, scope in code.calls_named(*_SENDING):
        beside = next((value for name in _BESIDE if (value := call.keyword(name)) is not None), None)
        named = any(a.name is not None and _CONTEXT.fullmatch(a.name.strip("_")) for a in call.args)
        if named or (beside is not None and _speaks_of_context(beside)) or _sends_current(call, scope):
            yield Found(Evidence(scope.module.location(call), "sends the id or the trace along"), BOTH)


def _sends_current(call: form.Call, scope: Scope) -> bool:
    """Whether what is sent has the current request's id: `correlation_id.get()`, `g.request_id`, `get_trace_id()`. A
    name alone may be the id of anything that is asked for.
    """
    given = [argument.value for argument in call.args]
    names = [node for value in given for node in form.walk(value) if isinstance(node, form.Name)]
    bound = (binding for name in names for binding in scope.lookup(name.id, name.start) if binding.scope is scope)
    given += [binding.value for binding in bound if binding.how is How.ASSIGN and binding.value is not None]
    return any(_is_current(node) for value in given for node in form.walk(value))


def _is_current(node: form.Expr | form.Stmt) -> bool:
    match node:
        case form.Call(func=form.Attr(attr="get", value=holder), args=[]) | form.Call(func=holder, args=[]):
            return _CURRENT.fullmatch(last_name(holder) or "") is not None
        case form.Attr(value=owner, attr=name):
            return last_name(owner) in ("g", "state", "request") and _CURRENT.fullmatch(name) is not None
    return False


def _speaks_of_context(node: form.Expr | form.Stmt) -> bool:
    for inner in form.walk(node):
        match inner:
            case form.Const(value=str() as text) | form.Name(id=text) | form.Attr(attr=text):
                if _CONTEXT.fullmatch(text):
                    return True
    return False


def _by_names(code: ServiceCode, library: str) -> Iterator[Found]:
    """Middleware, base classes and receivers of signals of the project that complete each message."""
    for module in code.modules if library == "Celery" else ():
        for function in module.functions if "celery" in module.imported_packages else ():
            if any("before_task_publish" in (form.dotted(d) or "").split(".") for d in function.decorators):
                yield Found(module.evidence(function.node, f"{function.name} completes each message"), BOTH)
    for cls in code.project.classes:
        if cls.module.role is Role.PROD and code.owns(cls.module.path) and _completes(cls, code, library):
            yield Found(Evidence(cls.location, f"{cls.name} completes each message"), BOTH)


def _completes(cls: ClassSymbol, code: ServiceCode, library: str) -> bool:
    methods = cls.methods
    if library == "Dramatiq" and not _HOOKS.isdisjoint(methods):
        return True
    sends = next((methods[name] for name in ("apply_async", "create_job", "enqueue_call") if name in methods), None)
    if sends is None or not any(base.partition(".")[0] in _PACKAGES[library] for base in code.project.base_names(cls)):
        return False
    return any(_speaks_of_context(n) for n in sends.walk() if isinstance(n, form.Call | form.Assign | form.Subscript))
