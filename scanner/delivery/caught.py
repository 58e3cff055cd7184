"""What catches every exception of a consumer's work: a handler, a decorator, `suppress`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from assay.scanner.dataflow.effects.bodies import Bodies
from assay.scanner.dataflow.handlers import Handlers
from assay.scanner.dataflow.lexicon import words
from assay.scanner.dataflow.loggers import Loggers
from assay.scanner.delivery.consumed import Consumed
from assay.scanner.delivery.handling import ACKNOWLEDGING, acknowledges, attempts, is_named, leaves
from assay.scanner.linker.project import Project, last_name
from assay.scanner.linker.scopes import FunctionSymbol
from assay.scanner.model.log import Breadth
from assay.scanner.readers.python import form

TELLING = frozenset(
    """log logger logging report alert capture bugsnag sentry rollbar print warn warning debug info exception
    traceback""".split()
)
_QUIET = frozenset(
    {
        "close", "aclose", "release", "release_lock", "rollback", "remove", "unlink", "rmtree", "inc", "incr", "timing",
        "increment", "observe", "flush", "shutdown", "disconnect", "cleanup", "cancel", "stop", "sleep", "gauge",
        "expunge_all", "close_old_connections", "info", "debug", "log", "collect", "unlock", "deactivate", "delete",
    }
)  # fmt: skip
"""What may follow the work, or its failure, without being a part of it."""


@dataclass(frozen=True, slots=True, eq=False)
class Caught:
    """A handler that catches everything; `after` is what runs when it ends normally."""

    tried: form.Try
    handler: form.Handler
    after: list[form.Stmt]
    around: tuple[form.With, ...]


class Catching:
    """Answers for one project."""

    def __init__(self, project: Project, bodies: Bodies, loggers: Loggers) -> None:
        self._project = project
        self._bodies = bodies
        self._loggers = loggers
        self._handlers = Handlers(project, loggers)

    def of(self, each: Consumed) -> tuple[Consumed, Caught] | None:
        """The handler that ends its work, and the function that this stands in."""
        found = ((at, caught) for at in self._around(each) if (caught := self._caught(at)) is not None)
        return next(found, None)

    def _around(self, each: Consumed) -> Iterator[Consumed]:
        """Where its work may be caught: in it, in decorators around it, in the one function that it leaves all to."""
        yield each
        for decorator in each.function.decorators:
            made = decorator.func if isinstance(decorator, form.Call) else decorator
            value = self._project.infer(made, each.function.outer)
            for wrapper in value.nested if isinstance(value, FunctionSymbol) else ():
                yield replace(each, function=wrapper, loop=None)
        done = [s for s in each.body if any(self._callee(n, each) for n in form.walk(s, into_definitions=False))]
        if len(done) == 1 and isinstance(done[0], form.ExprStmt | form.Return) and done[0].value is not None:
            callee = self._callee(_awaited(done[0].value), each)
            if callee is not None and callee is not each.function:
                yield replace(each, function=callee, loop=None)

    def suppressing(self, each: Consumed) -> form.Expr | None:
        """`with suppress(Exception)` around all of its work."""
        scope = each.function.scope
        for statement in each.body:
            for item in statement.items if isinstance(statement, form.With) else ():
                if isinstance(item.value, form.Call) and is_named(item.value, frozenset({"suppress"})):
                    types = [name for node in item.value.positional for name in self._handlers.names_of(node, scope)]
                    is_broad = bool(types) and self._handlers.breadth(tuple(types)) is not Breadth.NARROW
                    if is_broad and not any(self._works(s, each.function) for s in each.body if s is not statement):
                        return item.value
        return None

    def _callee(self, node: form.Expr | form.Stmt, each: Consumed) -> FunctionSymbol | None:
        """The project's function that does a part of the work."""
        scope = each.function.scope
        if not isinstance(node, form.Call) or is_named(node, _QUIET) or acknowledges(node, scope, self._project):
            return None
        return self._project.callee_function(node, scope)

    def _caught(self, each: Consumed) -> Caught | None:
        """The handler around the work: none where some of it is done before, or goes on after."""
        for tried, before, after, around in attempts(each.body, [], [], ()):
            if any(self._works(statement, each.function) for statement in before):
                return None
            for handler in tried.handlers:
                types = self._handlers.types(handler, each.function.scope)
                if self._handlers.breadth(types) is not Breadth.NARROW and self._is_all(tried, handler, after, each):
                    return Caught(tried, handler, after, around)
        return None

    def _is_all(self, tried: form.Try, handler: form.Handler, after: list[form.Stmt], each: Consumed) -> bool:
        """Whether the failure of what is tried ends the work, and something may fail."""
        if not any(isinstance(n, form.Call) for n in form.walk_body(tried.body, into_definitions=False)):
            return False
        return leaves(handler.body) or not any(self._works(s, each.function) for s in after)

    def _works(self, statement: form.Stmt, function: FunctionSymbol) -> bool:
        """Whether it does a part of the work: a call for its effect, a write."""
        changes = {id(change.node) for change in self._bodies.of(function).changes}
        for node in form.walk(statement, into_definitions=False):
            if id(node) in changes and not is_named(node, _QUIET | ACKNOWLEDGING):
                return True
            if isinstance(node, form.ExprStmt):
                call = _awaited(node.value)
                if isinstance(call, form.Call) and not self._is_beside_the_point(call, function):
                    return True
        return False

    def _is_beside_the_point(self, call: form.Call, function: FunctionSymbol) -> bool:
        name = last_name(call.func) or ""
        if name in _QUIET or name in ACKNOWLEDGING or not TELLING.isdisjoint(words(name)):
            return True
        if self._loggers.log_call(call, function.scope) is not None:
            return True
        if acknowledges(call, function.scope, self._project):
            return True
        # What isn't the project's own, and changes nothing: `timezone.activate(...)`, `span.set_attribute(...)`.
        return self._project.callee_function(call, function.scope) is None


def _awaited(node: form.Expr) -> form.Expr:
    return node.value if isinstance(node, form.Await) else node
