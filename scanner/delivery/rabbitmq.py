"""How surely RabbitMQ keeps what is published: durable queues, stored messages, confirmation."""

from __future__ import annotations

from collections.abc import Iterator

from assay.scanner.dataflow.constants import constant, string_value
from assay.scanner.dataflow.lexicon import words
from assay.scanner.delivery.declarations import Declaration
from assay.scanner.delivery.guarantees import Guarantees
from assay.scanner.linker.project import last_name
from assay.scanner.linker.scopes import Scope
from assay.scanner.linker.values import Instance
from assay.scanner.model.delivery import PublishingGuarantee, Surety
from assay.scanner.model.place import Evidence
from assay.scanner.model.role import Role
from assay.scanner.readers.python import form
from assay.scanner.work.references import library_callee

_FRAMEWORKS = {"pika": "RabbitMQ", "aiormq": "RabbitMQ", "amqp": "RabbitMQ", "aio_pika": "RabbitMQ", "kombu": "Kombu"}
_LASTING = frozenset({"2", "PERSISTENT", "Persistent", "PERSISTENT_DELIVERY_MODE"})

_PASSING = frozenset({"1", "transient", "TRANSIENT_DELIVERY_MODE"})


class RabbitMq(Guarantees):
    """With pika, aio-pika, aiormq, kombu, and Dramatiq's broker."""

    def all(self) -> Iterator[PublishingGuarantee]:
        """Declarations first."""
        for declaration in self._declared:
            yield self._of_declaration(declaration)
        if not self._packages.isdisjoint({"pika", "aiormq"}):
            yield from self._of_pika()
        if "aio_pika" in self._packages:
            yield from self._of_aio_pika()
        if "kombu" in self._packages:
            yield from self._of_kombu()
        if "dramatiq" in self._packages:
            yield from self._of_dramatiq()

    def _of_declaration(self, declared: Declaration) -> PublishingGuarantee:
        kind = "queue" if declared.is_queue else "exchange"
        surety, text = Surety.FORGOTTEN, f"the {kind} isn't durable"
        if declared.is_transient:
            surety, text = Surety.TRANSIENT, f"the {kind} goes away with who listens"
        elif not declared.is_queue and not declared.durable and self._goes_to_listeners(declared):
            surety, text = Surety.TRANSIENT, "its queues go away with who listens"
        elif declared.durable is None:
            surety, text = Surety.UNKNOWN, f"whether the {kind} is durable is computed"
        elif declared.durable:
            surety, text = Surety.SURE, f"the {kind} is durable"
        framework = _FRAMEWORKS[declared.library]
        fix = f"declare the {kind} with durable=True"
        return self._made(framework, kind, declared.call, declared.scope, surety, declared.evidence(text), fix=fix)

    def _goes_to_listeners(self, declared: Declaration) -> bool:
        """Whether all queues beside the exchange are only for who listens now."""
        beside = [d for d in self._declared if d.is_queue and d.scope.module is declared.scope.module]
        return bool(beside) and all(d.is_transient for d in beside)

    def _for_listeners(self, exchange: form.Expr | None, scope: Scope) -> Evidence | None:
        """Where the exchange is declared, if what goes there is only for who listens now."""
        value = self._project.infer(exchange, scope) if exchange is not None else None
        made = value.origin if isinstance(value, Instance) else None
        name = string_value(exchange, scope, self._project) if exchange is not None else None
        for each in self._declared:
            is_it = each.call is made or (each.name is not None and each.name == name)
            is_passing = not each.is_queue and not each.durable
            if is_it and is_passing and (each.is_transient or self._goes_to_listeners(each)):
                return each.evidence("this exchange is for who listens now")
        return None

    @property
    def _is_lasting_meant(self) -> Evidence | None:
        """A durable queue or exchange, which shows that messages are to outlast the broker."""
        found = (d for d in self._declared if d.durable and not d.is_transient and d.library != "kombu")
        return next((d.evidence("this is declared durable") for d in found), None)

    def _of_pika(self) -> Iterator[PublishingGuarantee]:
        """`channel.basic_publish(...)` with its properties."""
        confirms = [
            scope.module.evidence(call, "the broker confirms")
            for call, scope in self._project.calls_named("confirm_delivery", "confirm_select")
        ]
        for call, scope in self._project.calls_named("basic_publish"):
            if scope.module.role is not Role.PROD or scope.module.imported_packages.isdisjoint({"pika", "aiormq"}):
                continue
            properties = call.argument(3, "properties")
            place = scope.module.evidence(call, "the message is only kept in memory")
            meant = self._is_lasting_meant
            fix = "give it BasicProperties(delivery_mode=2)"
            shown: tuple[Evidence, ...]
            if _is_answer(call):
                surety, shown = Surety.TRANSIENT, (scope.module.evidence(call, "it answers a call"),)
            elif (listeners := self._for_listeners(call.argument(0, "exchange"), scope)) is not None:
                surety, shown = Surety.TRANSIENT, (listeners,)
            elif (is_lasting := self._is_lasting(properties, scope)) is None:
                surety, shown = Surety.UNKNOWN, (scope.module.evidence(call, "its properties come from elsewhere"),)
            elif not is_lasting:
                surety = Surety.FORGOTTEN if meant is not None else Surety.UNKNOWN
                shown = (place, meant) if meant is not None else (place,)
            elif not confirms and "pika" in scope.module.imported_packages:
                fix = "call confirm_delivery() on the channel"
                surety, shown = Surety.UNCONFIRMED, (scope.module.evidence(call, "nothing confirms it"),)
            else:
                surety, shown = Surety.SURE, (scope.module.evidence(call, "the message is stored"), *confirms[:1])
            yield self._made("RabbitMQ", "message", call, scope, surety, *shown, fix=fix)

    def _is_lasting(self, properties: form.Expr | None, scope: Scope) -> bool | None:
        """Whether the properties, or the message, say that the broker is to store it; None where that can't be told."""
        if properties is None:
            return False
        made: form.Expr | None = properties
        if not isinstance(properties, form.Call):
            value = self._project.infer(properties, scope)
            made = value.origin if isinstance(value, Instance) else None
            if isinstance(value, Instance) and value.scope is not None:
                scope = value.scope
        if not isinstance(made, form.Call) or made.has_double_star:
            return None
        mode = made.keyword("delivery_mode")
        if mode is None:
            return False if last_name(made.func) in ("BasicProperties", "Properties", "Message") else None
        names = {last_name(n) for n in form.walk(mode) if isinstance(n, form.Name | form.Attr)}
        known = constant(mode, scope, self._project)
        if known is not None:
            return str(known.value) in _LASTING
        return True if not _LASTING.isdisjoint(n for n in names if n is not None) else None

    def _of_aio_pika(self) -> Iterator[PublishingGuarantee]:
        """`exchange.publish(Message(...))`; its channels ask for confirmation unless they are told not to."""
        for call, scope in self._project.calls_named("channel"):
            stated = call.keyword("publisher_confirms")
            if (
                isinstance(stated, form.Const)
                and stated.value is False
                and "aio_pika" in scope.module.imported_packages
            ):
                place = scope.module.evidence(stated, "the broker isn't asked to confirm")
                fix = "leave publisher_confirms on"
                yield self._made("RabbitMQ", "channel", call, scope, Surety.UNASKED, place, fix=fix)
        for call, scope in self._project.calls_named("publish"):
            if scope.module.role is not Role.PROD or "aio_pika" not in scope.module.imported_packages:
                continue
            message = call.argument(0, "message")
            owner = last_name(call.func.value) if isinstance(call.func, form.Attr) else None
            if message is None or not ("exchange" in words(owner or "") or self._is_message(message, scope)):
                continue
            place = scope.module.evidence(call, "the message is only kept in memory")
            meant = self._is_lasting_meant
            is_lasting = self._is_lasting(message, scope)
            fix = "give the Message delivery_mode=DeliveryMode.PERSISTENT"
            shown: tuple[Evidence, ...]
            exchange = call.func.value if isinstance(call.func, form.Attr) else None
            if _is_answer(call):
                surety, shown = Surety.TRANSIENT, (scope.module.evidence(call, "it answers a call"),)
            elif (listeners := self._for_listeners(exchange, scope)) is not None:
                surety, shown = Surety.TRANSIENT, (listeners,)
            elif is_lasting is None:
                surety, shown = Surety.UNKNOWN, (scope.module.evidence(call, "its message comes from elsewhere"),)
            elif is_lasting:
                surety, shown = Surety.SURE, (scope.module.evidence(call, "it is stored and confirmed"),)
            else:
                surety = Surety.FORGOTTEN if meant is not None else Surety.UNKNOWN
                shown = (place, meant) if meant is not None else (place,)
            yield self._made("RabbitMQ", "message", call, scope, surety, *shown, fix=fix)

    def _is_message(self, node: form.Expr, scope: Scope) -> bool:
        if isinstance(node, form.Call):
            return (library_callee(node.func, scope, self._project) or "").startswith("aio_pika.")
        value = self._project.infer(node, scope)
        return isinstance(value, Instance) and value.type_name.startswith("aio_pika.")

    def _of_kombu(self) -> Iterator[PublishingGuarantee]:
        """`producer.publish(body, delivery_mode="transient")`: it stores messages unless it is told not to."""
        for call, scope in self._project.calls_named("publish"):
            mode = call.keyword("delivery_mode")
            if scope.module.role is not Role.PROD or "kombu" not in scope.module.imported_packages or mode is None:
                continue
            known = constant(mode, scope, self._project)
            said = str(known.value) if known is not None else last_name(mode)
            lasting = next(
                (d for d in self._declared if d.library == "kombu" and d.durable and not d.is_transient), None
            )
            place = scope.module.evidence(call, "the message is only kept in memory")
            if said not in _PASSING:
                continue
            surety = Surety.FORGOTTEN if lasting is not None else Surety.UNKNOWN
            shown = (place, lasting.evidence("this is declared durable")) if lasting is not None else (place,)
            yield self._made("Kombu", "message", call, scope, surety, *shown, fix="leave its delivery_mode persistent")

    def _of_dramatiq(self) -> Iterator[PublishingGuarantee]:
        """RabbitMQ's broker, which asks for no confirmation unless it is told to."""
        for call, scope in self._project.calls_named("RabbitmqBroker"):
            if scope.module.role is not Role.PROD:
                continue
            stated = call.keyword("confirm_delivery")
            is_on = isinstance(stated, form.Const) and stated.value is True
            text = "the broker confirms" if is_on else "the broker isn't asked to confirm messages"
            surety = Surety.SURE if is_on else Surety.UNCONFIRMED
            place = scope.module.evidence(stated or call, text)
            yield self._made("Dramatiq", "broker", call, scope, surety, place, fix="give it confirm_delivery=True")


def _is_answer(call: form.Call) -> bool:
    """Whether it goes to whoever waits for an answer: `routing_key=properties.reply_to`."""
    nodes = (n for a in call.args for n in form.walk(a.value))
    return any(isinstance(n, form.Attr | form.Name) and last_name(n) == "reply_to" for n in nodes)
