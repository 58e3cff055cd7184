"""Flows that change something at several other services, and what they do when a later step fails."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

from assay.scanner.dataflow.lexicon import words
from assay.scanner.dataflow.numbering import around
from assay.scanner.gathered import Gathered
from assay.scanner.integration.providers import RemoteWrite, RemoteWrites
from assay.scanner.integration.workers import Workers
from assay.scanner.linker.project import last_name
from assay.scanner.linker.scopes import FunctionSymbol
from assay.scanner.model.remote_steps import Compensation, RemoteSteps
from assay.scanner.model.role import Role
from assay.scanner.queries.offline import Offline
from assay.scanner.readers.python import form
from assay.scanner.transactions.dependence import mentions
from assay.scanner.transactions.paths import ends, follows
from assay.scanner.transactions.scopes import Scopes

_BINDING = frozenset(
    """charge charges payment payments pay transfer transfers order orders booking bookings book reservation
    reservations reserve hold holds refund refunds payout payouts withdraw withdrawal debit debits credit credits
    subscription subscriptions shipment shipments ship allocate allocation deduct invoice invoices purchase purchases
    redeem transaction transactions""".split()
)
"""What moves money or goods, or holds a place for somebody."""
_UNDOING = frozenset(
    """cancel cancels cancellation cancellations refund refunds release releases undo rollback compensate compensation
    void revert reverse unreserve restore rescind""".split()
)
_AT_EXIT = frozenset({"callback", "push_async_callback"})
"""How an `ExitStack` is told what to do when the block fails."""
_ENGINES = frozenset(
    {"temporalio", "prefect", "dagster", "airflow", "conductor", "cadence", "dbos", "restate", "hatchet_sdk"}
)
_OF_ENGINES = frozenset({"defn", "run", "flow", "workflow", "step", "activity", "dag", "handler", "task", "signal"})


def remote_steps(gathered: Gathered, scopes: Scopes, workers: Workers, offline: Offline) -> Iterator[RemoteSteps]:
    """One of each function with two steps at two services."""
    writes = RemoteWrites(gathered)
    finder = _Finder(gathered, scopes, writes, offline, workers)
    for function in writes.candidates():
        found = finder.of(function) if function.module.role is Role.PROD else None
        if found is not None:
            yield found


class _Finder:
    def __init__(
        self,
        gathered: Gathered,
        scopes: Scopes,
        writes: RemoteWrites,
        offline: Offline,
        workers: Workers,
    ) -> None:
        self._project = gathered.project
        self._scopes = scopes
        self._writes = writes
        self._offline = offline
        self._workers = workers
        self._handlers = frozenset(route.handler for route, _ in gathered.endpoints)
        self._views = frozenset(route.view_class for route, _ in gathered.endpoints if route.view_class is not None)

    def of(self, function: FunctionSymbol) -> RemoteSteps | None:
        pair = self._pair(function)
        if pair is None:
            return None
        first, second = pair
        compensation, shown = self._compensation(first, second, function)
        module = function.module
        return RemoteSteps(
            function=around(function.scope),
            location=module.location(second.node),
            role=module.role,
            first=module.evidence(first.node, f"the first step is at {first.provider}"),
            second=module.evidence(second.node, f"the second step is at {second.provider}"),
            compensation=compensation,
            is_binding=not _BINDING.isdisjoint(first.about),
            shown=tuple(module.evidence(node, text) for node, text in shown),
            offline=self._offline.reason(function.scope, is_asked_of_callers=True),
        )

    def _pair(self, function: FunctionSymbol) -> tuple[RemoteWrite, RemoteWrite] | None:
        """The steps whose failure leaves most behind: a binding first one before others."""
        pairs = [
            (first, second)
            for first, second in combinations(self._writes.of(function), 2)
            if first.provider != second.provider
            and first.node is not second.node
            and follows(function.node.body, first.node.start, second.node.start)
        ]
        return min(pairs, key=lambda p: (_BINDING.isdisjoint(p[0].about), p[0].method != "POST"), default=None)

    def _compensation(
        self, first: RemoteWrite, second: RemoteWrite, function: FunctionSymbol
    ) -> tuple[Compensation, list[tuple[form.Node, str]]]:
        if self._is_of_engine(function):
            return Compensation.WORKFLOW, []
        is_run_again = self._workers.run_again(function)
        if is_run_again is not None:
            return (Compensation.AGAIN if is_run_again else Compensation.OF_WORKER), []
        if first.method != "POST":
            return Compensation.REPEATABLE, []
        undone = self._undone(function, first, second)
        if undone is not None:
            return Compensation.UNDONE, [(undone, "this undoes it")]
        for event in self._scopes.events.of(function):
            if event.writes and first.node.start < event.start < second.node.start:
                return Compensation.RESUMED, [(event.node, "how far it came is stored here")]
        handlers = list(_handlers_around(second.node, function))
        kept = frozenset(_results(function, first))
        for handler in handlers:
            if not ends(handler.body) or any(mentions(statement, kept) for statement in handler.body):
                return Compensation.TOLD, [(handler.body[0], "this is done when the second step fails")]
        shown: list[tuple[form.Node, str]] = [
            (h.body[0], "this is done when the second step fails") for h in handlers[:1]
        ]
        is_answered = function in self._handlers or function.owner in self._views
        is_handed_up = all(isinstance(handler.body[-1], form.Raise) for handler in handlers)
        if is_answered or not is_handed_up or (handlers and not self._is_caught_above(function)):
            return Compensation.NONE, shown
        return Compensation.ABOVE, shown

    def _is_caught_above(self, function: FunctionSymbol) -> bool:
        """Whether a caller does something where the function fails."""
        return any(
            scope.function is not None and next(_handlers_around(call, scope.function), None) is not None
            for call, scope in self._project.callers(function)
        )

    def _undone(self, function: FunctionSymbol, first: RemoteWrite, second: RemoteWrite) -> form.Node | None:
        """A call behind the second step that asks the first service again, or says in its name that it undoes."""
        asking = {id(w.node) for w in self._writes.anywhere(function) if w.provider == first.provider}
        for node in function.nodes:
            if not isinstance(node, form.Call) or node is second.node or node.start <= first.node.end:
                continue
            name = last_name(node.func) or ""
            if name in _AT_EXIT and node.start < second.node.start:
                return node
            if not _UNDOING.isdisjoint(words(name)) or (id(node) in asking and node.start > second.node.start):
                return node
        return None

    def _is_of_engine(self, function: FunctionSymbol) -> bool:
        """A method of a saga, or a function that an engine for workflows runs step by step."""
        owner = function.owner
        if owner is not None and "saga" in words(owner.name):
            return True
        if function.module.imported_packages.isdisjoint(_ENGINES):
            return False
        decorators = [*function.decorators, *(owner.node.decorators if owner is not None else ())]
        return any(last_name(d.func if isinstance(d, form.Call) else d) in _OF_ENGINES for d in decorators)


def _handlers_around(call: form.Call, function: FunctionSymbol) -> Iterator[form.Handler]:
    """What is done where the call fails."""
    for node in function.nodes:
        if isinstance(node, form.Try) and any(s.start <= call.start < s.end for s in node.body):
            yield from node.handlers


def _results(function: FunctionSymbol, first: RemoteWrite) -> Iterator[str]:
    """The names under which what the first step gave is kept."""
    for node in function.nodes:
        value = node.value if isinstance(node, form.Assign) else None
        if isinstance(node, form.Assign) and value is not None and value.start <= first.node.start < value.end:
            yield from (target.id for target in node.targets if isinstance(target, form.Name))
