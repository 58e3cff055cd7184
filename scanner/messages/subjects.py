"""The messages that a service sends."""

from __future__ import annotations

from collections.abc import Iterator

from assay.scanner.dataflow.numbering import Ordinals, around
from assay.scanner.gathered import Gathered
from assay.scanner.linker.project import last_name
from assay.scanner.messages.contents import Contents
from assay.scanner.messages.effects import Effects, Order
from assay.scanner.messages.repeats import repeated
from assay.scanner.messages.secrets import Secrets
from assay.scanner.messages.sent import Given, Sent, sent_messages
from assay.scanner.model.message import Message, MessageArgument, RepeatedRun
from assay.scanner.model.subject import Subject
from assay.scanner.readers.python import form


def messages(gathered: Gathered) -> Iterator[Subject]:
    """Each call that sends one."""
    ordinals = Ordinals()
    secrets = Secrets(gathered.project, gathered.bodies)
    contents = Contents(gathered.project, gathered.bodies.records)
    for sent in sent_messages(gathered):
        yield _message(sent, ordinals, secrets, contents)
    yield from _repeated_runs(gathered)


def _repeated_runs(gathered: Gathered) -> Iterator[RepeatedRun]:
    """One of each task and consumer."""
    effects: Effects | None = None
    for each, repeats in repeated(gathered):
        found = Order()
        if repeats:
            effects = effects or Effects(gathered)
            found = effects.order(each.function, repeats, each.loop)
        yield RepeatedRun(
            each.framework,
            each.name,
            each.function.id,
            each.source.location,
            each.module.role,
            tuple(repeat.evidence for repeat in repeats),
            found.lasting,
            found.later,
            found.guard,
            found.steps,
        )


def _message(sent: Sent, ordinals: Ordinals, secrets: Secrets, contents: Contents) -> Message:
    module = sent.scope.module
    function, what = around(sent.scope), form.dotted(sent.call.func) or last_name(sent.call.func) or "call"
    told = secrets.of(sent)
    return Message(
        library=sent.library,
        function=function,
        ordinal=ordinals.next(function, what),
        what=what,
        location=module.location(sent.call),
        role=module.role,
        task=sent.task.name if sent.task is not None else None,
        handler=sent.handler.id if sent.handler is not None else None,
        destination=sent.destination,
        arguments=tuple(_argument(given) for given in sent.given),
        secrets=told,
        masked=secrets.masked(sent),
        delivers=secrets.delivers(sent) if told else None,
        unfit=contents.unfit(sent),
    )


def _argument(given: Given) -> MessageArgument:
    path = form.dotted(given.node)
    return MessageArgument(given.name, given.scope.module.evidence(given.node, f"`{path}`" if path else "a value"))
