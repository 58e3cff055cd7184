"""Dramatiq: actors, which are functions that workers run (https://dramatiq.io/guide.html)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from assay.scanner.dataflow.constants import string_value
from assay.scanner.framework import Context, Framework
from assay.scanner.linker.project import last_name
from assay.scanner.linker.scopes import ClassSymbol, FunctionSymbol
from assay.scanner.model.work import Task, TaskOption
from assay.scanner.readers.python import form
from assay.scanner.work.references import (
    Invocation,
    class_options,
    decorated_functions,
    each_once,
    functions_of,
    invocations,
    options_of,
    task_of,
    text_of,
)
from assay.scanner.work.schedules import CRONS, crontab

_NAME = "Dramatiq"
_GENERIC = "dramatiq.GenericActor"
_OPTIONS = ("time_limit", "max_retries", "min_backoff", "max_backoff", "retry_when")


def _tasks(context: Context) -> Iterator[Task]:
    return each_once([*_functions(context), *_classes(context)])


def _functions(context: Context) -> Iterator[Task]:
    """`@dramatiq.actor(queue_name="mails")`, `dramatiq.actor(function)`; extensions take a crontab as an option."""
    for made, function in decorated_functions(context.project, "actor"):
        if made.name.startswith("dramatiq."):
            yield _task(made, function, context)
    for made in invocations(context.project, "actor"):
        if made.name.startswith("dramatiq.") and made.call.positional:
            for function in functions_of(made.call.positional[0], made.scope, context.project):
                yield _task(made, function, context)


def _task(made: Invocation, function: FunctionSymbol, context: Context) -> Task:
    """An actor is known by the function's bare name."""
    name = text_of(made.call.keyword("actor_name"), made.scope, context, "the name of this actor")
    queue = text_of(made.call.keyword("queue_name"), made.scope, context, "the queue of this actor")
    options = (argument.value for argument in made.call.args if argument.name is not None)
    clock = next((o for o in options if isinstance(o, form.Call) and last_name(o.func) in CRONS), None)
    when = crontab(clock, made.scope, context.project) if clock is not None else None
    stated = options_of(made.call, made.scope, context.project)
    return task_of(function, _NAME, name or function.name, queue, when, stated)


def _classes(context: Context) -> Iterator[Task]:
    """Subclasses of `GenericActor` that perform something; `Meta` holds their options."""
    for cls in context.project.classes:
        if context.project.is_subclass(cls, _GENERIC):
            perform = context.project.method(cls, "perform")
            if perform is not None and not _option(cls, "abstract", context):
                name = _option(cls, "actor_name", context) or cls.name
                task = task_of(
                    perform, _NAME, name, _option(cls, "queue_name", context), options=_options(cls, context)
                )
                yield replace(task, location=cls.location)


def _meta(cls: ClassSymbol, context: Context) -> ClassSymbol | None:
    return next((b.cls for b in context.project.class_member(cls, "Meta") if b.cls is not None), None)


def _options(cls: ClassSymbol, context: Context) -> tuple[TaskOption, ...]:
    meta = _meta(cls, context)
    return class_options(meta, _OPTIONS, context.project) if meta is not None else ()


def _option(cls: ClassSymbol, name: str, context: Context) -> str | None:
    meta = _meta(cls, context)
    stated = context.project.class_attribute(meta, name) if meta is not None else None
    return string_value(*stated, context.project) if stated is not None else None


DRAMATIQ = Framework(_NAME, ("dramatiq",), tasks=_tasks)
