"""Whether a transaction is open at a place of a function, of which kind, and who ends it.

Built once for what was gathered, and asked with a function and an offset in its text:

    scopes = Scopes(gathered)
    opened = scopes.at(function, call.start)   # None where no transaction is open there
    opened.kind                                # TransactionKind.DJANGO, SESSION ...
    opened.committer                           # Committer.BLOCK, REQUEST, CODE ...
    opened.place                               # Evidence: what opens it
    opened.steps                               # the calls from there to the function, where a caller opens it
    opened.is_certain                          # False where only some of the callers open one
    opened.location                            # its identity: two places with the same one share the transaction

Looked for, in this order: decorators and the framework's requests, blocks (`with transaction.atomic():`), writes that
are pending in a session, the callers. What `on_commit` is given runs after the commit: no transaction is open there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from assay.scanner.gathered import Gathered
from assay.scanner.linker.project import Project, last_name
from assay.scanner.linker.scopes import FunctionSymbol, Scope
from assay.scanner.linker.values import Instance
from assay.scanner.model.place import Evidence, Location
from assay.scanner.model.role import Role
from assay.scanner.model.transaction import Committer, TransactionKind
from assay.scanner.readers.python import form
from assay.scanner.transactions.events import Events, pending_at
from assay.scanner.transactions.openers import Openers
from assay.scanner.transactions.paths import follows
from assay.scanner.transactions.requests import AtomicRequests

_DEEPEST = 3
"""Calls between what opens a transaction and the place."""
_MOST_CALLERS = 12
_ENDED_BY_COMMITS = (TransactionKind.WRAPPER, TransactionKind.SESSION)
"""What a commit by the code inside ends before its time."""
_RUN_BY: Mapping[str, tuple[str, ...]] = {
    "perform_create": ("create", "post"),
    "perform_update": ("update", "put"),
    "perform_destroy": ("destroy", "delete"),
    "form_valid": ("post",),
    "create": ("post",),
    "destroy": ("delete",),
}
"""By which other methods of the view a method of it is run, besides `dispatch`, which runs all."""
_DEFERRING = frozenset({"on_commit", "run_after_commit", "after_commit", "call_after_commit"})


@dataclass(frozen=True, slots=True)
class OpenTransaction:
    """One that is open at a place; see the module for its fields."""

    kind: TransactionKind
    committer: Committer
    place: Evidence
    steps: tuple[Evidence, ...] = ()
    is_certain: bool = True

    @property
    def location(self) -> Location:
        return self.place.location

    @property
    def evidence(self) -> tuple[Evidence, ...]:
        """What opens it, and the calls from there to the function."""
        return (self.place, *self.steps)


class Scopes:
    """Answers are remembered by function, but for what is pending in a session, which is by place."""

    def __init__(self, gathered: Gathered) -> None:
        self._project: Project = gathered.project
        self.openers = Openers(self._project)
        self.events = Events(self._project, gathered.bodies, self.openers, gathered.tables)
        self._requests = AtomicRequests(gathered)
        self._around: dict[FunctionSymbol, OpenTransaction | None] = {}
        self._callers: dict[tuple[FunctionSymbol, bool], OpenTransaction | None] = {}
        self._deferred: dict[FunctionSymbol, list[tuple[int, int]]] = {}
        for call, scope in self._project.calls_named(*sorted(_DEFERRING)):
            if scope.function is not None:
                given = (a.value for a in call.args if not _runs_at_once(call, a.value))
                self._deferred.setdefault(scope.function, []).extend((node.start, node.end) for node in given)

    def at(self, function: FunctionSymbol, offset: int, *, with_sessions: bool = True) -> OpenTransaction | None:
        """The transaction that is open there, the outermost where there are several.

        Without `with_sessions` only what commits by itself at its end counts, and no writes that are pending.
        """
        if self.is_deferred(function, offset):
            return None
        found = self.around(function) or self._block(function, offset)
        if found is None and with_sessions:
            found = self._pending(function, offset)
        if found is None:
            found = self._from_callers(function, with_sessions, _DEEPEST)
            if found is not None and found.kind in _ENDED_BY_COMMITS and self._commits_before(function, offset):
                return None
        return found

    def around(self, function: FunctionSymbol) -> OpenTransaction | None:
        """What a decorator or the framework opens around each call of the function."""
        if function not in self._around:
            self._around[function] = self._find_around(function)
        return self._around[function]

    def is_deferred(self, function: FunctionSymbol, offset: int) -> bool:
        """Whether the place is in what a call such as `transaction.on_commit(...)` is given to run later."""
        return any(start <= offset < end for start, end in self._deferred.get(function, ()))

    # --- where it is opened ---

    def _find_around(self, function: FunctionSymbol) -> OpenTransaction | None:
        for decorator in function.decorators:
            kind = self.openers.of_decorator(decorator, function.outer)
            if kind is not None:
                place = function.module.evidence(decorator, f"`{function.name}` runs in a transaction")
                return OpenTransaction(kind, Committer.DECORATOR, place)
        owner = function.owner
        for decorator in owner.node.decorators if owner is not None else ():
            if owner is None or not isinstance(decorator, form.Call) or not _names(decorator, function.name):
                continue
            kind = self.openers.of_decorator(decorator, owner.outer)
            if kind is not None:
                place = function.module.evidence(decorator, f"`{function.name}` runs in a transaction")
                return OpenTransaction(kind, Committer.DECORATOR, place)
        runner = self._of_runner(function)
        if runner is not None:
            return runner
        request = self._requests.around(function)
        return OpenTransaction(TransactionKind.DJANGO, Committer.REQUEST, request) if request is not None else None

    def _of_runner(self, function: FunctionSymbol) -> OpenTransaction | None:
        """What the method of a view opens from which Django or REST framework runs the function."""
        if function.owner is None:
            return None
        for name in (*_RUN_BY.get(function.name, ()), "dispatch"):
            runner = self._project.method(function.owner, name)
            if runner is None or runner is function:
                continue
            passes = (n for n in runner.nodes if isinstance(n, form.Call) and last_name(n.func) == name)
            inside = (self._block(runner, call.start) for call in passes)
            opened = self.around(runner) or next((o for o in inside if o is not None), None)
            if opened is not None:
                return opened
        return None

    def _block(self, function: FunctionSymbol, offset: int) -> OpenTransaction | None:
        for block, opener, kind in self.openers.regions(function):
            if block.body and block.body[0].start <= offset < block.body[-1].end:
                if kind in _ENDED_BY_COMMITS and self._commits_within(function, block):
                    continue
                place = function.module.evidence(opener, "a transaction is opened")
                return OpenTransaction(kind, Committer.BLOCK, place)
        return None

    def _pending(self, function: FunctionSymbol, offset: int) -> OpenTransaction | None:
        # What was written in a block that commits at its end is pending no more behind it.
        closed = [b for b, _, _ in self.openers.regions(function) if b.end <= offset]
        events = tuple(e for e in self.events.of(function) if not any(b.start <= e.start < b.end for b in closed))
        first = pending_at(events, function, offset)
        if first is None:
            return None
        is_ended_here = any(e.commits and e.start >= offset for e in events)
        place = function.module.evidence(first.node, "this is written, and not committed yet")
        committer = Committer.CODE if is_ended_here else Committer.OWNER
        return OpenTransaction(TransactionKind.SESSION, committer, place)

    def _commits_within(self, function: FunctionSymbol, block: form.With) -> bool:
        span = range(block.body[0].start, block.body[-1].end)
        return any(e.commits and e.start in span for e in self.events.of(function))

    def _commits_before(self, function: FunctionSymbol, offset: int) -> bool:
        events = self.events.of(function)
        return any(e.commits and follows(function.node.body, e.start, offset) for e in events)

    def _from_callers(self, function: FunctionSymbol, with_sessions: bool, depth: int) -> OpenTransaction | None:
        key = (function, with_sessions)
        if key not in self._callers:
            self._callers[key] = None  # for functions that call each other
            self._callers[key] = self._ask_callers(function, with_sessions, depth)
        return self._callers[key]

    def _saving(self, function: FunctionSymbol) -> Iterator[tuple[form.Call, Scope]]:
        """The calls of `serializer.save()` by which the library calls the `create()` of a serializer's class."""
        owner = function.owner
        if owner is None or not _is_called_by_save(function, self._project):
            return
        names = {owner.name, *(cls.name for cls in self._project.subclasses(owner))}
        for call, scope in self._project.calls_named("save"):
            value = self._project.infer(call.func.value, scope) if isinstance(call.func, form.Attr) else None
            if isinstance(value, Instance) and value.cls is not None and value.cls.name in names:
                yield call, scope

    def _ask_callers(self, function: FunctionSymbol, with_sessions: bool, depth: int) -> OpenTransaction | None:
        if not depth:
            return None
        found: OpenTransaction | None = None
        is_certain = True
        callers = [*self._project.callers(function), *self._saving(function)]
        callers = [(c, s) for c, s in callers if s.module.role is not Role.TEST]
        for call, scope in callers[:_MOST_CALLERS]:
            caller = scope.enclosing_function
            opened = None
            if caller is not None and caller is not function and not self.is_deferred(caller, call.start):
                opened = self.around(caller) or self._block(caller, call.start)
                if opened is None and with_sessions:
                    opened = self._pending(caller, call.start)
                if opened is None:
                    opened = self._from_callers(caller, with_sessions, depth - 1)
            if opened is None:
                is_certain = False
            else:
                step = scope.module.evidence(call, f"`{caller.name if caller else ''}` calls `{function.name}`")
                is_certain = is_certain and opened.is_certain
                found = found or replace(opened, steps=(*opened.steps, step))
        return replace(found, is_certain=is_certain) if found is not None else None


def _runs_at_once(call: form.Call, given: form.Expr) -> bool:
    """`on_commit(task.delay(key))`: Django is given what the call answers; `partial(...)` answers a function."""
    return last_name(call.func) == "on_commit" and isinstance(given, form.Call) and last_name(given.func) != "partial"


def _is_called_by_save(function: FunctionSymbol, project: Project) -> bool:
    """Whether it is a method by which a serializer of REST framework makes or changes its row."""
    if function.owner is None or function.name not in ("create", "update"):
        return False
    return any(name.startswith("rest_framework.") for name in project.base_names(function.owner))


def _names(decorator: form.Call, method: str) -> bool:
    """`@method_decorator(transaction.atomic, name="post")`: `dispatch` has all of them run."""
    named = decorator.argument(1, "name")
    return isinstance(named, form.Const) and named.value in (method, "dispatch")
