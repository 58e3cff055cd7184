"""structlog: loggers that take an event and keywords."""

from __future__ import annotations

from collections.abc import Iterator

from assay.scanner.framework import Context, Framework, LoggerLibrary, MessageStyle, SinkFound
from assay.scanner.linker.project import last_name
from assay.scanner.model.log import LogFormat
from assay.scanner.model.role import Role
from assay.scanner.readers.python import form
from assay.scanner.roles import is_offline

_MACHINE = frozenset({"JSONRenderer", "LogfmtRenderer", "wrap_for_formatter"})
_PLAIN = frozenset({"ConsoleRenderer", "KeyValueRenderer"})

_SYNC = ("debug", "info", "warning", "warn", "error", "err", "exception", "critical", "fatal", "failure", "msg")
METHODS = dict.fromkeys((*_SYNC, *(f"a{level}" for level in _SYNC)), 0) | {"log": 1, "alog": 1}


def _sinks(context: Context) -> Iterator[SinkFound]:
    """`structlog.configure(processors=[...])`: the last processor renders."""
    for call, scope in context.project.calls_named("configure", "configure_once"):
        name = context.project.callee_name(call, scope)
        module = scope.module
        if name not in ("structlog.configure", "structlog.configure_once") or module.role is not Role.PROD:
            continue
        if is_offline(module.path):
            continue
        # Processors are put together before the call as often as inside it.
        around = scope.body if scope.function is not None else module.facts.body
        shape = _rendered(around) or _rendered(module.facts.body) or _by_default(call)
        yield SinkFound(shape, module.evidence(call, "structlog's processors"), module)


def _rendered(body: list[form.Stmt]) -> LogFormat | None:
    """What the renderers named in the body make of a record; None where it names none."""
    names = {last_name(n) for n in form.walk_body(body) if isinstance(n, form.Attr | form.Name)}
    if names & _MACHINE and names & _PLAIN:
        return _by_environment(body)
    if names & _MACHINE:
        return LogFormat.MACHINE
    return LogFormat.PLAIN if names & _PLAIN else None


def _by_default(call: form.Call) -> LogFormat:
    """Without processors of its own structlog writes for a console; what those of other modules do can't be told."""
    return LogFormat.PLAIN if call.argument(0, "processors") is None else LogFormat.CONFIGURED


def _by_environment(body: list[form.Stmt]) -> LogFormat:
    """Which of two renderers production gets: JSON where the console's is for terminals and development."""
    for node in form.walk_body(body, into_definitions=False):
        if isinstance(node, form.If | form.Conditional):
            then = form.walk_body(node.body) if isinstance(node, form.If) else form.walk(node.body)
            told = {last_name(n) for n in then if isinstance(n, form.Attr | form.Name)}
            if told & (_MACHINE | _PLAIN):
                return LogFormat.MACHINE if _is_development(node.test) is bool(told & _PLAIN) else LogFormat.CONFIGURED
    return LogFormat.CONFIGURED


def _is_development(test: form.Expr) -> bool:
    """Whether the condition holds on a developer's machine: a terminal, debug mode, an environment of that name."""
    words = {
        str(n.value if isinstance(n, form.Const) else last_name(n)).lower()
        for n in form.walk(test)
        if isinstance(n, form.Const | form.Name | form.Attr)
    }
    if isinstance(test, form.Unary):
        return not _is_development(test.operand)
    return any(hint in word for word in words for hint in ("debug", "dev", "local", "isatty"))


FRAMEWORK = Framework(
    name="structlog",
    packages=("structlog",),
    loggers=(LoggerLibrary("structlog", frozenset({"structlog.BoundLogger"}), MessageStyle.EVENT, METHODS),),
    sinks=_sinks,
)
