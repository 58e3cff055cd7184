"""Django Q: functions that are handed to its cluster, at once or by a schedule (https://django-q2.readthedocs.io)."""

from __future__ import annotations

from collections.abc import Iterator

from assay.scanner.dataflow.constants import string_value
from assay.scanner.framework import Context, Framework
from assay.scanner.linker.project import last_name
from assay.scanner.linker.scopes import Scope
from assay.scanner.model.work import Task
from assay.scanner.readers.python import form
from assay.scanner.work.references import each_once, functions_of, path_of, task_of
from assay.scanner.work.schedules import COMPUTED, every

_NAME = "Django Q"
_NOW = frozenset(
    {
        "django_q.tasks.async_task", "django_q.tasks.AsyncTask", "django_q.tasks.async_iter",
        "django_q.tasks.Chain.append",
    }
)  # fmt: skip
_LATER = frozenset(
    {
        "django_q.tasks.schedule", "django_q.models.Schedule.objects.create",
        "django_q.models.Schedule.objects.get_or_create", "django_q.models.Schedule.objects.update_or_create",
    }
)  # fmt: skip
_TYPES = {
    "ONCE": "once", "O": "once", "HOURLY": "every hour", "H": "every hour", "DAILY": "every day", "D": "every day",
    "WEEKLY": "every week", "W": "every week", "BIWEEKLY": "every 2 weeks", "BW": "every 2 weeks",
    "MONTHLY": "every month", "M": "every month", "BIMONTHLY": "every 2 months", "BM": "every 2 months",
    "QUARTERLY": "every quarter", "Q": "every quarter", "YEARLY": "every year", "Y": "every year",
}  # fmt: skip


def _tasks(context: Context) -> Iterator[Task]:
    return each_once(_handed_over(context))


def _handed_over(context: Context) -> Iterator[Task]:
    """`async_task("app.tasks.send")`, `schedule(send, schedule_type="D")`, `Schedule.objects.create(func=...)`."""
    names = {name.rsplit(".", 1)[-1] for name in (*_NOW, *_LATER)}
    for call, scope in context.project.calls_named(*sorted(names)):
        name = context.project.callee_name(call, scope)
        if name not in _NOW and name not in _LATER:
            continue
        given = call.argument(0, "func")
        functions = functions_of(given, scope, context.project) if given is not None else []
        if not functions:
            context.unresolved(scope.module.location(call), "this task runs a function that can't be told")
        cluster = call.keyword("cluster")
        queue = string_value(cluster, scope, context.project) if cluster is not None else None
        when = _when(call, scope, context) if name in _LATER else None
        for function in functions:
            yield task_of(function, _NAME, path_of(function), queue, when)


def _when(call: form.Call, scope: Scope, context: Context) -> str | None:
    cron = call.keyword("cron")
    if cron is not None:
        return string_value(cron, scope, context.project) or COMPUTED
    minutes = call.keyword("minutes")
    if isinstance(minutes, form.Const):
        return every({"minutes": str(minutes.value)})
    kind = call.keyword("schedule_type")
    text = string_value(kind, scope, context.project) or last_name(kind) if kind is not None else "ONCE"
    return _TYPES.get(text or "", COMPUTED)


DJANGO_Q = Framework(_NAME, ("django_q",), tasks=_tasks)
