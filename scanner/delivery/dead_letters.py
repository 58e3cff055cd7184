"""Where messages end that fail each time: by what queues are declared with, by what consumers do."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from assay.scanner.dataflow.lexicon import words
from assay.scanner.dataflow.numbering import Ordinals
from assay.scanner.delivery.consumed import Consumed, ConsumedFunctions
from assay.scanner.delivery.declarations import Declaration
from assay.scanner.delivery.failed_tasks import FailedTasks
from assay.scanner.gathered import Gathered
from assay.scanner.linker.project import last_name
from assay.scanner.model.delivery import (
    Acknowledgement,
    ConsumerFailure,
    DeadLetterPath,
    DeadLetters,
    FailedWork,
    Moment,
)
from assay.scanner.model.place import Evidence
from assay.scanner.model.role import Role
from assay.scanner.model.work import Consumer
from assay.scanner.readers.python import form
from assay.scanner.workers.celery_options import CeleryOptions

_BURYING = frozenset({"dead", "dlq", "dlx", "dlt", "deadletter", "poison", "parking", "failed", "errors", "quarantine"})
_SENDING = frozenset(
    {"send", "publish", "basic_publish", "produce", "send_and_wait", "send_message", "dead_letter_message"}
)
_REJECTING = frozenset({"nack", "basic_nack", "reject", "basic_reject", "process"})


def dead_letter_paths(
    gathered: Gathered,
    consumed: ConsumedFunctions,
    celery: CeleryOptions,
    declared: Sequence[Declaration],
    failures: Sequence[ConsumerFailure],
    acknowledgements: Sequence[Acknowledgement],
) -> Iterator[DeadLetterPath]:
    """Of worker apps, then of queues that consumers read."""
    yield from FailedTasks(gathered, consumed, celery, declared).all()
    yield from _Reader(gathered, consumed, declared, failures, acknowledgements).all()


class _Reader:
    def __init__(
        self,
        gathered: Gathered,
        consumed: ConsumedFunctions,
        declared: Sequence[Declaration],
        failures: Sequence[ConsumerFailure],
        acknowledgements: Sequence[Acknowledgement],
    ) -> None:
        self._gathered = gathered
        self._project = gathered.project
        self._consumed = consumed
        self._declared = declared
        self._stored = {f.handler: f for f in failures if f.outcome in (FailedWork.STORED, FailedWork.SENT_ON)}
        self._gone = {a.function for a in acknowledgements if _is_gone(a)}
        self._ordinals = Ordinals()

    def all(self) -> Iterator[DeadLetterPath]:
        """In order of the consumers."""
        for each in self._consumed.consumers:
            end, evidence = self._of_consumer(each)
            source = each.source
            name = ",".join(source.sources) if isinstance(source, Consumer) and source.sources else each.name
            ordinal = self._ordinals.next(name, each.framework)
            yield DeadLetterPath(each.framework, name, ordinal, source.location, each.module.role, end, evidence)

    def _of_consumer(self, each: Consumed) -> tuple[DeadLetters, tuple[Evidence, ...]]:
        if (buried := self._buried(each)) is not None:
            return DeadLetters.STATED, (buried,)
        stored = self._stored.get(each.function.id)
        if stored is not None:
            return DeadLetters.STORED, stored.evidence[-1:]
        if each.function.id in self._gone:
            return DeadLetters.NOT_REJECTED, ()
        place = Evidence(each.source.location, "the queue is read here")
        match each.framework:
            case "RabbitMQ" | "Kombu":
                return self._of_rabbitmq(each, place)
            case "SQS":
                return self._by_creation(("create_queue",), ("RedrivePolicy",), place)
            case "Google Pub/Sub":
                return self._by_creation(("create_subscription",), ("dead_letter_policy",), place)
            case "NATS":
                return self._of_nats(place)
            case "Kafka":
                return DeadLetters.DROPPED, (place,)
        return DeadLetters.NOT_REJECTED, ()

    def _buried(self, each: Consumed) -> Evidence | None:
        """Where the consumer, or its module, sends what it gives up to a queue whose name says so."""
        for call, scope in each.module.calls_named(_SENDING):
            names = [name for a in call.args for n in form.walk(a.value) if (name := _named(n)) is not None]
            owner = last_name(call.func.value) if isinstance(call.func, form.Attr) else None
            if last_name(call.func) == "dead_letter_message" or any(
                not _BURYING.isdisjoint(words(name)) for name in (*names, owner or "")
            ):
                return scope.module.evidence(call, "what failed is sent there")
        for node in each.function.nodes:
            if isinstance(node, form.Call) and not _BURYING.isdisjoint(words(last_name(node.func) or "")):
                return each.module.evidence(node, "this puts away what failed")
        return None

    def _of_rabbitmq(self, each: Consumed, place: Evidence) -> tuple[DeadLetters, tuple[Evidence, ...]]:
        names = each.source.sources if isinstance(each.source, Consumer) else ()
        declared = [d for d in self._declared if d.is_queue and d.name is not None and d.name in names]
        if not declared and not names:
            declared = [d for d in self._declared if d.is_queue and d.scope.module is each.module]
        rejecting = next((n for n in each.function.nodes if _rejects(n)), None)
        if any(d.dead_letters for d in declared):
            return DeadLetters.STATED, (declared[0].evidence("it names where dead letters go"),)
        if declared and all(d.is_transient for d in declared):
            return DeadLetters.NOT_REJECTED, ()
        if rejecting is None:
            return DeadLetters.NOT_REJECTED, (place,)
        rejected = each.module.evidence(rejecting, "what fails is rejected here")
        is_certain = bool(declared) and all(d.dead_letters is False for d in declared) and not self._has_policies
        if is_certain:
            return DeadLetters.DROPPED, (declared[0].evidence("it names no exchange for dead letters"), rejected)
        return DeadLetters.ELSEWHERE, (place, rejected)

    @property
    def _has_policies(self) -> bool:
        """Whether the broker's own definitions, which may hold policies, are in the tree."""
        return any(path.endswith(("definitions.json", "rabbitmq.conf")) for path in self._gathered.paths)

    def _by_creation(
        self, creating: tuple[str, ...], wanted: tuple[str, ...], place: Evidence
    ) -> tuple[DeadLetters, tuple[Evidence, ...]]:
        """By the call that makes the queue or the subscription, if the code has one."""
        made: Evidence | None = None
        for call, scope in self._project.calls_named(*creating):
            if scope.module.role is not Role.PROD:
                continue
            nodes = [*form.walk(call), *(scope.function.nodes if scope.function is not None else ())]
            said = {str(n.value) for n in nodes if isinstance(n, form.Const)}
            said |= {a.name for n in nodes if isinstance(n, form.Call) for a in n.args if a.name}
            if not said.isdisjoint(wanted):
                return DeadLetters.STATED, (scope.module.evidence(call, "it is made with a dead-letter queue"),)
            made = made or scope.module.evidence(call, "it is made without a dead-letter queue")
        return (DeadLetters.DROPPED, (place, made)) if made is not None else (DeadLetters.ELSEWHERE, (place,))

    def _of_nats(self, place: Evidence) -> tuple[DeadLetters, tuple[Evidence, ...]]:
        for call, scope in self._project.calls_named("ConsumerConfig"):
            stated = call.keyword("max_deliver")
            if scope.module.role is Role.PROD and stated is not None:
                return DeadLetters.STATED, (scope.module.evidence(stated, "deliveries end after some"),)
        return DeadLetters.ENDLESS, (place,)


def _is_gone(acknowledgement: Acknowledgement) -> bool:
    """Whether the broker has forgotten a message before it can fail."""
    is_early = acknowledgement.moment is Moment.BEFORE and acknowledgement.framework != "Kafka"
    return is_early or acknowledgement.moment is Moment.TRANSIENT


def _named(node: form.Expr | form.Stmt) -> str | None:
    match node:
        case form.Name(id=name) | form.Attr(attr=name) | form.Const(value=str() as name):
            return name
    return None


def _rejects(node: form.Expr | form.Stmt) -> bool:
    """`basic_nack(tag, requeue=False)`, `message.reject()`, `message.process()`."""
    if not isinstance(node, form.Call) or last_name(node.func) not in _REJECTING:
        return False
    name = last_name(node.func) or ""
    stated = node.keyword("requeue")
    if stated is not None:
        return isinstance(stated, form.Const) and stated.value is False
    return name in ("reject", "process") and isinstance(node.func, form.Attr)
