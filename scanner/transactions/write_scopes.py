"""Functions that make several writes on one path, and whether one transaction holds them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

from assay.scanner.dataflow.effects.bodies import Bodies
from assay.scanner.dataflow.entry_points import serving_functions
from assay.scanner.dataflow.lexicon import words
from assay.scanner.delivery.consumed import ConsumedFunctions
from assay.scanner.gathered import Gathered
from assay.scanner.linker.scopes import FunctionSymbol
from assay.scanner.model.outbound import OutboundCall
from assay.scanner.model.place import Evidence
from assay.scanner.model.role import Role
from assay.scanner.model.transaction import Committer, RowWrite, Unity, WriteScope
from assay.scanner.queries.offline import Offline
from assay.scanner.transactions.dependence import creates, reason
from assay.scanner.transactions.events import Event
from assay.scanner.transactions.paths import follows
from assay.scanner.transactions.refused import refusal_after
from assay.scanner.transactions.scopes import OpenTransaction, Scopes

_MOST_EVENTS = 40
"""Writes of one function that are compared with each other."""
_DEEPEST = 2
"""Helpers in helpers that are asked for calls of other services."""
_MADE_UP = frozenset({"dummy", "fake", "demo", "fixture", "fixtures"})
_RUN = frozenset(
    {
        "create", "update", "run", "perform", "handle", "execute", "consume", "process", "save_model", "delete_model",
        "save_related", "save_formset", "form_valid", "perform_create", "perform_update", "perform_destroy",
    }
)  # fmt: skip
"""Methods that libraries call to do a job, or to make or change a row."""


def writing_functions(gathered: Gathered, scopes: Scopes, consumed: ConsumedFunctions) -> tuple[FunctionSymbol, ...]:
    """The functions that requests and jobs run and that may write or commit."""
    jobs = (f for f in serving_functions(gathered.project) if f.owner is None or f.name in _RUN)
    consumers = (consumer.function for consumer in consumed.consumers)
    return scopes.events.prepare([*gathered.bodies.read, *jobs, *consumers])


def write_scopes(gathered: Gathered, scopes: Scopes, functions: tuple[FunctionSymbol, ...]) -> Iterator[WriteScope]:
    """Of the functions that write, in order of place."""
    offline = Offline(gathered.project)
    handlers = frozenset(r.handler for r, _ in gathered.endpoints if r.handler is not None)
    finder = _Finder(gathered, scopes, offline, handlers)
    for function in sorted(functions, key=lambda f: (f.module.path, f.node.start)):
        if function.module.role is Role.PROD:
            found = finder.of(function)
            if found is not None:
                yield found


@dataclass(frozen=True, slots=True)
class _Pair:
    """Two writes on one path, with why one needs the other and the transaction of the first."""

    first: Event
    second: Event
    reason: str | None
    opened: OpenTransaction | None
    ended: Event | None
    """What commits the first before the second is made; the first itself where it does."""


class _Finder:
    def __init__(
        self, gathered: Gathered, scopes: Scopes, offline: Offline, handlers: frozenset[FunctionSymbol]
    ) -> None:
        self._project = gathered.project
        self._bodies: Bodies = gathered.bodies
        self._scopes = scopes
        self._offline = offline
        self._handlers = handlers
        self._requests: dict[str, list[OutboundCall]] = {}
        for request in gathered.requests:
            self._requests.setdefault(request.function, []).append(request)

    def of(self, function: FunctionSymbol) -> WriteScope | None:
        """None where there are no two writes to speak of."""
        events = self._scopes.events.all_of(function)
        writing = [e for e in events if e.writes][:_MOST_EVENTS]
        if not writing or (len(writing) < 2 and function not in self._handlers):
            return None
        pairs = [
            self._pair(a, b, function, events)
            for a, b in combinations(writing, 2)
            if self._follows(function, a, b) and self._happen_together(a, b, function)
        ]
        needing = [p for p in pairs if p.reason is not None]
        apart = next((p for p in needing if p.ended is not None), None)
        if apart is not None:
            return self._split(apart, function, writing)
        refused = self._refused(function, writing, events) if function in self._handlers else None
        if refused is not None:
            return refused
        if needing:
            return self._one(needing[0], function, writing)
        return self._unrelated(pairs, function, writing)

    def _follows(self, function: FunctionSymbol, first: Event, second: Event) -> bool:
        return follows(function.node.body, first.start, second.start)

    def _happen_together(self, first: Event, second: Event, function: FunctionSymbol) -> bool:
        """Whether the second is made whenever the first is: what is made where it is missing is made later if need be,
        but not what is made only together with it.
        """
        if not first.now_and_then and not second.now_and_then:
            return True
        return all(s.holds(first.node) == s.holds(second.node) for s in self._scopes.events.stretches(function))

    def _pair(self, first: Event, second: Event, function: FunctionSymbol, events: Sequence[Event]) -> _Pair:
        why = reason(first, second, function, self._project)
        opened = self._scopes.at(function, first.start, with_sessions=False)
        after = self._scopes.at(function, second.start, with_sessions=False) if opened is not None else None
        if opened is not None and after is not None and opened.location == after.location:
            return _Pair(first, second, why, opened, None)
        if opened is not None and opened.committer is Committer.BLOCK and opened.is_certain:
            return _Pair(first, second, why, None, first)  # its block ends, and commits, before the second is made
        return _Pair(first, second, why, None, self._ended(first, second, function, events))

    def _ended(self, first: Event, second: Event, function: FunctionSymbol, events: Sequence[Event]) -> Event | None:
        """What makes the first write last before the second is made."""
        if not first.is_pending:
            return first
        body = function.node.body
        return next(
            (
                e
                for e in events
                if e.commits
                and first.start < e.start < second.start
                and follows(body, first.start, e.start)
                and follows(body, e.start, second.start)
            ),
            None,
        )

    # --- what it comes to ---

    def _split(self, pair: _Pair, function: FunctionSymbol, writing: Sequence[Event]) -> WriteScope:
        assert pair.ended is not None
        module = function.module
        partly = self._scopes.at(function, pair.first.start, with_sessions=False)
        between = self._outside(function, pair)
        unity = Unity.SPLIT
        if between is not None:
            unity = Unity.INTERRUPTED
        elif partly is not None and not partly.is_certain:
            unity = Unity.PERHAPS
        parts = [self._place(function, pair.first)]
        if pair.ended is not pair.first:
            parts.append(module.evidence(pair.ended.node, "here it is committed"))
        if between is not None:
            parts.append(between)
        parts.append(self._place(function, pair.second))
        shown = partly.evidence if unity is Unity.PERHAPS and partly is not None else ()
        return self._scope(function, writing, unity, shown, tuple(parts), pair.reason or "")

    def _one(self, pair: _Pair, function: FunctionSymbol, writing: Sequence[Event]) -> WriteScope:
        parts = (self._place(function, pair.first), self._place(function, pair.second))
        if pair.opened is not None:
            unity = Unity.ONE if pair.opened.is_certain else Unity.PERHAPS
            return self._scope(function, writing, unity, pair.opened.evidence, parts, pair.reason or "")
        return self._scope(function, writing, Unity.ONE, self._commit(function, pair), parts, pair.reason or "")

    def _unrelated(
        self, pairs: Sequence[_Pair], function: FunctionSymbol, writing: Sequence[Event]
    ) -> WriteScope | None:
        """Writes of several models of which nothing shows that they need each other."""
        pairs = [p for p in pairs if _models(p.first) and _models(p.second) - _models(p.first)]
        if not pairs:
            return None
        if all(p.ended is None for p in pairs):
            return self._one(pairs[0], function, writing)
        parts = (self._place(function, pairs[0].first), self._place(function, pairs[0].second))
        return self._scope(function, writing, Unity.APART, (), parts)

    def _refused(
        self, function: FunctionSymbol, writing: Sequence[Event], events: Sequence[Event]
    ) -> WriteScope | None:
        for event in writing:
            if event.now_and_then:
                continue
            answer = refusal_after(event, function, events, self._project)
            if answer is None or self._scopes.at(function, event.start, with_sessions=False) is not None:
                continue
            committed = not event.is_pending or any(
                e.commits
                and follows(function.node.body, event.start, e.start)
                and follows(function.node.body, e.start, answer.start)
                for e in events
            )
            if committed:
                refusal = function.module.evidence(answer, "the request is refused")
                parts = (self._place(function, event), refusal)
                return self._scope(function, writing, Unity.REFUSED, (), parts)
        return None

    # --- words ---

    def _scope(
        self,
        function: FunctionSymbol,
        writing: Sequence[Event],
        unity: Unity,
        transaction: tuple[Evidence, ...] = (),
        parts: tuple[Evidence, ...] = (),
        why: str = "",
    ) -> WriteScope:
        return WriteScope(
            function=function.id,
            location=function.location,
            role=function.module.role,
            writes=tuple(self._writes(function, writing)),
            unity=unity,
            transaction=transaction,
            parts=parts,
            reason=why,
            offline=self._offline.reason(function.scope, is_asked_of_callers=unity is not Unity.ONE)
            or _filling(function),
        )

    def _writes(self, function: FunctionSymbol, writing: Sequence[Event]) -> Iterator[RowWrite]:
        told: set[tuple[str, str]] = set()
        for event in writing:
            for write in event.writes:
                if (write.model, write.action) not in told:
                    told.add((write.model, write.action))
                    yield RowWrite(write.model, write.action, self._place(function, event))

    def _place(self, function: FunctionSymbol, event: Event) -> Evidence:
        models = list(dict.fromkeys(w.model for w in event.writes if w.model))
        first = event.writes[0]
        is_made = creates(first, event, function, self._project)
        verb = "makes" if is_made else "deletes" if first.action == "delete" else "changes"
        what = ", ".join(models[:3]) or "rows"
        by = f"`{event.helper.name}` {verb}" if event.helper is not None else f"it {verb}"
        return function.module.evidence(event.node, f"{by} {what}")

    def _commit(self, function: FunctionSymbol, pair: _Pair) -> tuple[Evidence, ...]:
        events = self._scopes.events.of(function)
        body = function.node.body
        ending = next((e for e in events if e.commits and follows(body, pair.second.start, e.start)), None)
        return (function.module.evidence(ending.node, "one commit ends them"),) if ending is not None else ()

    def _outside(self, function: FunctionSymbol, pair: _Pair) -> Evidence | None:
        """A call of another service between the two, over which no transaction should be held open."""
        module = function.module
        span = (module.location(pair.first.node), module.location(pair.second.node))
        for request in self._requests.get(function.id, ()):
            if span[0] < request.location < span[1]:
                return Evidence(request.location, "another service is called")
        for edge in self._bodies.of(function).edges:
            is_between = pair.first.start < edge.node.start <= pair.second.start
            if is_between and self._calls_out(edge.callee, _DEEPEST):
                return module.evidence(edge.node, f"`{edge.callee.name}` calls another service")
        return None

    def _calls_out(self, function: FunctionSymbol, depth: int) -> bool:
        """Whether a call of the function asks another service."""
        if function.id in self._requests:
            return True
        return depth > 0 and any(self._calls_out(e.callee, depth - 1) for e in self._bodies.of(function).edges)


def _filling(function: FunctionSymbol) -> str | None:
    """Rows made up to try things out are made again when half of them are missing."""
    named = {*words(function.name), *words(function.module.name.rsplit(".", 1)[-1])}
    return None if named.isdisjoint(_MADE_UP) else "fill with made-up data"


def _models(event: Event) -> frozenset[str]:
    return frozenset(w.model for w in event.writes if w.model and w.is_sure)
