"""structlog: loggers that take an event and keywords."""

from __future__ import annotations

from assay.scanner.framework import Framework, LoggerLibrary, MessageStyle

_SYNC = ("debug", "info", "warning", "warn", "error", "err", "exception", "critical", "fatal", "failure", "msg")
METHODS = dict.fromkeys((*_SYNC, *(f"a{level}" for level in _SYNC)), 0) | {"log": 1, "alog": 1}

FRAMEWORK = Framework(
    name="structlog",
    packages=("structlog",),
    loggers=(
        LoggerLibrary("structlog", frozenset({"structlog.BoundLogger"}), MessageStyle.EVENT, METHODS),
    ),
)
