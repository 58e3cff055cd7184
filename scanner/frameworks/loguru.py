"""Loguru and logbook: loggers that fill braces in the message from what comes after it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from assay.scanner.dataflow.log_rendering import is_taken, production_truth, renders_json
from assay.scanner.framework import Context, Framework, LoggerLibrary, MessageStyle, SinkFound
from assay.scanner.linker.project import Project, literal_item
from assay.scanner.linker.scopes import FunctionSymbol, Scope
from assay.scanner.linker.values import Instance, Literal
from assay.scanner.model.log import LogFormat
from assay.scanner.model.role import Role
from assay.scanner.readers.python import form
from assay.scanner.roles import is_offline

_LEVELS = ("trace", "debug", "info", "notice", "success", "warning", "warn", "error", "exception", "critical")
_OPTIONS = ("sink", "serialize", "format")
_PREPARED = re.compile(r"\{extra\[\w+\]\}\s*")


def _sinks(context: Context) -> Iterator[SinkFound]:
    """`logger.add(sink, serialize=True)`, and `logger.configure(handlers=[{"sink": ..., "serialize": True}])`."""
    project = context.project
    for call, scope in project.calls_named("add", "configure"):
        module = scope.module
        if module.role is not Role.PROD or is_offline(module.path) or "loguru" not in module.imported_packages:
            continue
        called = project.callee_name(call, scope)
        if called == "loguru.logger.add" and is_taken(call.start, scope, project):
            options = {a.name: a.value for a in call.args if a.name is not None}
            yield _sink(call, call.argument(0, "sink"), options, scope, project)
        elif called == "loguru.logger.configure":
            handlers = call.keyword("handlers")
            listed = project.infer(handlers, scope) if handlers is not None else None
            if isinstance(listed, Literal) and isinstance(listed.node, form.Display):
                for item in listed.node.items:
                    options = {n: v for n in _OPTIONS if (v := literal_item(item, n)) is not None}
                    yield _sink(item, options.get("sink"), options, listed.scope, project)


def _sink(
    place: form.Expr, sink: form.Expr | None, options: Mapping[str, form.Expr], scope: Scope, project: Project
) -> SinkFound:
    """One way out for records: JSON where loguru serializes, or where a function of the project dumps it."""
    serialize = options.get("serialize")
    truth = production_truth(serialize, scope, project) if serialize is not None else False
    if truth is None and serialize is not None:
        truth = production_truth(serialize, scope, project, by_default=True) or None
    shape = LogFormat.MACHINE if truth else LogFormat.PLAIN if truth is False else LogFormat.CONFIGURED
    for writer in (sink, options.get("format")):
        function = project.infer(writer, scope) if writer is not None else None
        if isinstance(function, FunctionSymbol) and renders_json(function, project):
            shape = LogFormat.MACHINE
    template = options.get("format")
    if isinstance(template, form.Const) and _PREPARED.fullmatch(str(template.value)) and shape is LogFormat.PLAIN:
        # A patcher has put the whole record there.
        dumps = any(True for _ in scope.module.calls_named(("dumps",)))
        shape = LogFormat.MACHINE if dumps else LogFormat.UNKNOWN
    if isinstance(sink, form.Call) and shape is not LogFormat.MACHINE:
        made = project.infer(sink, scope)
        shape = LogFormat.UNKNOWN if isinstance(made, Instance) and made.cls is not None else shape
    is_file = isinstance(sink, form.Const) and isinstance(sink.value, str)
    return SinkFound(shape, scope.module.evidence(place, "loguru's sink"), scope.module, is_file)


FRAMEWORK = Framework(
    name="loguru",
    packages=("loguru",),
    loggers=(
        LoggerLibrary(
            "loguru",
            frozenset({"loguru.logger"}),
            MessageStyle.BRACES,
            dict.fromkeys(_LEVELS, 0) | {"log": 1},
        ),
        LoggerLibrary(
            "logbook",
            frozenset({"logbook", "logbook.Logger"}),
            MessageStyle.BRACES,
            dict.fromkeys(_LEVELS, 0) | {"log": 1},
        ),
    ),
    sinks=_sinks,
)
