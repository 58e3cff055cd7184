"""What an endpoint changes: the changes of its handler and of everything that runs with it, with the way there."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, replace

from assay.scanner.dataflow.asked import Asked
from assay.scanner.dataflow.effects.bodies import Bodies
from assay.scanner.dataflow.effects.body import Body, Edge, LibraryMethod
from assay.scanner.dataflow.effects.change import NONE, RANKS, Caveats, Change
from assay.scanner.dataflow.effects.generic_views import Inheritance
from assay.scanner.dataflow.effects.names import records_audit
from assay.scanner.dataflow.effects.turns import Spans, hangs_on_method, unreached
from assay.scanner.dataflow.sources import injection
from assay.scanner.framework import Route
from assay.scanner.linker.project import Project, last_name, last_part
from assay.scanner.linker.scopes import ClassSymbol, FunctionSymbol
from assay.scanner.linker.values import BoundMethod
from assay.scanner.model.effect import Effect, EffectKind
from assay.scanner.model.place import Evidence
from assay.scanner.readers.python import form

_DEEPEST = 10
_MOST_FUNCTIONS = 600
_MOST_UNFOLLOWED = 8
_MOST_LOGS = 2
_NEAR = 2
"""How many calls away from the handler a log line is still about what that one does."""
_AROUND = ("dispatch", "initial", "initialize_request", "finalize_response", "prepare", "on_finish", "setup")
"""Methods of a view's class that run before or after whichever handler answers."""
_BESIDE = Caveats("it happens around every request")
_LIBRARY_ACTIONS = frozenset({"create", "update", "partial_update", "destroy", "list", "retrieve"})


@dataclass(frozen=True, slots=True)
class Found:
    """What an endpoint changes, the calls that may change something for all that can be told, and what it logs."""

    effects: tuple[Effect, ...] = ()
    unfollowed: tuple[Evidence, ...] = ()
    logs: tuple[Evidence, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class _Visit:
    """A function on the way, and how it was reached. `cls` is the class of the object that it is a method of."""

    function: FunctionSymbol
    cls: ClassSymbol | None
    by: Edge | LibraryMethod | None = None
    before: _Visit | None = None
    depth: int = 0
    caveats: Caveats = NONE


class Search:
    """Follows calls from handlers; what one function does is worked out once for all of them."""

    def __init__(self, project: Project, bodies: Bodies) -> None:
        self._project = project
        self._bodies = bodies
        self._places: dict[tuple[form.Node, str], Evidence] = {}
        self.inheritance = Inheritance(project)

    def of(self, route: Route, method: str) -> Found:
        """What the route changes when it is asked with the method."""
        return _Walk(self, self._project, self._bodies, Asked(route.path, method, route.view_class)).of(route)

    def evidence(self, node: form.Expr | form.Stmt, function: FunctionSymbol, text: str) -> Evidence:
        key = (node, text)
        if key not in self._places:
            self._places[key] = function.module.evidence(node, text)
        return self._places[key]


class _Walk:
    """One walk from a handler, for one method."""

    def __init__(self, search: Search, project: Project, bodies: Bodies, asked: Asked) -> None:
        self._search = search
        self._project = project
        self._bodies = bodies
        self._asked = asked
        self._seen: set[tuple[FunctionSymbol, ClassSymbol | None]] = set()
        self._queues: tuple[deque[_Visit], ...] = tuple(deque() for _ in range(RANKS))
        self._effects: dict[tuple[EffectKind, str, str, form.Node], Effect] = {}
        self._waiting: list[tuple[Change, _Visit]] = []
        self._unfollowed: dict[form.Node, Evidence] = {}
        self._logs: list[Evidence] = []
        self._commits = False
        self._is_mixed = False

    def of(self, route: Route) -> Found:
        self._is_mixed = not set(route.methods) <= {"GET", "HEAD", "OPTIONS"}
        for root in self._roots(route):
            self._queues[root.caveats.rank].append(root)
        if route.handler is None and route.view_class is not None:
            self._library_handler(route, route.view_class)
        while True:
            queue = next((q for q in self._queues if q), None)
            if queue is None or len(self._seen) > _MOST_FUNCTIONS:
                break
            visit = queue.popleft()
            if (visit.function, visit.cls) not in self._seen:
                self._seen.add((visit.function, visit.cls))
                self._visit(visit)
        for change, visit in self._waiting if self._commits else ():
            self._note(change, visit)
        return Found(
            tuple(self._effects.values()), tuple(self._unfollowed.values())[:_MOST_UNFOLLOWED], tuple(self._logs)
        )

    # --- where it begins ---

    def _roots(self, route: Route) -> Iterator[_Visit]:
        handler = route.handler
        if handler is not None:
            yield _Visit(handler, route.view_class)
            for function in self._around(handler):
                yield _Visit(function, None, caveats=_BESIDE)
            for decorator in handler.decorators:
                self._audit_decorator(decorator, handler)
        if route.view_class is not None:
            for name in _AROUND:
                method = self._project.method(route.view_class, name)
                if method is not None and method is not handler:
                    yield _Visit(method, route.view_class, caveats=_BESIDE)

    def _around(self, handler: FunctionSymbol) -> Iterator[FunctionSymbol]:
        """What decorators put around the handler, and what is injected into it."""
        for decorator in handler.decorators:
            called = decorator.func if isinstance(decorator, form.Call) else decorator
            function = self._project.infer(called, handler.outer)
            if isinstance(function, FunctionSymbol):
                yield from function.nested
        for param in handler.parameters:
            for node in (param.default, param.annotation):
                injected = injection(node, handler.outer, self._project)
                if injected is None or not isinstance(injected.node, form.Call):
                    continue
                given = injected.node.argument(0, "dependency")
                value = self._project.infer(given, injected.scope) if given is not None else None
                function = value.function if isinstance(value, BoundMethod) else value
                if isinstance(function, FunctionSymbol):
                    yield function

    def _audit_decorator(self, decorator: form.Expr, handler: FunctionSymbol) -> None:
        name = last_name(decorator.func if isinstance(decorator, form.Call) else decorator)
        if name is not None and records_audit(name):
            self._note(Change(EffectKind.AUDIT, name, "record", decorator, handler.outer), _Visit(handler, None))

    def _library_handler(self, route: Route, cls: ClassSymbol) -> None:
        """The library answers: with the action that the route names, or by the verb."""
        action = last_part(route.handler_name)
        name = action if action in _LIBRARY_ACTIONS else self._asked.method.lower()
        self._inherited(name, cls, None, None, cls.node)

    # --- on the way ---

    def _visit(self, visit: _Visit) -> None:
        body = self._bodies.of(visit.function)
        dead = self._unreached(visit)
        self._commits |= body.commits
        if visit.depth <= _NEAR and visit.caveats.excuse != _BESIDE.excuse:
            near = [call for call in body.logs if not _is_in(call, dead)][: _MOST_LOGS - len(self._logs)]
            self._logs += (self._search.evidence(call, visit.function, "it goes to the log only") for call in near)
        for change in body.changes:
            if not _is_in(change.node, dead):
                self._change(change, visit, body)
        if visit.depth >= _DEEPEST:
            return
        for edge in body.edges:
            if not _is_in(edge.node, dead):
                self._follow(edge, visit)
        for method in body.inherited:
            if not _is_in(method.node, dead):
                self._inherited(method.name, visit.cls or visit.function.owner, method, visit, method.node)
        if visit.caveats is NONE:
            for call in body.unfollowed:
                if not _is_in(call, dead):
                    text = f"`{last_name(call.func)}` can't be followed"
                    self._unfollowed.setdefault(call, self._search.evidence(call, visit.function, text))

    def _unreached(self, visit: _Visit) -> Spans:
        if not hangs_on_method(visit.function, self._project):
            return ()
        return unreached(visit.function, self._asked, self._project, takes_bodies=visit.depth == 0 and self._is_mixed)

    def _follow(self, edge: Edge, visit: _Visit) -> None:
        callee, cls = edge.callee, edge.cls
        if edge.on_self and visit.cls is not None and visit.cls is not edge.cls:
            cls = visit.cls
            callee = self._project.method(cls, callee.name) or callee
        self._reach(callee, cls, edge, visit, edge.caveats)

    def _reach(
        self,
        callee: FunctionSymbol,
        cls: ClassSymbol | None,
        by: Edge | LibraryMethod | None,
        visit: _Visit | None,
        caveats: Caveats = NONE,
    ) -> None:
        if (callee, cls) in self._seen:
            return
        depth = visit.depth + 1 if visit is not None else 0
        around = visit.caveats if visit is not None else NONE
        following = _Visit(callee, cls, by, visit, depth, around.then(caveats))
        self._queues[following.caveats.rank].append(following)

    def _inherited(
        self,
        name: str,
        cls: ClassSymbol | None,
        by: LibraryMethod | None,
        visit: _Visit | None,
        node: form.Expr | form.Stmt,
        depth: int = 4,
    ) -> None:
        """A method of the view's own: a class of the project's that is next in order, else what the library does."""
        if cls is None or not depth:
            return
        above = by.above if by is not None and by.name == name else None
        does = self._search.inheritance.of(cls, name, above)
        if isinstance(does, FunctionSymbol):
            self._reach(does, cls, by, visit)
            return
        if does.kind is not None:
            key = (does.kind, does.target, does.action, node)
            if key not in self._effects:
                change = Change(does.kind, does.target, does.action, node, cls.scope)
                self._effects[key] = self._effect(change, visit, cls)
            for method, given in does.runs:
                self._reach(method, given, by, visit)
        for hook in does.hooks:
            self._inherited(hook, cls, None, visit, node, depth - 1)

    # --- what is found ---

    def _change(self, change: Change, visit: _Visit, body: Body) -> None:
        if not change.needs_commit:
            self._note(change, visit)
        elif change.caveats.doubt is None:
            self._waiting.append((change, visit))
        elif body.commits:
            self._note(replace(change, caveats=replace(change.caveats, doubt=None)), visit)

    def _note(self, change: Change, visit: _Visit) -> None:
        key = (change.kind, change.target, change.action, change.node)
        if key not in self._effects:
            self._effects[key] = self._effect(change, visit, None)

    def _effect(self, change: Change, visit: _Visit | None, cls: ClassSymbol | None) -> Effect:
        steps: list[Evidence] = []
        step = visit
        while step is not None and step.before is not None:
            if step.by is not None:
                text = f"it calls `{step.function.name}`"
                steps.append(self._search.evidence(step.by.node, step.before.function, text))
            step = step.before
        steps.reverse()
        holder = visit.function if visit is not None else cls
        assert holder is not None
        if isinstance(change.node, form.Class):
            last = Evidence(holder.module.headline(change.node), _said(change))
        else:
            last = Evidence(change.scope.module.location(change.node), _said(change))
        said = (visit.caveats if visit is not None else NONE).then(change.caveats)
        return Effect(change.kind, change.target, change.action, (*steps, last), said.excuse, said.occasion, said.doubt)


def _said(change: Change) -> str:
    target = change.target
    match change.kind:
        case EffectKind.WRITE:
            verb = {"create": "creates", "update": "changes", "delete": "deletes"}.get(change.action, "changes")
            return f"it {verb} {target or 'rows'}"
        case EffectKind.MAIL:
            return "it sends a mail or message"
        case EffectKind.REQUEST:
            return f"it sends {change.action or 'a request'} to {target or 'another service'}"
        case EffectKind.QUEUE:
            return f"it hands on `{target}`" if target else "it hands on a task"
        case EffectKind.SESSION:
            return {"login": "it signs somebody in", "logout": "it signs the caller out"}.get(
                change.action, "it changes the session"
            )
        case EffectKind.AUDIT:
            return f"`{target}` records it"


def _is_in(node: form.Node, spans: Spans) -> bool:
    return any(start <= node.start < end for start, end in spans)
