"""What a handler makes of a record: by its class, by the formatter that it is given, by the formatter's template."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from assay.scanner.dataflow.log_rendering import is_taken, production_truth, renders_json
from assay.scanner.linker.project import Project, last_name, last_part
from assay.scanner.linker.scopes import ClassSymbol, How, Scope
from assay.scanner.linker.values import Instance, Literal
from assay.scanner.model.log import LogFormat
from assay.scanner.readers.python import form

MACHINE = re.compile(
    r"json|logfmt|ecs_logging|ecs\.|logstash|gelf|structured|watchtower|otlp|opentelemetry|cloud_?logging|"
    r"google\.cloud\.logging|fluent|logfire|azure|newrelic",
    re.IGNORECASE,
)
"""In the dotted name of a formatter or handler: its records are made for machines."""
FILES = frozenset({"FileHandler", "RotatingFileHandler", "TimedRotatingFileHandler", "WatchedFileHandler"})
SILENT = frozenset({"NullHandler", "MemoryHandler", "AdminEmailHandler", "SMTPHandler", "QueueHandler"})
"""Handlers that write no log, or hand on to others that do."""
_BRACED = re.compile(r"^\s*\{.*[\"']\s*:.*%\(", re.DOTALL)
"""A JSON object put together with `%(field)s`."""
_STRUCTLOG = "structlog.stdlib.ProcessorFormatter"


def text(node: form.Expr | form.Stmt | None) -> str | None:
    """The string that a literal is."""
    return node.value if isinstance(node, form.Const) and isinstance(node.value, str) else None


def string(node: form.Expr, scope: Scope, project: Project) -> str | None:
    """The string that an expression stands for."""
    value = project.infer(node, scope)
    return text(value.node) if isinstance(value, Literal) else None


def template_format(template: form.Expr | None, scope: Scope, project: Project) -> LogFormat:
    """By the format string."""
    said = string(template, scope, project) if template is not None else None
    return LogFormat.FORMATTED_JSON if said is not None and _BRACED.match(said) else LogFormat.PLAIN


def is_silent(handler: form.Expr, scope: Scope, project: Project) -> bool:
    """Whether the handler is no way out for records, or hands them to another library in a way of its own."""
    value = project.infer(handler, scope)
    if not isinstance(value, Instance):
        return False
    own = value.cls is not None and "logging.Handler" in project.base_names(value.cls)
    return last_part(value.type_name) in SILENT or (own and not list(_formatters_of(value, scope, project)))


def is_file(handler: form.Expr, scope: Scope, project: Project) -> bool:
    """Whether it writes a local file."""
    value = project.infer(handler, scope)
    return isinstance(value, Instance) and last_part(value.type_name) in FILES


def handler_format(handler: form.Expr, scope: Scope, project: Project) -> LogFormat:
    """By the handler's own class, else by the formatters that it is given in production."""
    value = project.infer(handler, scope)
    if not isinstance(value, Instance):
        return LogFormat.UNKNOWN
    if MACHINE.search(value.type_name):
        return LogFormat.MACHINE
    given = _formatters_of(value, scope, project, by_default=True)
    if _one(formatter_format(f, where, project) for f, where in given) is LogFormat.MACHINE:
        return LogFormat.MACHINE
    return _one(formatter_format(f, where, project) for f, where in _formatters_of(value, scope, project))


def _formatters_of(
    handler: Instance, scope: Scope, project: Project, *, by_default: bool = False
) -> Iterator[tuple[form.Expr, Scope]]:
    """What `setFormatter` calls on the handler that production gets to are given, and assignments to `formatter`."""
    module = (handler.scope or scope).module
    for call, where in project.calls_named("setFormatter"):
        if where.module is not module and where.module is not scope.module:
            continue
        receiver = project.infer(call.func.value, where) if isinstance(call.func, form.Attr) else None
        is_same = isinstance(receiver, Instance) and receiver.origin is handler.origin
        if is_same and call.args and is_taken(call.start, where, project, by_default=by_default):
            yield call.args[0].value, where
    for assignment, where in (handler.scope or scope).module.assignments:
        owners = [t.value for t in assignment.targets if isinstance(t, form.Attr) and t.attr == "formatter"]
        found = project.infer(owners[0], where) if owners and assignment.value is not None else None
        if isinstance(found, Instance) and found.origin is handler.origin and assignment.value is not None:
            yield assignment.value, where


def formatter_format(formatter: form.Expr, scope: Scope, project: Project) -> LogFormat:
    """What a formatter makes of a record."""
    if isinstance(formatter, form.Conditional):
        truth = production_truth(formatter.test, scope, project)
        if truth is None and production_truth(formatter.test, scope, project, by_default=True) is not None:
            # What the environment may change to plain text is JSON unless it does.
            chosen = production_truth(formatter.test, scope, project, by_default=True)
            shape = formatter_format(formatter.body if chosen else formatter.orelse, scope, project)
            return shape if shape is LogFormat.MACHINE else LogFormat.CONFIGURED
        sides = [side for side, when in ((formatter.body, True), (formatter.orelse, False)) if truth in (when, None)]
        return _one(formatter_format(side, scope, project) for side in sides)
    if isinstance(formatter, form.Name):
        bound = [b for b in scope.lookup(formatter.id) if b.how is How.ASSIGN and b.value is not None]
        taken = [b for b in bound if is_taken(b.offset, b.scope, project)]
        if len(bound) > 1 and taken:
            values = [b.value for b in taken if b.value is not None and not isinstance(b.value, form.Name)]
            return _one(formatter_format(v, scope, project) for v in values)
    value = project.infer(formatter, scope)
    if not isinstance(value, Instance):
        return LogFormat.UNKNOWN
    if value.cls is not None:
        return class_format(value.cls, project)
    if MACHINE.search(value.type_name):
        return LogFormat.MACHINE
    if value.type_name == _STRUCTLOG:
        return processors_format(value.origin) if value.origin is not None else LogFormat.PLAIN
    template = value.origin.argument(0, "fmt") if value.origin is not None else None
    return template_format(template, scope, project)


def processors_format(around: form.Expr) -> LogFormat:
    """By the renderers named in what sets structlog's formatter up."""
    names = {last_name(n) for n in form.walk(around) if isinstance(n, form.Attr | form.Name)}
    if "JSONRenderer" in names and "ConsoleRenderer" in names:
        return LogFormat.CONFIGURED
    return LogFormat.MACHINE if "JSONRenderer" in names else LogFormat.PLAIN


def class_format(cls: ClassSymbol, project: Project) -> LogFormat:
    """JSON where a base makes it or the class's own `format` dumps it."""
    if any(MACHINE.search(name) for name in project.base_names(cls)):
        return LogFormat.MACHINE
    method = project.method(cls, "format")
    return LogFormat.MACHINE if method is not None and renders_json(method, project) else LogFormat.PLAIN


def maker_format(name: str) -> LogFormat | None:
    """By the dotted name of a library's formatter; None where it says nothing."""
    return LogFormat.MACHINE if MACHINE.search(name) else None


def is_structlogs(name: str) -> bool:
    """Whether it is the formatter that structlog brings."""
    return name == _STRUCTLOG


def _one(shapes: Iterable[LogFormat]) -> LogFormat:
    """The format where all agree; what configuration decides where they don't; plain text where there is none."""
    found = set(shapes)
    if len(found) > 1:
        return LogFormat.CONFIGURED
    return found.pop() if found else LogFormat.PLAIN
