"""What tells that tasks fail: trackers of errors, agents, handlers of the library's own signals, stored results."""

from __future__ import annotations

import re
from collections.abc import Iterator

from assay.scanner.dataflow.lexicon import words
from assay.scanner.model.place import Evidence
from assay.scanner.model.telemetry import DependencyKind
from assay.scanner.queues.alerts import expressions
from assay.scanner.queues.apps import App
from assay.scanner.readers.python import form
from assay.scanner.telemetry import agents, sentry
from assay.scanner.telemetry.code import import_of
from assay.scanner.telemetry.libraries import DEPENDENCIES, EVERYTHING

_AGENTS = (
    *(name for name in EVERYTHING if name not in ("scout_apm", "elasticapm")),
    *("scout_apm.celery", "scout_apm.rq", "scout_apm.dramatiq", "scout_apm.huey", "elasticapm.contrib.celery"),
)
"""Agents that see tasks too: two of them only where they are told to."""
_TRACKERS = ("rollbar", "bugsnag", "honeybadger", "raygun4py", "pybrake", "raven", "airbrake", "glitchtip", "opbeat")
_SIGNALS = ("celery.signals.task_failure", "celery.signals.task_retry", "celery.signals.task_postrun",
            "huey.signals.SIGNAL_ERROR", "huey.api.signals.SIGNAL_ERROR")  # fmt: skip
_STORING = re.compile(r"django_celery_results|celery_results")
_HOOKS = frozenset({"on_failure", "after_job_end", "on_job_end", "after_process_message", "on_retry"})
"""Methods of tasks, workers and middleware that the library calls after a task."""
_COUNTING = (
    *("Counter", "incr", "increment", "increment_counter", "count", "create_counter", "counter"),
    *("gauge", "Gauge"),
)
_FAILED = frozenset({"fail", "fails", "failed", "failure", "failures", "error", "errors"})
_WORK = frozenset({"task", "tasks", "job", "jobs", "celery", "rq", "worker", "workers", "queue", "actor", "message"})
_ALERTED = re.compile(r"(task|job|celery|rq|dramatiq|message)s?_[\w]*(fail|error|dead)", re.IGNORECASE)


def failures(app: App) -> Iterator[Evidence]:
    """Of one worker app."""
    for call, scope in sentry.setups(app.code):
        yield scope.module.evidence(call, "Sentry is told what fails")
    yield from app.code.named((*_AGENTS, *DEPENDENCIES[DependencyKind.QUEUE]))
    for call, scope in app.code.calls_named("instrument_celery"):
        yield scope.module.evidence(call, "Logfire is told what fails")
    yield from agents.commands(app.code)
    yield from agents.injected(app.code)
    for module in app.code.modules:
        for name in (*_TRACKERS, *(_SIGNALS if app.package in module.imported_packages else ())):
            if name.partition(".")[0] in module.imported_packages and (found := import_of(module, name)) is not None:
                yield found
    yield from _stored(app)
    yield from _hooks(app)
    yield from _counted(app)
    for text, place in expressions(app):
        if _ALERTED.search(text):
            yield place


def _stored(app: App) -> Iterator[Evidence]:
    """Results in the service's own database, failures among them."""
    for module in app.code.modules:
        for binding in module.scope.bindings.get("INSTALLED_APPS", ()):
            for node in form.walk(binding.value) if binding.value is not None else ():
                if isinstance(node, form.Const) and isinstance(node.value, str) and _STORING.search(node.value):
                    yield module.evidence(node, "results are stored, failures among them")
    if app.framework == "Django Q":
        yield Evidence(app.location, "Django Q stores what fails")


def _hooks(app: App) -> Iterator[Evidence]:
    for module in app.code.modules:
        if app.package not in module.imported_packages:
            continue
        for function in module.functions:
            for decorator in function.decorators:
                named = form.dotted(decorator.func if isinstance(decorator, form.Call) else decorator) or ""
                if "signals.task_failure" in named:
                    yield Evidence(function.location, f"{function.name}() is called when a task has failed")
        for cls in module.classes:
            for name in sorted(_HOOKS & cls.methods.keys()):
                yield Evidence(cls.methods[name].location, f"{name}() is called when a task has failed")
    for call, scope in app.code.calls_named("Worker", "SimpleWorker", "push_exc_handler", "enqueue", "create_worker"):
        for name in ("exception_handlers", "on_failure", "on_job_end", "after_job_end"):
            if (stated := call.keyword(name)) is not None:
                yield scope.module.evidence(stated, f"{name} is called when a task has failed")


def _counted(app: App) -> Iterator[Evidence]:
    for call, scope in app.code.calls_named(*_COUNTING):
        stated = call.argument(0, "name")
        for node in form.walk(stated) if stated is not None else ():
            if isinstance(node, form.Const) and isinstance(node.value, str):
                spoken = set(words(node.value))
                if not spoken.isdisjoint(_FAILED) and not spoken.isdisjoint(_WORK):
                    yield scope.module.evidence(call, "counts what fails")
