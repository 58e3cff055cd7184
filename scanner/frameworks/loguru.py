"""Loguru and logbook: loggers that fill braces in the message from what comes after it."""

from __future__ import annotations

from collections.abc import Iterator

from assay.scanner.framework import Context, Framework, LoggerLibrary, MessageStyle, SinkFound
from assay.scanner.model.log import LogFormat
from assay.scanner.model.role import Role
from assay.scanner.readers.python import form
from assay.scanner.roles import is_offline

_LEVELS = ("trace", "debug", "info", "notice", "success", "warning", "warn", "error", "exception", "critical")


def _sinks(context: Context) -> Iterator[SinkFound]:
    """`logger.add(sink, serialize=True)`."""
    for call, scope in context.project.calls_named("add"):
        module = scope.module
        if module.role is not Role.PROD or is_offline(module.path):
            continue
        if context.project.callee_name(call, scope) != "loguru.logger.add":
            continue
        serialize = call.keyword("serialize")
        constant = serialize.value if isinstance(serialize, form.Const) else None
        shape = LogFormat.PLAIN
        if serialize is not None:
            shape = (
                LogFormat.MACHINE
                if constant is True
                else LogFormat.PLAIN
                if constant is False
                else LogFormat.CONFIGURED
            )
        sink = call.argument(0, "sink")
        is_file = isinstance(sink, form.Const) and isinstance(sink.value, str)
        yield SinkFound(shape, module.evidence(call, "loguru's sink"), module, is_file)


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
