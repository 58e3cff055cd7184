"""Loguru and logbook: loggers that fill braces in the message from what comes after it."""

from __future__ import annotations

from assay.scanner.framework import Framework, LoggerLibrary, MessageStyle

_LEVELS = ("trace", "debug", "info", "notice", "success", "warning", "warn", "error", "exception", "critical")

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
)
