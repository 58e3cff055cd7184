"""The standard library's logging, and the loggers that frameworks make with it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from assay.scanner.dataflow.blocks import ModuleBlocks, is_debug_condition
from assay.scanner.framework import Context, Framework, LoggerLibrary, MessageStyle, SinkFound
from assay.scanner.linker.project import Project, last_name, last_part, literal_item
from assay.scanner.linker.scopes import ClassSymbol, How, Module, Scope
from assay.scanner.linker.values import External, Instance, Literal
from assay.scanner.model.log import LogFormat
from assay.scanner.model.place import Evidence, Location
from assay.scanner.model.role import Role
from assay.scanner.readers.python import form
from assay.scanner.roles import is_offline

LEVELS = ("debug", "info", "warning", "warn", "error", "exception", "critical", "fatal")
METHODS = dict.fromkeys(LEVELS, 0) | {"log": 1}

_MACHINE = re.compile(
    r"json|logfmt|ecs_logging|ecs\.|logstash|gelf|structured|watchtower|otlp|opentelemetry|cloud_?logging|"
    r"google\.cloud\.logging|fluent",
    re.IGNORECASE,
)
"""In the dotted name of a formatter or handler: its records are made for machines."""
_FILES = frozenset({"FileHandler", "RotatingFileHandler", "TimedRotatingFileHandler", "WatchedFileHandler"})
_SILENT = frozenset({"NullHandler", "MemoryHandler", "AdminEmailHandler", "SMTPHandler"})
_BRACED = re.compile(r"^\s*\{.*[\"']\s*:.*%\(", re.DOTALL)
"""A JSON object put together with `%(field)s`."""
_ENVIRONMENT = ("os.getenv", "os.environ", "environ.Env", "decouple.config", "django.conf.settings")


def _sinks(context: Context) -> Iterator[SinkFound]:
    project = context.project
    for name, find in (("basicConfig", _basic), ("dictConfig", _dict), ("addHandler", _added), ("fileConfig", _file)):
        for call, scope in project.calls_named(name):
            if _is_production(call, scope):
                yield from find(call, scope, project)
    for module in project.modules.values():
        if module.role is Role.PROD:
            yield from _django(module, project)


def _is_production(call: form.Call, scope: Scope) -> bool:
    module = scope.module
    if module.role is not Role.PROD or is_offline(module.path) or "alembic" in _imported_names(module):
        return False
    block = ModuleBlocks(module).innermost(call.start)
    return not any(
        isinstance(b.header, form.If) and not b.is_otherwise and _is_debugging(b.header.test) for b in block.outwards()
    )


def _is_debugging(test: form.Expr) -> bool:
    """Debug mode, or a level compared with DEBUG."""
    if isinstance(test, form.Compare):
        return any("debug" in (form.dotted(side) or _text(side) or "").lower() for side in test.rights)
    return is_debug_condition(test)


def _text(node: form.Expr | form.Stmt) -> str | None:
    return node.value if isinstance(node, form.Const) and isinstance(node.value, str) else None


def _imported_names(module: Module) -> set[str]:
    return {b.module.split(".", 1)[0] for bs in module.scope.bindings.values() for b in bs if b.module}


# --- calls ---


def _basic(call: form.Call, scope: Scope, project: Project) -> Iterator[SinkFound]:
    if project.callee_name(call, scope) != "logging.basicConfig":
        return
    evidence = scope.module.evidence(call, "basicConfig")
    handlers = call.keyword("handlers")
    if isinstance(handlers, form.Display):
        for item in handlers.items:
            yield SinkFound(
                _handler_format(item, scope, project), evidence, scope.module, _is_file(item, scope, project)
            )
        return
    template = call.keyword("format")
    text = _constant(template, scope, project) if template is not None else None
    shape = LogFormat.FORMATTED_JSON if text is not None and _BRACED.match(text) else LogFormat.PLAIN
    yield SinkFound(shape, evidence, scope.module, call.keyword("filename") is not None)


def _constant(node: form.Expr, scope: Scope, project: Project) -> str | None:
    value = project.infer(node, scope)
    return _text(value.node) if isinstance(value, Literal) else None


def _dict(call: form.Call, scope: Scope, project: Project) -> Iterator[SinkFound]:
    if project.callee_name(call, scope) != "logging.config.dictConfig":
        return
    argument = call.argument(0, "config")
    value = project.infer(argument, scope) if argument is not None else None
    if isinstance(value, Literal) and isinstance(value.node, form.Dict):
        yield from _configuration(value.node, value.scope, project, scope.module, scope.module.location(call), False)
    else:
        yield SinkFound(LogFormat.UNKNOWN, scope.module.evidence(call, "what it configures"), scope.module)


def _file(call: form.Call, scope: Scope, project: Project) -> Iterator[SinkFound]:
    if project.callee_name(call, scope) == "logging.config.fileConfig":
        yield SinkFound(LogFormat.UNKNOWN, scope.module.evidence(call, "the file it reads"), scope.module)


def _added(call: form.Call, scope: Scope, project: Project) -> Iterator[SinkFound]:
    """`logger.addHandler(handler)`."""
    callee = project.callee_name(call, scope) or ""
    if not callee.endswith((".Logger.addHandler", ".logger.addHandler", "logging.root.addHandler")) or not call.args:
        return
    handler = call.args[0].value
    value = project.infer(handler, scope)
    if isinstance(value, Instance) and last_part(value.type_name) in _SILENT:
        return
    if isinstance(value, Instance) and value.cls is not None and "logging.Handler" in project.base_names(value.cls):
        return
    evidence = scope.module.evidence(call, "the handler")
    yield SinkFound(_handler_format(handler, scope, project), evidence, scope.module, _is_file(handler, scope, project))


def _is_file(handler: form.Expr, scope: Scope, project: Project) -> bool:
    value = project.infer(handler, scope)
    return isinstance(value, Instance) and last_part(value.type_name) in _FILES


def _handler_format(handler: form.Expr, scope: Scope, project: Project) -> LogFormat:
    """By the handler's own class, else by the formatter that the same scope gives it."""
    value = project.infer(handler, scope)
    if not isinstance(value, Instance):
        return LogFormat.UNKNOWN
    if _MACHINE.search(value.type_name):
        return LogFormat.MACHINE
    if isinstance(handler, form.Name):
        for call, where in project.calls_named("setFormatter"):
            if where is scope and isinstance(call.func, form.Attr) and form.dotted(call.func.value) == handler.id:
                return _formatter_format(call.args[0].value, where, project) if call.args else LogFormat.PLAIN
    return LogFormat.PLAIN


def _formatter_format(formatter: form.Expr, scope: Scope, project: Project) -> LogFormat:
    if isinstance(formatter, form.Conditional):
        both = {_formatter_format(side, scope, project) for side in (formatter.body, formatter.orelse)}
        return both.pop() if len(both) == 1 else LogFormat.CONFIGURED
    if isinstance(formatter, form.Name):
        values = [b.value for b in scope.lookup(formatter.id) if b.how is How.ASSIGN and b.value is not None]
        shapes = {_formatter_format(v, scope, project) for v in values if not isinstance(v, form.Name)}
        if len(shapes) > 1:
            return LogFormat.CONFIGURED
    value = project.infer(formatter, scope)
    if not isinstance(value, Instance):
        return LogFormat.UNKNOWN
    if value.cls is not None:
        return _class_format(value.cls, project)
    if _MACHINE.search(value.type_name):
        return LogFormat.MACHINE
    if value.type_name == "structlog.stdlib.ProcessorFormatter":
        return LogFormat.MACHINE if value.origin is not None and _renders_json(value.origin) else LogFormat.PLAIN
    text = _constant(value.origin.args[0].value, scope, project) if value.origin and value.origin.args else None
    return LogFormat.FORMATTED_JSON if text is not None and _BRACED.match(text) else LogFormat.PLAIN


def _renders_json(call: form.Call) -> bool:
    return any(isinstance(n, form.Attr | form.Name) and last_name(n) == "JSONRenderer" for n in form.walk(call))


def _class_format(cls: ClassSymbol, project: Project) -> LogFormat:
    """JSON where a base makes it or the class's own `format` dumps it."""
    if any(_MACHINE.search(name) for name in project.base_names(cls)):
        return LogFormat.MACHINE
    method = project.method(cls, "format")
    dumps = method is not None and any(
        isinstance(n, form.Call) and last_name(n.func) in ("dumps", "to_json") for n in method.walk()
    )
    return LogFormat.MACHINE if dumps else LogFormat.PLAIN


# --- dictionaries ---


def _django(module: Module, project: Project) -> Iterator[SinkFound]:
    """The LOGGING of Django settings, which every process of the service gets."""
    for binding in module.scope.bindings.get("LOGGING", ()):
        if binding.how is not How.ASSIGN or binding.value is None or not _is_settings(module):
            continue
        name = module.span(binding.offset, binding.offset + len("LOGGING"))
        if isinstance(binding.value, form.Dict):
            yield from _configuration(binding.value, binding.scope, project, None, name, True)
        else:
            yield SinkFound(LogFormat.UNKNOWN, Evidence(name, "what configures logging"), None, is_shared=True)


def _is_settings(module: Module) -> bool:
    names = {"INSTALLED_APPS", "ROOT_URLCONF", "MIDDLEWARE", "DATABASES"}
    return not names.isdisjoint(module.scope.bindings) or any("settings" in part for part in module.name.split("."))


def _configuration(
    config: form.Dict, scope: Scope, project: Project, installer: Module | None, setup: Location, shared: bool
) -> Iterator[SinkFound]:
    """The sinks of a dictionary in the schema of `logging.config.dictConfig`."""
    handlers = _items(literal_item(config, "handlers"))
    formatters = _items(literal_item(config, "formatters"))
    used = _used_handlers(config)
    unrouted = tuple(_unrouted(config, project)) if installer is None or not shared else ()
    shown = False
    for name, handler in handlers.items():
        if name not in used or not isinstance(handler, form.Dict):
            continue
        kind = _text(literal_item(handler, "class") or literal_item(handler, "()") or handler) or ""
        if last_part(kind) in _SILENT:
            continue
        shape, place = _configured_format(handler, kind, formatters, scope, project)
        yield SinkFound(
            shape,
            scope.module.evidence(place, f"the handler {name}"),
            installer if installer is not None else scope.module,
            is_file=last_part(kind) in _FILES or "File" in last_part(kind),
            is_shared=shared,
            setup=setup,
            unrouted=() if shown else unrouted,
        )
        shown = True
    if not handlers:
        yield SinkFound(
            LogFormat.UNKNOWN, Evidence(setup, "it has no handlers of its own"), installer, is_shared=shared
        )


def _items(node: form.Expr | None) -> Mapping[str, form.Expr]:
    if not isinstance(node, form.Dict):
        return {}
    return {name: v for k, v in zip(node.keys, node.values, strict=True) if k is not None and (name := _text(k))}


def _used_handlers(config: form.Dict) -> set[str]:
    holders = [literal_item(config, "root"), *_items(literal_item(config, "loggers")).values()]
    lists = [literal_item(h, "handlers") for h in holders if isinstance(h, form.Dict)]
    return (
        {t for each in lists if each is not None for n in form.walk(each) if (t := _text(n)) is not None}
        if lists
        else set()
    )


def _configured_format(
    handler: form.Dict, kind: str, formatters: Mapping[str, form.Expr], scope: Scope, project: Project
) -> tuple[LogFormat, form.Expr]:
    if _MACHINE.search(kind):
        return LogFormat.MACHINE, handler
    chosen = literal_item(handler, "formatter")
    if isinstance(chosen, form.Conditional) and _is_debugging(chosen.test):
        chosen = chosen.orelse
    if chosen is None:
        own = _by_path(kind, scope, project)
        writes = isinstance(own, ClassSymbol) and project.method(own, "emit") is not None
        return LogFormat.UNKNOWN if writes else LogFormat.PLAIN, handler
    name = _text(chosen) or _constant(chosen, scope, project)
    if name is None:
        return LogFormat.CONFIGURED, chosen
    formatter = formatters.get(name)
    return (
        (_described_format(formatter, scope, project), formatter)
        if formatter is not None
        else (LogFormat.PLAIN, chosen)
    )


def _described_format(formatter: form.Expr, scope: Scope, project: Project) -> LogFormat:
    """The format of one entry of `formatters`."""
    for key in ("()", "class"):
        maker = literal_item(formatter, key)
        if maker is None:
            continue
        path = _text(maker)
        value = project.infer(maker, scope) if path is None else _by_path(path, scope, project)
        if isinstance(value, ClassSymbol):
            return _class_format(value, project)
        name = path or (value.name if isinstance(value, External) else "")
        if name == "structlog.stdlib.ProcessorFormatter":
            names = {last_name(n) for n in form.walk(formatter) if isinstance(n, form.Attr | form.Name)}
            return LogFormat.MACHINE if "JSONRenderer" in names else LogFormat.PLAIN
        if _MACHINE.search(name):
            return LogFormat.MACHINE
    template = literal_item(formatter, "format") or literal_item(formatter, "fmt")
    text = _constant(template, scope, project) if template is not None else None
    return LogFormat.FORMATTED_JSON if text is not None and _BRACED.match(text) else LogFormat.PLAIN


def _by_path(path: str, scope: Scope, project: Project) -> object:
    module, _, name = path.rpartition(".")
    found = project.module_named(module, scope.module.path) if module else None
    return project.member(found, name) if found is not None else None


def _unrouted(config: form.Dict, project: Project) -> Iterator[Evidence]:
    """Loggers in use below none of the named ones, where the root has no handler."""
    root = literal_item(config, "root")
    named = _items(literal_item(config, "loggers"))
    if (isinstance(root, form.Dict) and literal_item(root, "handlers") is not None) or "" in named:
        return
    for call, scope in project.calls_named("getLogger"):
        module = scope.module
        if module.role is not Role.PROD or is_offline(module.path) or not call.args:
            continue
        if project.callee_name(call, scope) != "logging.getLogger":
            continue
        argument = call.args[0].value
        name = module.name if isinstance(argument, form.Name) and argument.id == "__name__" else _text(argument)
        if name is not None and not any(name == known or name.startswith(known + ".") for known in named):
            yield module.evidence(call, f"the logger {name} reaches no handler")
            return


FRAMEWORK = Framework(
    name="logging",
    is_listed=False,
    packages=("logging",),
    loggers=(
        LoggerLibrary(
            "logging",
            frozenset(
                {
                    "logging",
                    "logging.root",
                    "logging.Logger",
                    "logging.RootLogger",
                    "logging.LoggerAdapter",
                    "absl.logging",
                    "flask.Flask.logger",
                    "flask.current_app.logger",
                    "quart.Quart.logger",
                    "quart.current_app.logger",
                    "aiohttp.web.Application.logger",
                    "aiohttp.web.Request.app.logger",
                    "sanic.log.logger",
                    "sanic.log.error_logger",
                    "tornado.log.app_log",
                    "tornado.log.gen_log",
                    "tornado.log.access_log",
                    "uvicorn.config.logger",
                    "kombu.log.logger",
                    "celery.Task.logger",
                    "dramatiq.Actor.logger",
                    "twisted.python.log",
                }
            ),
            MessageStyle.PERCENT,
            METHODS,
        ),
    ),
    sinks=_sinks,
)
