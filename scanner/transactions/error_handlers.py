"""Handlers of the database's errors: whether the transaction that failed is ended before anything else is asked.

https://docs.djangoproject.com/en/stable/topics/db/transactions/#django.db.transaction.atomic,
https://docs.sqlalchemy.org/en/20/faq/sessions.html
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from assay.scanner.linker.project import Project, last_part
from assay.scanner.linker.scopes import FunctionSymbol
from assay.scanner.linker.values import External
from assay.scanner.model.place import Evidence
from assay.scanner.model.rollback import Failing
from assay.scanner.model.transaction import Committer, TransactionKind
from assay.scanner.readers.python import form
from assay.scanner.transactions.events import Event
from assay.scanner.transactions.handler_shapes import (
    asks,
    error_names,
    goes_round,
    is_of,
    is_owned_by_turn,
    is_owner,
    is_within,
    loop_within,
    loops,
    makes_session,
    only_asks_for_life,
    opens,
    opens_inner,
    parts,
    raises,
    runs,
    session_of,
    undoes,
)
from assay.scanner.transactions.paths import ends, follows
from assay.scanner.transactions.scopes import OpenTransaction, Scopes
from assay.scanner.transactions.writes import Store

_ERRORS = frozenset(
    {
        "IntegrityError", "DatabaseError", "OperationalError", "DataError", "ProgrammingError", "InternalError",
        "SQLAlchemyError", "DBAPIError", "StatementError", "FlushError", "UniqueViolation", "UniqueViolationError",
        "PendingRollbackError", "InvalidRequestError",
    }
)  # fmt: skip
_BROAD = frozenset({"Exception", "BaseException"})


@dataclass(frozen=True, slots=True)
class ErrorHandler:
    """One handler, of what it catches, and what becomes of the transaction."""

    handler: form.Handler
    function: FunctionSymbol
    caught: str
    failing: Failing
    evidence: tuple[Evidence, ...]


class ErrorHandlers:
    """Judges the handlers of one function after the other."""

    def __init__(self, project: Project, scopes: Scopes, handlers: frozenset[FunctionSymbol]) -> None:
        self._project = project
        self._scopes = scopes
        self._handlers = handlers

    def of(self, function: FunctionSymbol) -> Iterator[ErrorHandler]:
        """Those around what the function asks of the database."""
        tries = [n for n in function.nodes if isinstance(n, form.Try) and n.handlers]
        if not tries:
            return
        events = self._scopes.events.of(function)
        for statement in tries:
            inner = [e for e in events if is_within(e.start, statement.body)]
            for handler in statement.handlers:
                caught = self._caught(handler, function, inner)
                if caught is None:
                    continue
                found = self._judged(statement, handler, function, inner, events)
                if found is not None:
                    yield ErrorHandler(handler, function, caught, *found)
                break  # what later handlers are left with is judged by the first

    def _caught(self, handler: form.Handler, function: FunctionSymbol, inner: Sequence[Event]) -> str | None:
        """The error of the database that it names, or any error where something is written directly."""
        values = (self._project.infer(part, function.scope) for part in parts(handler.type))
        named = [last_part(v.name) for v in values if isinstance(v, External)] + list(error_names(handler.type))
        known = next((n for n in named if n in _ERRORS), None)
        if known is not None:
            return known
        direct = [e for e in inner if e.helper is None and (e.commits or any(w.is_sure for w in e.writes))]
        is_broad = handler.type is None or any(n in _BROAD for n in named)
        return "any error" if is_broad and direct else None

    def _judged(
        self,
        statement: form.Try,
        handler: form.Handler,
        function: FunctionSymbol,
        inner: Sequence[Event],
        events: Sequence[Event],
    ) -> tuple[Failing, tuple[Evidence, ...]] | None:
        module = function.module
        here = Evidence(module.span(handler.start, handler.body[0].start), "the error is caught here")
        undone = next((n for n in form.walk_body(handler.body) if undoes(n)), None)
        if undone is not None:
            return Failing.ROLLED_BACK, (module.evidence(undone, "what failed is rolled back"),)
        saved = next((n for n in form.walk_body(statement.body) if opens_inner(n)), None)
        saved = saved or self._opened_by_helpers(inner)
        if saved is not None:
            return Failing.SAVEPOINT, (module.evidence(saved, "a savepoint holds it"),)
        if raises(handler.body) or any(undoes(n) for n in form.walk_body(statement.final)):
            return Failing.PASSED_ON, (here,)
        stores = {w.store for e in inner for w in e.writes}
        if self._is_django(handler, function, stores):
            return self._in_django(statement, handler, function, inner, events, here)
        return self._in_session(statement, handler, function, inner, here)

    def _opened_by_helpers(self, inner: Sequence[Event]) -> form.Expr | form.Stmt | None:
        """A call of a helper that opens a transaction of its own, where only such ones write."""
        writing = [e for e in inner if e.writes]
        own = [e for e in writing if e.helper is not None and self._opens_its_own(e.helper)]
        return own[0].node if own and len(own) == len(writing) else None

    def _opens_its_own(self, helper: FunctionSymbol) -> bool:
        around = self._scopes.around(helper)
        return around is not None and around.committer is Committer.DECORATOR and around.kind is TransactionKind.DJANGO

    def _is_sqlalchemy(self, handler: form.Handler, function: FunctionSymbol) -> bool:
        values = (self._project.infer(n, function.scope) for n in parts(handler.type))
        return any(isinstance(v, External) and v.name.startswith("sqlalchemy.") for v in values)

    # --- Django ---

    def _is_django(self, handler: form.Handler, function: FunctionSymbol, stores: set[Store]) -> bool:
        names = (self._project.infer(n, function.scope) for n in parts(handler.type))
        if any(isinstance(v, External) and v.name.startswith("django.") for v in names):
            return True
        return stores == {Store.AT_ONCE} and "django" in self._project.imported_packages

    def _in_django(
        self,
        statement: form.Try,
        handler: form.Handler,
        function: FunctionSymbol,
        inner: Sequence[Event],
        events: Sequence[Event],
        here: Evidence,
    ) -> tuple[Failing, tuple[Evidence, ...]] | None:
        """Whether it goes on inside of an atomic block whose transaction the error has broken."""
        opened = self._scopes.at(function, statement.start, with_sessions=False)
        if opened is None or opened.kind is not TransactionKind.DJANGO or not opened.is_certain:
            return Failing.AT_ONCE, (here,)
        if not inner:
            return None  # nothing shows that it asks anything of the database
        following = self._following(statement, handler, function, opened, events)
        if following is not None:
            return Failing.BROKEN, (*opened.evidence, here, following)
        earlier = next((e for e in events if e.writes and follows(function.node.body, e.start, statement.start)), None)
        is_answer = opened.committer is Committer.REQUEST or function in self._handlers
        if earlier is not None and not is_answer and self._is_in_same(function, earlier, opened):
            lost = function.module.evidence(earlier.node, "this is rolled back then, and nobody is told")
            return Failing.BROKEN, (*opened.evidence, here, lost)
        return Failing.ENDED, (here,)

    def _is_in_same(self, function: FunctionSymbol, event: Event, opened: OpenTransaction) -> bool:
        other = self._scopes.at(function, event.start, with_sessions=False)
        return other is not None and other.location == opened.location

    def _following(
        self,
        statement: form.Try,
        handler: form.Handler,
        function: FunctionSymbol,
        opened: OpenTransaction,
        events: Sequence[Event],
    ) -> Evidence | None:
        """What is asked of the same transaction after the handler: behind it, in it, or in the loop's next turn."""
        module = function.module
        last = handler.body[-1].start
        for event in events:
            is_inside = is_within(event.start, handler.body)
            is_behind = (
                event.start > statement.end
                and not ends(handler.body)
                and follows(function.node.body, last, event.start)
            )
            if (is_inside or is_behind) and self._is_in_same(function, event, opened):
                return module.evidence(event.node, "this is asked of the broken transaction")
        loop = loop_within(function, statement, opened)
        if loop is not None and goes_round(handler.body):
            return module.evidence(loop.iter if isinstance(loop, form.For) else loop.test, "the loop goes on with it")
        return None

    # --- sessions ---

    def _in_session(
        self,
        statement: form.Try,
        handler: form.Handler,
        function: FunctionSymbol,
        inner: Sequence[Event],
        here: Evidence,
    ) -> tuple[Failing, tuple[Evidence, ...]] | None:
        """Whether a session or connection is used on that its last error has left without a transaction."""
        module = function.module
        path = session_of(statement.body)
        if any(isinstance(n, form.With) and makes_session(n) for n in form.walk_body(statement.body)):
            return None
        if path is None:
            is_left = asks(statement.body) and self._is_sqlalchemy(handler, function) and not opens(function)
            return (Failing.SWALLOWED, (here,)) if is_left and function not in self._handlers else None
        used = self._used_after(path, statement, handler, function)
        if used is not None:
            return Failing.SWALLOWED, (here, module.evidence(used, "the session is used on"))
        if function in self._handlers or is_owner(function, path):
            return Failing.ENDED, (here,)
        is_broken = any(e.helper is None and (e.commits or e.writes) for e in inner)
        if not only_asks_for_life(function):
            is_broken = is_broken or runs(statement.body, path) or self._is_sqlalchemy(handler, function)
        return (Failing.SWALLOWED, (here,)) if is_broken else None

    def _used_after(
        self, path: str, statement: form.Try, handler: form.Handler, function: FunctionSymbol
    ) -> form.Expr | form.Stmt | None:
        last = handler.body[-1].start
        goes_on = not ends(handler.body)
        for node in function.nodes:
            if not isinstance(node, form.Call) or not is_of(node, path):
                continue
            if is_within(node.start, handler.body):
                return node
            if goes_on and node.start > statement.end and follows(function.node.body, last, node.start):
                return node
        loop = next((n for n in loops(function) if is_within(statement.start, n.body)), None)
        if loop is not None and goes_round(handler.body) and not is_owned_by_turn(loop, path):
            return loop.iter if isinstance(loop, form.For) else loop.test
        return None
