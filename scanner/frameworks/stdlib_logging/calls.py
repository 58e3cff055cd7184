"""Logging configured by calls: handlers given to loggers, configurations given to servers, libraries that do both."""

from __future__ import annotations

import re
from collections.abc import Iterator

from assay.scanner.dataflow.blocks import ModuleBlocks
from assay.scanner.dataflow.log_rendering import production_truth
from assay.scanner.framework import SinkFound
from assay.scanner.frameworks.stdlib_logging.dictionaries import Entry, change, configured, entry_of
from assay.scanner.frameworks.stdlib_logging.formats import (
    formatter_format,
    handler_format,
    is_file,
    is_silent,
    template_format,
)
from assay.scanner.linker.project import Project
from assay.scanner.linker.scopes import How, Module, Scope
from assay.scanner.linker.values import External, Instance, Literal
from assay.scanner.model.log import LogFormat
from assay.scanner.model.role import Role
from assay.scanner.readers.python import form
from assay.scanner.roles import is_offline

_APART = frozenset({"audit", "access"})
"""Words of names of such loggers."""
_LOGGERS = ("logging.Logger", "logging.RootLogger", "logging.root")
_FOR_SERVERS = {
    "run": ("uvicorn.run", "log_config"),
    "Config": ("uvicorn.Config", "log_config"),
    "Sanic": ("sanic.Sanic", "log_config"),
}
"""What is called, by its last name, and the keyword by which it is given a configuration."""
_WRITING_JSON = {
    "setup_logging": ("google.cloud.logging",),
    "Logger": ("aws_lambda_powertools",),
    "configure_azure_monitor": ("azure.monitor.opentelemetry",),
    "StructlogPlugin": ("litestar.",),
    "StructLoggingConfig": ("litestar.",),
    "init_fastapi": ("json_logging",),
    "init_flask": ("json_logging",),
    "init_quart": ("json_logging",),
    "init_sanic": ("json_logging",),
    "init_connexion": ("json_logging",),
    "init_non_web": ("json_logging",),
}
"""Calls that set logging up for machines by themselves: the last name, and what the whole name begins with."""


def called(project: Project) -> Iterator[SinkFound]:
    """The sinks that calls set up in production."""
    finders = {
        "basicConfig": _basic,
        "dictConfig": _dict,
        "fileConfig": _file,
        "addHandler": _added,
        "QueueListener": _listening,
        "setFormatter": _reformatted,
        **dict.fromkeys(_FOR_SERVERS, _given_to_a_server),
        "LoggingConfig": _litestar,
    }
    for name, find in finders.items():
        for call, scope in project.calls_named(name):
            if _is_production(call, scope, project):
                yield from find(call, scope, project)
    for name, prefixes in _WRITING_JSON.items():
        for call, scope in project.calls_named(name):
            whole = project.callee_name(call, scope) or ""
            if whole.startswith(prefixes) and _is_production(call, scope, project):
                yield SinkFound(
                    LogFormat.MACHINE, scope.module.evidence(call, f"{whole} writes for machines"), scope.module
                )


def assigned(module: Module, project: Project) -> Iterator[SinkFound]:
    """`logger.handlers = [handler]`, and gunicorn's `logconfig_dict`."""
    for assignment, scope in module.assignments if "logging" in module.imported_packages else ():
        for target in assignment.targets:
            on = target.value if isinstance(target, form.Subscript) else target
            if isinstance(on, form.Attr) and on.attr == "handlers" and isinstance(assignment.value, form.Display):
                yield from _listed(assignment.value, scope, project, is_root=_is_root(on.value, scope, project))
    for binding in module.scope.bindings.get("logconfig_dict", ()):
        if binding.how is How.ASSIGN and binding.value is not None:
            place = module.span(binding.offset, binding.offset + len("logconfig_dict"))
            yield from configured(entry_of(binding.value, binding.scope, project), project, module, place)


def _is_production(call: form.Call, scope: Scope, project: Project) -> bool:
    module = scope.module
    if module.role is not Role.PROD or is_offline(module.path):
        return False
    if any(b.module.split(".", 1)[0] == "alembic" for bs in module.scope.bindings.values() for b in bs if b.module):
        return False
    for block in ModuleBlocks(module).innermost(call.start).outwards():
        truth = production_truth(block.header.test, scope, project) if isinstance(block.header, form.If) else None
        if truth is not None and truth is block.is_otherwise:
            return False
    return True


def _basic(call: form.Call, scope: Scope, project: Project) -> Iterator[SinkFound]:
    if project.callee_name(call, scope) != "logging.basicConfig":
        return
    evidence = scope.module.evidence(call, "basicConfig")
    handlers = call.keyword("handlers")
    listed = project.infer(handlers, scope) if handlers is not None else None
    if isinstance(listed, Literal) and isinstance(listed.node, form.Display):
        for item in listed.node.items:
            if not is_silent(item, listed.scope, project):
                shape = handler_format(item, listed.scope, project)
                yield SinkFound(shape, evidence, scope.module, is_file(item, listed.scope, project), on_root=True)
        return
    shape = template_format(call.keyword("format"), scope, project)
    yield SinkFound(shape, evidence, scope.module, call.keyword("filename") is not None, on_root=True)


def _dict(call: form.Call, scope: Scope, project: Project) -> Iterator[SinkFound]:
    if project.callee_name(call, scope) == "logging.config.dictConfig":
        yield from _given(call.argument(0, "config"), call, scope, project)


def _given(node: form.Expr | None, call: form.Call, scope: Scope, project: Project) -> Iterator[SinkFound]:
    """A dictionary that a call is given."""
    config = entry_of(node, scope, project) if node is not None else None
    if config is not None and config.items:
        if isinstance(node, form.Name):
            change(config, node.id, scope.module, project)
        yield from configured(config, project, scope.module, scope.module.location(call))
    elif not isinstance(node, form.Const):
        yield SinkFound(LogFormat.UNKNOWN, scope.module.evidence(call, "what it configures"), scope.module)


def _given_to_a_server(call: form.Call, scope: Scope, project: Project) -> Iterator[SinkFound]:
    name = (
        call.func.attr if isinstance(call.func, form.Attr) else call.func.id if isinstance(call.func, form.Name) else ""
    )
    whole, keyword = _FOR_SERVERS.get(name, ("", ""))
    given = call.keyword(keyword) if keyword else None
    if given is not None and project.qualified_name(call.func, scope) == whole:
        yield from _given(given, call, scope, project)


def _litestar(call: form.Call, scope: Scope, project: Project) -> Iterator[SinkFound]:
    if (project.qualified_name(call.func, scope) or "").startswith("litestar."):
        items = {a.name: entry_of(a.value, scope, project) for a in call.args if a.name is not None}
        yield from configured(Entry(call, scope, items), project, scope.module, scope.module.location(call))


def _file(call: form.Call, scope: Scope, project: Project) -> Iterator[SinkFound]:
    if project.callee_name(call, scope) == "logging.config.fileConfig":
        yield SinkFound(LogFormat.UNKNOWN, scope.module.evidence(call, "the file it reads"), scope.module)


def _added(call: form.Call, scope: Scope, project: Project) -> Iterator[SinkFound]:
    """`logger.addHandler(handler)`."""
    callee = project.callee_name(call, scope) or ""
    if callee.endswith((".Logger.addHandler", ".logger.addHandler", "logging.root.addHandler")) and call.args:
        handler = call.args[0].value
        if not is_silent(handler, scope, project) and not _is_apart(call, scope, project):
            on = call.func.value if isinstance(call.func, form.Attr) else None
            yield SinkFound(
                handler_format(handler, scope, project),
                scope.module.evidence(call, "the handler"),
                scope.module,
                is_file(handler, scope, project),
                on_root=on is not None and _is_root(on, scope, project),
            )


def _listening(call: form.Call, scope: Scope, project: Project) -> Iterator[SinkFound]:
    """`QueueListener(queue, handler)`, which writes what a queue's handler was handed."""
    if project.callee_name(call, scope) == "logging.handlers.QueueListener":
        for handler in call.positional[1:]:
            shape = handler_format(handler, scope, project)
            yield SinkFound(
                shape, scope.module.evidence(call, "the listener"), scope.module, is_file(handler, scope, project)
            )


def _reformatted(call: form.Call, scope: Scope, project: Project) -> Iterator[SinkFound]:
    """`setFormatter` on handlers that others made: Flask's, those of a logger."""
    on = call.func.value if isinstance(call.func, form.Attr) else None
    if on is None or not call.args:
        return
    value = project.infer(on, scope)
    is_flasks = isinstance(value, External) and value.name == "flask.logging.default_handler"
    if is_flasks or (value is None and _is_of_logger(on, scope)):
        shape = formatter_format(call.args[0].value, scope, project)
        yield SinkFound(shape, scope.module.evidence(call, "the formatter"), scope.module)


def _is_of_logger(on: form.Expr, scope: Scope) -> bool:
    """Whether the expression is one of a logger's handlers: `logger.handlers[0]`, or what a loop takes from them."""
    if isinstance(on, form.Name):
        body = scope.body if scope.function is not None else scope.module.facts.body
        loops = (n for n in form.walk_body(body) if isinstance(n, form.For))
        return any(isinstance(n.target, form.Name) and n.target.id == on.id and _has_handlers(n.iter) for n in loops)
    return _has_handlers(on)


def _has_handlers(node: form.Expr) -> bool:
    return any(isinstance(n, form.Attr) and n.attr == "handlers" for n in form.walk(node))


def _listed(handlers: form.Display, scope: Scope, project: Project, *, is_root: bool) -> Iterator[SinkFound]:
    for handler in handlers.items:
        if not is_silent(handler, scope, project):
            evidence = scope.module.evidence(handler, "the handler")
            shape = handler_format(handler, scope, project)
            yield SinkFound(shape, evidence, scope.module, is_file(handler, scope, project), on_root=is_root)


def _is_apart(call: form.Call, scope: Scope, project: Project) -> bool:
    """Whether the handler is given to a logger of one kind of record, which says nothing of the others."""
    logger = project.infer(call.func.value, scope) if isinstance(call.func, form.Attr) else None
    name = logger.origin.argument(0, "name") if isinstance(logger, Instance) and logger.origin is not None else None
    return isinstance(name, form.Const) and not _APART.isdisjoint(re.split(r"[._-]", str(name.value).lower()))


def _is_root(logger: form.Expr, scope: Scope, project: Project) -> bool:
    """Whether it is the root logger: `logging.getLogger()` without a name."""
    value = project.infer(logger, scope)
    if isinstance(value, Instance):
        return value.type_name in _LOGGERS and value.origin is not None and not value.origin.args
    return isinstance(value, External) and value.name == "logging.root"
