"""How surely what is published arrives: durable queues, lasting messages, producers that are asked and flushed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from assay.scanner.dataflow.constants import constant, definitions
from assay.scanner.dataflow.lexicon import words
from assay.scanner.delivery.declarations import Declaration
from assay.scanner.delivery.guarantees import Guarantees
from assay.scanner.delivery.rabbitmq import RabbitMq
from assay.scanner.gathered import Gathered
from assay.scanner.linker.project import last_name
from assay.scanner.linker.scopes import FunctionSymbol, Scope
from assay.scanner.model.delivery import PublishingGuarantee, Surety
from assay.scanner.model.place import Evidence
from assay.scanner.model.role import Role
from assay.scanner.readers.python import form
from assay.scanner.work.references import library_callee

_PRODUCERS = {"KafkaProducer": "kafka", "AIOKafkaProducer": "aiokafka", "Producer": "confluent_kafka"}
_PUTTING = {"kafka": ("send",), "aiokafka": ("send",), "confluent_kafka": ("produce",)}
_FLUSHING = ("flush", "close", "stop")
_BATCHES = {
    "send_message_batch": "SQS", "publish_batch": "SNS", "put_records": "Kinesis", "put_record_batch": "Firehose",
    "put_events": "EventBridge",
}  # fmt: skip
_FAILED = frozenset({"Failed", "FailedRecordCount", "FailedEntryCount", "FailedPutCount", "Successful", "ErrorCode"})
_AWS = frozenset({"boto3", "aioboto3", "aiobotocore", "botocore"})


def publishing_guarantees(gathered: Gathered, declared: Sequence[Declaration]) -> Iterator[PublishingGuarantee]:
    """Of declarations, then of messages, producers and calls whose answer tells what failed."""
    yield from RabbitMq(gathered, declared).all()
    yield from _Reader(gathered, declared).all()


class _Reader(Guarantees):
    def all(self) -> Iterator[PublishingGuarantee]:
        """In the order of kinds."""
        if not self._packages.isdisjoint(_PUTTING):
            yield from self._of_kafka()
        if "google" in self._packages:
            yield from self._of_pubsub()
        if not self._packages.isdisjoint(_AWS):
            yield from self._of_batches()

    # --- Kafka ---

    def _of_kafka(self) -> Iterator[PublishingGuarantee]:
        """Producers, by what they ask of the broker and by whether what they hold is sent in the end."""
        for call, scope in self._project.calls_named(*_PRODUCERS):
            callee = library_callee(call.func, scope, self._project) or ""
            package = _PRODUCERS[last_name(call.func) or ""]
            if scope.module.role is not Role.PROD or callee.partition(".")[0] != package:
                continue
            acks, idempotent, is_whole = self._acks(call, scope)
            made = scope.module.evidence(call, "the producer is made here")
            value = constant(acks, scope, self._project) if acks is not None else None
            said = str(value.value) if value is not None else None
            dropped = self._dropped(package)
            shown: tuple[Evidence, ...]
            if acks is not None and said == "0":
                surety, shown, fix = (
                    Surety.UNASKED,
                    (scope.module.evidence(acks, "no broker answers"),),
                    "set acks='all'",
                )
            elif dropped is not None:
                surety, shown, fix = Surety.UNSENT, (made, dropped), "flush or close it before the process ends"
            elif said == "1" and not idempotent:
                text = "one broker has it when it answers"
                surety, shown, fix = Surety.UNCONFIRMED, (scope.module.evidence(acks or call, text),), "set acks='all'"
            elif package == "aiokafka" and acks is None and not idempotent:
                text = "aiokafka asks one broker, unless acks or enable_idempotence say otherwise"
                evidence = (scope.module.evidence(call, text),)
                surety, shown, fix = (Surety.UNCONFIRMED if is_whole else Surety.UNKNOWN), evidence, "set acks='all'"
            else:
                surety, shown, fix = Surety.SURE, (made,), ""
            yield self._made("Kafka", "producer", call, scope, surety, *shown, fix=fix)

    def _acks(self, call: form.Call, scope: Scope) -> tuple[form.Expr | None, bool, bool]:
        """What is said of acknowledgements, whether the producer is idempotent, and whether all options are known."""
        options = {a.name: a.value for a in call.args if a.name}
        is_whole = True
        for node in (*call.positional[:1], *(a.value for a in call.args if a.star == 2)):
            known = (
                [n for n, _ in definitions(node, scope, self._project)] if not isinstance(node, form.Dict) else [node]
            )
            displays = [n for n in known if isinstance(n, form.Dict)]
            is_whole = is_whole and bool(displays)
            for display in displays:
                pairs = zip(display.keys, display.values, strict=True)
                options |= {str(key.value): value for key, value in pairs if isinstance(key, form.Const)}
        acks = options.get("acks") or options.get("request.required.acks")
        stated = options.get("enable_idempotence") or options.get("enable.idempotence")
        return acks, isinstance(stated, form.Const) and stated.value in (True, "true"), is_whole

    def _dropped(self, package: str) -> Evidence | None:
        """A message whose sending nobody waits for, where nothing flushes what is in memory."""
        for call, scope in self._project.calls_named(*_FLUSHING):
            owner = last_name(call.func.value) if isinstance(call.func, form.Attr) else None
            if scope.module.role is Role.PROD and not _PRODUCING.isdisjoint(words(owner or "")):
                return None
        for call, scope in self._project.calls_named(*_PUTTING[package]):
            owner = last_name(call.func.value) if isinstance(call.func, form.Attr) else None
            function = scope.function
            if function is None or _PRODUCING.isdisjoint(words(owner or "")) or scope.module.role is not Role.PROD:
                continue
            callee = library_callee(call.func, scope, self._project)
            is_unknown = callee is None and self._project.callee_function(call, scope) is None
            if not (callee or "").startswith(f"{package}.") and not (
                is_unknown and package in scope.module.imported_packages
            ):
                continue
            alone = (n.value.value if isinstance(n.value, form.Await) else n.value for n in _statements(function.nodes))
            if any(node is call for node in alone):
                return scope.module.evidence(call, "nobody waits for this, and nothing flushes it")
        return None

    # --- clouds ---

    def _of_pubsub(self) -> Iterator[PublishingGuarantee]:
        """`publisher.publish(topic, data)`, whose future tells whether it arrived."""
        for call, scope in self._project.calls_named("publish"):
            module = scope.module
            if module.role is not Role.PROD or "google" not in module.imported_packages:
                continue
            callee = library_callee(call.func, scope, self._project) or ""
            if "PublisherClient" not in callee:
                continue
            function = scope.function
            alone = [n.value for n in _statements(function.nodes)] if function is not None else []
            if any(node is call for node in alone):
                place = module.evidence(call, "its future is dropped")
                fix = "wait for its result(), or give it a callback"
                yield self._made("Google Pub/Sub", "message", call, scope, Surety.UNASKED, place, fix=fix)
            else:
                place = module.evidence(call, "its future is used")
                yield self._made("Google Pub/Sub", "message", call, scope, Surety.SURE, place)

    def _of_batches(self) -> Iterator[PublishingGuarantee]:
        """Batches, of which single entries may be refused though the call went well."""
        for call, scope in self._project.calls_named(*_BATCHES):
            module, function = scope.module, scope.function
            is_ours = call.keyword("Entries") is not None or call.keyword("Records") is not None
            is_ours = is_ours or call.keyword("PublishBatchRequestEntries") is not None
            if module.role is not Role.PROD or function is None or not is_ours:
                continue
            framework = _BATCHES[last_name(call.func) or ""]
            told = next((n for n in function.nodes if isinstance(n, form.Const) and n.value in _FAILED), None)
            checked = told or self._checked(call, function)
            returned = (r.value for r in function.returns if r.value is not None)
            handed = next((value for value in returned if _is_answer_of(call, value, function)), None)
            fix = "look at what the answer says failed, and send that again or raise"
            if checked is not None:
                place = module.evidence(checked, "what failed is looked at")
                yield self._made(framework, "batch", call, scope, Surety.SURE, place)
            elif handed is not None:
                place = module.evidence(call, "who called is given the answer")
                yield self._made(framework, "batch", call, scope, Surety.UNKNOWN, place, fix=fix)
            else:
                place = module.evidence(call, "what its answer says of single entries isn't looked at")
                yield self._made(framework, "batch", call, scope, Surety.UNASKED, place, fix=fix)

    def _checked(self, call: form.Call, function: FunctionSymbol) -> form.Call | None:
        """The call that hands the answer to a function of the project that looks at what failed."""
        for node in function.nodes:
            if isinstance(node, form.Call) and any(_is_answer_of(call, a.value, function) for a in node.args):
                callee = self._project.callee_function(node, function.scope)
                looked_at = callee.nodes if callee is not None else ()
                if any(isinstance(n, form.Const) and n.value in _FAILED for n in looked_at):
                    return node
        return None


_PRODUCING = frozenset({"producer", "kafka", "publisher"})


def _statements(nodes: Sequence[form.Expr | form.Stmt]) -> Iterator[form.ExprStmt]:
    return (node for node in nodes if isinstance(node, form.ExprStmt))


def _is_answer_of(call: form.Call, node: form.Expr, function: FunctionSymbol) -> bool:
    """Whether the expression is the call, or the name that its answer is given."""
    if not isinstance(node, form.Name):
        return _holds(node, call)
    given = (n for n in function.nodes if isinstance(n, form.Assign) and n.value is not None and _holds(n.value, call))
    return any(isinstance(target, form.Name) and target.id == node.id for n in given for target in n.targets)


def _holds(node: form.Expr, wanted: form.Call) -> bool:
    return any(inner is wanted for inner in form.walk(node))
