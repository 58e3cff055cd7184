"""What the code of a handler and around it looks like: what undoes, what goes on, and with which session."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from assay.scanner.dataflow.lexicon import words
from assay.scanner.linker.project import last_name
from assay.scanner.linker.scopes import FunctionSymbol
from assay.scanner.model.transaction import Committer
from assay.scanner.readers.python import form
from assay.scanner.transactions.scopes import OpenTransaction

_UNDOING = frozenset({"rollback", "arollback", "set_rollback", "close", "aclose", "remove", "expunge_all"})
_SAVEPOINTS = frozenset({"begin_nested", "atomic", "savepoint", "begin", "transaction", "in_transaction"})
_SESSIONS = frozenset({"session", "db", "conn", "connection", "cursor", "dbsession", "sess", "s"})
_ASKING = frozenset({"all", "count", "first", "one", "one_or_none", "scalar", "paginate"})
_LIFE = frozenset({"health", "healthy", "healthz", "ready", "readiness", "alive", "ping", "status", "check", "probe"})


def parts(node: form.Expr | None) -> Iterator[form.Expr]:
    """The errors of `except (A, B):`, each by itself."""
    if isinstance(node, form.Display):
        yield from node.items
    elif node is not None:
        yield node


def error_names(node: form.Expr | None) -> Iterator[str]:
    """The last names of the errors that a handler catches."""
    return (name for part in parts(node) if (name := last_name(part)) is not None)


def undoes(node: form.Expr | form.Stmt) -> bool:
    """A call that rolls back, or closes what failed."""
    name = last_name(node.func) if isinstance(node, form.Call) else None
    return name is not None and (name in _UNDOING or "rollback" in name)


def opens_inner(node: form.Expr | form.Stmt) -> bool:
    """`with session.begin_nested():`, `with transaction.atomic():` around what may fail."""
    if not isinstance(node, form.With):
        return False
    calls = (i.value for i in node.items if isinstance(i.value, form.Call))
    return any(last_name(c.func) in _SAVEPOINTS or "atomic" in (last_name(c.func) or "") for c in calls)


def raises(body: Sequence[form.Stmt]) -> bool:
    """Whether the error, or another one, leaves the handler."""
    if not body:
        return False
    match body[-1]:
        case form.Raise():
            return True
        case form.ExprStmt(value=form.Call(func=func)):
            return last_name(func) in ("abort", "fail", "exit")
        case form.If(body=then, orelse=orelse):
            return raises(then) and raises(orelse)
    return False


def is_within(offset: int, body: Sequence[form.Stmt]) -> bool:
    """Whether the place is in one of the statements."""
    return bool(body) and body[0].start <= offset < body[-1].end


def loops(function: FunctionSymbol) -> list[form.For | form.While]:
    """The innermost first."""
    return [n for n in function.nodes if isinstance(n, form.For | form.While)][::-1]


def loop_within(function: FunctionSymbol, statement: form.Try, opened: OpenTransaction) -> form.For | form.While | None:
    """The loop around the `try` that runs inside of the transaction."""
    for loop in loops(function):
        if is_within(statement.start, loop.body):
            is_inside = opened.committer is not Committer.BLOCK or bool(opened.steps)
            start = function.module.location(loop)
            if is_inside or (start.path == opened.location.path and start > opened.location):
                return loop
    return None


def goes_round(body: Sequence[form.Stmt]) -> bool:
    """Whether the loop goes on after the handler: it neither returns, raises nor breaks."""
    match body[-1] if body else None:
        case form.Return() | form.Raise() | form.Jump(keyword="break"):
            return False
    return True


def session_of(body: Sequence[form.Stmt]) -> str | None:
    """What the first call that runs something is made on: `db.session`, `self.session`, `session`."""
    for node in form.walk_body(list(body), into_definitions=False):
        if not isinstance(node, form.Call):
            continue
        if isinstance(node.func, form.Attr):
            path = form.dotted(node.func.value)
            if path is not None and _is_session_name(path):
                return path
        for argument in node.args:
            path = form.dotted(argument.value)
            if path is not None and _is_session_name(path):
                return path
    return None


def _is_session_name(path: str) -> bool:
    return path.rsplit(".", 1)[-1].lower().lstrip("_").rsplit("_", 1)[-1] in _SESSIONS


def is_of(call: form.Call, path: str) -> bool:
    """Whether the call is made on the session, or is given it, and doesn't end it."""
    if undoes(call):
        return False
    if isinstance(call.func, form.Attr) and form.dotted(call.func.value) == path:
        return True
    return any(form.dotted(a.value) == path for a in call.args)


def runs(body: Sequence[form.Stmt], path: str) -> bool:
    """Whether the session at the path sends something to the database."""
    return any(
        isinstance(n, form.Call)
        and isinstance(n.func, form.Attr)
        and n.func.attr in ("commit", "flush", "execute")
        and form.dotted(n.func.value) == path
        for n in form.walk_body(list(body), into_definitions=False)
    )


def only_asks_for_life(function: FunctionSymbol) -> bool:
    """A look whether the database answers, or at what it can do, after which nobody asks for more."""
    named = words(function.name)
    return not _LIFE.isdisjoint(named) or named[:1] in (("is",), ("has",), ("supports",))


def asks(body: Sequence[form.Stmt]) -> bool:
    """Whether a query is run: `query.count()`."""
    calls = (n for n in form.walk_body(list(body), into_definitions=False) if isinstance(n, form.Call))
    return any(
        last_name(c.func) in _ASKING and "query" in (last_name(c.func.value) or "")
        for c in calls
        if isinstance(c.func, form.Attr)
    )


def opens(function: FunctionSymbol) -> bool:
    """Whether the function has a session of its own, which its block closes."""
    return any(isinstance(n, form.With) and makes_session(n) for n in function.nodes)


def makes_session(node: form.With) -> bool:
    """`with SessionLocal() as session:`, which rolls back and closes by itself."""
    return any(
        isinstance(i.target, form.Name)
        and _is_session_name(i.target.id)
        and isinstance(i.value, form.Call | form.Await)
        for i in node.items
    )


def is_owner(function: FunctionSymbol, path: str) -> bool:
    """Whether the function itself has opened the session, and so closes it."""
    made: list[form.Expr | None] = []
    for node in function.nodes:
        if isinstance(node, form.With):
            made += [i.target for i in node.items]
        elif isinstance(node, form.Assign) and isinstance(node.value, form.Call | form.Await):
            made += node.targets
    return any(target is not None and form.dotted(target) == path for target in made)


def is_owned_by_turn(loop: form.For | form.While, path: str) -> bool:
    """Whether each turn of the loop has a session of its own."""
    nodes = list(form.walk_body(loop.body, into_definitions=False))
    named = [i.target for n in nodes if isinstance(n, form.With) for i in n.items]
    named += [t for n in nodes if isinstance(n, form.Assign) for t in n.targets]
    return any(t is not None and form.dotted(t) == path for t in named)
