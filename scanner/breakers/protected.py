"""What goes through a circuit breaker, and whether it sees the failures of that."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from assay.scanner.breakers.made import Made
from assay.scanner.clients.sent import SentRequests
from assay.scanner.linker.project import Project, last_part
from assay.scanner.linker.scopes import FunctionSymbol, Scope
from assay.scanner.linker.values import BoundMethod, Instance
from assay.scanner.model.place import Evidence
from assay.scanner.readers.python import form
from assay.scanner.retries.remote import is_network_error
from assay.scanner.web.registrations import decorations

_CALLING = ("call", "call_async", "acall", "calling", "get_breaker", "execute", "run", "protect", "guard")
_HTTP = frozenset({"requests", "httpx", "aiohttp"})
"""Libraries whose answers with errors are no failures until somebody asks."""
_ASKING = frozenset(
    {"raise_for_status", "status_code", "status", "ok", "is_success", "is_error", "is_server_error", "event_hooks"}
)
_HOOKS = ("event_hooks", "hooks")
"""How clients are told what to do with each answer."""
_BROAD = frozenset({"Exception", "BaseException"})


@dataclass(frozen=True, slots=True, eq=False)
class Use:
    """One thing that goes through a breaker: a function, or the part of one in `within`."""

    shown: Evidence
    function: FunctionSymbol | None
    within: range | None = None
    opens_at: tuple[form.Call, Scope] | None = None
    """The call that fails while the breaker is open; None for all calls of the function."""

    def holds(self, node: form.Node) -> bool:
        return self.within is None or node.start in self.within

    def holds_call(self, call: form.Call, scope: Scope) -> bool:
        """Whether the call is made in what goes through the breaker: in the function, or in a lambda."""
        if self.function is not None and scope.enclosing_function is self.function and self.holds(call):
            return True
        at, around = self.opens_at or (None, None)
        return at is not None and around is not None and around.module is scope.module and _is_in(call, at)


class Uses:
    """Finds them in one project."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._decorators = [f for f in decorations(project) if isinstance(f.handler, FunctionSymbol)]

    def of(self, made: Made) -> list[Use]:
        """In order of place."""
        if made.protected is not None:
            return [self._of_decorated(made.protected)]
        decorated = [
            self._of_decorated(found.handler)
            for found in self._decorators
            if isinstance(found.handler, FunctionSymbol) and self._is(found.call.func, found.scope, made)
        ]
        return [*decorated, *self._of_calls(made)]

    def _of_decorated(self, function: FunctionSymbol) -> Use:
        return Use(Evidence(function.location, "this goes through it"), function)

    def _of_calls(self, made: Made) -> Iterator[Use]:
        for call, scope in self._project.calls_named(*_CALLING):
            owner = call.func.value if isinstance(call.func, form.Attr) else None
            if owner is None or not self._is(owner, scope, made):
                continue
            shown = scope.module.evidence(call, "this goes through it")
            within = _block_of(call, scope)
            if within is not None:
                yield Use(shown, scope.enclosing_function, within, (call, scope))
            elif call.args:
                handed = self._project.infer(call.args[0].value, scope)
                function = handed.function if isinstance(handed, BoundMethod) else handed
                known = function if isinstance(function, FunctionSymbol) else None
                yield Use(shown, known, None, (call, scope))
            else:
                yield Use(shown, None, None, (call, scope))

    def _is(self, node: form.Expr, scope: Scope, made: Made) -> bool:
        """Whether the expression stands for the breaker."""
        if node is made.call:
            return True
        value = self._project.infer(node, scope)
        return isinstance(value, Instance) and value.origin is made.call


def swallowed(use: Use, sent: SentRequests, project: Project) -> Evidence | None:
    """A handler that keeps a failure of the other side from the breaker."""
    for function in _parts(use, project):
        for node in function.nodes:
            if not isinstance(node, form.Try) or not (use.holds(node) or function is not use.function):
                continue
            asks = any(sent.of(function, range(node.body[0].start, node.body[-1].end)))
            for handler in node.handlers:
                if _is_answer(handler, function, sent) and _catches_failure(handler, function, project, asks):
                    return function.module.evidence(handler.body[0], "failures end here, before the breaker sees them")
    return None


def _parts(use: Use, project: Project) -> Iterator[FunctionSymbol]:
    """What goes through the breaker, and helpers whose answers it gives as they are: `return self._ask()`."""
    function = use.function
    if function is None:
        return
    yield function
    for node in function.nodes:
        if isinstance(node, form.Return) and use.holds(node):
            value = node.value.value if isinstance(node.value, form.Await) else node.value
            helper = project.callee_function(value, function.scope) if isinstance(value, form.Call) else None
            if helper is not None:
                yield helper


def unnoticed(use: Use, sent: SentRequests, project: Project) -> Evidence | None:
    """A request whose answer nobody asks for its status."""
    function = use.function
    if function is None or _asks_status(function, project):
        return None
    for request in sent.of(function, use.within):
        if request.library in _HTTP:
            return Evidence(request.location, "an answer with an error counts as a success")
    return None


def _asks_status(function: FunctionSymbol, project: Project) -> bool:
    """Whether it, a helper that it calls, or its module's client turns answers with errors into failures."""
    module = function.module
    if any(call.keyword(name) for call, _ in module.calls for name in ("raise_for_status", *_HOOKS)):
        return True
    targets = (n for assign, _ in module.assignments for t in assign.targets for n in form.walk(t))
    if any(isinstance(n, form.Attr) and n.attr in _HOOKS for n in targets):
        return True  # `session.hooks["response"] = check`
    called = (project.callee_function(n, function.scope) for n in function.nodes if isinstance(n, form.Call))
    asking = (function, *(helper for helper in called if helper is not None))
    return any(isinstance(n, form.Attr) and n.attr in _ASKING for each in asking for n in each.nodes)


def _is_answer(handler: form.Handler, function: FunctionSymbol, sent: SentRequests) -> bool:
    """Whether no way from the handler raises: there, below it as after the last attempt, or by asking again."""
    below = any(isinstance(n, form.Raise) and n.start >= handler.start for n in function.nodes)
    return not below and not any(sent.of(function, range(handler.start, handler.end)))


def _catches_failure(handler: form.Handler, function: FunctionSymbol, project: Project, asks: bool) -> bool:
    if handler.type is None:
        return asks
    named = [n for n in form.walk(handler.type) if isinstance(n, form.Name | form.Attr)]
    names = [project.qualified_name(n, function.scope) or form.dotted(n) or "" for n in named]
    if any(is_network_error(name) and not name.endswith("HTTPStatusError") for name in names):
        return True
    return asks and any(last_part(name) in _BROAD for name in names)


def _is_in(call: form.Call, outer: form.Call) -> bool:
    return outer.start < call.start < outer.end


def _block_of(call: form.Call, scope: Scope) -> range | None:
    """The body of the `with` that the call opens."""
    function = scope.enclosing_function
    for node in function.nodes if function is not None else ():
        if isinstance(node, form.With) and any(
            call.start >= i.value.start and call.end <= i.value.end for i in node.items
        ):
            return range(node.body[0].start, node.body[-1].end)
    return None
