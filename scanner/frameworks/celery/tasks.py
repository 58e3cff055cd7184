"""Celery's applications and tasks (https://docs.celeryq.dev/en/stable/userguide/tasks.html)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cached_property

from assay.scanner.dataflow.constants import string_value
from assay.scanner.framework import Context, Framework
from assay.scanner.frameworks.celery.configuration import CeleryConfiguration, Entry
from assay.scanner.linker.project import last_name
from assay.scanner.linker.scopes import ClassSymbol, FunctionSymbol, Scope
from assay.scanner.linker.values import Instance, Value
from assay.scanner.model.work import Task, TaskOption
from assay.scanner.readers.python import form
from assay.scanner.web.registrations import decorated
from assay.scanner.work.references import (
    class_options,
    decorated_functions,
    each_once,
    functions_of,
    invocations,
    options_of,
    task_of,
    text_of,
)
from assay.scanner.work.schedules import schedule

_NAME = "Celery"
_DECORATORS = frozenset(
    {
        "celery.shared_task", "celery.task", "celery.task.task", "celery.decorators.task", "celery.Celery.task",
        "celery.current_app.task", "celery.app.shared_task", "celery.task.periodic_task",
        "celery.decorators.periodic_task", "celery.app.base.Celery.task",
    }
)  # fmt: skip
_OPTIONS = (
    "time_limit", "soft_time_limit", "autoretry_for", "max_retries", "retry_backoff", "default_retry_delay",
    "retry_kwargs", "serializer", "acks_late",
)  # fmt: skip
"""What a class of tasks may set for all of them."""
_DECORATOR_NAMES = ("task", "shared_task", "periodic_task")
_CLASSES = ("celery.Task", "celery.app.task.Task", "celery.task.Task", "celery.Celery.Task")


def _tasks(context: Context) -> Iterator[Task]:
    reader = _Reader(context)
    return each_once([*reader.decorated(), *reader.called(), *reader.classes(), *reader.scheduled()])


class _Reader:
    def __init__(self, context: Context) -> None:
        self._context = context
        self._project = context.project
        self._configuration = CeleryConfiguration(context.project)
        self._names: dict[FunctionSymbol, str] = {}
        self._known: dict[str, Task] = {}

    def decorated(self) -> Iterator[Task]:
        """`@shared_task`, `@app.task(name=..., queue=...)`, `@periodic_task(run_every=...)`."""
        for made, function in decorated_functions(self._project, *_DECORATOR_NAMES):
            if made.name in _DECORATORS:
                yield self._task(function, made.call, made.scope)
        for found in decorated(self._project, _DECORATOR_NAMES):
            if isinstance(found.handler, FunctionSymbol) and self._is_called_celery(found.call.func, found.scope):
                yield self._task(found.handler, found.call, found.scope)

    def called(self) -> Iterator[Task]:
        """`app.task(function)`."""
        for made in invocations(self._project, "task", "shared_task"):
            if made.name in _DECORATORS and made.call.positional:
                for function in functions_of(made.call.positional[0], made.scope, self._project):
                    yield self._task(function, made.call, made.scope)

    def classes(self) -> Iterator[Task]:
        """Classes of tasks that are registered: `app.register_task(Cleanup())`."""
        for call, scope in self._project.calls_named("register_task", "register"):
            value = self._project.infer(call.positional[0], scope) if call.positional else None
            cls = value.cls if isinstance(value, Instance) else value
            if isinstance(cls, ClassSymbol) and self._project.is_subclass(cls, *_CLASSES):
                task = self._of_class(cls)
                if task is not None:
                    yield task

    def _of_class(self, cls: ClassSymbol) -> Task | None:
        run = self._project.method(cls, "run")
        if run is None:
            return None
        stated = {name: self._project.class_attribute(cls, name) for name in ("name", "queue")}
        texts = {name: string_value(*found, self._project) for name, found in stated.items() if found is not None}
        name = texts.get("name") or f"{cls.module.name}.{cls.name}"
        queue = texts.get("queue") or self._configuration.queue_of(name)
        options = class_options(cls, _OPTIONS, self._project)
        task = replace(task_of(run, _NAME, name, queue, options=options), location=cls.location)
        self._known[name] = task
        return task

    def scheduled(self) -> Iterator[Task]:
        """What the beat runs, once more with its schedule."""
        for entry in self._configuration.entries():
            yield from self._of_entry(entry)
        for location in self._configuration.computed_schedules():
            self._context.unresolved(location, "the beat's schedule is computed at run time")
        for call, scope in self._project.calls_named("add_periodic_task"):
            when, what = call.argument(0, "schedule"), call.argument(1, "sig")
            if when is not None and what is not None:
                yield from self._of_signature(call, what, schedule(when, scope, self._project), scope)

    def _is_called_celery(self, decorator: form.Expr, scope: Scope) -> bool:
        """`@celery.task` of an application that can't be told: its name has to say that it is Celery's."""
        owner = last_name(decorator.value) if isinstance(decorator, form.Attr) else None
        return owner is not None and "celery" in owner.lower() and self._project.infer(decorator, scope) is None

    def _task(self, function: FunctionSymbol, call: form.Call, scope: Scope) -> Task:
        stated = text_of(call.keyword("name"), scope, self._context, "the name of this task")
        name = stated or f"{function.module.name}.{function.name}"
        queue = text_of(call.keyword("queue"), scope, self._context, "the queue of this task")
        when = call.keyword("run_every")
        self._names[function] = name
        self._known[name] = task_of(
            function,
            _NAME,
            name,
            queue or self._configuration.queue_of(name),
            schedule(when, scope, self._project) if when is not None else None,
            (*options_of(call, scope, self._project), *self._options_of_base(call, scope)),
        )
        return self._known[name]

    def _options_of_base(self, call: form.Call, scope: Scope) -> tuple[TaskOption, ...]:
        """What `base=` sets for all tasks of that class, or else the class of the application's tasks."""
        base = call.keyword("base")
        cls = self._project.infer(base, scope) if base is not None else self._task_class
        return class_options(cls, _OPTIONS, self._project) if isinstance(cls, ClassSymbol) else ()

    @cached_property
    def _task_class(self) -> Value | None:
        """What the application makes all of its tasks of: `Celery(task_cls=...)`, `app.Task = ...`."""
        for call, scope in self._project.calls_named("Celery"):
            if (stated := call.keyword("task_cls")) is not None:
                return self._project.infer(stated, scope)
        return None

    def _of_entry(self, entry: Entry) -> Iterator[Task]:
        node, scope = entry.task.node, entry.task.scope
        name = string_value(node, scope, self._project)
        if name is None and isinstance(node, form.Attr) and node.attr == "name":
            name = self._name_of(node.value, scope)
        task = self._known.get(name or "")
        if task is None:
            what = f"the task {name}" if name is not None else "a task that can't be told"
            self._context.unresolved(scope.module.location(node), f"the beat runs {what}, which isn't in the tree")
        else:
            yield replace(task, queue=task.queue or entry.queue, schedule=entry.schedule)

    def _of_signature(self, call: form.Call, what: form.Expr, when: str, scope: Scope) -> Iterator[Task]:
        """`task.s(...)`, `task.si(...)`, `task.signature(...)`, `task.s(...).set(queue=...)` or the task itself."""
        queue = call.keyword("queue")
        while isinstance(what, form.Call):
            if last_name(what.func) == "set" and isinstance(what.func, form.Attr):
                queue, what = what.keyword("queue") or queue, what.func.value
            else:
                what = what.func
        named = text_of(queue, scope, self._context, "the queue of this scheduled task")
        task = self._known.get(self._name_of(what.value if isinstance(what, form.Attr) else what, scope) or "")
        task = task or self._known.get(self._name_of(what, scope) or "")
        if task is None:
            self._context.unresolved(scope.module.location(what), "the task that runs periodically can't be told")
        else:
            yield replace(task, queue=named or task.queue, schedule=when)

    def _name_of(self, node: form.Expr, scope: Scope) -> str | None:
        """The name of the task that a function is."""
        found = functions_of(node, scope, self._project)
        return self._names.get(found[0]) if len(found) == 1 else None


CELERY = Framework(_NAME, ("celery",), tasks=_tasks, applications=frozenset({"celery.Celery"}))
