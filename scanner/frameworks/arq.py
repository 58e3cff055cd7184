"""arq: coroutines that the workers of a settings class run (https://arq-docs.helpmanual.io)."""

from __future__ import annotations

from collections.abc import Iterator

from assay.scanner.dataflow.constants import list_items, string_value
from assay.scanner.framework import Context, Framework, Sited
from assay.scanner.linker.project import last_name
from assay.scanner.linker.scopes import ClassSymbol
from assay.scanner.model.work import Task
from assay.scanner.readers.python import form
from assay.scanner.work.references import each_once, functions_of, options_of, task_of
from assay.scanner.work.schedules import crontab

_NAME = "arq"
_LISTS = ("functions", "cron_jobs")


def _tasks(context: Context) -> Iterator[Task]:
    return each_once(task for found in _listed(context) for task in _listed_tasks(found, context))


def _listed(context: Context) -> Iterator[tuple[Sited, Sited | None]]:
    """The lists of functions and of cron jobs that workers are given, with the queue these read."""
    for cls in context.project.classes:
        if "arq" in cls.module.imported_packages or cls.name == "WorkerSettings":
            yield from _of_class(cls, context)
    for call, scope in context.project.calls_named("Worker", "create_worker", "run_worker"):
        if (context.project.callee_name(call, scope) or "").startswith("arq."):
            queue = call.keyword("queue_name")
            for name in _LISTS:
                if (stated := call.keyword(name)) is not None:
                    yield Sited(stated, scope), Sited(queue, scope) if queue is not None else None


def _of_class(cls: ClassSymbol, context: Context) -> Iterator[tuple[Sited, Sited | None]]:
    queue = context.project.class_attribute(cls, "queue_name")
    for name in _LISTS:
        stated = context.project.class_attribute(cls, name)
        if stated is not None:
            yield Sited(*stated), Sited(*queue) if queue is not None else None


def _listed_tasks(found: tuple[Sited, Sited | None], context: Context) -> Iterator[Task]:
    listed, stated = found
    queue = string_value(stated.node, stated.scope, context.project) if stated is not None else None
    items = list_items(listed.node, listed.scope, context.project)
    if not items and not (isinstance(listed.node, form.Display) and not listed.node.items):
        context.unresolved(listed.module.location(listed.node), "the functions in this list can't be told")
    for node, scope in items:
        yield from _listed_task(Sited(node, scope), queue, context)


def _listed_task(item: Sited, queue: str | None, context: Context) -> Iterator[Task]:
    """A function, `func(function, name=...)` or `cron(function, hour=...)`; arq calls one by its qualified name."""
    call = item.node if isinstance(item.node, form.Call) else None
    kind = last_name(call.func) if call is not None else None
    reference = call.argument(0, "coroutine") if call is not None else item.node
    functions = functions_of(reference, item.scope, context.project) if reference is not None else []
    if not functions:
        context.unresolved(item.module.location(item.node), "this job runs a function that can't be told")
    name = call.keyword("name") if call is not None else None
    stated = string_value(name, item.scope, context.project) if name is not None else None
    options = options_of(call, item.scope, context.project) if call is not None else ()
    for function in functions[:1]:
        if kind == "cron" and call is not None:
            when = crontab(
                form.Call(start=call.start, end=call.end, func=call.func, args=call.args[1:]),
                item.scope,
                context.project,
            )
            yield task_of(function, _NAME, stated or f"cron:{function.qualname}", queue, when, options)
        else:
            yield task_of(function, _NAME, stated or function.qualname, queue, options=options)


ARQ = Framework(_NAME, ("arq",), tasks=_tasks)
