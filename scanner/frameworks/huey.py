"""Huey: functions that its consumer runs (https://huey.readthedocs.io)."""

from __future__ import annotations

from collections.abc import Iterator

from assay.scanner.framework import Context, Framework
from assay.scanner.model.work import Task
from assay.scanner.work.references import decorated_functions, each_once, options_of, task_of, text_of
from assay.scanner.work.schedules import schedule

_NAME = "Huey"
_PLAIN = ("task", "db_task", "on_commit_task")
_PERIODIC = ("periodic_task", "db_periodic_task")


def _tasks(context: Context) -> Iterator[Task]:
    return each_once(_decorated(context))


def _decorated(context: Context) -> Iterator[Task]:
    """`@huey.task()`, `@db_periodic_task(crontab(minute="0"))`; the queue is the whole of the Huey object."""
    for made, function in decorated_functions(context.project, *_PLAIN, *_PERIODIC):
        if not made.name.startswith("huey."):
            continue
        name = text_of(made.call.keyword("name"), made.scope, context, "the name of this task")
        is_periodic = made.name.rsplit(".", 1)[-1] in _PERIODIC
        when = made.call.argument(0, "validate_datetime") if is_periodic else None
        yield task_of(
            function,
            _NAME,
            f"{function.module.name}.{name or function.name}",
            schedule=schedule(when, made.scope, context.project) if when is not None else None,
            options=options_of(made.call, made.scope, context.project),
        )


HUEY = Framework(_NAME, ("huey",), tasks=_tasks)
