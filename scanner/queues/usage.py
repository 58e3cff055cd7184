"""Which queues tasks go to, and which of them somebody waits for: those that requests ask for, and those that the clock
starts.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

from assay.scanner.dataflow.constants import string_value
from assay.scanner.framework import Sited
from assay.scanner.linker.project import last_name
from assay.scanner.linker.scopes import FunctionSymbol, Scope
from assay.scanner.model.place import Evidence
from assay.scanner.model.role import Role
from assay.scanner.model.work import Task
from assay.scanner.model.worker_app import Queue, WorkerApp
from assay.scanner.queries.offline import Offline
from assay.scanner.queues.apps import App
from assay.scanner.queues.commands import WorkerCommand, worker_commands
from assay.scanner.readers.python import form
from assay.scanner.telemetry.found import shown
from assay.scanner.workers.celery_options import DEFAULT_QUEUE, QUEUES, ROUTES, CeleryOptions

_SENDING = ("delay", "apply_async", "delay_on_commit", "apply_async_on_commit", "send", "send_with_options", "enqueue",
            "enqueue_job", "async_task", "send_task", "s", "si", "signature", "schedule", "enqueue_call")  # fmt: skip
_QUEUE_OPTIONS = ("queue", "queue_name", "_queue_name")
_DEFAULTS = {"Celery": "celery", "RQ": "default", "Dramatiq": "default", "arq": "arq:queue", "Huey": "huey"}
_DEEPEST = 2
_FEW = 10


@dataclass(frozen=True, slots=True)
class _Send:
    """A call by which code other than a task asks for one; `queue` is the one it names."""

    task: Task
    place: Evidence
    queue: str | None
    is_open: bool


class Usage:
    """Of one worker app."""

    def __init__(self, app: App, celery: CeleryOptions, offline: Offline) -> None:
        self._app = app
        self._project = app.code.project
        self._celery = celery
        self._offline = offline
        self._default = self._default_queue()

    def added_to(self, worker: WorkerApp) -> WorkerApp:
        """The app with what is known of its queues."""
        sends = self._sends
        clocked = [t for t in self._app.tasks if t.schedule is not None]
        asked = {self._queue(s.task, s.queue) for s in sends}
        scheduled = {self._queue(t) for t in clocked}
        everything = {self._queue(t) for t in self._app.tasks} | asked
        named = {t.name: t for t in self._app.tasks}
        return replace(
            worker,
            tasks=len(named),
            asked=shown(s.place for s in sends),
            scheduled=shown(self._long(clocked)),
            queues=tuple(sorted(everything)),
            shared=tuple(sorted(asked & scheduled)),
            apart=shown([*self._apart(), *self._routes()]),
            unread=shown(self._unread(sends)),
            chosen=shown(self._chosen(sends)),
        )

    def queues(self) -> Iterator[Queue]:
        """Each queue that its tasks go to."""
        by_queue: dict[str, dict[str, Task]] = {}
        for task, queue in [*((t, t.queue) for t in self._app.tasks), *((s.task, s.queue) for s in self._sends)]:
            if self._app.framework == "RQ" and queue is None and task.queue is None:
                continue  # the queue's object can't be told
            by_queue.setdefault(self._queue(task, queue), {}).setdefault(task.name, task)
        for name, tasks in sorted(by_queue.items()):
            readers = (c.place for c in self._commands if name in (c.queues or (self._default,)))
            place = next(iter(tasks.values())).location
            yield Queue(self._app.framework, name, place, Role.PROD, tuple(sorted(tasks)), shown(readers))

    def _queue(self, task: Task, named: str | None = None) -> str:
        return named or task.queue or self._default

    def _default_queue(self) -> str:
        if self._app.framework == "Celery":
            for value in self._options(*DEFAULT_QUEUE):
                text = string_value(value.node, value.scope, self._project)
                if text is not None:
                    return text
        return _DEFAULTS.get(self._app.framework, "default")

    def _options(self, *names: str) -> list[Sited]:
        mine = [a for a in self._celery.applications if a.service in (self._app.code.service, None)]
        return [value for a in mine[:1] for value in self._celery.stated(a, *names)]

    # --- who asks ---

    @cached_property
    def _sends(self) -> list[_Send]:
        return list(self._found_sends())

    @cached_property
    def _commands(self) -> list[WorkerCommand]:
        return list(worker_commands(self._app))

    def _found_sends(self) -> Iterator[_Send]:
        by_name: dict[str, list[Task]] = {}
        for task in self._app.tasks:
            by_name.setdefault(task.handler.rpartition(".")[2].rpartition(":")[2], []).append(task)
            by_name.setdefault(task.name.rpartition(".")[2], []).append(task)
        names = (*_SENDING, *(by_name if self._app.framework == "Huey" else ()))
        scheduling = set(self._scheduling())
        for call, scope in self._app.code.calls_named(*names):
            function = scope.enclosing_function
            if function is None or call in scheduling or self._offline.reason(scope, is_asked_of_callers=False):
                continue
            if self._is_of_tasks(function, _DEEPEST):
                continue
            wanted = _asked_for(call, by_name) or self._called(call, scope)
            if wanted is not None:
                stated = next((v for name in _QUEUE_OPTIONS if (v := call.keyword(name)) is not None), None)
                named = string_value(stated, scope, self._project) if stated is not None else None
                place = scope.module.evidence(call, f"{function.name}() asks for {wanted.name}")
                yield _Send(wanted, place, named, stated is not None and named is None)

    def _called(self, call: form.Call, scope: Scope) -> Task | None:
        """Of Huey's tasks, the one that a call of the function asks for."""
        callee = self._project.callee_function(call, scope) if self._app.framework == "Huey" else None
        return next((t for t in self._app.tasks if callee is not None and t.handler == callee.id), None)

    def _scheduling(self) -> Iterator[form.Expr]:
        """`sender.add_periodic_task(60, clean.s())` and all in it asks for nothing yet."""
        for call, _ in self._app.code.calls_named("add_periodic_task"):
            yield from (node for node in form.walk(call) if isinstance(node, form.Call))

    def _is_of_tasks(self, function: FunctionSymbol, depth: int) -> bool:
        """It is a task, or nothing but tasks is known to call it."""
        if function.id in self._handlers:
            return True
        callers = [scope.enclosing_function for _, scope in self._project.callers(function)] if depth else []
        return bool(callers) and all(c is not None and self._is_of_tasks(c, depth - 1) for c in callers)

    @cached_property
    def _handlers(self) -> frozenset[str]:
        return frozenset(task.handler for task in self._app.tasks)

    def _chosen(self, sends: list[_Send]) -> Iterator[Evidence]:
        """Where a queue can't be told."""
        yield from (s.place for s in sends if s.is_open)
        for task in self._app.tasks if self._app.framework == "RQ" else ():
            if task.queue is None:
                yield Evidence(task.location, f"the queue of {task.name} can't be told")

    # --- what runs by the clock ---

    def _long(self, clocked: list[Task]) -> Iterator[Evidence]:
        """Tasks that go through many things in a loop, as far as they and what they call tell."""
        paths = {task.location.path for task in clocked}
        functions = {f.id: f for path in sorted(paths) for f in self._project.modules[path].functions}
        for task in clocked:
            function = functions.get(task.handler)
            if function is not None and self._loops(function, _DEEPEST):
                yield Evidence(task.location, f"{task.name} runs by the clock ({task.schedule}) and loops")

    def _loops(self, function: FunctionSymbol, depth: int) -> bool:
        if any(_goes_through_many(node) for node in function.nodes):
            return True
        calls = [n for n in function.nodes if isinstance(n, form.Call)] if depth else []
        callees = (self._project.callee_function(call, function.scope) for call in calls)
        return any(c is not None and c is not function and self._loops(c, depth - 1) for c in callees)

    # --- what keeps them apart ---

    def _apart(self) -> Iterator[Evidence]:
        for task in self._app.tasks:
            if task.queue is not None and task.queue != self._default:
                yield Evidence(task.location, f"{task.name} goes to the queue {task.queue}")
        for send in self._sends:
            if send.queue is not None and send.queue != self._default:
                yield Evidence(send.place.location, f"{send.task.name} is asked for in the queue {send.queue}")
        for task in self._app.tasks:
            priority = task.option("priority")
            if priority is not None and self._app.framework in ("Dramatiq", "Huey"):
                yield priority.evidence

    def _routes(self) -> Iterator[Evidence]:
        for value in self._options(*ROUTES) if self._app.framework == "Celery" else ():
            yield value.module.evidence(value.node, "these routes say which queue a task goes to")

    def _unread(self, sends: list[_Send]) -> Iterator[Evidence]:
        """Queues that no command reads, where all commands are known to say what they read."""
        commands = self._commands
        if not commands or any(c.is_open for c in commands) or self._app.framework not in ("Celery", "RQ"):
            return
        if self._app.framework == "RQ" and "rqworker" in {m.name.rpartition(".")[2] for m in self._app.code.modules}:
            return  # a command of the project's own knows what to read
        if any(not c.queues for c in commands) and self._options(*QUEUES):
            return  # it reads what is declared
        read = {queue for c in commands for queue in (c.queues or (self._default,))}
        places = {task.queue: task.location for task in reversed(self._app.tasks)}
        places |= {send.queue: send.place.location for send in sends}
        for queue in sorted(name for name in places if name is not None and name not in read):
            yield Evidence(places[queue], f"this goes to the queue {queue}")
            yield commands[0].place


def _goes_through_many(node: form.Expr | form.Stmt) -> bool:
    """A loop, but for a few attempts or over what is written out; or a comprehension that asks for a task each."""
    match node:
        case form.For(iter=form.Display() | form.Dict()):
            return False
        case form.For(iter=form.Call(func=form.Name(id="range"), args=[form.Arg(value=form.Const(value=int(many)))])):
            return many > _FEW
        case form.For() | form.While():
            return True
        case form.Comprehension():
            return any(isinstance(n, form.Call) and last_name(n.func) in _SENDING for n in form.walk(node))
    return False


def _asked_for(call: form.Call, by_name: dict[str, list[Task]]) -> Task | None:
    """By the name of what is sent: `bill.delay(...)`, `queue.enqueue(bill)`, `send_task("shop.tasks.bill")`."""
    first = call.positional[0] if call.positional else None
    text = first.value if isinstance(first, form.Const) and isinstance(first.value, str) else None
    owner = call.func.value if isinstance(call.func, form.Attr) else None
    for node in (owner, first):
        name = last_name(node) if isinstance(node, form.Name | form.Attr) else None
        if name in by_name:
            return by_name[name][0]
    return by_name[text.rpartition(".")[2]][0] if text and text.rpartition(".")[2] in by_name else None
