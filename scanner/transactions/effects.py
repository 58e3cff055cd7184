"""Mails, tasks and requests that are sent while a transaction is open, and those that wait for its commit."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from assay.scanner.dataflow.numbering import Ordinals, around
from assay.scanner.gathered import Gathered
from assay.scanner.linker.project import last_name
from assay.scanner.linker.scopes import FunctionSymbol
from assay.scanner.model.effect import EffectKind
from assay.scanner.model.place import Evidence
from assay.scanner.model.role import Role
from assay.scanner.model.side_effect import Handover, SideEffect, Timing
from assay.scanner.model.transaction import TransactionKind
from assay.scanner.queries.offline import Offline
from assay.scanner.readers.python import form
from assay.scanner.transactions.paths import follows
from assay.scanner.transactions.queues import Queues
from assay.scanner.transactions.scopes import OpenTransaction, Scopes
from assay.scanner.transactions.sendings import Sending, Sendings, is_used
from assay.scanner.transactions.signals import RowHandlers

_DEFERRING = ("on_commit", "delay_on_commit", "apply_async_on_commit")
_SAVING = frozenset({"save", "asave", "get_or_create", "aget_or_create", "update_or_create", "aupdate_or_create"})
"""What writes a row in a transaction of Django's, whatever it is called on."""
_INHERITED = frozenset(
    {
        "save", "create", "update", "delete", "destroy", "partial_update", "form_valid", "perform_create",
        "perform_update", "perform_destroy", "save_model", "save_related", "delete_model",
    }
)  # fmt: skip
"""Methods that write in the classes of Django and of REST framework."""


@dataclass(frozen=True, slots=True, eq=False)
class TimedSending:
    """A sending of the function, and when it happens, seen from what the function writes."""

    sending: Sending
    function: FunctionSymbol
    timing: Timing
    evidence: tuple[Evidence, ...]


class TimedSendings:
    """Those of functions that write, and what waits for a commit."""

    def __init__(self, gathered: Gathered, scopes: Scopes) -> None:
        self._project = gathered.project
        self.scopes = scopes
        self.sendings = Sendings(gathered, scopes)
        self._queues = Queues(gathered.project)

    def of(self, writing: Sequence[FunctionSymbol]) -> Iterator[TimedSending]:
        """In order of place."""
        handlers = RowHandlers(self._project, self.scopes, writing)
        deferring = (scope.enclosing_function for _, scope in self._project.calls_named(*_DEFERRING))
        functions = {*writing, *handlers.functions, *(f for f in deferring if f is not None)}
        for function in sorted(functions, key=lambda f: (f.module.path, f.node.start)):
            if function.module.role is not Role.PROD:
                continue
            saved = handlers.saved_before(function)
            for sending in self.sendings.of(function):
                within = handlers.transaction_around(function, sending.node.start)
                found = self._judged(sending, function) if not within else self._in_handler(sending, within)
                if found is None and saved:
                    found = Timing.HANDLED, saved
                if found is not None:
                    yield TimedSending(sending, function, *found)

    def _judged(self, sending: Sending, function: FunctionSymbol) -> tuple[Timing, tuple[Evidence, ...]] | None:
        """None where no transaction that the function opens has anything to do with it."""
        offset, module = sending.node.start, function.module
        if sending.is_deferred:
            return Timing.DEFERRED, (module.evidence(sending.node, "it waits for the commit"),)
        opened = self.scopes.at(function, offset)
        if opened is None:
            committed = self._committed(function, offset)
            return (Timing.AFTERWARDS, committed) if committed else None
        if opened.steps:
            return None  # it is told where the transaction is opened
        stored = self._queues.stored(sending)
        if stored is not None:
            return Timing.STORED, (stored,)
        if sending.kind is EffectKind.QUEUE and self._queues.deferring is not None:
            return Timing.DEFERRED, (self._queues.deferring,)
        relayed = _relayed(function, offset)
        if relayed is not None:
            return Timing.RELAYED, (relayed,)
        written = self._written(function, sending, opened)
        if written is None:
            return Timing.UNWRITTEN, opened.evidence
        shown = [*opened.evidence, *sending.steps]
        if written.location != opened.place.location:
            shown.insert(1, written)
        if sending.kind is EffectKind.REQUEST and is_used(sending.node, function):
            return Timing.NEEDED, tuple(shown)
        return Timing.BEFORE, tuple(shown)

    def _in_handler(self, sending: Sending, within: tuple[Evidence, ...]) -> tuple[Timing, tuple[Evidence, ...]]:
        """Of a function that a signal runs in the transaction of whoever saves a row."""
        if sending.is_deferred:
            return Timing.DEFERRED, (sending.scope.module.evidence(sending.node, "it waits for the commit"),)
        held = self._queues.stored(sending) or self._queues.deferring if sending.kind is EffectKind.QUEUE else None
        if held is not None:
            return Timing.STORED, (held,)
        return Timing.BEFORE, (*within, *sending.steps)

    # --- what is written ---

    def _written(self, function: FunctionSymbol, sending: Sending, opened: OpenTransaction) -> Evidence | None:
        """A write of the same transaction."""
        events = self.scopes.events.of(function)
        written = [e.node for e in events if any(write.is_sure for write in e.writes)]
        if opened.kind is TransactionKind.DJANGO:
            written += [n for n in function.nodes if isinstance(n, form.Call) and _saves(n)]
        for node in written:
            if self._is_within(node, function, sending, opened):
                return function.module.evidence(node, "this is written in it")
        return None

    def _is_within(self, write: form.Node, function: FunctionSymbol, sending: Sending, opened: OpenTransaction) -> bool:
        """Whether the write and the call share the transaction, and a run passes both."""
        if write is sending.node:
            return True  # a helper that does both
        first, second = sorted((write.start, sending.node.start))
        if not follows(function.node.body, first, second):
            return False
        if opened.kind is TransactionKind.SESSION:
            return write.start < sending.node.start
        at = self.scopes.at(function, write.start)
        return at is not None and at.location == opened.location

    def _committed(self, function: FunctionSymbol, offset: int) -> tuple[Evidence, ...]:
        """What has committed, before the place, what the function has written."""
        body, module = function.node.body, function.module
        events = [e for e in self.scopes.events.of(function) if follows(body, e.start, offset)]
        written = [e for e in events if any(write.is_sure for write in e.writes)]
        regions = [block for block, _, _ in self.scopes.openers.regions(function) if block.end <= offset]
        if not written:
            return ()
        ended = [*(e.node for e in events if e.commits), *(block.items[0].value for block in regions)]
        if ended:
            return (module.evidence(ended[-1], "what was written is committed before"),)
        if not written[-1].is_pending:
            return (module.evidence(written[-1].node, "this is committed as soon as it is written"),)
        return ()


def side_effects(timed: Iterable[TimedSending], offline: Offline) -> Iterator[SideEffect]:
    """The mails and requests, and what is handed to queues."""
    ordinals = Ordinals()
    for found in timed:
        sending, module = found.sending, found.function.module
        name = around(found.function.scope)
        kind = Handover if sending.kind is EffectKind.QUEUE else SideEffect
        yield kind(
            function=name,
            ordinal=ordinals.next(name, sending.what),
            kind=sending.kind,
            what=sending.what,
            location=module.location(sending.node),
            role=module.role,
            timing=found.timing,
            evidence=found.evidence,
            offline=offline.reason(found.function.scope, is_asked_of_callers=True),
        )


def _saves(call: form.Call) -> bool:
    """`order.save()`, `Order.objects.get_or_create(...)`, `super().form_valid(form)`."""
    if not isinstance(call.func, form.Attr):
        return False
    owner = call.func.value
    if isinstance(owner, form.Call) and last_name(owner.func) == "super":
        return call.func.attr in _INHERITED
    commit = call.keyword("commit")
    is_kept = not (isinstance(commit, form.Const) and commit.value is False)
    return call.func.attr in _SAVING and is_kept and not call.positional  # which `image.save(path)` has


def _relayed(function: FunctionSymbol, offset: int) -> Evidence | None:
    """Where an outbox is read: `select_for_update(skip_locked=True)` takes what nobody else is sending."""
    for node in function.nodes:
        if isinstance(node, form.Call) and node.start < offset and node.keyword("skip_locked") is not None:
            return function.module.evidence(node, "what is sent is a row that no other worker has taken")
    return None
