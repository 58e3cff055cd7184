"""Where consumers return messages to the broker, or leave them there, and what ends those that fail each time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cached_property

from assay.scanner.dataflow.constants import constant
from assay.scanner.dataflow.handlers import Handlers
from assay.scanner.dataflow.lexicon import words
from assay.scanner.dataflow.loggers import Loggers
from assay.scanner.dataflow.numbering import Ordinals, around
from assay.scanner.delivery.consumed import Consumed, ConsumedFunctions
from assay.scanner.delivery.errors import all_may_pass, any_never_passes
from assay.scanner.delivery.resending import Resending
from assay.scanner.delivery.undeleted import Undeleted
from assay.scanner.gathered import Gathered
from assay.scanner.linker.project import last_name
from assay.scanner.linker.scopes import Scope
from assay.scanner.model.delivery import Redelivery, Return
from assay.scanner.model.log import Breadth
from assay.scanner.model.place import Evidence
from assay.scanner.model.role import Role
from assay.scanner.model.work import Task
from assay.scanner.readers.python import form

_BY_PACKAGE: dict[str, dict[str, tuple[int | None, bool]]] = {
    "pika": {"basic_nack": (2, True), "basic_reject": (1, True)},
    "aio_pika": {"nack": (None, True), "reject": (0, False), "process": (0, False)},
    "aiormq": {"basic_nack": (None, True), "basic_reject": (None, True)},
    "kombu": {"requeue": (None, True), "reject": (0, False), "requeue_log_error": (None, True)},
    "nats": {"nak": (None, True), "term": (None, False)},
    "google": {"nack": (None, True)},
    "celery": {"Reject": (1, False)},
}
"""Where a method says whether the message goes back into the queue, and what it does where it isn't told."""
_NAMES = tuple(dict.fromkeys(name for names in _BY_PACKAGE.values() for name in names))
_FRAMEWORKS = {
    "pika": "RabbitMQ", "aio_pika": "RabbitMQ", "aiormq": "RabbitMQ", "kombu": "Kombu", "nats": "NATS",
    "google": "Google Pub/Sub", "celery": "Celery",
}  # fmt: skip
_MESSAGES = frozenset({"message", "msg", "incoming", "delivery", "event", "m", "messages"})
_COUNTING = (
    "redelivered", "x-death", "x-delivery-count", "delivery_count", "num_delivered", "delivery_attempt",
    "ApproximateReceiveCount", "receive_count", "attempt", "attempts", "retries", "retry_count", "deaths", "tries",
    "max_deliver", "headers_retries",
)  # fmt: skip
_SAID = {True: "it goes back into the queue here", False: "it ends here", None: "whether it goes back is computed"}
_DECLARING = ("queue_declare", "declare_queue", "Queue", "ConsumerConfig", "create_subscription", "create_queue")
_RABBITMQ = frozenset({"x-delivery-limit", "quorum"})
_LIMITS = {
    "RabbitMQ": _RABBITMQ,
    "Kombu": _RABBITMQ,
    "FastStream": _RABBITMQ | {"max_deliver"},
    "NATS": frozenset({"max_deliver"}),
    "SQS": frozenset({"RedrivePolicy", "deadLetterTargetArn"}),
    "Google Pub/Sub": frozenset({"dead_letter_policy"}),
}
"""What queues and subscriptions are made with that end what was delivered too often."""


def redeliveries(gathered: Gathered, consumed: ConsumedFunctions) -> Iterator[Redelivery]:
    """Of brokers, then of tasks that are tried for ever."""
    if gathered.consumers or consumed.tasks:
        yield from _Reader(gathered, consumed).all()


class _Reader:
    def __init__(self, gathered: Gathered, consumed: ConsumedFunctions) -> None:
        self._project = gathered.project
        self._consumed = consumed
        self._handlers = Handlers(gathered.project, Loggers(gathered.project))
        self._undeleted = Undeleted(gathered.project, self._handlers)
        self._resending = Resending(gathered.project, self._handlers)
        self._ordinals = Ordinals()

    def all(self) -> Iterator[Redelivery]:
        """In order of position within each kind."""
        for call, scope in self._project.calls_named(*_NAMES):
            if scope.module.role is Role.PROD and (package := self._package(call, scope)) is not None:
                yield self._of_call(call, scope, package)
        for each in self._consumed.consumers:
            if each.framework == "SQS":
                yield from self._of_sqs(each)
            elif each.framework == "Kafka":
                yield from self._of_seeking(each)
            elif each.framework == "FastStream":
                yield from self._of_policy(each)
        for each in self._consumed.all:
            if each.is_task:
                yield from self._of_task(each)
            for call in self._resending.endless(each):
                if self._counting(each.function.scope) is None:
                    place = each.module.evidence(call, "what failed is sent to itself again")
                    made = self._made(each.framework, each.function.scope, call, Return.ENDLESS, (place,))
                    yield replace(made, task=each.name) if each.is_task else made

    # --- calls that say so ---

    def _package(self, call: form.Call, scope: Scope) -> str | None:
        """Whose method it is, by what the module imports and by what it is called on."""
        name = last_name(call.func) or ""
        for package in scope.module.imported_packages & _BY_PACKAGE.keys():
            if name not in _BY_PACKAGE[package]:
                continue
            if name in ("Reject", "requeue_log_error") or name.startswith("basic_"):
                return package
            owner = last_name(call.func.value) if isinstance(call.func, form.Attr) else None
            if owner is not None and not _MESSAGES.isdisjoint(words(owner)):
                return package
        return None

    def _of_call(self, call: form.Call, scope: Scope, package: str) -> Redelivery:
        name = last_name(call.func) or ""
        index, default = _BY_PACKAGE[package][name]
        stated = call.argument(index, "requeue") if index is not None else call.keyword("requeue")
        goes_back: bool | None = default
        if stated is not None:
            known = constant(stated, scope, self._project)
            goes_back = bool(known.value) if known is not None else None
        place = scope.module.evidence(call, _SAID[goes_back])
        is_limited = call.keyword("reject_on_redelivered")
        counting = self._counting(scope)
        shown: tuple[Evidence, ...] = (place,)
        if goes_back is False:
            returned = Return.ENDED
        elif isinstance(is_limited, form.Const) and is_limited.value is True:
            returned, shown = Return.COUNTED, (scope.module.evidence(is_limited, "a second failure ends it"),)
        elif counting is not None:
            returned, shown = Return.COUNTED, (counting, place)
        elif (limit := self._limit(_FRAMEWORKS[package])) is not None:
            returned, shown = Return.COUNTED, (limit, place)
        elif goes_back is None:
            returned = Return.UNKNOWN
        elif name == "process":
            returned = Return.ENDLESS
        else:
            returned, shown = self._by_handler(call, scope, place)
        if returned is Return.ENDLESS and package == "google":
            returned = Return.UNKNOWN  # the subscription may have a dead-letter policy
        return self._made(_FRAMEWORKS[package], scope, call, returned, shown)

    def _made(
        self, framework: str, scope: Scope, node: form.Node, returned: Return, evidence: tuple[Evidence, ...]
    ) -> Redelivery:
        function = around(scope)
        ordinal = self._ordinals.next(function, framework)
        module = scope.module
        return Redelivery(framework, function, ordinal, module.location(node), module.role, returned, evidence)

    def _by_handler(self, call: form.Call, scope: Scope, place: Evidence) -> tuple[Return, tuple[Evidence, ...]]:
        """By the exceptions after which it goes back."""
        block = self._resending.handler_around(call, scope.module)
        if block is None or not isinstance(block.header, form.Handler):
            return Return.UNKNOWN, (place,)
        types = self._handlers.types(block.header, scope)
        if self._handlers.breadth(types) is not Breadth.NARROW:
            others = block.owner.handlers if block.owner is not None else []
            sorted_out = [h for h in others if h is not block.header and not _gives_back(h)]
            return (Return.UNKNOWN if sorted_out else Return.ENDLESS), (place,)
        if any_never_passes(types):
            return Return.HOPELESS, (place,)
        return (Return.PASSING if all_may_pass(types) else Return.UNKNOWN), (place,)

    def _counting(self, scope: Scope) -> Evidence | None:
        """Where the function looks at how often it was delivered."""
        function = scope.function
        for node in function.nodes if function is not None else ():
            match node:
                case form.Name(id=name) | form.Attr(attr=name) | form.Const(value=str() as name) if name in _COUNTING:
                    return scope.module.evidence(node, "deliveries are counted")
        return None

    def _limit(self, framework: str) -> Evidence | None:
        """A queue, or a subscription, of the broker that ends what was delivered too often."""
        return next((evidence for name, evidence in self._limits if name in _LIMITS.get(framework, ())), None)

    @cached_property
    def _limits(self) -> tuple[tuple[str, Evidence], ...]:
        """What limits deliveries, by its name."""
        return tuple(self._stated_limits())

    def _stated_limits(self) -> Iterator[tuple[str, Evidence]]:
        names = frozenset[str]().union(*_LIMITS.values())
        for call, scope in self._project.calls_named(*_DECLARING):
            if scope.module.role is not Role.PROD:
                continue
            for argument in call.args:
                if argument.name in names:
                    yield argument.name, scope.module.evidence(argument.value, "deliveries are limited here")
            for node in form.walk(call):
                if isinstance(node, form.Const) and isinstance(node.value, str) and node.value in names:
                    yield node.value, scope.module.evidence(node, "deliveries are limited here")

    # --- what isn't deleted, or is read once more ---

    def _of_sqs(self, each: Consumed) -> Iterator[Redelivery]:
        """Ways through the loop on which the message isn't deleted."""
        at = self._undeleted.deleting(each)
        scope, module = at.function.scope, at.module
        bounded = self._counting(scope) or self._limit("SQS")
        ways = list(self._undeleted.ways(at))
        start = each.source.location
        if bounded is not None or not ways:
            text = "each message is deleted, or comes back by intention"
            evidence = bounded if bounded is not None else Evidence(start, text)
            returned = Return.COUNTED if bounded is not None else Return.ENDED
            yield self._of_consumer(each, returned, (evidence,))
            return
        hopeless = [end for end, is_hopeless in ways if is_hopeless]
        for end in hopeless:
            place = module.evidence(end, "the message isn't deleted here, and comes back")
            yield self._made("SQS", scope, end, Return.HOPELESS, (place,))
        if not hopeless:
            shown = tuple(module.evidence(end, "the message isn't deleted here") for end, _ in ways[:3])
            yield self._of_consumer(each, Return.UNKNOWN, shown)

    def _of_consumer(self, each: Consumed, returned: Return, evidence: tuple[Evidence, ...]) -> Redelivery:
        ordinal = self._ordinals.next(each.function.id, each.framework)
        location = each.source.location
        return Redelivery(each.framework, each.function.id, ordinal, location, each.module.role, returned, evidence)

    def _of_seeking(self, each: Consumed) -> Iterator[Redelivery]:
        """`consumer.seek(partition, message.offset)` after a failure."""
        for node in each.function.nodes:
            if not isinstance(node, form.Call) or last_name(node.func) != "seek":
                continue
            block = self._resending.handler_around(node, each.module)
            if block is None or not isinstance(block.header, form.Handler):
                continue
            place = each.module.evidence(node, "the same message is read once more")
            counting = self._counting(each.function.scope)
            if counting is not None:
                yield self._made("Kafka", each.function.scope, node, Return.COUNTED, (counting, place))
            else:
                returned, shown = self._by_handler(node, each.function.scope, place)
                yield self._made("Kafka", each.function.scope, node, returned, shown)

    def _of_policy(self, each: Consumed) -> Iterator[Redelivery]:
        """`@broker.subscriber("orders", ack_policy=AckPolicy.NACK_ON_ERROR)`."""
        for decorator in each.function.decorators:
            policy = decorator.keyword("ack_policy") if isinstance(decorator, form.Call) else None
            if policy is not None and last_name(policy) == "NACK_ON_ERROR":
                place = each.module.evidence(policy, "what fails goes back into the queue")
                counting = self._counting(each.function.scope) or self._limit("FastStream")
                returned = Return.COUNTED if counting is not None else Return.ENDLESS
                yield self._of_consumer(each, returned, (place,) if counting is None else (counting, place))

    # --- tasks ---

    def _of_task(self, each: Consumed) -> Iterator[Redelivery]:
        """`max_retries=None`, where something tries again."""
        limit = each.source.option("max_retries") if isinstance(each.source, Task) else None
        if limit is None or limit.value != "None" or each.framework not in ("Celery", "Dramatiq"):
            return
        again = [n for n in each.function.nodes if isinstance(n, form.Call) and last_name(n.func) == "retry"]
        is_named = isinstance(each.source, Task) and each.source.option("autoretry_for") is not None
        if each.framework == "Celery" and not is_named and not again:
            return
        bounded = next((stated for call in again if (stated := call.keyword("max_retries")) is not None), None)
        is_endless = bounded is None or (isinstance(bounded, form.Const) and bounded.value is None)
        shown = limit.evidence if is_endless or bounded is None else each.module.evidence(bounded, "this is the limit")
        ordinal = self._ordinals.next(each.name, each.framework)
        returned = Return.ENDLESS if is_endless else Return.COUNTED
        yield Redelivery(
            each.framework, each.function.id, ordinal, each.source.location, each.module.role, returned, (shown,),
            each.name,
        )  # fmt: skip


def _gives_back(handler: form.Handler) -> bool:
    """Whether it has the message delivered again."""
    for node in form.walk_body(handler.body):
        if isinstance(node, form.Call) and last_name(node.func) in _NAMES:
            stated = node.keyword("requeue")
            if not (isinstance(stated, form.Const) and stated.value is False):
                return True
    return False
