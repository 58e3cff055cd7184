"""What becomes of a request while a breaker is open: whether something on the way to the endpoint answers for it."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from assay.scanner.breakers.protected import Use
from assay.scanner.linker.project import Project, last_name
from assay.scanner.linker.scopes import FunctionSymbol, Scope
from assay.scanner.model.place import Evidence
from assay.scanner.readers.python import form

ERRORS = frozenset(
    {"CircuitBreakerError", "OpenedState", "CircuitBreakerOpen", "CircuitOpenError", "CircuitBreakerOpenError"}
)
"""What calls raise while a breaker is open."""
_BROAD = frozenset({"Exception", "BaseException"})
_REGISTERING = ("exception_handler", "add_exception_handler", "errorhandler", "register_error_handler")
_APPLICATIONS = ("FastAPI", "Starlette", "Litestar")
_PASSING_ON = ("call_next", "get_response")
"""What middleware calls."""
_FARTHEST = 40
"""Functions looked at on the way back to endpoints."""


class Answering:
    """Of one project; `handlers` answer its endpoints."""

    def __init__(self, project: Project, handlers: Iterable[FunctionSymbol]) -> None:
        self._project = project
        self._handlers = frozenset(handlers)
        self._errors = ERRORS | {alias for name in ERRORS for alias in project.aliases_of(name)}

    def for_all(self) -> Evidence | None:
        """What answers for open breakers wherever they are used: a handler of the application's, or a middleware."""
        for call, scope in self._project.calls_named(*_REGISTERING):
            named = {name for argument in call.args for name in _names(argument.value)}
            if named & (self._errors | _BROAD):
                return scope.module.evidence(call, "this answers while it is open")
        for call, scope in self._project.calls_named(*_APPLICATIONS):
            given = call.keyword("exception_handlers")
            if given is not None and _names(given) & (self._errors | _BROAD):
                return scope.module.evidence(given, "this answers while it is open")
        for call, scope in self._project.calls_named(*_PASSING_ON):
            caught = self._caught(call, scope.function) if scope.function is not None else None
            if caught is not None:
                return caught
        return None

    def of(self, use: Use) -> tuple[Evidence | None, Evidence | None]:
        """What answers, and where nothing does on the way to an endpoint."""
        if use.opens_at is not None:
            starts = [use.opens_at]
        elif use.function is not None:
            starts = self._project.callers(use.function)
            if use.function in self._handlers:
                return None, use.shown
        else:
            starts = []
        answered = self._decorated(use.function) if use.function is not None else None
        if answered is not None:
            return answered, None
        seen: set[FunctionSymbol] = set()
        queue = deque(starts)
        while queue and len(seen) < _FARTHEST:
            call, scope = queue.popleft()
            function = scope.enclosing_function
            caught = self._caught(call, function) or self._decorated(function) if function is not None else None
            if caught is not None:
                answered = answered or caught
            elif function is not None and function in self._handlers:
                return answered, scope.module.evidence(call, "nothing answers here while the breaker is open")
            elif function is not None and function not in seen:
                seen.add(function)
                queue.extend(self._project.callers(function))
        return answered, None

    def _caught(self, call: form.Call, function: FunctionSymbol) -> Evidence | None:
        """The handler around the call that takes what an open breaker raises."""
        for node in function.nodes:
            if isinstance(node, form.Try) and node.body[0].start <= call.start < node.body[-1].end:
                for handler in (h for h in node.handlers if not _raises_again(h)):
                    if handler.type is None or _names(handler.type) & (self._errors | _BROAD):
                        return function.module.evidence(handler.body[0], "this answers while it is open")
        return None

    def _decorated(self, function: FunctionSymbol) -> Evidence | None:
        """The handler in a decorator of the project that takes what the function under it raises."""
        for decorator in function.decorators:
            named = decorator.func if isinstance(decorator, form.Call) else decorator
            wrapper = self._project.infer(named, function.outer)
            inner = [*wrapper.nested] if isinstance(wrapper, FunctionSymbol) else []
            for wrapped in (*inner, *(deeper for each in inner for deeper in each.nested)):
                for node in wrapped.nodes:
                    caught = self._caught(node, wrapped) if isinstance(node, form.Call) else None
                    if caught is not None:
                        return caught
        return None


def _raises_again(handler: form.Handler) -> bool:
    """Whether it only has a look at what it caught."""
    last = handler.body[-1]
    return isinstance(last, form.Raise) and last.exc is None


def _names(node: form.Expr) -> set[str]:
    return {last_name(n) or "" for n in form.walk(node) if isinstance(n, form.Name | form.Attr)}


def has_fallback(call: form.Call, scope: Scope) -> Evidence | None:
    """`@circuit(fallback_function=...)`."""
    given = call.keyword("fallback_function")
    return scope.module.evidence(given, "this answers while it is open") if given is not None else None
