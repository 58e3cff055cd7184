"""What a function does to the database, in the order of its text: writes, calls of helpers that write, commits."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from assay.scanner.dataflow.effects.bodies import Bodies
from assay.scanner.dataflow.effects.body import Edge
from assay.scanner.dataflow.effects.libraries import DJANGO_WRITES, SQL_PACKAGES
from assay.scanner.dataflow.effects.names import why_now_and_then
from assay.scanner.dataflow.effects.occasions import Occasion, occasions
from assay.scanner.linker.project import Project, last_name
from assay.scanner.linker.scopes import FunctionSymbol, Scope
from assay.scanner.linker.values import External
from assay.scanner.model.role import Role
from assay.scanner.model.table import Table
from assay.scanner.readers.python import form
from assay.scanner.transactions.openers import Openers
from assay.scanner.transactions.paths import follows
from assay.scanner.transactions.writes import Store, Write, Writes

_DEEPEST = 40
"""Helpers in helpers: a chain of more is followed no further."""
_MOST_WRITES = 12
_COMMITS = frozenset({"commit", "acommit"})
_ROLLBACKS = frozenset({"rollback", "arollback"})
_CONSTRUCTING = frozenset({"__init__", "__call__", "__post_init__", "__new__"})
_NAMES_OF_SESSIONS = frozenset({"session", "sess", "db", "conn", "connection", "cursor", "cur", "cnx", "con", "uow"})


@dataclass(frozen=True, slots=True, eq=False)
class Event:
    """What one call or assignment in the function does: `writes`, its own or those of the helper that it calls.

    `commits` says that it commits what is pending; `is_pending` that its own writes are not committed when it is over.
    `now_and_then` says that it writes only where something isn't there yet.
    """

    node: form.Expr | form.Stmt
    writes: tuple[Write, ...] = ()
    helper: FunctionSymbol | None = None
    commits: bool = False
    is_rollback: bool = False
    is_pending: bool = False
    now_and_then: bool = False

    @property
    def start(self) -> int:
        return self.node.start


@dataclass(frozen=True, slots=True, eq=False)
class Summary:
    """What a call of a function does to the database, for its callers."""

    writes: tuple[Write, ...] = ()
    commits: bool = False
    is_pending: bool = False
    switch: str | None = None
    """The parameter that says whether it commits."""
    switched_on: bool = True


_NOTHING = Summary()


class Events:
    """Worked out once for each function."""

    def __init__(self, project: Project, bodies: Bodies, openers: Openers, tables: Sequence[Table]) -> None:
        self._project = project
        self._bodies = bodies
        self._openers = openers
        self._events: dict[FunctionSymbol, tuple[Event, ...]] = {}
        self._summaries: dict[FunctionSymbol, Summary] = {}
        self._stretches: dict[FunctionSymbol, tuple[Occasion, ...]] = {}
        self._known: set[FunctionSymbol] = set()
        self._leading: set[FunctionSymbol] = set()
        self._depth = 0
        self._has_django = "django" in project.imported_packages
        self._writes = Writes(project, bodies, tables)

    @cached_property
    def _calls(self) -> Mapping[FunctionSymbol, Sequence[form.Call]]:
        """Calls that may write by a manager, commit or roll back, by the function they are made in."""
        found: dict[FunctionSymbol, list[form.Call]] = {}
        names = (*_COMMITS, *_ROLLBACKS, *(DJANGO_WRITES if self._has_django else ()))
        for call, scope in self._project.calls_named(*names):
            if scope.function is not None and scope.module.role is Role.PROD:
                found.setdefault(scope.function, []).append(call)
        return found

    def prepare(self, roots: Iterable[FunctionSymbol]) -> tuple[FunctionSymbol, ...]:
        """Those of the functions, and of what they call, that may write or commit; what others do isn't asked again."""
        queue = deque(roots)
        callers: dict[FunctionSymbol, list[FunctionSymbol]] = {}
        self._known.update(queue)
        while queue:
            function = queue.popleft()
            for edge in self._bodies.of(function).edges:
                callers.setdefault(edge.callee, []).append(function)
                if edge.callee not in self._known:
                    self._known.add(edge.callee)
                    queue.append(edge.callee)
        queue.extend(f for f in self._known if f in self._calls or self._bodies.of(f).changes)
        while queue:
            function = queue.popleft()
            if function not in self._leading:
                self._leading.add(function)
                queue.extend(callers.get(function, ()))
        return tuple(self._leading)

    def of(self, function: FunctionSymbol) -> tuple[Event, ...]:
        """In the order of the text, without what is written only now and then."""
        found = self.all_of(function)
        if not any(e.now_and_then for e in found):
            return found
        return tuple(replace(e, writes=()) if e.now_and_then else e for e in found if e.commits or not e.now_and_then)

    def all_of(self, function: FunctionSymbol) -> tuple[Event, ...]:
        """In the order of the text."""
        if function not in self._events:
            self._events[function] = ()  # for a function that calls itself
            self._events[function] = tuple(sorted(self._found(function), key=lambda e: e.start))
        return self._events[function]

    def summary(self, function: FunctionSymbol) -> Summary:
        """What a call of the function does, for its callers."""
        if function.module.role is not Role.PROD or (function in self._known and function not in self._leading):
            return _NOTHING
        if function not in self._summaries:
            if self._depth >= _DEEPEST:
                return _NOTHING
            self._summaries[function] = _NOTHING
            self._depth += 1
            self._summaries[function] = self._summed(function)
            self._depth -= 1
        return self._summaries[function]

    def _found(self, function: FunctionSymbol) -> Iterator[Event]:
        body = self._bodies.of(function)
        calls = self._calls.get(function, ())
        if not body.changes and not body.edges and not calls:
            return
        lambdas = [(n.start, n.end) for n in function.nodes if isinstance(n, form.Lambda)]
        for change in body.changes:
            write = self._writes.of_change(change)
            if write is not None and not _is_in(change.node, lambdas):
                now_and_then = change.caveats.occasion is not None
                is_own = now_and_then and not self._is_now_and_then(change.node, function)
                if not is_own:  # `get_or_create()`: the second run makes what the first has not
                    is_pending = write.store is Store.AT_COMMIT
                    yield Event(change.node, (write,), is_pending=is_pending, now_and_then=now_and_then)
        for edge in body.edges:
            if not _is_in(edge.node, lambdas) and _is_called(edge):
                yield from self._of_edge(edge, function)
        if self._has_django:
            for method in body.inherited:
                write = self._writes.of_inherited(method, function)
                if write is not None:
                    yield Event(method.node, (write,))
        known = {change.node for change in body.changes}
        for call in calls:
            if call not in known and not _is_in(call, lambdas):
                yield from self._of_call(call, function)

    def stretches(self, function: FunctionSymbol) -> tuple[Occasion, ...]:
        """Those of the function that run only now and then."""
        if function not in self._stretches:
            self._stretches[function] = occasions(function)
        return self._stretches[function]

    def _is_now_and_then(self, node: form.Node, function: FunctionSymbol) -> bool:
        return any(stretch.holds(node) for stretch in self.stretches(function))

    def _of_call(self, call: form.Call, function: FunctionSymbol) -> Iterator[Event]:
        name = last_name(call.func)
        if name in _COMMITS or name in _ROLLBACKS:
            if self._is_ending(call, function.scope):
                yield Event(call, commits=name in _COMMITS, is_rollback=name in _ROLLBACKS)
            return
        write = self._writes.of_manager(call, function.scope)
        if write is not None:
            yield Event(call, (write,), now_and_then=self._is_now_and_then(call, function))

    def _of_edge(self, edge: Edge, function: FunctionSymbol) -> Iterator[Event]:
        found = self.summary(edge.callee)
        if not found.writes and not found.commits:
            return
        commits = found.commits
        if found.switch is not None and isinstance(edge.node, form.Call):
            given = _given(edge.node, edge.callee, found.switch)
            on = given.value if isinstance(given, form.Const) else found.switched_on
            commits = bool(on)
        caveats = edge.caveats
        writes = found.writes if caveats.excuse is None and why_now_and_then(edge.callee.name) is None else ()
        writes = tuple(_of_receiver(w, edge) for w in writes)
        if caveats.doubt is not None:
            writes = tuple(Write(w.model, w.action, w.store, w.node, w.scope, False) for w in writes)
        is_pending = found.is_pending or (found.commits and not commits)
        now_and_then = caveats.occasion is not None and self._is_now_and_then(edge.node, function)
        yield Event(edge.node, writes, edge.callee, commits, is_pending=is_pending, now_and_then=now_and_then)

    def _summed(self, function: FunctionSymbol) -> Summary:
        events = self.of(function)
        writes = tuple(w for e in events for w in e.writes)[:_MOST_WRITES]
        ending = [e for e in events if e.commits and not self._is_savepoint(e.node, function)]
        last_write = max((e.start for e in events if any(w.store is Store.AT_COMMIT for w in e.writes)), default=-1)
        is_closed = any(e.start >= last_write for e in ending)
        in_region = last_write >= 0 and self._ends_its_own(function)
        switch, on = _switch(function, ending)
        return Summary(
            writes,
            commits=bool(ending) or in_region,
            is_pending=last_write >= 0 and not is_closed and not in_region,
            switch=switch,
            switched_on=on,
        )

    def _ends_its_own(self, function: FunctionSymbol) -> bool:
        """Whether a block or a decorator opens a transaction that is committed when the call is over."""
        wrapped = (self._openers.of_decorator(decorator, function.outer) for decorator in function.decorators)
        return bool(self._openers.regions(function)) or any(kind is not None for kind in wrapped)

    def _is_ending(self, call: form.Call, scope: Scope) -> bool:
        """Whether it is a session or a connection that is committed or rolled back, and no savepoint or repository."""
        if not isinstance(call.func, form.Attr):
            return False
        callee = self._project.infer(call.func, scope)
        if isinstance(callee, External):
            root = callee.name.split(".", 1)[0]
            return (root in SQL_PACKAGES and "begin_nested" not in callee.name) or root in ("dbapi", "django", "peewee")
        if callee is not None:
            return False
        return (last_name(call.func.value) or "").lower().rsplit("_", 1)[-1].lstrip("_") in _NAMES_OF_SESSIONS

    def _is_savepoint(self, node: form.Expr | form.Stmt, function: FunctionSymbol) -> bool:
        """`nested = session.begin_nested()`, `nested.commit()`."""
        owner = node.func.value if isinstance(node, form.Call) and isinstance(node.func, form.Attr) else None
        if not isinstance(owner, form.Name):
            return False
        values = [b.value for b in function.scope.lookup(owner.id, owner.start) if b.value is not None]
        calls = (n for v in values for n in form.walk(v) if isinstance(n, form.Call))
        return any(last_name(c.func) == "begin_nested" for c in calls)


def pending_at(events: tuple[Event, ...], function: FunctionSymbol, offset: int) -> Event | None:
    """The first write that is pending in a session at the place, on a way there on which nobody commits after it."""
    body = function.node.body
    for event in events:
        if not event.is_pending or event.start >= offset or not any(w.store is Store.AT_COMMIT for w in event.writes):
            continue
        if follows(body, event.start, offset) and not any(
            (other.commits or other.is_rollback)
            and event.start < other.start < offset
            and follows(body, event.start, other.start)
            and follows(body, other.start, offset)
            for other in events
        ):
            return event
    return None


def _of_receiver(write: Write, edge: Edge) -> Write:
    """A row that a method of a base class stores is one of the class that the method is called on."""
    owner = edge.callee.owner
    if owner is None or edge.cls is None or edge.cls is owner or write.model != owner.name:
        return write
    return replace(write, model=edge.cls.name)


def _is_called(edge: Edge) -> bool:
    """Whether the function is called there, and not handed to something that calls it later."""
    if not isinstance(edge.node, form.Call):
        return False
    name = last_name(edge.node.func)
    return edge.callee.name in _CONSTRUCTING or name == edge.callee.name


def _is_in(node: form.Node, spans: list[tuple[int, int]]) -> bool:
    return any(start <= node.start < end for start, end in spans)


def _given(call: form.Call, callee: FunctionSymbol, parameter: str) -> form.Expr | None:
    names = [p.name for p in callee.parameters]
    return call.argument(names.index(parameter), parameter) if parameter in names else call.keyword(parameter)


def _switch(function: FunctionSymbol, ending: list[Event]) -> tuple[str | None, bool]:
    """The parameter that all commits hang on, `if commit: session.commit()`, and whether it is on by itself."""
    parameters: Mapping[str, form.Param] = {p.name: p for p in function.parameters}
    found: set[str] = set()
    for event in ending:
        tests = (
            n.test for n in function.nodes if isinstance(n, form.If) and n.body and _is_within(event.start, n.body)
        )
        named = {t.id for t in tests if isinstance(t, form.Name) and t.id in parameters}
        if not named:
            return None, True
        found |= named
    if len(found) != 1:
        return None, True
    name = found.pop()
    default = parameters[name].default
    return name, not isinstance(default, form.Const) or bool(default.value)


def _is_within(offset: int, body: list[form.Stmt]) -> bool:
    return body[0].start <= offset < body[-1].end
