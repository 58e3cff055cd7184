"""What ties the records of one request or message together: ids that formats, filters, processors and agents add."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import TypeAlias

from assay.scanner.deployment.variables import variables_given
from assay.scanner.linker.project import Project, last_name, last_part
from assay.scanner.linker.scopes import ClassSymbol, FunctionSymbol, Module, Scope
from assay.scanner.linker.values import External
from assay.scanner.model.log import ProcessKind
from assay.scanner.model.place import Evidence, Location
from assay.scanner.readers.python import form

Carried: TypeAlias = tuple[ProcessKind | None, Evidence]
"""An id that reaches the records, and of which kind of process (None for all)."""

_ID = r"\w*(?:request|correlation|trace|transaction|task|job)[._]?(?:id|ID|uuid|Id)\w*"
_ID_FIELD = re.compile(rf"%\(((?:dd\.)?{_ID}|otelTraceID)\)s|\{{(?:extra\[)?({_ID})\]?\}}")
_IS_ID = re.compile(
    r"_*(?:(?:get|set|new|current|x|http|amzn|celery|rq|dd|log|otel|var|ctx)[_.\-]*)*"
    r"(?:request|req|correlation|corr|trace|transaction|txn|task|job|message|msg|event|span|operation|execution)"
    r"[_.\-]*(?:id|uuid|guid)s?(?:[_.\-]*(?:ctx|var|context|ctx_?var|context_?var|header|key))?_*"
    r"|(?:current_)?(?:cid|rid|guid|trace_?parent)|logging\.googleapis\.com/(?:trace|spanId)",
    re.IGNORECASE,
)
"""Names of such an id, and of what holds it; `change_request_id` is the business's own."""
_LIBRARIES = {
    "asgi_correlation_id.CorrelationIdFilter": "asgi-correlation-id's filter",
    "asgi_correlation_id.log_filters.CorrelationIdFilter": "asgi-correlation-id's filter",
    "asgi_correlation_id.CeleryTracingIdsFilter": "asgi-correlation-id's filter",
    "django_guid.log_filters.CorrelationId": "django-guid's filter",
    "django_structlog.middlewares.RequestMiddleware": "django-structlog binds the request's id",
    "django_structlog.middlewares.AsyncRequestMiddleware": "django-structlog binds the request's id",
    "elasticapm.handlers.logging.LoggingFilter": "Elastic's filter adds the trace's id",
    "elasticapm.handlers.logging.Formatter": "Elastic's formatter adds the trace's id",
    "log_request_id.filters.RequestIDFilter": "django-log-request-id's filter",
    "request_id_django_log.filters.RequestIDFilter": "django-request-id-log's filter",
    "cid.log.CidContextFilter": "django-cid's filter",
    "flask_log_request_id.RequestIDLogFilter": "flask-log-request-id's filter",
    "opentelemetry.instrumentation.logging.LoggingInstrumentor": "OpenTelemetry puts the trace's id into records",
    "opentelemetry.sdk._logs.LoggingHandler": "OpenTelemetry's handler sends the trace's id",
    "azure.monitor.opentelemetry.configure_azure_monitor": "OpenTelemetry's handler sends the trace's id",
    "logfire.LogfireLoggingHandler": "logfire's handler sends the trace's id",
    "newrelic.api.log.NewRelicContextFormatter": "New Relic's formatter adds the trace's id",
    "json_logging.init_request_instrument": "json-logging adds a correlation id",
}
_OF_WORKERS = {
    "celery.utils.log.get_task_logger": "Celery puts the task's id into records of such loggers",
    "celery.app.log.TaskFormatter": "Celery's formatter knows the task's id",
}
_ENVIRONMENT = {"DD_LOGS_INJECTION", "OTEL_PYTHON_LOG_CORRELATION"}
"""Variables that let an agent put the trace's id into records."""

_CONFIGURATORS = frozenset({"dictConfig", "basicConfig", "Formatter", "JsonFormatter"})
_BINDERS = frozenset(
    {"bind_contextvars", "contextualize", "bound_contextvars", "bind_threadlocal", "bound_threadlocal"}
)
_RECORD_HOOKS = frozenset(
    {"filter", "format", "process", "add_fields", "makeRecord", "formatMessage", "process_log_record"}
)
_RECORD_BASES = ("logging.Filter", "logging.Formatter", "logging.LoggerAdapter", "logging.Logger", "pythonjsonlogger.",
                 "json_log_formatter.", "logging.Handler")  # fmt: skip
_JOB_SOURCES = frozenset(
    {"get_current_job", "current_task", "get_current_task", "current_job", "get_current_message", "task_id", "job_id"}
)
_SPAN_SOURCES = frozenset({"get_current_span", "current_trace_context", "get_log_correlation_context"})
_REQUEST_SOURCES = frozenset({"g", "request", "has_request_context"})
_MERGING = frozenset({"merge_contextvars", "merge_threadlocal"})
_OF_TASKS = re.compile(r"(celery_?|rq_?|current_?)?(task|job)_?(u?u?id)", re.IGNORECASE)
_POWERTOOLS = frozenset({"inject_lambda_context", "set_correlation_id"})
"""By which AWS Lambda Powertools' logger gets the id of an invocation or request."""


def correlation(project: Project, modules: list[Module]) -> Iterator[Carried]:
    """What ties the records of one request or message together, as the modules set it up."""
    paths = {m.path for m in modules}
    for module in modules:
        yield from _fields_in_formats(module)
        yield from _libraries(module, project)
        yield from _processors(module, project)
        yield from _powertools(module)
    yield from _bound(project, modules)
    for call, scope in project.calls_named("patch"):
        on = call.keyword("logging")
        is_on = isinstance(on, form.Const) and on.value is True
        if is_on and scope.module.path in paths and project.callee_name(call, scope) == "ddtrace.patch":
            yield None, scope.module.evidence(call, "ddtrace puts the trace's id into records")
    for cls in project.classes:
        if cls.module.path in paths and any(b.startswith(_RECORD_BASES) for b in project.base_names(cls)):
            yield from _record_hooks(cls, project)
    for function in _given_functions(project, paths):
        yield from _reads_context(function, project)


def ids_of_files(files: Mapping[str, bytes]) -> Iterator[Carried]:
    """Formats in configuration files that have an id."""
    for path, data in sorted(files.items()):
        for number, line in enumerate(data.decode("utf-8", "replace").splitlines(), 1):
            match = _ID_FIELD.search(line)
            if match:
                place = Location(path, number, match.start() + 1, number, match.end() + 1)
                yield None, Evidence(place, f"the format has {match[1] or match[2]}")


def ids_of_environment(files: Mapping[str, object]) -> Iterator[Carried]:
    """Variables by which an agent is told to put ids into records."""
    for name, value, evidence in variables_given(files):
        if name in _ENVIRONMENT and (value or "").lower() in ("true", "1"):
            yield None, Evidence(evidence.location, f"{name} puts the trace's id into records")


# --- values that are bound to what runs ---


def _bound(project: Project, modules: list[Module]) -> Iterator[Carried]:
    """`bind_contextvars(request_id=...)`, where what is bound reaches the records."""
    paths = {m.path for m in modules}
    is_lost = _is_never_merged(modules)
    for call, scope in project.calls_named(*sorted(_BINDERS)):
        bound = _bound_ids(call)
        if scope.module.path not in paths or not bound:
            continue
        is_structlogs = last_name(call.func) != "contextualize"
        if (isinstance(call.func, form.Attr) or is_structlogs) and not (is_structlogs and is_lost):
            kind = ProcessKind.WORKER if all(_OF_TASKS.fullmatch(name) for name in bound) else None
            yield kind, scope.module.evidence(call, "binds an id to every record")
    for call, scope in project.calls_named("bind", "LoggerAdapter"):
        function = scope.function
        around = {p.name for p in function.node.params} if function is not None else set()
        is_around = not around.isdisjoint({"call_next", "get_response", "request"})
        if scope.module.path in paths and is_around and _bound_ids(call):
            yield None, scope.module.evidence(call, "binds an id to the request's logger")


def _bound_ids(call: form.Call) -> list[str]:
    """The ids' names under which a value of the moment is bound; `**` may be any."""
    found: list[str] = []
    for argument in call.args:
        if argument.star == 2:
            found.append("**")
        elif argument.name is not None and not isinstance(argument.value, form.Const):
            found.append(argument.name)
        if isinstance(argument.value, form.Dict):
            found += [k.value for k in argument.value.keys if isinstance(k, form.Const) and isinstance(k.value, str)]
    return [name for name in found if name == "**" or _IS_ID.fullmatch(name)]


def _is_never_merged(modules: list[Module]) -> bool:
    """Whether structlog is given processors, and the one that merges bound values isn't among them."""
    own = [m for m in modules if "structlog" in m.imported_packages]
    calls = [c for m in own for c, _ in m.calls_named(("configure", "configure_once")) if c.argument(0, "processors")]
    return bool(calls) and not any(
        isinstance(n, form.Attr | form.Name) and last_name(n) in _MERGING
        for m in own
        for n in form.walk_body(m.facts.body)
    )


# --- formats and libraries ---


def _fields_in_formats(module: Module) -> Iterator[Carried]:
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
    for assignment, _ in module.assignments:
        if any(isinstance(t, form.Attr) and "log_format" in t.attr for t in assignment.targets) and assignment.value:
            yield from form.walk(assignment.value)
    for call, _ in module.calls_named(("update",)):
        yield from (n for a in call.args if a.name and "log_format" in a.name for n in form.walk(a.value))


def _libraries(module: Module, project: Project) -> Iterator[Carried]:
    known = _LIBRARIES | _OF_WORKERS
    for call, scope in module.calls_named(last_part(name) for name in known):
        value = project.callee_name(call, scope)
        if value in known:
            yield ProcessKind.WORKER if value in _OF_WORKERS else None, module.evidence(call, known[value])
    for node in _configuring(module) if _holds(module, known.__contains__) else ():
        if isinstance(node, form.Const) and node.value in known:
            name = str(node.value)
            yield ProcessKind.WORKER if name in _OF_WORKERS else None, module.evidence(node, known[name])


def _powertools(module: Module) -> Iterator[Carried]:
    if "aws_lambda_powertools" not in module.imported_packages:
        return
    for call, _ in module.calls_named(_POWERTOOLS):
        yield None, module.evidence(call, "the logger is given the id of the request")
    for decorator in (d for f in module.functions for d in f.decorators):
        if not isinstance(decorator, form.Call) and last_name(decorator) in _POWERTOOLS:
            yield None, module.evidence(decorator, "the logger is given the id of the request")


# --- hooks on records ---


def _processors(module: Module, project: Project) -> Iterator[Carried]:
    """structlog's processors of the project: functions of a logger, a method's name and an event."""
    if "structlog" not in module.imported_packages and "logger" not in module.name:
        return
    for function in module.functions:
        names = [p.name for p in function.node.params if p.name != "self"]
        if len(names) == 3 and "event" in names[2]:
            yield from _reads_context(function, project)


def _given_functions(project: Project, paths: set[str]) -> Iterator[FunctionSymbol]:
    """Functions that make each record, or complete it."""
    for call, scope in project.calls_named("setLogRecordFactory", "patch", "configure", "addFilter"):
        given = call.keyword("patcher") or (call.positional[0] if call.positional else None)
        if scope.module.path in paths and given is not None:
            function = project.infer(given, scope)
            if isinstance(function, FunctionSymbol):
                yield function


def _record_hooks(cls: ClassSymbol, project: Project) -> Iterator[Carried]:
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


def _reads_context(function: FunctionSymbol, project: Project) -> Iterator[Carried]:
    """Where a hook on records reads the id of the request or job at hand, and not only what the record has already."""
    given = {p.name for p in function.node.params}
    module = function.module
    names = [n for n in function.walk() if isinstance(n, form.Name)]
    for node in names:
        if node.id in _JOB_SOURCES and node.id not in given:
            yield ProcessKind.WORKER, module.evidence(node, f"{function.qualname} reads the job at hand")
            return
    for inner in function.walk():
        if isinstance(inner, form.Name | form.Attr) and last_name(inner) in _SPAN_SOURCES:
            yield None, module.evidence(inner, f"{function.qualname} reads the trace at hand")
            return
    source = next((found for n in function.walk() if (found := _source(n, given)) is not None), None)
    source = source or next(_merged(function, given, project), None)
    if source is not None:
        of_request = any(n.id in _REQUEST_SOURCES for n in names)
        known = project.infer(source, function.scope) if isinstance(source, form.Name | form.Attr) else None
        library = _LIBRARIES.get(known.name) if isinstance(known, External) else None
        text = library or f"{function.qualname} reads the id at hand"
        yield ProcessKind.WEB if of_request else None, module.evidence(source, text)


def _source(node: form.Expr | form.Stmt, given: Collection[str]) -> form.Expr | None:
    """What gives an id that isn't the record's own: a name, an attribute or a key of something else."""
    match node:
        case form.Assign(targets=[target], value=value) if value is not None and not isinstance(value, form.Const):
            # Whatever it is called, what the record gets as its id is one.
            key = target.attr if isinstance(target, form.Attr) else _key(target)
            own = any(_is_of(n, given) for n in form.walk(value))
            return value if key is not None and _IS_ID.fullmatch(key) and not own else None
        case form.Dict(keys=keys, values=values):
            pairs = ((k.value, v) for k, v in zip(keys, values, strict=True) if isinstance(k, form.Const))
            mine = (v for k, v in pairs if _IS_ID.fullmatch(str(k)) and not isinstance(v, form.Const))
            return next((v for v in mine if not any(_is_of(n, given) for n in form.walk(v))), None)
        case form.Name(id=name):
            return node if name not in given and _IS_ID.fullmatch(name) else None
        case form.Attr(value=owner, attr=name):
            return node if _IS_ID.fullmatch(name) and not _is_of(owner, given) else None
        case form.Call(func=form.Attr(value=owner, attr="get"), args=[form.Arg(value=form.Const(value=str(key))), *_]):
            return node if _IS_ID.fullmatch(key) and not _is_of(owner, given) else None
        case form.Call(
            func=form.Name(id="getattr"), args=[form.Arg(value=owner), form.Arg(value=form.Const(value=str(key))), *_]
        ):
            return node if _IS_ID.fullmatch(key) and not _is_of(owner, given) else None
    return None


def _merged(function: FunctionSymbol, given: Collection[str], project: Project) -> Iterator[form.Expr]:
    """`record.update(context.get())`: all that is bound at the moment."""
    for node in function.walk():
        if isinstance(node, form.Call) and isinstance(node.func, form.Attr) and node.func.attr == "update":
            for argument in node.positional if _is_of(node.func.value, given) else ():
                if isinstance(argument, form.Call) and _reads_variable(argument, function.scope, project):
                    yield argument


def _reads_variable(call: form.Call, scope: Scope, project: Project, deepest: int = 1) -> bool:
    """Whether the call, or the function that it calls, asks a context variable."""
    if project.callee_name(call, scope) in ("contextvars.ContextVar.get", "structlog.contextvars.get_contextvars"):
        return True
    helper = project.callee_function(call, scope) if deepest else None
    inner = (n for n in helper.walk() if isinstance(n, form.Call)) if helper is not None else ()
    return helper is not None and any(_reads_variable(n, helper.scope, project, deepest - 1) for n in inner)


def _key(target: form.Expr) -> str | None:
    """The key of `record["request_id"]`."""
    index = target.index if isinstance(target, form.Subscript) else None
    return index.value if isinstance(index, form.Const) and isinstance(index.value, str) else None


def _is_of(owner: form.Expr | form.Stmt, given: Collection[str]) -> bool:
    return isinstance(owner, form.Name) and owner.id in given
