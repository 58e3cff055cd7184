"""When consumers of brokers acknowledge: by the options that they subscribe with, and by the order of statements."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

from assay.scanner.dataflow.constants import constant, definitions, string_value
from assay.scanner.dataflow.effects.bodies import Bodies
from assay.scanner.dataflow.numbering import Ordinals
from assay.scanner.delivery.consumed import Consumed, ConsumedFunctions
from assay.scanner.delivery.order import Order
from assay.scanner.delivery.outside import Outside
from assay.scanner.gathered import Gathered
from assay.scanner.linker.project import last_name
from assay.scanner.linker.scopes import Scope
from assay.scanner.linker.values import Instance
from assay.scanner.model.delivery import Acknowledgement, Moment
from assay.scanner.model.effect import EffectKind
from assay.scanner.model.place import Evidence
from assay.scanner.readers.python import form

_SUBSCRIBING = (
    "basic_consume", "consume", "iterator", "Consumer", "SimpleQueue", "KafkaConsumer", "AIOKafkaConsumer", "subscribe",
    "assign", "pull_subscribe", "receive_message", "receive_messages", "pull", "get_queue_receiver",
    "get_subscription_receiver",
)  # fmt: skip
_AT_ONCE = ("auto_ack", "no_ack", "noack")
_DECLARING = frozenset({"queue_declare", "declare_queue", "Queue"})
_GROUP = ("group_id", "group.id")
_COMMITTING = ("enable_auto_commit", "enable.auto.commit")
_STORING = "enable.auto.offset.store"


def broker_acknowledgements(
    gathered: Gathered, consumed: ConsumedFunctions, outside: Outside
) -> Iterator[Acknowledgement]:
    """One of each consumer."""
    if consumed.consumers:
        yield from _Reader(gathered, consumed, outside).all()


class _Reader:
    def __init__(self, gathered: Gathered, consumed: ConsumedFunctions, outside: Outside) -> None:
        self._project = gathered.project
        self._bodies: Bodies = gathered.bodies
        self._consumed = consumed
        self._order = Order(gathered.project)
        self._ordinals = Ordinals()
        self._outside = outside

    def all(self) -> Iterator[Acknowledgement]:
        """In order of the consumers."""
        for each in self._consumed.consumers:
            moment, evidence = self._judged(each)
            lost = self._outside.of(each.function) if moment is Moment.BEFORE else ()
            ordinal = self._ordinals.next(each.function.id, each.framework)
            yield Acknowledgement(
                each.framework,
                each.function.id,
                ordinal,
                each.source.location,
                each.module.role,
                moment,
                evidence,
                each.name,
                lost,
            )

    @cached_property
    def _calls(self) -> dict[tuple[str, int, int], tuple[form.Call, Scope]]:
        found: dict[tuple[str, int, int], tuple[form.Call, Scope]] = {}
        for call, scope in self._project.calls_named(*_SUBSCRIBING):
            place = scope.module.location(call)
            found[place.path, place.line, place.column] = (call, scope)
        return found

    def _judged(self, each: Consumed) -> tuple[Moment, tuple[Evidence, ...]]:
        place = each.source.location
        call, scope = self._calls.get((place.path, place.line, place.column), (None, each.function.scope))
        match each.framework:
            case "Faust":
                return Moment.AFTER, (Evidence(place, "an event is acknowledged when the loop goes on"),)
            case "FastStream" | "Propan":
                return self._of_decorator(each)
        if call is None:
            return self._order.of(each)
        for name in _AT_ONCE:
            stated = call.keyword(name)
            if stated is not None and (known := constant(stated, scope, self._project)) is not None and known.value:
                evidence = (scope.module.evidence(stated, f"{name} acknowledges before the message is read"),)
                return (Moment.TRANSIENT if self._is_transient(call, scope) else Moment.BEFORE), evidence
        if each.framework == "Kafka":
            return self._of_kafka(each, call, scope)
        if each.framework == "NATS":
            return self._of_nats(each, call, scope)
        moment, shown = self._order.of(each)
        if moment is Moment.BEFORE and self._is_transient(call, scope):
            return Moment.TRANSIENT, shown
        return moment, shown

    def _is_transient(self, call: form.Call, scope: Scope) -> bool:
        """A queue of its own that goes away with who reads it, or the one that answers of calls come to."""
        queue = call.argument(0, "queue")
        if queue is not None and "reply-to" in (string_value(queue, scope, self._project) or ""):
            return True
        function = scope.function
        nodes = function.nodes if function is not None else ()
        declared = [n for n in nodes if isinstance(n, form.Call) and last_name(n.func) in _DECLARING]
        given = [d.keyword(name) for d in declared for name in ("exclusive", "auto_delete")]
        return any(isinstance(value, form.Const) and value.value is True for value in given)

    # --- options ---

    def _of_decorator(self, each: Consumed) -> tuple[Moment, tuple[Evidence, ...]]:
        """`@broker.subscriber("orders", ack_policy=AckPolicy.ACK_FIRST)`."""
        place = Evidence(each.source.location, "it is acknowledged after the function has run")
        for decorator in each.function.decorators:
            if not isinstance(decorator, form.Call) or last_name(decorator.func) not in ("subscriber", "handle"):
                continue
            policy, commits = decorator.keyword("ack_policy"), decorator.keyword("auto_commit")
            named = last_name(policy) if policy is not None else None
            if policy is not None and named == "ACK_FIRST":
                return Moment.BEFORE, (each.module.evidence(policy, "it is acknowledged first"),)
            if named in ("MANUAL", "DO_NOTHING") or decorator.keyword("no_ack") is not None:
                return self._order.of(each)
            is_told = policy is not None or (isinstance(commits, form.Const) and commits.value is False)
            if not is_told and decorator.keyword("group_id") and self._is_of_kafka(decorator, each.function.outer):
                text = "FastStream commits before the function runs, unless ack_policy says otherwise"
                return Moment.BEFORE, (each.module.evidence(decorator, text),)
        return Moment.AFTER, (place,)

    def _is_of_kafka(self, decorator: form.Call, scope: Scope) -> bool:
        """Whether its broker is Kafka's, and doesn't say for all when to acknowledge."""
        owner = decorator.func.value if isinstance(decorator.func, form.Attr) else None
        value = self._project.infer(owner, scope) if owner is not None else None
        made = value.origin if isinstance(value, Instance) else None
        if made is not None and made.keyword("ack_policy") is not None:
            return False
        return isinstance(value, Instance) and "kafka" in value.type_name.lower()

    def _of_kafka(self, each: Consumed, call: form.Call, scope: Scope) -> tuple[Moment, tuple[Evidence, ...]]:
        """By what the client was made with: it commits by itself unless it is told not to."""
        made, around = call, scope
        if last_name(call.func) in ("subscribe", "assign") and isinstance(call.func, form.Attr):
            value = self._project.infer(call.func.value, scope)
            if not isinstance(value, Instance) or value.origin is None or value.scope is None:
                return Moment.UNKNOWN, ()
            made, around = value.origin, value.scope
        options, is_whole = self._options(made, around)
        if not any(name in options for name in _GROUP):
            text = "it is in no group, for which offsets are committed"
            return (Moment.TRANSIENT if is_whole else Moment.UNKNOWN), (around.module.evidence(made, text),)
        stated = next((options[name] for name in _COMMITTING if name in options), None)
        if stated is not None:
            known = constant(*stated, self._project)
            if known is None:
                return Moment.UNKNOWN, (stated[1].module.evidence(stated[0], "this says whether it commits by itself"),)
            if known.value in (False, "false", "False"):
                return self._order.of(each)
        storing = options.get(_STORING)
        if storing is not None and (known := constant(*storing, self._project)) is not None and not known.value:
            return self._order.of(each)
        if stated is None and not is_whole:
            return Moment.UNKNOWN, (around.module.evidence(made, "its options come from elsewhere"),)
        text = "offsets are committed by time, whether or not the work is done; set enable_auto_commit to False"
        place = stated[1].module.evidence(stated[0], text) if stated else around.module.evidence(made, text)
        return Moment.BEFORE, (place,)

    def _options(self, made: form.Call, scope: Scope) -> tuple[dict[str, tuple[form.Expr, Scope]], bool]:
        """Options by name, and whether these are all."""
        found = {a.name: (a.value, scope) for a in made.args if a.name}
        is_whole = True
        given = [a.value for a in made.args if a.star == 2]
        if last_name(made.func) not in ("KafkaConsumer", "AIOKafkaConsumer"):
            given += made.positional[:1]
        for node in given:
            known = [(node, scope)] if isinstance(node, form.Dict) else definitions(node, scope, self._project)
            displays = [(n, s) for n, s in known if isinstance(n, form.Dict)]
            is_whole = is_whole and len(displays) == 1 and len(known) == 1 and None not in displays[0][0].keys
            for display, around in displays:
                for key, value in zip(display.keys, display.values, strict=True):
                    if isinstance(key, form.Const):
                        found[str(key.value)] = (value, around)
        return found, is_whole

    def _of_nats(self, each: Consumed, call: form.Call, scope: Scope) -> tuple[Moment, tuple[Evidence, ...]]:
        """JetStream acknowledges after its callback; plain NATS keeps nothing, which is right for calls and signals."""
        owner = self._project.infer(call.func.value, scope) if isinstance(call.func, form.Attr) else None
        name = owner.type_name if isinstance(owner, Instance) else (form.dotted(call.func) or "")
        if "jetstream" in name.lower() or ".js" in f".{name}.":
            if call.keyword("manual_ack") is None and call.keyword("cb") is not None:
                return Moment.AFTER, (scope.module.evidence(call, "JetStream acknowledges after the callback"),)
            return self._order.of(each)
        changed = self._changes(each)
        place = scope.module.evidence(call, "NATS without JetStream forgets a message when it has sent it")
        return (Moment.BEFORE, (place, changed)) if changed is not None else (Moment.TRANSIENT, (place,))

    def _changes(self, each: Consumed) -> Evidence | None:
        """A row that the consumer writes itself, or a mail or request behind it."""
        for change in self._bodies.of(each.function).changes:
            if change.kind is EffectKind.WRITE:
                return each.module.evidence(change.node, "it writes this")
        found = self._outside.of(each.function)
        return found[-1] if found else None
