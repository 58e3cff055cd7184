"""RQ, with django-rq, Flask-RQ2 and rq-scheduler: functions that are put into Redis queues (https://python-rq.org)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from assay.scanner.dataflow.constants import definitions, string_value
from assay.scanner.framework import Context, Framework
from assay.scanner.linker.project import last_part
from assay.scanner.linker.scopes import Scope
from assay.scanner.linker.values import Instance
from assay.scanner.model.work import Task
from assay.scanner.readers.python import form
from assay.scanner.work.references import (
    Invocation,
    decorated_functions,
    each_once,
    functions_of,
    invocations,
    options_of,
    path_of,
    task_of,
)
from assay.scanner.work.schedules import schedule

_NAME = "RQ"
_DEFAULT = "default"
"""The queue that is meant where none is named."""
_PACKAGES = ("rq", "django_rq", "flask_rq", "flask_rq2", "rq_scheduler")


@dataclass(frozen=True, slots=True)
class _Enqueuing:
    """Where a method takes the function, and what says when it runs."""

    function_at: int
    when: tuple[int | None, str] | None = None
    function_names: tuple[str, ...] = ("func", "f")


_METHODS = {
    "enqueue": _Enqueuing(0),
    "enqueue_call": _Enqueuing(0),
    "enqueue_at": _Enqueuing(1),
    "enqueue_in": _Enqueuing(1),
    "schedule": _Enqueuing(1, (None, "interval")),
    "cron": _Enqueuing(1, (0, "cron_string")),
    "register": _Enqueuing(0, (None, "cron")),
    "create": _Enqueuing(0),
}


def _tasks(context: Context) -> Iterator[Task]:
    return each_once([*_decorated(context), *_enqueued(context)])


def _decorated(context: Context) -> Iterator[Task]:
    """`@job("mails")`."""
    for made, function in decorated_functions(context.project, "job"):
        if _is_ours(made.name):
            queue = made.call.argument(0, "queue")
            options = options_of(made.call, made.scope, context.project)
            yield task_of(function, _NAME, queue=_queue_name(queue, made.scope, context), options=options)


def _enqueued(context: Context) -> Iterator[Task]:
    """`queue.enqueue(function)`, `scheduler.cron("0 3 * * *", function)`, `Job.create(function)`."""
    for made in invocations(context.project, *_METHODS):
        if not _is_ours(made.name):
            continue
        way = _METHODS[last_part(made.name)]
        named = (value for name in way.function_names if (value := made.call.keyword(name)) is not None)
        positional = made.call.positional
        given = next(named, positional[way.function_at] if len(positional) > way.function_at else None)
        functions = functions_of(given, made.scope, context.project) if given is not None else []
        if not functions:
            _say_unknown(given, made, context)
        for function in dict.fromkeys(functions):
            options = options_of(made.call, made.scope, context.project)
            yield task_of(function, _NAME, path_of(function), _queue(made, context), _when(way, made, context), options)


def _is_ours(name: str) -> bool:
    return name.split(".", 1)[0] in _PACKAGES


def _say_unknown(given: form.Expr | None, made: Invocation, context: Context) -> None:
    text = string_value(given, made.scope, context.project) if given is not None else None
    what = f"{text}, which isn't in the tree" if text is not None else "a function that can't be told"
    context.unresolved(made.scope.module.location(made.call), f"this job runs {what}")


def _when(way: _Enqueuing, made: Invocation, context: Context) -> str | None:
    if way.when is None:
        return None
    index, keyword = way.when
    stated = made.call.keyword(keyword) if index is None else made.call.argument(index, keyword)
    return schedule(stated, made.scope, context.project) if stated is not None else None


def _queue(made: Invocation, context: Context) -> str | None:
    """The queue that a method belongs to: `Queue("mails").enqueue`, `get_queue("mails").enqueue`."""
    stated = made.call.keyword("queue_name")
    if stated is not None:
        return string_value(stated, made.scope, context.project)
    func = made.call.func
    return _queue_name(func.value, made.scope, context) if isinstance(func, form.Attr) else None


def _queue_name(node: form.Expr | None, scope: Scope, context: Context, depth: int = 3) -> str | None:
    """Of a name as text, or of the queue's object."""
    if node is None or not depth:
        return None
    text = string_value(node, scope, context.project)
    if text is not None:
        return text
    value = context.project.infer(node, scope)
    if isinstance(value, Instance) and value.origin is not None and value.scope is not None:
        name = value.origin.argument(0, "name") or value.origin.keyword("queue_name")
        if name is None:
            return _DEFAULT if last_part(value.type_name or "") == "Queue" else None
        return string_value(name, value.scope, context.project)
    known = definitions(node, scope, context.project)
    return _queue_name(*known[0], context, depth - 1) if len(known) == 1 else None


RQ = Framework(_NAME, _PACKAGES, tasks=_tasks)
