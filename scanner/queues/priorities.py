"""Priorities that messages and tasks are given, and what the broker makes of them.

https://docs.celeryq.dev/en/stable/userguide/routing.html#special-routing-options, https://www.rabbitmq.com/docs/priority,
https://docs.celeryq.dev/projects/kombu/en/stable/reference/kombu.transport.redis.html,
https://huey.readthedocs.io/en/latest/guide.html#task-priority.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

from assay.scanner.dataflow.constants import definitions, int_value
from assay.scanner.dataflow.lexicon import words
from assay.scanner.dataflow.numbering import Ordinals, around
from assay.scanner.gathered import Gathered
from assay.scanner.linker.project import last_name
from assay.scanner.linker.scopes import Scope
from assay.scanner.model.place import Evidence
from assay.scanner.model.priority_use import Effect, PriorityUse
from assay.scanner.model.role import Role
from assay.scanner.queues.brokers import Broker, broker_of
from assay.scanner.readers.python import form
from assay.scanner.workers.celery_options import DEFAULT_PRIORITY, MAX_PRIORITY, Application, CeleryOptions

_Judged: TypeAlias = tuple[Effect, str, Sequence[Evidence]]
"""What becomes of a priority, why, and what shows it."""
_TASK_CALLS = ("apply_async", "apply_async_on_commit", "send_task", "signature", "set", "task", "shared_task")
_PUBLISHING = {"publish": ("kombu.", "aio_pika.", "faststream."), "BasicProperties": ("pika.",),
               "Message": ("aio_pika.",)}  # fmt: skip
_AMQP = frozenset({"kombu", "celery", "pika", "aio_pika", "faststream", "amqp"})
_ARGUMENTS = ("arguments", "queue_arguments")
_QUEUES = ("Queue", "queue_declare", "declare_queue", "RabbitQueue")
_URGENT = frozenset({"high", "highest", "urgent", "critical", "important", "realtime", "immediate", "interactive"})
_LOW = frozenset({"low", "lowest", "bulk", "background", "batch", "later", "idle"})
_LEVELS_OF_QUORUM = 2
_OPEN = "the arguments of the queue can't be told"
_UNSORTED_HUEYS = ("RedisHuey", "RedisExpireHuey")


@dataclass(frozen=True, slots=True, eq=False)
class _Use:
    """One priority that is given. `application` is Celery's, where the message is one of its tasks."""

    library: str
    value: form.Expr
    scope: Scope
    application: Application | None = None

    @property
    def place(self) -> Evidence:
        return self.scope.module.evidence(self.value, "this priority is given")


class Priorities:
    """Of one tree."""

    def __init__(self, gathered: Gathered, celery: CeleryOptions) -> None:
        self._gathered = gathered
        self._project = gathered.project
        self._celery = celery
        self._ordinals = Ordinals()

    def all(self) -> Iterator[PriorityUse]:
        """In order of the libraries."""
        of_celery = list(self._of_celery())
        for use in of_celery:
            yield self._made(use, *self._in_celery(use, of_celery))
        for use in self._published():
            yield self._made(use, *self._in_rabbitmq(use))
        for task in self._gathered.tasks:
            stated = task.option("priority")
            if task.role is Role.PROD and stated is not None and task.framework in ("Dramatiq", "Huey"):
                effect, why, evidence = self._in_huey() if task.framework == "Huey" else _DRAMATIQ
                yield PriorityUse(
                    task.framework, task.name, 1, stated.evidence.location, task.role, effect, why,
                    (stated.evidence, *evidence),
                )  # fmt: skip

    def _made(self, use: _Use, effect: Effect, why: str, evidence: Sequence[Evidence]) -> PriorityUse:
        function = around(use.scope)
        ordinal = self._ordinals.next(function, use.library)
        place = use.place
        role = use.scope.module.role
        return PriorityUse(use.library, function, ordinal, place.location, role, effect, why, (place, *evidence))

    # --- Celery ---

    def _of_celery(self) -> Iterator[_Use]:
        if not self._celery.applications:
            return
        for call, scope in self._project.calls_named(*_TASK_CALLS):
            value = call.keyword("priority")
            if value is None or scope.module.role is not Role.PROD or not self._is_task_call(call, scope):
                continue
            service = self._gathered.owners.of(scope.module.path)
            mine = [a for a in self._celery.applications if a.service in (service, None)]
            yield _Use("Celery", value, scope, next(iter(mine or self._celery.applications)))

        defaults = {
            stated.node: (stated.scope, application)
            for application in self._celery.applications
            for stated in self._celery.stated(application, DEFAULT_PRIORITY)
        }
        for node, (scope, application) in defaults.items():
            yield _Use("Celery", node, scope, application)

    def _is_task_call(self, call: form.Call, scope: Scope) -> bool:
        """`set` and `task` are called of other things too."""
        owner = call.func.value if isinstance(call.func, form.Attr) else None
        match last_name(call.func):
            case "set":
                return isinstance(owner, form.Call) and last_name(owner.func) in ("s", "si", "signature", "subtask")
            case "task" | "shared_task":
                name = self._project.qualified_name(call.func, scope) or ""
                return name.startswith("celery.") or (not name and last_name(owner or call.func) in ("app", "celery"))
            case "signature":
                return "celery" in scope.module.imported_packages or call.keyword("args") is not None
        return True

    def _in_celery(self, use: _Use, uses: Sequence[_Use]) -> _Judged:
        application = use.application
        if application is None:
            return Effect.UNKNOWN, "nothing says which broker the tasks go through", ()
        declared = [*self._maximum(application), *self._declared[True]]
        broker = broker_of(application, self._celery, self._gathered)
        if broker is Broker.WITHOUT:
            return Effect.IGNORED, "the broker knows no priorities", (application.place,)
        if broker is Broker.REDIS:
            return self._on_redis(use, uses)
        if declared:
            return self._with_maximum(uses, declared)
        if self._declared[None]:
            return Effect.UNKNOWN, _OPEN, self._declared[None][:2]
        if broker is Broker.RABBITMQ:
            why = "RabbitMQ ignores it: no queue has a maximum (task_queue_max_priority, x-max-priority)"
            return Effect.IGNORED, why, (application.place,)
        return Effect.UNKNOWN, "nothing says which broker the tasks go through", (application.place,)

    def _maximum(self, application: Application) -> Iterator[Evidence]:
        for value in self._celery.stated(application, MAX_PRIORITY):
            yield value.module.evidence(value.node, "queues have this maximum")

    def _on_redis(self, use: _Use, uses: Sequence[_Use]) -> _Judged:
        """There 0 comes first: names tell whether somebody thought of it."""
        numbers = [(self._number(u), u) for u in uses]
        urgent = [(n, u) for n, u in numbers if n is not None and _means(u.value, _URGENT)]
        low = [(n, u) for n, u in numbers if n is not None and _means(u.value, _LOW)]
        crossed = [(a, b) for n, a in urgent for m, b in low if n > m]
        for first, last in crossed:
            if use in (first, last):
                why = "of Redis 0 comes first, so what is called urgent here comes last"
                return Effect.REVERSED, why, (first.place, last.place)
        return Effect.WORKS, "Redis keeps a list for each step, 0 first", ()

    def _number(self, use: _Use) -> int | None:
        node = use.value
        if isinstance(node, form.Attr) and node.attr == "value":
            node = node.value
        return int_value(node, use.scope, self._project)

    # --- RabbitMQ ---

    def _published(self) -> Iterator[_Use]:
        for name, packages in _PUBLISHING.items():
            for call, scope in self._project.calls_named(name):
                value = call.keyword("priority")
                if value is None or scope.module.role is not Role.PROD:
                    continue
                callee = self._project.callee_name(call, scope)
                package = next((p for p in packages if (callee or p).startswith(p)), None)
                if package is not None and package.rstrip(".") in scope.module.imported_packages:
                    yield _Use(package.rstrip("."), value, scope)

    def _in_rabbitmq(self, use: _Use) -> _Judged:
        if self._declared[True]:
            return self._with_maximum([use], self._declared[True])
        if self._declared[False] and not self._declared[None]:
            why = "RabbitMQ ignores it: no queue that is declared here has x-max-priority"
            return Effect.IGNORED, why, self._declared[False][:2]
        why = _OPEN if self._declared[None] else "the queue is declared elsewhere"
        return Effect.UNKNOWN, why, self._declared[None][:2]

    def _with_maximum(self, uses: Sequence[_Use], declared: Sequence[Evidence]) -> _Judged:
        levels = {n for u in uses if (n := self._number(u)) is not None}
        if self._quorum and len(levels) > _LEVELS_OF_QUORUM:
            return Effect.IGNORED, "a quorum queue knows two levels only", (*self._quorum[:1], *declared[:1])
        return Effect.WORKS, "queues have a maximum", declared[:2]

    @cached_property
    def _declared(self) -> dict[bool | None, list[Evidence]]:
        """Queues that the tree declares, by whether they have a maximum; None for those of which that can't be told."""
        found: dict[bool | None, list[Evidence]] = {True: [], False: [], None: []}
        for call, scope in self._queues():
            has: bool | None = call.keyword("max_priority") is not None or self._says(call, "x-max-priority", scope)
            has = has or (None if self._is_open(call, scope) else False)
            found[has].append(scope.module.evidence(call, _MAXIMUM[has]))
        return found

    def _is_open(self, call: form.Call, scope: Scope) -> bool:
        """Whether the queue's arguments, or some of them, are put together elsewhere."""
        if any(argument.star for argument in call.args):
            return True
        stated = [node for name in _ARGUMENTS if (node := call.keyword(name)) is not None]
        known = [[value for value, _ in self._written(node, scope)] for node in stated]
        return not all(values and all(map(_is_whole, values)) for values in known)

    def _written(self, node: form.Expr, scope: Scope) -> list[tuple[form.Expr, Scope]]:
        """What stands where the expression is, or what its name was given."""
        return definitions(node, scope, self._project) if isinstance(node, form.Name | form.Attr) else [(node, scope)]

    @cached_property
    def _quorum(self) -> list[Evidence]:
        return [s.module.evidence(c, "a quorum queue") for c, s in self._queues() if self._says(c, "quorum", s)]

    def _queues(self) -> Iterator[tuple[form.Call, Scope]]:
        for call, scope in self._project.calls_named(*_QUEUES):
            passive = call.keyword("passive")
            is_look = isinstance(passive, form.Const) and passive.value is True
            if scope.module.role is Role.PROD and not is_look and not _AMQP.isdisjoint(scope.module.imported_packages):
                yield call, scope

    def _says(self, call: form.Call, word: str, scope: Scope) -> bool:
        """Whether the arguments of the queue hold the text, where they stand or by name."""
        given = [found for argument in call.args for found in self._written(argument.value, scope)]
        return any(isinstance(n, form.Const) and n.value == word for node, _ in given for n in form.walk(node))

    # --- Huey ---

    def _in_huey(self) -> _Judged:
        for call, scope in self._project.calls_named(*_UNSORTED_HUEYS):
            if (self._project.callee_name(call, scope) or "").startswith("huey."):
                place = scope.module.evidence(call, "its queue has no order by priority")
                return Effect.IGNORED, "RedisHuey refuses priorities; PriorityRedisHuey knows them", (place,)
        return Effect.WORKS, "Huey's storage sorts by it", ()


_DRAMATIQ: _Judged = (
    Effect.WORKS,
    "workers of Dramatiq take the lowest number first of what they have fetched",
    (),
)


_MAXIMUM = {
    True: "this queue has a maximum",
    False: "this queue has no maximum",
    None: "what this queue is given isn't written here",
}


def _is_whole(node: form.Expr) -> bool:
    """A mapping that is all written here and that has something in it, or none at all."""
    if isinstance(node, form.Const):
        return node.value is None
    return isinstance(node, form.Dict) and bool(node.keys) and all(isinstance(key, form.Const) for key in node.keys)


def _means(node: form.Expr, wanted: frozenset[str]) -> bool:
    return not wanted.isdisjoint(words(form.dotted(node) or ""))
