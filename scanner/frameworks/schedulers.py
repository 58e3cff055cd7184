"""Schedules inside the process: APScheduler, Flask-APScheduler, fastapi-utils' `repeat_every` and `schedule`."""

from __future__ import annotations

from collections.abc import Iterator

from assay.scanner.dataflow.constants import string_value
from assay.scanner.framework import Context, Framework
from assay.scanner.linker.project import last_name
from assay.scanner.linker.scopes import Scope
from assay.scanner.model.work import Task
from assay.scanner.readers.python import form
from assay.scanner.work.references import (
    Invocation,
    decorated_functions,
    each_once,
    functions_of,
    invocations,
    path_of,
    task_of,
)
from assay.scanner.work.schedules import COMPUTED, crontab, every, interval, schedule

_APSCHEDULER = "APScheduler"
_APSCHEDULER_PACKAGES = ("apscheduler", "flask_apscheduler")
_REPEATERS = ("fastapi_utils", "fastapi_utilities", "fastapi_restful")


def _apscheduler_tasks(context: Context) -> Iterator[Task]:
    return each_once([*_apscheduler_decorated(context), *_apscheduler_added(context)])


def _apscheduler_decorated(context: Context) -> Iterator[Task]:
    """`@scheduler.scheduled_job("interval", minutes=5)`, `@scheduler.task("cron", id="nightly", hour=3)`."""
    for made, function in decorated_functions(context.project, "scheduled_job", "task"):
        if _is_apscheduler(made):
            name = _job_id(made, context) or path_of(function)
            yield task_of(function, _APSCHEDULER, name, schedule=_trigger(made.call, 0, made.scope, context))


def _apscheduler_added(context: Context) -> Iterator[Task]:
    """`scheduler.add_job(function, "cron", hour=3)`, `add_job(function, CronTrigger(hour=3))`."""
    for made in invocations(context.project, "add_job"):
        given = made.call.argument(0, "func")
        if not _is_apscheduler(made) or given is None:
            continue
        functions = functions_of(given, made.scope, context.project)
        if not functions:
            context.unresolved(made.scope.module.location(made.call), "this job runs a function that can't be told")
        for function in functions:
            name = (_job_id(made, context) if len(functions) == 1 else None) or path_of(function)
            yield task_of(function, _APSCHEDULER, name, schedule=_trigger(made.call, 1, made.scope, context))


def _is_apscheduler(made: Invocation) -> bool:
    return made.name.split(".", 1)[0] in _APSCHEDULER_PACKAGES


def _job_id(made: Invocation, context: Context) -> str | None:
    stated = made.call.keyword("id")
    return string_value(stated, made.scope, context.project) if stated is not None else None


def _trigger(call: form.Call, index: int, scope: Scope, context: Context) -> str:
    """The trigger as an object, or its kind with the options of the call; a job without one runs once."""
    trigger = call.argument(index, "trigger")
    if trigger is None:
        return "once"
    kind = string_value(trigger, scope, context.project)
    if kind == "interval":
        return interval(call, scope, context.project)
    if kind == "cron":
        return crontab(call, scope, context.project, first=index + 1)
    if kind == "date" or (isinstance(trigger, form.Call) and last_name(trigger.func) == "DateTrigger"):
        return "once"
    return schedule(trigger, scope, context.project) if kind is None else COMPUTED


def _repeated(context: Context) -> Iterator[Task]:
    """`@repeat_every(seconds=60)`, `@repeat_at(cron="0 3 * * *")`."""
    for made, function in decorated_functions(context.project, "repeat_every", "repeat_at"):
        if made.name.split(".", 1)[0] in _REPEATERS:
            cron = made.call.keyword("cron")
            when = cron if cron is not None else made.call.argument(0, "seconds")
            said = schedule(when, made.scope, context.project) if when is not None else COMPUTED
            yield task_of(function, "repeat_every", schedule=said)


def _periodic(context: Context) -> Iterator[Task]:
    return each_once(_done(context))


def _done(context: Context) -> Iterator[Task]:
    """`schedule.every(10).minutes.do(job)`."""
    for made in invocations(context.project, "do"):
        if not made.name.startswith("schedule.") or not made.call.positional:
            continue
        for function in functions_of(made.call.positional[0], made.scope, context.project):
            yield task_of(function, "schedule", schedule=_chained(made.call.func, made.scope, context))


def _chained(func: form.Expr, scope: Scope, context: Context) -> str:
    """What the chain in front of `do` says: an amount, a unit, a time of day."""
    amount, unit, at = "1", "", None
    node = func.value if isinstance(func, form.Attr) else func
    while isinstance(node, form.Attr | form.Call):
        if isinstance(node, form.Call) and last_name(node.func) == "at" and node.positional:
            at = string_value(node.positional[0], scope, context.project) or COMPUTED
        elif isinstance(node, form.Call) and last_name(node.func) == "every" and node.positional:
            given = node.positional[0]
            amount = str(given.value) if isinstance(given, form.Const) else "?"
        elif isinstance(node, form.Attr) and not unit and node.attr not in ("at", "every"):
            unit = node.attr
        node = node.func if isinstance(node, form.Call) else node.value
    said = every({unit: amount}) if unit else COMPUTED
    return f"{said} at {at}" if at is not None else said


APSCHEDULER = Framework(_APSCHEDULER, _APSCHEDULER_PACKAGES, tasks=_apscheduler_tasks)
REPEAT_EVERY = Framework("repeat_every", _REPEATERS, tasks=_repeated, is_listed=False)
SCHEDULE = Framework("schedule", ("schedule",), tasks=_periodic, is_listed=False)
