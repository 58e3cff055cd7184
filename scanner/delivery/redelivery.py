"""Where consumers return messages to the broker, or leave them there, and what ends those that fail each time."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

from assay.scanner.dataflow.blocks import Block, ModuleBlocks
from assay.scanner.dataflow.constants import constant
from assay.scanner.dataflow.handlers import Handlers
from assay.scanner.dataflow.lexicon import words
from assay.scanner.dataflow.loggers import Loggers
from assay.scanner.dataflow.numbering import Ordinals, around
from assay.scanner.delivery.consumed import Consumed, ConsumedFunctions
from assay.scanner.delivery.errors import all_may_pass, any_never_passes
from assay.scanner.delivery.handling import ACKNOWLEDGING
from assay.scanner.gathered import Gathered
from assay.scanner.linker.project import last_name
from assay.scanner.linker.scopes import Module, Scope
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
_DECLARING = ("queue_declare", "declare_queue", "Queue", "ConsumerConfig", "create_subscription", "create_queue")
_LIMITS = frozenset({"x-delivery-limit", "quorum", "RedrivePolicy", "deadLetterTargetArn", "dead_letter_policy"})
_PASSED_OVER = frozenset(
    """skip skipping skipped already ignore ignoring ignored duplicate duplicates unknown unsupported invalid exists
    drop dropping discard discarding""".split()
)
_PARSING = frozenset(
    """loads load parse decode validate deserialize decompress get json model unpack dict str int b64decode
    fromstring from split strip replace items keys exception""".split()
)
"""Words of calls that only read what a message says."""


def redeliveries(gathered: Gathered, consumed: ConsumedFunctions) -> Iterator[Redelivery]:
    """Of brokers, then of tasks that are tried for ever."""
    if gathered.consumers or consumed.tasks:
        yield from _Reader(gathered, consumed).all()


class _Reader:
    def __init__(self, gathered: Gathered, consumed: ConsumedFunctions) -> None:
        self._project = gathered.project
        self._consumed = consumed
        self._handlers = Handlers(gathered.project, Loggers(gathered.project))
        self._loggers = Loggers(gathered.project)
        self._blocks: dict[Module, ModuleBlocks] = {}
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
        for each in self._consumed.tasks:
            yield from self._of_task(each)

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
        place = scope.module.evidence(call, "it goes back into the queue here" if goes_back else "it ends here")
        is_limited = call.keyword("reject_on_redelivered")
        counting = self._counting(scope)
        shown: tuple[Evidence, ...] = (place,)
        if goes_back is False:
            returned = Return.ENDED
        elif isinstance(is_limited, form.Const) and is_limited.value is True:
            returned, shown = Return.COUNTED, (scope.module.evidence(is_limited, "a second failure ends it"),)
        elif counting is not None:
            returned, shown = Return.COUNTED, (counting, place)
        elif self._limit is not None and package not in ("google", "celery"):
            returned, shown = Return.COUNTED, (self._limit, place)
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
        block = self._around(call, scope.module)
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

    def _around(self, node: form.Node, module: Module) -> Block | None:
        """The handler that it stands in, whatever lies between."""
        if module not in self._blocks:
            self._blocks[module] = ModuleBlocks(module)
        for block in self._blocks[module].innermost(node.start).within_function():
            if isinstance(block.header, form.Handler):
                return block
        return None

    def _counting(self, scope: Scope) -> Evidence | None:
        """Where the function looks at how often it was delivered."""
        function = scope.function
        for node in function.nodes if function is not None else ():
            match node:
                case form.Name(id=name) | form.Attr(attr=name) | form.Const(value=str() as name) if name in _COUNTING:
                    return scope.module.evidence(node, "deliveries are counted")
        return None

    @cached_property
    def _limit(self) -> Evidence | None:
        """A queue, or a subscription, that ends what was delivered too often."""
        for call, scope in self._project.calls_named(*_DECLARING):
            if scope.module.role is not Role.PROD:
                continue
            if call.keyword("max_deliver") is not None or call.keyword("dead_letter_policy") is not None:
                return scope.module.evidence(call, "deliveries are limited here")
            for node in form.walk(call):
                if isinstance(node, form.Const) and isinstance(node.value, str) and node.value in _LIMITS:
                    return scope.module.evidence(node, "deliveries are limited here")
        return None

    # --- what isn't deleted, or is read once more ---

    def _of_sqs(self, each: Consumed) -> Iterator[Redelivery]:
        """Ways through the loop on which the message isn't deleted."""
        scope, module = each.function.scope, each.module
        counting = self._counting(scope)
        bounded = counting if counting is not None else self._limit
        ways = list(self._undeleted(each))
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

    def _undeleted(self, each: Consumed) -> Iterator[tuple[form.Stmt, bool]]:
        """The last statements of handlers that don't delete, and whether it is the data that was wrong."""
        if not any(_deletes(node) for node in each.function.nodes):
            return
        for statement in form.walk_body(each.body, into_definitions=False):
            if isinstance(statement, form.If) and _is_passed_over(statement.body):
                yield statement.body[-1], True
            if not isinstance(statement, form.Try):
                continue
            for handler in statement.handlers:
                nodes = list(form.walk_body([*handler.body, *statement.final], into_definitions=False))
                if any(_deletes(n) or isinstance(n, form.Raise) for n in nodes):
                    continue
                last = handler.body[-1]
                is_skipped = isinstance(last, form.Jump) and last.keyword == "continue"
                is_last = each.body[-1] is statement and any(_deletes(n) for n in form.walk_body(statement.body))
                if is_skipped or is_last:
                    types = self._handlers.types(handler, each.function.scope)
                    is_broad = self._handlers.breadth(types) is not Breadth.NARROW
                    hopeless = self._only_reads(statement.body, each) if is_broad else any_never_passes(types)
                    yield last, hopeless

    def _only_reads(self, body: list[form.Stmt], each: Consumed) -> bool:
        """Whether it only finds out what the message says."""
        calls = [n for n in form.walk_body(body, into_definitions=False) if isinstance(n, form.Call)]
        calls = [c for c in calls if self._loggers.log_call(c, each.function.scope) is None]
        names = [last_name(call.func) or "" for call in calls]
        return bool(names) and all(not _PARSING.isdisjoint(words(name)) for name in names)

    def _of_seeking(self, each: Consumed) -> Iterator[Redelivery]:
        """`consumer.seek(partition, message.offset)` after a failure."""
        for node in each.function.nodes:
            if not isinstance(node, form.Call) or last_name(node.func) != "seek":
                continue
            block = self._around(node, each.module)
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
                counting = self._counting(each.function.scope) or self._limit
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


def _deletes(node: form.Expr | form.Stmt) -> bool:
    if isinstance(node, form.Const):
        return node.value == "ReceiptHandle"
    return isinstance(node, form.Call) and last_name(node.func) in ACKNOWLEDGING | {"delete"}


def _is_passed_over(body: list[form.Stmt]) -> bool:
    """Whether the branch only says that it won't handle the message, and goes on to the next."""
    last = body[-1]
    if not isinstance(last, form.Jump) or last.keyword != "continue" or len(body) < 2:
        return False
    nodes = list(form.walk_body(body))
    texts = [n.value for n in nodes if isinstance(n, form.Const) and isinstance(n.value, str)]
    texts += [p for n in nodes if isinstance(n, form.Template) for p in n.parts if isinstance(p, str)]
    said = any(not _PASSED_OVER.isdisjoint(words(text)) for text in texts)
    return said and not any(_deletes(n) for n in nodes)


def _gives_back(handler: form.Handler) -> bool:
    """Whether it has the message delivered again."""
    for node in form.walk_body(handler.body):
        if isinstance(node, form.Call) and last_name(node.func) in _NAMES:
            stated = node.keyword("requeue")
            if not (isinstance(stated, form.Const) and stated.value is False):
                return True
    return False
