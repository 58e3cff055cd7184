"""The standard library's logging, and the loggers that frameworks make with it."""

from __future__ import annotations

from assay.scanner.framework import Framework, LoggerLibrary, MessageStyle

LEVELS = ("debug", "info", "warning", "warn", "error", "exception", "critical", "fatal")
METHODS = dict.fromkeys(LEVELS, 0) | {"log": 1}

FRAMEWORK = Framework(
    name="logging",
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
)
