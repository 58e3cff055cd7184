"""How each kind of process is set up to log: handlers, formats, unrouted loggers, ids that tie records together."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass

from assay.scanner.dataflow.log_files import file_sinks
from assay.scanner.framework import Context, SinkFound, frameworks
from assay.scanner.linker.project import Project, last_name, last_part
from assay.scanner.linker.scopes import ClassSymbol, FunctionSymbol, Module
from assay.scanner.linker.values import External, Instance
from assay.scanner.model.log import LogFormat, LoggingSetup, LogSink, ProcessKind
from assay.scanner.model.place import Evidence, Location
from assay.scanner.model.role import Role
from assay.scanner.readers.python import form

_NO_FILES: Mapping[str, bytes] = {}
_APPLICATIONS = {
    "fastapi.FastAPI": ProcessKind.WEB,
    "flask.Flask": ProcessKind.WEB,
    "starlette.applications.Starlette": ProcessKind.WEB,
    "aiohttp.web.Application": ProcessKind.WEB,
    "sanic.Sanic": ProcessKind.WEB,
    "quart.Quart": ProcessKind.WEB,
    "litestar.Litestar": ProcessKind.WEB,
    "falcon.App": ProcessKind.WEB,
    "tornado.web.Application": ProcessKind.WEB,
    "django.core.wsgi.get_wsgi_application": ProcessKind.WEB,
    "django.core.asgi.get_asgi_application": ProcessKind.WEB,
    "django.core.handlers.wsgi.WSGIHandler": ProcessKind.WEB,
    "django.core.handlers.asgi.ASGIHandler": ProcessKind.WEB,
    "celery.Celery": ProcessKind.WORKER,
    "dramatiq.set_broker": ProcessKind.WORKER,
    "rq.Worker": ProcessKind.WORKER,
    "huey.RedisHuey": ProcessKind.WORKER,
}
_WORKER_BASES = ("rq.Worker", "rq.worker.", "rq.decorators.job")
_ID = r"\w*(?:request|correlation|trace|transaction|task|job)[._]?(?:id|ID|uuid|Id)\w*"
_ID_FIELD = re.compile(rf"%\(((?:dd\.)?{_ID}|otelTraceID)\)s|\{{(?:extra\[)?({_ID})\]?\}}")
_ID_LIBRARIES = {
    "asgi_correlation_id.CorrelationIdFilter": "asgi-correlation-id's filter",
    "asgi_correlation_id.log_filters.CorrelationIdFilter": "asgi-correlation-id's filter",
    "asgi_correlation_id.correlation_id": "asgi-correlation-id's value",
    "django_guid.log_filters.CorrelationId": "django-guid's filter",
    "django_structlog.middlewares.RequestMiddleware": "django-structlog binds the request's id",
    "log_request_id.filters.RequestIDFilter": "django-log-request-id's filter",
    "flask_log_request_id.RequestIDLogFilter": "flask-log-request-id's filter",
    "opentelemetry.instrumentation.logging.LoggingInstrumentor": "OpenTelemetry puts the trace's id into records",
}
_CONFIGURATORS = frozenset({"dictConfig", "basicConfig", "Formatter", "JsonFormatter"})
_BINDERS = frozenset({"bind_contextvars", "contextualize", "bound_contextvars"})
_RECORD_HOOKS = frozenset(
    {"filter", "format", "process", "add_fields", "makeRecord", "formatMessage", "process_log_record"}
)
_RECORD_BASES = ("logging.Filter", "logging.Formatter", "logging.LoggerAdapter", "logging.Logger", "pythonjsonlogger.",
                 "json_log_formatter.", "logging.Handler")  # fmt: skip
_JOB_SOURCES = frozenset({"get_current_job", "current_task", "get_current_task", "current_job"})
_REQUEST_SOURCES = frozenset({"g", "request", "has_request_context", "correlation_id", "get_current_span"})
_TRACKERS = {
    "sentry_sdk.init": "an error tracker has ids of its own",
    "elasticapm.contrib.flask.ElasticAPM": "an APM has ids of its own",
    "newrelic.agent.initialize": "an APM has ids of its own",
    "ddtrace.patch_all": "an APM has ids of its own",
    "opentelemetry.trace.set_tracer_provider": "traces have ids of their own",
    "logfire.configure": "traces have ids of their own",
}


@dataclass(frozen=True, slots=True)
class _Application:
    kind: ProcessKind
    module: Module
    location: Location


def logging_setups(
    context: Context, modules: Collection[Module], files: Mapping[str, bytes] = _NO_FILES
) -> tuple[LoggingSetup, ...]:
    """One setup for each kind of process that the service's modules make up.

    `files` are the service's configuration files (`.conf`, `.ini`, `.cfg`, `.yaml`, `.json`) by path; those that
    configure no logging are passed over.
    """
    ours = [m for m in modules if m.role is Role.PROD]
    paths = {m.path for m in ours}
    found = [s for f in frameworks() for s in f.sinks(context) if s.module is None or s.module.path in paths]
    found += file_sinks(files)
    correlation = list(dict.fromkeys(_correlation(context.project, ours)))
    correlation += [(None, e) for path, data in sorted(files.items()) for e in _ids_of_file(path, data)]
    trackers = tuple(_trackers(context.project, ours))
    applications = _applications(context.project, modules)
    reached = {kind: _imported({a.module for a in apps}, context.project) for kind, apps in applications.items()}
    return tuple(
        _setup(kind, apps, _sinks_of(kind, found, reached), correlation, trackers)
        for kind, apps in sorted(applications.items())
    )


def _sinks_of(kind: ProcessKind, found: list[SinkFound], reached: Mapping[ProcessKind, set[str]]) -> list[SinkFound]:
    """The sinks that a process of the kind gets: those of modules that it imports, and what all share.

    Where that is nothing, what no other kind imports is its: a server's start-up code imports what it likes.
    """
    mine = [s for s in found if s.is_shared or s.module is None or s.module.path in reached[kind]]
    others = {path for other, paths in reached.items() if other is not kind for path in paths}
    return mine or [s for s in found if s.module is not None and s.module.path not in others]


def _applications(project: Project, modules: Collection[Module]) -> dict[ProcessKind, list[_Application]]:
    found: dict[ProcessKind, list[_Application]] = {}
    names = {last_part(name) for name in _APPLICATIONS}
    paths = {m.path for m in modules}
    for call, scope in project.calls_named(*sorted(names)):
        kind = _APPLICATIONS.get(project.callee_name(call, scope) or "")
        if kind is not None and scope.module.path in paths:
            found.setdefault(kind, []).append(_Application(kind, scope.module, scope.module.location(call)))
    for cls in project.classes:
        bases = project.base_names(cls)
        kind = next((k for name, k in _APPLICATIONS.items() if name in bases), None)
        if kind is None and any(b.startswith(_WORKER_BASES) for b in bases):
            kind = ProcessKind.WORKER
        if kind is not None and cls.module.path in paths:
            found.setdefault(kind, []).append(_Application(kind, cls.module, cls.location))
    return {kind: _production(apps) for kind, apps in found.items()}


def _production(apps: list[_Application]) -> list[_Application]:
    """Those that serve; the others where none does."""
    return sorted([a for a in apps if a.module.role is Role.PROD] or apps, key=lambda a: a.location)


def _setup(
    kind: ProcessKind,
    apps: list[_Application],
    mine: list[SinkFound],
    correlation: list[tuple[ProcessKind | None, Evidence]],
    trackers: tuple[Evidence, ...],
) -> LoggingSetup:
    sinks = tuple(LogSink(s.format, s.evidence, s.is_file) for s in mine if s.format is not LogFormat.UNKNOWN)
    elsewhere = tuple(s.evidence for s in mine if s.format is LogFormat.UNKNOWN)
    first = min((s.setup or s.evidence.location for s in mine), default=apps[0].location)
    return LoggingSetup(
        kind=kind,
        location=first,
        role=apps[0].module.role,
        sinks=sinks,
        elsewhere=elsewhere,
        unrouted=tuple(e for s in mine for e in s.unrouted),
        correlation=tuple(e for k, e in correlation if k is None or k is kind),
        tracker_ids=trackers,
    )


def _imported(start: set[Module], project: Project) -> set[str]:
    seen, todo = {m.path for m in start}, list(start)
    while todo:
        for module in project.imports(todo.pop()):
            if module.path not in seen:
                seen.add(module.path)
                todo.append(module)
    return seen


# --- ids ---


def _correlation(project: Project, modules: list[Module]) -> Iterator[tuple[ProcessKind | None, Evidence]]:
    """What ties the records of one request or message together, and for which kind of process (None for both)."""
    paths = {m.path for m in modules}
    for module in modules:
        yield from _fields_in_formats(module)
        yield from _libraries(module, project)
    for call, scope in project.calls_named(*sorted(_BINDERS)):
        if scope.module.path in paths and call.args and _is_binding(call):
            yield None, scope.module.evidence(call, "binds values to every record")
    for call, scope in project.calls_named("patch"):
        on = call.keyword("logging")
        is_on = isinstance(on, form.Const) and on.value is True
        if is_on and scope.module.path in paths and project.callee_name(call, scope) == "ddtrace.patch":
            yield None, scope.module.evidence(call, "ddtrace puts the trace's id into records")
    for cls in project.classes:
        if cls.module.path in paths and any(b.startswith(_RECORD_BASES) for b in project.base_names(cls)):
            yield from _record_hooks(cls, project)
    for call, scope in project.calls_named("setLogRecordFactory"):
        factory = project.infer(call.args[0].value, scope) if call.args else None
        if scope.module.path in paths and isinstance(factory, FunctionSymbol):
            yield from _reads_context(factory, project)


def _is_binding(call: form.Call) -> bool:
    return last_name(call.func) != "contextualize" or isinstance(call.func, form.Attr)


def _fields_in_formats(module: Module) -> Iterator[tuple[ProcessKind | None, Evidence]]:
    for node in _configuring(module) if _holds(module, lambda text: _ID_FIELD.search(text) is not None) else ():
        if isinstance(node, form.Const) and isinstance(node.value, str):
            match = _ID_FIELD.search(node.value)
            if match and ("%(message)s" in node.value or "message" in node.value):
                field = match[1] or match[2]
                kind = ProcessKind.WORKER if re.match(r"(task|job)", field) else None
                yield kind, module.evidence(node, f"the format has {field}")


def _holds(module: Module, is_sought: Callable[[str], bool]) -> bool:
    """Whether any text of the module is one of those: most modules have none, and needn't be walked through."""
    return any(
        isinstance(node.value, str) and is_sought(node.value)
        for node, _ in module.texts
        if isinstance(node, form.Const)
    )


def _configuring(module: Module) -> Iterator[form.Expr | form.Stmt]:
    """What is written in the module's values, in dictionaries of its functions, and where logging is configured."""
    for scope in module.scopes:
        for binding in (b for bindings in scope.bindings.values() for b in bindings):
            if binding.value is not None and (scope is module.scope or isinstance(binding.value, form.Dict)):
                yield from form.walk(binding.value)
    for call, _ in module.calls_named(_CONFIGURATORS):
        yield from form.walk(call)


def _libraries(module: Module, project: Project) -> Iterator[tuple[ProcessKind | None, Evidence]]:
    for call, scope in module.calls_named(last_part(name) for name in _ID_LIBRARIES):
        value = project.callee_name(call, scope)
        if value in _ID_LIBRARIES:
            yield None, module.evidence(call, _ID_LIBRARIES[value])
    for node in _configuring(module) if _holds(module, _ID_LIBRARIES.__contains__) else ():
        if isinstance(node, form.Const) and node.value in _ID_LIBRARIES:
            yield None, module.evidence(node, _ID_LIBRARIES[str(node.value)])


def _record_hooks(cls: ClassSymbol, project: Project) -> Iterator[tuple[ProcessKind | None, Evidence]]:
    if not _is_installed(cls, project):
        return
    for name in _RECORD_HOOKS & cls.methods.keys():
        yield from _reads_context(cls.methods[name], project)


def _is_installed(cls: ClassSymbol, project: Project) -> bool:
    """Whether something makes one, or a dictionary names it by its path or as a class."""
    if any(True for _ in project.calls_named(cls.name)):
        return True
    return any(_names_class(node, cls) for module in project.modules.values() for node in _configuring(module))


def _names_class(node: form.Expr | form.Stmt, cls: ClassSymbol) -> bool:
    match node:
        case form.Const(value=str() as text):
            return text.endswith(f".{cls.name}")
        case form.Name(id=name) | form.Attr(attr=name):
            return name == cls.name
    return False


def _reads_context(function: FunctionSymbol, project: Project) -> Iterator[tuple[ProcessKind | None, Evidence]]:
    """Where a hook on records reads what belongs to the request or job at hand."""
    for node in function.walk():
        if isinstance(node, form.Name) and node.id in _JOB_SOURCES:
            yield ProcessKind.WORKER, function.module.evidence(node, f"{function.qualname} reads the job at hand")
            return
        if isinstance(node, form.Name) and node.id in _REQUEST_SOURCES:
            yield ProcessKind.WEB, function.module.evidence(node, f"{function.qualname} reads the request at hand")
            return
        if isinstance(node, form.Call) and isinstance(node.func, form.Attr) and node.func.attr == "get":
            value = project.infer(node.func.value, function.scope)
            if isinstance(value, Instance) and value.type_name == "contextvars.ContextVar":
                yield None, function.module.evidence(node, f"{function.qualname} reads a context variable")
                return
            if isinstance(value, External) and value.name in _ID_LIBRARIES:
                yield None, function.module.evidence(node, _ID_LIBRARIES[value.name])
                return


def _ids_of_file(path: str, data: bytes) -> Iterator[Evidence]:
    for number, line in enumerate(data.decode("utf-8", "replace").splitlines(), 1):
        match = _ID_FIELD.search(line)
        if match:
            place = Location(path, number, match.start() + 1, number, match.end() + 1)
            yield Evidence(place, f"the format has {match[1] or match[2]}")


def _trackers(project: Project, modules: list[Module]) -> Iterator[Evidence]:
    paths = {m.path for m in modules}
    for call, scope in project.calls_named(*sorted({last_part(n) for n in _TRACKERS})):
        name = project.callee_name(call, scope)
        if name in _TRACKERS and scope.module.path in paths:
            yield scope.module.evidence(call, _TRACKERS[name])
