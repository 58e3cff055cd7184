"""Calls by which a function sends a mail, hands a task on or asks another service to change something."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from assay.scanner.dataflow.effects.change import Change
from assay.scanner.dataflow.effects.requests import request_change
from assay.scanner.gathered import Gathered
from assay.scanner.linker.project import last_name
from assay.scanner.linker.scopes import FunctionSymbol, Scope
from assay.scanner.linker.values import BoundMethod
from assay.scanner.messages.sent import queued_messages
from assay.scanner.model.effect import EffectKind
from assay.scanner.model.outbound import OutboundCall
from assay.scanner.model.place import Evidence
from assay.scanner.model.role import Role
from assay.scanner.queries.regions import Regions, regions_of
from assay.scanner.readers.python import form
from assay.scanner.transactions.scopes import Scopes

_OUTSIDE = (EffectKind.MAIL, EffectKind.REQUEST, EffectKind.QUEUE)
_IN_PROCESS = frozenset({"add_task", "submit", "run_in_executor", "create_task", "add_job", "s", "si", "schedule"})
"""Calls that hand work on within the process, or only describe it."""
_DEFERRED = frozenset({"delay_on_commit", "apply_async_on_commit", "enqueue_on_commit", "send_on_commit"})
_ON_COMMIT = frozenset({"on_commit", "run_after_commit", "call_after_commit"})
_ENQUEUING = frozenset({"delay", "apply_async", "enqueue", "enqueue_at", "enqueue_in", "async_task", "send_task"})
_CLOSING = frozenset({"raise_for_status", "close", "aclose"})
_DEEPEST = 8


@dataclass(frozen=True, slots=True, eq=False)
class Sending:
    """`inner` is what sends in the function that the call leads to, where a helper does."""

    node: form.Call
    scope: Scope
    kind: EffectKind
    inner: Sending | None = None
    is_deferred: bool = False

    @property
    def last(self) -> Sending:
        """What sends in the end."""
        return self if self.inner is None else self.inner.last

    @property
    def sender(self) -> str:
        """The name of what sends: `delay`."""
        return last_name(self.last.node.func) or ""

    @property
    def what(self) -> str:
        """The call as it is written."""
        return form.dotted(self.node.func) or last_name(self.node.func) or "call"

    @property
    def steps(self) -> tuple[Evidence, ...]:
        """From the call to what sends."""
        if self.inner is None:
            return ()
        return (self.inner.scope.module.evidence(self.inner.node, f"`{self.inner.what}` is called"), *self.inner.steps)


class Sendings:
    """Answers are remembered by function."""

    def __init__(self, gathered: Gathered, scopes: Scopes) -> None:
        self._project = gathered.project
        self._bodies = gathered.bodies
        self._scopes = scopes
        self._requests: dict[str, list[OutboundCall]] = {}
        for request in gathered.requests:
            self._requests.setdefault(request.function, []).append(request)
        self._messages: dict[FunctionSymbol, list[form.Call]] = {}
        for message in queued_messages(gathered):
            if (
                message.scope.function is not None and message.call.start == message.call.func.start
            ):  # no `partial(...)`
                self._messages.setdefault(message.scope.function, []).append(message.call)
        self._leading: dict[FunctionSymbol, Sending | None] = {}
        self._regions: dict[FunctionSymbol, Regions] = {}

    def of(self, function: FunctionSymbol) -> Iterator[Sending]:
        """Each call once; what only runs when something has failed is left out."""
        told: set[form.Node] = set()
        for call, kind in self._own(function):
            if call not in told and self._counts(call, function):
                told.add(call)
                is_deferred = self._scopes.is_deferred(function, call.start)
                yield Sending(call, function.scope, kind, is_deferred=is_deferred)
        for edge in self._bodies.of(function).edges:
            node = edge.node
            if edge.caveats.doubt is not None or not isinstance(node, form.Call) or node in told:
                continue
            if last_name(node.func) in (*_IN_PROCESS, *_ON_COMMIT) or not self._counts(node, function):
                continue
            found = self.leading(edge.callee)
            if found is not None:
                told.add(node)
                is_deferred = self._scopes.is_deferred(function, node.start)
                yield Sending(node, function.scope, found.kind, found, is_deferred)
        yield from self._deferred(function)

    def leading(self, function: FunctionSymbol, depth: int = _DEEPEST) -> Sending | None:
        """What the function sends on its way, before anything of its own is committed."""
        if not depth or function.module.role is not Role.PROD or self._waits(function):
            return None
        if function not in self._leading:
            self._leading[function] = None  # for functions that call each other
            self._leading[function] = self._search(function, depth)
        return self._leading[function]

    def _waits(self, function: FunctionSymbol) -> bool:
        """Whether a decorator of the project has the function run after the commit."""
        for decorator in function.decorators:
            called = decorator.func if isinstance(decorator, form.Call) else decorator
            wrapper = self._project.infer(called, function.outer)
            for inner in (wrapper, *wrapper.nested) if isinstance(wrapper, FunctionSymbol) else ():
                if any(isinstance(n, form.Call) and last_name(n.func) in _ON_COMMIT for n in inner.nodes):
                    return True
        return False

    def _search(self, function: FunctionSymbol, depth: int) -> Sending | None:
        for call, kind in self._own(function):
            if self._is_plain(call, function):
                return Sending(call, function.scope, kind)
        for edge in self._bodies.of(function).edges:
            node = edge.node
            if edge.caveats.doubt is not None or not isinstance(node, form.Call) or not self._is_plain(node, function):
                continue
            found = self.leading(edge.callee, depth - 1) if last_name(node.func) == edge.callee.name else None
            if found is not None:
                return Sending(node, function.scope, found.kind, found)
        return None

    def _own(self, function: FunctionSymbol) -> Iterator[tuple[form.Call, EffectKind]]:
        """The function's own calls that send."""
        requests = {r.location: r for r in self._requests.get(function.id, ())}
        for change in self._bodies.of(function).changes:
            node = change.node
            if not isinstance(node, form.Call) or not _is_outside(change):
                continue
            if function.module.location(node) not in requests:
                yield node, change.kind
        for node in self._messages.get(function, ()):
            yield node, EffectKind.QUEUE
        for node in _calls(function) if requests else ():
            request = requests.get(function.module.location(node))
            if request is not None and _asks_for_change(request, node, function):
                yield node, EffectKind.REQUEST

    def _is_plain(self, node: form.Call, function: FunctionSymbol) -> bool:
        if not self._counts(node, function) or self._scopes.is_deferred(function, node.start):
            return False
        return not any(e.commits and e.start < node.start for e in self._scopes.events.of(function))

    def _counts(self, node: form.Call, function: FunctionSymbol) -> bool:
        if function not in self._regions:
            self._regions[function] = regions_of(function)
        regions = self._regions[function]
        is_later = regions.is_deferred(node.start) and not self._scopes.is_deferred(function, node.start)
        return not is_later and not regions.is_exceptional(node.start)

    def _deferred(self, function: FunctionSymbol) -> Iterator[Sending]:
        """`task.delay_on_commit(...)`, `on_commit(send)`, `on_commit(partial(task.delay, key))`."""
        for node in function.nodes:
            if not isinstance(node, form.Call):
                continue
            if last_name(node.func) in _DEFERRED:
                yield Sending(node, function.scope, EffectKind.QUEUE, is_deferred=True)
            elif last_name(node.func) in _ON_COMMIT and node.args:
                given = self._given(node.args[0].value, function.scope)
                if given is not None:
                    kind, inner = given
                    yield Sending(node, function.scope, kind, inner, is_deferred=True)

    def _given(self, node: form.Expr, scope: Scope, depth: int = 2) -> tuple[EffectKind, Sending | None] | None:
        """What the function sends that a commit is to run: none for a lambda, whose calls are told themselves."""
        if isinstance(node, form.Call) and last_name(node.func) == "partial" and node.args:
            return self._given(node.args[0].value, scope, depth)
        if isinstance(node, form.Attr) and node.attr in _ENQUEUING:
            return EffectKind.QUEUE, None
        value = self._project.infer(node, scope)
        function = value.function if isinstance(value, BoundMethod) else value
        if isinstance(function, FunctionSymbol):
            found = self.leading(function)
            return (found.kind, found) if found is not None else None
        if isinstance(node, form.Name) and depth:
            values = [b.value for b in scope.lookup(node.id, node.start) if b.value is not None]
            return next((k for v in values if (k := self._given(v, scope, depth - 1)) is not None), None)
        return None


def _calls(function: FunctionSymbol) -> Iterator[form.Call]:
    """Its calls, with those that a lambda makes."""
    for node in function.nodes:
        for part in form.walk(node.body) if isinstance(node, form.Lambda) else (node,):
            if isinstance(part, form.Call):
                yield part


def _asks_for_change(request: OutboundCall, node: form.Call, function: FunctionSymbol) -> bool:
    """What a POST is for is told by what becomes of the answer, where its address doesn't: nothing, of a message."""
    if request_change(request, node, function.scope) is not None:
        return True
    return request.method == "POST" and not is_used(node, function)


def _is_outside(change: Change) -> bool:
    return (
        change.kind in _OUTSIDE
        and isinstance(change.node, form.Call)
        and last_name(change.node.func) not in _IN_PROCESS
    )


def is_used(node: form.Node, function: FunctionSymbol) -> bool:
    """Whether the answer of the call goes anywhere."""
    alone = (
        n.value if isinstance(n, form.ExprStmt) else n.body
        for n in function.nodes
        if isinstance(n, form.ExprStmt | form.Lambda)
    )
    return not any(_unwrapped(value) is node for value in alone)


def _unwrapped(node: form.Expr) -> form.Expr:
    """`client.post(...)` of `client.post(...).raise_for_status()`."""
    while True:
        if isinstance(node, form.Await):
            node = node.value
        elif isinstance(node, form.Call) and isinstance(node.func, form.Attr) and node.func.attr in _CLOSING:
            node = node.func.value
        else:
            return node
