"""The standard library's logging, and the loggers that frameworks make with it."""

from __future__ import annotations

from collections.abc import Iterator

from assay.scanner.framework import Context, Framework, LoggerLibrary, MessageStyle, SinkFound
from assay.scanner.frameworks.stdlib_logging import calls, dictionaries
from assay.scanner.model.role import Role
from assay.scanner.roles import is_offline

LEVELS = ("debug", "info", "warning", "warn", "error", "exception", "critical", "fatal")
METHODS = dict.fromkeys(LEVELS, 0) | {"log": 1}


def _sinks(context: Context) -> Iterator[SinkFound]:
    project = context.project
    yield from calls.called(project)
    for module in project.modules.values():
        if module.role is Role.PROD:
            yield from dictionaries.django(module, project)
            if not is_offline(module.path):
                yield from calls.assigned(module, project)


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
