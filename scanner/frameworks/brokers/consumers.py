"""Consumers: what reads from which source, and which function gets the messages."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from assay.scanner.framework import Context, Framework
from assay.scanner.frameworks.brokers import subscriptions
from assay.scanner.frameworks.brokers.sources import sources
from assay.scanner.frameworks.brokers.subscriptions import DECORATORS, READS, Subscription
from assay.scanner.linker.project import last_part
from assay.scanner.linker.scopes import Scope
from assay.scanner.linker.values import Instance, SuperProxy
from assay.scanner.model.work import Consumer
from assay.scanner.readers.python import form
from assay.scanner.work.references import decorated_functions, functions_of, library_callee

_UNKNOWN = "what this consumer reads can't be told"
_KOMBU_MIXINS = ("kombu.mixins.ConsumerMixin", "kombu.mixins.ConsumerProducerMixin")


def _reader(framework: str, ways: tuple[Subscription, ...]) -> Callable[[Context], Iterable[Consumer]]:
    """What finds the consumers of one framework."""
    by_method: dict[str, list[Subscription]] = {}
    for way in ways:
        by_method.setdefault(way.method, []).append(way)

    def consumers(context: Context) -> Iterator[Consumer]:
        loops = _Loops(context)
        found: dict[str, Consumer] = {}
        for call, scope in context.project.calls_named(*by_method):
            way = _way(call, scope, by_method, context)
            if way is not None and not _is_of_client(call.func, scope, context):
                for consumer in _consumers(call, scope, way, framework, loops, context):
                    found.setdefault(consumer.subject_id, consumer)
        return iter(found.values())

    return consumers


def _way(
    call: form.Call, scope: Scope, by_method: dict[str, list[Subscription]], context: Context
) -> Subscription | None:
    name = library_callee(call.func, scope, context.project)
    method = call.func.attr if isinstance(call.func, form.Attr) else last_part(form.dotted(call.func) or "")
    for way in by_method.get(method, ()):
        if name is not None and name.split(".", 1)[0] == way.package and way.within.lower() in name.lower():
            return way
        if name is None and (way.is_telling or _is_mixins_consumer(scope, way, context)) and call.args:
            return way
    return None


def _is_of_client(func: form.Expr, scope: Scope, context: Context) -> bool:
    """`super().subscribe(...)` and the like in a project's own client: who uses it is the consumer."""
    receiver = context.project.infer(func.value, scope) if isinstance(func, form.Attr) else None
    owner = scope.function.owner if scope.function is not None else None
    is_own = isinstance(receiver, Instance) and owner is not None and receiver.cls is owner
    return is_own or isinstance(receiver, SuperProxy)


def _is_mixins_consumer(scope: Scope, way: Subscription, context: Context) -> bool:
    """The class `Consumer` that kombu's mixin hands to `get_consumers`."""
    owner = scope.function.owner if scope.function is not None else None
    return way.package == "kombu" and owner is not None and context.project.is_subclass(owner, *_KOMBU_MIXINS)


def _consumers(
    call: form.Call, scope: Scope, way: Subscription, framework: str, loops: _Loops, context: Context
) -> Iterator[Consumer]:
    named = _sources(call, scope, way, context)
    if named is None:
        return
    location = scope.module.location(call)
    if not named:
        context.unresolved(location, _UNKNOWN)
    for handler in _handlers(call, scope, way, context) or [loops.around(call, scope)]:
        yield Consumer(_id(handler), tuple(dict.fromkeys(named)), framework, location, scope.module.role)


def _sources(call: form.Call, scope: Scope, way: Subscription, context: Context) -> list[str] | None:
    """What the call reads; None where it doesn't say so and is about to be told by another call."""
    stated = [v for name in way.source_names if (v := call.keyword(name)) is not None]
    if way.is_many:
        stated += [argument.value for argument in call.args if argument.name is None]
        if not stated:
            return None
    elif not stated and way.source_at is not None:
        stated = call.positional[way.source_at : way.source_at + 1]
    if not stated and way.of_receiver and isinstance(call.func, form.Attr):
        stated = [call.func.value]
    return [source for node in stated for source in sources(node, scope, context.project)]


def _handlers(call: form.Call, scope: Scope, way: Subscription, context: Context) -> list[Scope]:
    """The functions that each message is handed to."""
    given = [v for name in way.handler_names if (v := call.keyword(name)) is not None]
    if not given and way.handler_at is not None:
        given = call.positional[way.handler_at : way.handler_at + 1]
    nodes = [item for node in given for item in (node.items if isinstance(node, form.Display) else [node])]
    return [function.scope for node in nodes for function in functions_of(node, scope, context.project)]


class _Loops:
    """Where the messages of a client are read: in the function that made it, or in another one."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._read_in: dict[form.Call, Scope] | None = None

    def around(self, call: form.Call, scope: Scope) -> Scope:
        """The scope that loops over what the call subscribes to, else the one of the call."""
        if self._read_in is None:
            self._read_in = dict(self._reads())
        made = call
        if isinstance(call.func, form.Attr):
            client = self._context.project.infer(call.func.value, scope)
            made = client.origin if isinstance(client, Instance) and client.origin is not None else call
        return self._read_in.get(made, scope)

    def _reads(self) -> Iterator[tuple[form.Call, Scope]]:
        """Clients, by the calls that made them, with the scopes of their `poll()` or `for message in client`."""
        project = self._context.project
        for call, scope in project.calls_named(*sorted(READS)):
            if isinstance(call.func, form.Attr):
                yield from self._made(call.func.value, scope)
        for function in project.functions:
            if function.module.imported_packages.isdisjoint(_PACKAGES):
                continue
            for node in function.nodes:
                if isinstance(node, form.For) and isinstance(node.iter, form.Name | form.Attr):
                    yield from self._made(node.iter, function.scope)

    def _made(self, node: form.Expr, scope: Scope) -> Iterator[tuple[form.Call, Scope]]:
        value = self._context.project.infer(node, scope)
        if isinstance(value, Instance) and value.origin is not None:
            yield value.origin, scope


def _id(scope: Scope) -> str:
    return f"{scope.module.name}:{scope.qualname}" if scope.qualname else scope.module.name


def _decorated(context: Context) -> Iterator[Consumer]:
    """`@app.agent(topic)`, `@broker.subscriber("orders")`."""
    for decorator in DECORATORS:
        for made, function in decorated_functions(context.project, decorator.name):
            if made.name.split(".", 1)[0] == decorator.package:
                keywords = (made.call.keyword(name) for name in decorator.source_names)
                stated = [value for value in keywords if value is not None] or made.call.positional
                named = [source for node in stated for source in sources(node, made.scope, context.project)]
                if not named:
                    context.unresolved(function.location, _UNKNOWN)
                module = function.module
                yield Consumer(function.id, tuple(named), decorator.framework, function.location, module.role)


def _broker(name: str, ways: tuple[Subscription, ...], *, is_listed: bool = True) -> Framework:
    packages = tuple(sorted({way.package for way in ways}))
    return Framework(name, packages, consumers=_reader(name, ways), is_listed=is_listed)


KAFKA = _broker("Kafka", subscriptions.KAFKA)
RABBITMQ = _broker("RabbitMQ", subscriptions.RABBITMQ)
KOMBU = _broker("Kombu", subscriptions.KOMBU, is_listed=False)
NATS = _broker("NATS", subscriptions.NATS)
SQS = _broker("SQS", subscriptions.SQS, is_listed=False)
PUBSUB = _broker("Google Pub/Sub", subscriptions.PUBSUB, is_listed=False)
REDIS = _broker("Redis", subscriptions.REDIS, is_listed=False)
MQTT = _broker("MQTT", subscriptions.MQTT)
SERVICE_BUS = _broker("Azure Service Bus", subscriptions.SERVICE_BUS, is_listed=False)
STREAMS = Framework("streams", tuple(d.package for d in DECORATORS), consumers=_decorated, is_listed=False)
_PACKAGES = frozenset(
    p for f in (KAFKA, RABBITMQ, KOMBU, NATS, SQS, PUBSUB, REDIS, MQTT, SERVICE_BUS) for p in f.packages
)
