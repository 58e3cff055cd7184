"""Commits that are followed by an event or a request for another service, and what sees to it that it arrives."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from assay.scanner.dataflow.numbering import Ordinals, around
from assay.scanner.gathered import Gathered
from assay.scanner.integration.destinations import Destinations
from assay.scanner.integration.outboxes import Outboxes
from assay.scanner.integration.workers import Workers
from assay.scanner.linker.project import last_name
from assay.scanner.linker.scopes import FunctionSymbol
from assay.scanner.model.dual_write import DualWrite, Rescue
from assay.scanner.model.effect import EffectKind
from assay.scanner.model.place import Evidence
from assay.scanner.model.side_effect import Timing
from assay.scanner.queries.offline import Offline
from assay.scanner.readers.python import form
from assay.scanner.transactions.dependence import derived, mentions
from assay.scanner.transactions.effects import TimedSending, TimedSendings
from assay.scanner.transactions.events import Event
from assay.scanner.transactions.paths import ends, follows
from assay.scanner.transactions.sendings import Sending

_COMMON = frozenset({"self", "cls", "request", "session", "db", "conn", "connection", "cursor", "settings", "config"})
_MOST_SHOWN = 5


def dual_writes(
    gathered: Gathered,
    timed: TimedSendings,
    sent: Iterable[TimedSending],
    workers: Workers,
    offline: Offline,
) -> Iterator[DualWrite]:
    """Those of calls, of the tasks of a service all together, and the tables of events that are to be sent."""
    finder = _Finder(gathered, timed, workers, offline)
    yield from finder.of(sent)
    yield from finder.outboxes.subjects()


class _Finder:
    def __init__(self, gathered: Gathered, timed: TimedSendings, workers: Workers, offline: Offline) -> None:
        self._gathered = gathered
        self._scopes = timed.scopes
        self._sendings = timed.sendings
        self._offline = offline
        self._destinations = Destinations(gathered)
        self._ordinals = Ordinals()
        self._workers = workers
        self._told: dict[FunctionSymbol, Evidence | None] = {}
        self.outboxes = Outboxes(gathered)

    def of(self, sent: Iterable[TimedSending]) -> Iterator[DualWrite]:
        by_service: dict[str, list[tuple[TimedSending, Evidence]]] = {}
        for found in sent:
            if found.timing not in (Timing.AFTERWARDS, Timing.DEFERRED, Timing.HANDLED):
                continue
            told = self._destinations.of(found.sending)
            if told is not None:
                yield self._judged(found, told)
                continue
            by_worker = self._by_worker(found)
            owner = self._gathered.owners.of(found.function.module.path)
            if by_worker is not None and owner is not None:
                by_service.setdefault(owner.root, []).append((found, by_worker))
        for handed in by_service.values():
            yield self._of_workers(handed)

    def _subject(self, found: TimedSending, what: str, rescue: Rescue, *evidence: Evidence) -> DualWrite:
        function = found.function
        name = around(function.scope)
        return DualWrite(
            function=name,
            ordinal=self._ordinals.next(name, what),
            what=what,
            location=function.module.location(found.sending.node),
            role=function.module.role,
            rescue=rescue,
            evidence=evidence,
            offline=self._offline.reason(function.scope, is_asked_of_callers=True),
        )

    # --- what a function tells others itself ---

    def _judged(self, found: TimedSending, told: Evidence) -> DualWrite:
        rescue, shown = self._rescue(found)
        steps = found.sending.steps or (told,)
        if found.sending.inner is not None and steps[-1].location == told.location:
            steps = (*steps[:-1], told)
        return self._subject(found, found.sending.what, rescue, *found.evidence, *steps, *shown)

    def _rescue(self, found: TimedSending) -> tuple[Rescue, tuple[Evidence, ...]]:
        function, sending, module = found.function, found.sending, found.function.module
        events = self._scopes.events.of(function)
        before = [e for e in events if e.writes and e.start < sending.node.start]
        after = [e for e in events if e.writes and follows(function.node.body, sending.node.start, e.start)]
        if not _is_told_of(before, sending, function):
            return Rescue.UNRELATED, ()
        is_run_again = self._workers.run_again(function)
        if is_run_again is not None:
            return (Rescue.AGAIN if is_run_again else Rescue.OF_WORKER), ()
        stored = [w for e in before for w in e.writes if self.outboxes.is_outbox(w.model)]
        if stored:
            reader = self.outboxes.reader(stored[0].model)
            return (Rescue.STORED, (reader,)) if reader is not None else (Rescue.PERHAPS_STORED, ())
        undone = self._undone(function, sending, events)
        if undone is not None:
            return Rescue.UNDONE, (module.evidence(undone, "this is done when it fails"),)
        models = {w.model for e in before for w in e.writes}
        noted = [e for e in after if not models.isdisjoint(w.model for w in e.writes)]
        if noted:
            shown = module.evidence(noted[0].node, "how far it came is written here")
            job = self._takes_up(models)
            return (Rescue.NOTED, (shown, job)) if job is not None else (Rescue.PERHAPS_NOTED, (shown,))
        return _swallowed(sending) or (Rescue.NONE, ())

    def _undone(self, function: FunctionSymbol, sending: Sending, events: tuple[Event, ...]) -> form.Node | None:
        """What a handler around the call writes, or does to put things right."""
        for node in function.nodes:
            if not isinstance(node, form.Try) or not any(s.start <= sending.node.start < s.end for s in node.body):
                continue
            for handler in node.handlers:
                for event in events:
                    if handler.start <= event.start < handler.end and event.writes:
                        return event.node
        return None

    def _takes_up(self, models: set[str]) -> Evidence | None:
        """A job that runs by itself and looks at such rows."""
        for job in self._workers.scheduled:
            reached = [job, *(edge.callee for edge in self._gathered.bodies.of(job).edges)]
            for function in reached:
                for node in function.nodes:
                    if isinstance(node, form.Name) and node.id in models:
                        return function.module.evidence(node, f"`{job.name}` looks at {node.id} by a schedule")
        return None

    # --- what workers tell others ---

    def _by_worker(self, found: TimedSending) -> Evidence | None:
        """Where the task that is handed on tells another service."""
        last = found.sending.last
        function = last.scope.function
        if found.sending.kind is not EffectKind.QUEUE or function is None:
            return None
        for edge in self._gathered.bodies.of(function).edges:
            if edge.node is last.node and edge.callee in self._workers:
                return self._told_by(edge.callee)
        return None

    def _told_by(self, worker: FunctionSymbol) -> Evidence | None:
        if worker not in self._told:
            inner = self._sendings.leading(worker)
            told = self._destinations.of(inner) if inner is not None else None
            reached = [worker, *(edge.callee for edge in self._gathered.bodies.of(worker).edges)]
            hooks = (self._destinations.hook(function) for function in reached)
            self._told[worker] = told or next((hook for hook in hooks if hook is not None), None)
        return self._told[worker]

    def _of_workers(self, handed: list[tuple[TimedSending, Evidence]]) -> DualWrite:
        """All of a service's together: what is handed on after a commit is lost when that fails."""
        first, _ = handed[0]
        told = tuple(dict.fromkeys(evidence for _, evidence in handed))[:_MOST_SHOWN]
        places = (f.function.module.evidence(f.sending.node, "it is handed on after the commit") for f, _ in handed)
        shown = (*tuple(places)[:_MOST_SHOWN], *told)
        return self._subject(first, "tasks", Rescue.OF_WORKERS, *shown)


def _swallowed(sending: Sending) -> tuple[Rescue, tuple[Evidence, ...]] | None:
    """A handler around the call, here or in the helper that makes it, after which all goes on."""
    function, module = sending.scope.function, sending.scope.module
    for node in function.nodes if function is not None else ():
        if not isinstance(node, form.Try) or not any(s.start <= sending.node.start < s.end for s in node.body):
            continue
        for handler in node.handlers:
            if all(_goes_on(statement) for statement in handler.body):
                comments = (c for c in module.facts.comments if handler.start <= c.start < handler.end)
                is_said = next(comments, None) is not None
                shown = module.evidence(handler.body[0], "this is done when it fails")
                return (Rescue.ACCEPTED if is_said else Rescue.SWALLOWED), (shown,)
    return _swallowed(sending.inner) if sending.inner is not None else None


def _goes_on(statement: form.Stmt) -> bool:
    if isinstance(statement, form.Return):
        return statement.value is None or (isinstance(statement.value, form.Const) and statement.value.value is None)
    return isinstance(statement, form.ExprStmt | form.Jump) and not ends([statement], of_loop=False)


def _saves_itself(event: Event) -> bool:
    """`super().save()`, in a model."""
    func = event.node.func if isinstance(event.node, form.Call) else None
    owner = func.value if isinstance(func, form.Attr) else None
    return isinstance(owner, form.Call) and last_name(owner.func) == "super"


def _is_told_of(before: list[Event], sending: Sending, function: FunctionSymbol) -> bool:
    """Whether what is sent is made of what was written, or of the same values."""
    if not before:
        return True  # it waits for what a caller writes, or runs when that was saved
    if any(map(_saves_itself, before)) and any(mentions(a.value, frozenset({"self"})) for a in sending.node.args):
        return True
    names = {n.id for e in before for n in form.walk(e.node) if isinstance(n, form.Name)} - _COMMON
    for statement in function.nodes:
        # `order = store(...)`, `order = Order(...)`
        if isinstance(statement, form.Assign) and any(
            e.node is statement.value or (isinstance(statement.value, form.Await) and e.node is statement.value.value)
            for e in before
        ):
            names |= {t.id for t in statement.targets if isinstance(t, form.Name)}
    first = min((e.start for e in before), default=0)
    for name in sorted(names):
        for binding in function.scope.lookup(name, sending.node.start):
            if binding.value is not None:  # `order = Order.objects.get(pk=pk)`
                names |= {n.id for n in form.walk(binding.value) if isinstance(n, form.Name)} - _COMMON
    known = frozenset(n for n in names if not n[:1].isupper())
    return mentions(sending.node, known | derived(known, function, first, sending.node.start))
