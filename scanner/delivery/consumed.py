"""Functions that work on messages: tasks of libraries with queues, and consumers of brokers."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from assay.scanner.frameworks.brokers.subscriptions import READS
from assay.scanner.gathered import Gathered
from assay.scanner.linker.project import Project, last_name
from assay.scanner.linker.scopes import FunctionSymbol, Module
from assay.scanner.linker.values import Instance
from assay.scanner.model.role import Role
from assay.scanner.model.work import Consumer, Task
from assay.scanner.readers.python import form

TASK_QUEUES = frozenset({"Celery", "RQ", "Dramatiq", "arq", "Huey", "Django Q", "taskiq"})
BROKERS = frozenset(
    {
        "Kafka", "RabbitMQ", "Kombu", "NATS", "SQS", "Google Pub/Sub", "Faust", "FastStream", "Propan",
        "Azure Service Bus",
    }
)  # fmt: skip
"""Those that keep a message until somebody has taken it: Redis' channels and MQTT's topics are for who listens."""
_TAKING = READS | {"receive_message", "receive_messages", "receive", "pull", "drain_events", "iterator"}
_CLIENTS = ("kafka.", "aiokafka.", "confluent_kafka.", "aio_pika.", "aiormq.", "pika.", "nats.", "azure.")


@dataclass(frozen=True, slots=True, eq=False)
class Consumed:
    """A function that works on messages; `loop` is the one in it that takes them from the broker, if it does."""

    source: Task | Consumer
    function: FunctionSymbol
    loop: form.For | form.While | None = None

    @property
    def framework(self) -> str:
        return self.source.framework

    @property
    def is_task(self) -> bool:
        return isinstance(self.source, Task)

    @property
    def name(self) -> str:
        return self.source.name if isinstance(self.source, Task) else self.source.handler

    @property
    def schedule(self) -> str | None:
        return self.source.schedule if isinstance(self.source, Task) else None

    @property
    def body(self) -> list[form.Stmt]:
        """What is done with each message."""
        return self.loop.body if self.loop is not None else self.function.node.body

    @property
    def module(self) -> Module:
        return self.function.module


class ConsumedFunctions:
    """Those of one tree; tests don't count."""

    def __init__(self, gathered: Gathered) -> None:
        self._gathered = gathered
        self._functions: dict[str, dict[str, FunctionSymbol]] = {}

    @cached_property
    def all(self) -> tuple[Consumed, ...]:
        """Each function once."""
        found = {consumed.function: consumed for consumed in (*self.consumers, *self.tasks)}
        return tuple(found.values())

    @cached_property
    def tasks(self) -> tuple[Consumed, ...]:
        """Each function once: as the task that is sent, if it is one that a schedule runs too."""
        found: dict[FunctionSymbol, Consumed] = {}
        tasks = [t for t in self._gathered.tasks if t.role is Role.PROD and t.framework in TASK_QUEUES]
        for task in sorted(tasks, key=lambda t: t.schedule is not None):
            function = self._in_module(task.location.path).get(task.handler) or self._function(task.handler)
            if function is not None:
                found.setdefault(function, Consumed(task, function))
        return tuple(found.values())

    @cached_property
    def consumers(self) -> tuple[Consumed, ...]:
        """With the loop, for one that takes its messages itself."""
        found: list[Consumed] = []
        for consumer in self._gathered.consumers:
            function = self._function(consumer.handler)
            if consumer.role is Role.PROD and consumer.framework in BROKERS and function is not None:
                loop = _loop(consumer, function, self._gathered.project)
                found.append(Consumed(consumer, function, loop))
        return tuple(found)

    def _function(self, handler: str) -> FunctionSymbol | None:
        paths = self._paths.get(handler.partition(":")[0], ())
        return next((f for path in paths if (f := self._in_module(path).get(handler)) is not None), None)

    def _in_module(self, path: str) -> dict[str, FunctionSymbol]:
        if path not in self._functions:
            module = self._gathered.project.modules[path]
            self._functions[path] = {function.id: function for function in module.functions}
        return self._functions[path]

    @cached_property
    def _paths(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for module in self._gathered.project.modules.values():
            found.setdefault(module.name, []).append(module.path)
        return found


def _loop(consumer: Consumer, function: FunctionSymbol, project: Project) -> form.For | form.While | None:
    """The innermost loop with one message at a time."""
    loops = [n for n in function.nodes if isinstance(n, form.For | form.While)]
    outer = next((loop for loop in loops if _takes(loop, consumer, function, project)), None)
    if outer is None:
        return None
    inner = _batches(outer, loops)
    return inner if inner is not None else outer


def _takes(loop: form.For | form.While, consumer: Consumer, function: FunctionSymbol, project: Project) -> bool:
    """Whether it takes messages from the broker: by its calls, or by what it goes through."""
    if consumer.framework in ("Faust", "FastStream", "Propan"):
        given = {parameter.name for parameter in function.parameters}
        return isinstance(loop, form.For) and isinstance(loop.iter, form.Name) and loop.iter.id in given
    if any(isinstance(n, form.Call) and last_name(n.func) in _TAKING for n in form.walk(loop)):
        return True
    if isinstance(loop, form.While) or not isinstance(loop.iter, form.Name | form.Attr):
        return False
    value = project.infer(loop.iter, function.scope)
    return isinstance(value, Instance) and value.type_name.startswith(_CLIENTS)


def _batches(outer: form.For | form.While, loops: list[form.For | form.While]) -> form.For | None:
    """The loop over what was taken at once: `for message in response["Messages"]`."""
    is_batch = isinstance(outer, form.While) or _is_mapping(outer.iter)
    inside = [n for n in loops if isinstance(n, form.For) and outer.start < n.start < outer.end]
    if not is_batch or not inside:
        return None
    first = inside[0]
    deeper = [n for n in inside[1:] if first.start < n.start < first.end]
    return deeper[0] if _is_mapping(first.iter) and deeper else first


def _is_mapping(node: form.Expr) -> bool:
    """`records.items()`: partitions with their messages."""
    return isinstance(node, form.Call) and last_name(node.func) in ("items", "values")
