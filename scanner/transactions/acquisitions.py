"""Sessions and connections that functions open: whether they are closed when something fails, and committed."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from assay.scanner.gathered import Gathered
from assay.scanner.linker.project import Project, last_name
from assay.scanner.linker.scopes import FunctionSymbol, Scope
from assay.scanner.linker.values import External, Instance
from assay.scanner.model.place import Evidence
from assay.scanner.model.role import Role
from assay.scanner.model.rollback import Failing
from assay.scanner.readers.dependencies import DependencyFacts
from assay.scanner.readers.python import form
from assay.scanner.transactions.events import Events

_KINDS: Mapping[str, str] = {
    "sqlalchemy.orm.Session": "session",
    "sqlalchemy.Connection": "connection",
    "dbapi.Connection": "connection",
    "asyncpg.Connection": "connection",
}
_MAKING = frozenset({"connect", "raw_connection", "getconn", "Session", "AsyncSession", "acquire", "connection"})
_FACTORIES = frozenset({"sessionmaker", "async_sessionmaker"})
_CLOSING = frozenset({"close", "aclose", "remove", "putconn", "release", "dispose", "cancel"})
_WRAPPING = frozenset({"closing", "aclosing", "enter_context", "enter_async_context"})
_COMMITTING_BLOCKS = ("sqlite3.", "psycopg2.", "psycopg.", "psycopg_pool.", "pyodbc.", "cx_Oracle.", "oracledb.")
"""Drivers whose connections commit when their `with` block ends."""
_OLD_SQLALCHEMY = re.compile(r"sqlalchemy\W*(?:\[\w+\])?.*?(?:<=?\s*2\b|==\s*1\.|~=\s*1\.|\^\s*1\.|\b1\.[34]\.)", re.I)


@dataclass(frozen=True, slots=True)
class Acquisition:
    """One of them: `what` it is, and how it fails."""

    call: form.Call
    function: FunctionSymbol
    what: str
    failing: Failing
    evidence: tuple[Evidence, ...]


class Acquisitions:
    """Finds them by the names of what makes them."""

    def __init__(self, gathered: Gathered, events: Events) -> None:
        self._project: Project = gathered.project
        self._events = events
        self._declared = {
            PurePosixPath(path).parent: facts
            for path, facts in sorted(gathered.context.files.items())
            if isinstance(facts, DependencyFacts) and any(r.name.lower() == "sqlalchemy" for r in facts.requirements)
        }

    def all(self) -> Iterator[Acquisition]:
        """In order of path and position."""
        names = {*_MAKING, *self._factories()}
        names |= {alias for name in tuple(names) for alias in self._project.aliases_of(name)}
        calls = [(c, s) for c, s in self._project.calls_named(*sorted(names)) if s.module.role is Role.PROD]
        for call, scope in sorted(calls, key=lambda pair: (pair[1].module.path, pair[0].start)):
            what = self._kind(call, scope)
            if what is not None and scope.function is not None:
                failing, evidence = self._failing(call, scope.function, what)
                yield Acquisition(call, scope.function, what, failing, evidence)

    def _factories(self) -> Iterator[str]:
        """What the project calls its makers of sessions."""
        for call, scope in self._project.calls_named(*_FACTORIES):
            for name, bindings in scope.bindings.items():
                if any(b.value is not None and b.value.start <= call.start < b.value.end for b in bindings):
                    yield name
        for module in self._project.modules.values():
            if not module.calls_by_name.keys().isdisjoint(_FACTORIES):
                for statement, _ in module.assignments:
                    if isinstance(statement.value, form.Call) and last_name(statement.value.func) in _FACTORIES:
                        yield from (named for t in statement.targets if (named := last_name(t)) is not None)

    def _kind(self, call: form.Call, scope: Scope) -> str | None:
        callee = self._project.infer(call.func, scope)
        if isinstance(callee, Instance) and callee.type_name.endswith("scoped_session"):
            return None  # a registry: the framework removes its session when the request ends
        value = self._project.infer(call, scope)
        if not isinstance(value, Instance) or value.cls is not None:
            return None
        return _KINDS.get(value.type_name)

    # --- when something fails ---

    def _failing(self, call: form.Call, function: FunctionSymbol, what: str) -> tuple[Failing, tuple[Evidence, ...]]:
        module = function.module
        here = module.evidence(call, f"the {what} is opened")
        if what == "session" and any("conn" in name for a in call.args for name in _mentioned(a.value)):
            return Failing.HANDED_ON, (here,)  # it takes part in the transaction of whoever has the connection
        for node in function.nodes:
            if isinstance(node, form.With):
                for item in node.items:
                    if _is_or_wraps(item.value, call):
                        name = item.target.id if isinstance(item.target, form.Name) else None
                        return self._written(call, name, function, here, is_block=not _is_wrapped(item.value, call))
        statement = next((n for n in function.nodes if _assigns(n, call)), None)
        if not isinstance(statement, form.Assign):
            return self._unnamed(call, function, here)
        target = statement.targets[0]
        if not isinstance(target, form.Name):
            return Failing.HANDED_ON, (here,)
        return self._named(target.id, call, function, here)

    def _unnamed(
        self, call: form.Call, function: FunctionSymbol, here: Evidence
    ) -> tuple[Failing, tuple[Evidence, ...]]:
        """`SessionLocal().get(...)` leaves it open; what is returned or given to somebody is theirs."""
        used = any(isinstance(n, form.Attr) and n.value is call for n in function.nodes)
        return (Failing.LEAKED if used else Failing.HANDED_ON), (here,)

    def _named(
        self, name: str, call: form.Call, function: FunctionSymbol, here: Evidence
    ) -> tuple[Failing, tuple[Evidence, ...]]:
        module = function.module
        closing: form.Call | None = None
        for node in function.nodes:
            match node:
                case form.With(items=items) if any(_names(i.value, name) for i in items):
                    return self._written(call, name, function, here, is_block=True)
                case form.Try(final=final) if any(_closes(n, name) for n in form.walk_body(final)):
                    return self._written(call, name, function, here, is_block=False)
                case form.Return(value=value) if value is not None and _hands(value, name):
                    return Failing.HANDED_ON, (here,)
                case form.Assign(targets=targets, value=form.Name(id=given)) if given == name:
                    if any(not isinstance(t, form.Name) for t in targets):
                        return Failing.HANDED_ON, (here,)
                case form.Call() if _closes(node, name):
                    closing = node
                case form.Call() if _keeps(node, name):
                    return Failing.HANDED_ON, (here,)
        if closing is None:
            return Failing.LEAKED, (here,)
        return Failing.LEAKED, (here, module.evidence(closing, "it is closed only when nothing fails"))

    # --- what is written ---

    def _written(
        self, call: form.Call, name: str | None, function: FunctionSymbol, here: Evidence, *, is_block: bool
    ) -> tuple[Failing, tuple[Evidence, ...]]:
        """It is closed; what is written to it has to be committed too."""
        write = self._uncommitted(call, name, function, is_block=is_block) if name is not None else None
        if write is None:
            return Failing.CLOSED, (here,)
        return Failing.UNCOMMITTED, (here, write)

    def _uncommitted(self, call: form.Call, name: str, function: FunctionSymbol, *, is_block: bool) -> Evidence | None:
        """A write to the connection or session that nobody commits, where that can be told."""
        maker = self._project.infer(call.func, function.scope)
        dotted = maker.name if isinstance(maker, External) else ""
        is_block = is_block or any(
            isinstance(i.value, form.Name) and i.value.id == name
            for n in function.nodes
            if isinstance(n, form.With)
            for i in n.items
        )
        if dotted.startswith("asyncpg.") or (is_block and dotted.startswith(_COMMITTING_BLOCKS)):
            return None
        if any(isinstance(a, form.Const) and a.value == ":memory:" for a in call.positional):
            return None
        if "sqlalchemy.Engine" in dotted and self._commits_by_itself(function):
            return None
        if any(_says_autocommit(n) for n in function.nodes) or _is_given_away(function, name):
            return None
        cursors = {name, *_made_of(function, name)}
        events = self._events.of(function)
        if any(e.commits for e in events) or any(isinstance(n, form.Yield) for n in function.nodes):
            return None
        for event in events:
            node = event.node
            owner = node.func.value if isinstance(node, form.Call) and isinstance(node.func, form.Attr) else None
            if event.helper is None and isinstance(owner, form.Name) and owner.id in cursors:
                return function.module.evidence(node, "this is written and never committed")
        return None

    def _commits_by_itself(self, function: FunctionSymbol) -> bool:
        """Whether it is SQLAlchemy 1, whose connections commit each statement, by the requirement that is nearest."""
        for folder in PurePosixPath(function.module.path).parents:
            facts = self._declared.get(folder)
            if facts is not None:
                return any(
                    _OLD_SQLALCHEMY.match(r.text.strip(" \"'")) for r in facts.requirements if r.name == "sqlalchemy"
                )
        return False


def _is_or_wraps(node: form.Expr, call: form.Call) -> bool:
    """`with make():`, `with await make():`, `with closing(make()):`."""
    if isinstance(node, form.Await):
        return _is_or_wraps(node.value, call)
    if node is call:
        return True
    is_wrapper = isinstance(node, form.Call) and last_name(node.func) in _WRAPPING
    return is_wrapper and isinstance(node, form.Call) and any(_is_or_wraps(a, call) for a in node.positional)


def _mentioned(node: form.Expr) -> Iterator[str]:
    return (last_name(n) or "" for n in form.walk(node) if isinstance(n, form.Name | form.Attr))


def _is_wrapped(node: form.Expr, call: form.Call) -> bool:
    """`closing(connection)` closes, and commits nothing."""
    return (node.value if isinstance(node, form.Await) else node) is not call


def _assigns(node: form.Expr | form.Stmt, call: form.Call) -> bool:
    if not isinstance(node, form.Assign) or node.value is None:
        return False
    return (node.value.value if isinstance(node.value, form.Await) else node.value) is call


def _names(node: form.Expr, name: str) -> bool:
    """`with name:`, `with closing(name):`, `with name.begin():`."""
    if isinstance(node, form.Call) and isinstance(node.func, form.Attr) and node.func.attr == "begin":
        return _names(node.func.value, name)
    if isinstance(node, form.Call) and last_name(node.func) in _WRAPPING:
        return any(_names(a, name) for a in node.positional)
    return isinstance(node, form.Name) and node.id == name


def _closes(node: form.Expr | form.Stmt, name: str) -> bool:
    if not isinstance(node, form.Call) or last_name(node.func) not in _CLOSING:
        return False
    owner = node.func.value if isinstance(node.func, form.Attr) else None
    return (isinstance(owner, form.Name) and owner.id == name) or any(_names(a, name) for a in node.positional)


def _hands(value: form.Expr, name: str) -> bool:
    """Whether it is given back, itself or inside of something that is made with it."""
    match value:
        case form.Name(id=given):
            return given == name
        case form.Display(items=items):
            return any(_hands(i, name) for i in items)
        case form.Call(func=form.Name(id=made)) if made[:1].isupper():
            return any(_hands(a.value, name) for a in value.args)
        case form.Call(func=form.Attr(value=form.Name(id=owner), attr="cursor")):
            return owner == name
    return False


def _keeps(call: form.Call, name: str) -> bool:
    """`self.connections.append(connection)`, `request.app.bind(session)`, a cleanup that is registered."""
    kept = ("append", "put", "setattr", "add_finalizer", "addCleanup", "callback", "register", "push", "set")
    return last_name(call.func) in kept and any(isinstance(a, form.Name) and a.id == name for a in call.positional)


def _says_autocommit(node: form.Expr | form.Stmt) -> bool:
    match node:
        case form.Assign(targets=targets):
            return any(isinstance(t, form.Attr) and t.attr in ("autocommit", "isolation_level") for t in targets)
        case form.Call(args=args):
            return any(a.name in ("autocommit", "isolation_level") for a in args) or last_name(node.func) in (
                "set_session", "begin", "set_isolation_level", "set_autocommit"
            )  # fmt: skip
    return False


def _is_given_away(function: FunctionSymbol, name: str) -> bool:
    """Whether something else gets it, and may commit."""
    return any(
        isinstance(n, form.Call) and any(isinstance(a.value, form.Name) and a.value.id == name for a in n.args)
        for n in function.nodes
        if isinstance(n, form.Call) and last_name(n.func) not in (*_CLOSING, *_WRAPPING)
    )


def _made_of(function: FunctionSymbol, name: str) -> Iterator[str]:
    """`cursor = connection.cursor()`, `with connection.cursor() as cursor:`."""
    for node in function.nodes:
        pairs: list[tuple[form.Expr | None, form.Expr | None]] = []
        if isinstance(node, form.Assign):
            pairs = [(t, node.value) for t in node.targets]
        elif isinstance(node, form.With):
            pairs = [(i.target, i.value) for i in node.items]
        for target, value in pairs:
            made = value.value if isinstance(value, form.Await) else value
            if isinstance(target, form.Name) and isinstance(made, form.Call) and last_name(made.func) == "cursor":
                owner = made.func.value if isinstance(made.func, form.Attr) else None
                if isinstance(owner, form.Name) and owner.id == name:
                    yield target.id
