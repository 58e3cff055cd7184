"""Which calls run a query that reads."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from assay.scanner.dataflow.constants import definitions, string_value
from assay.scanner.framework import SqlExecution
from assay.scanner.linker.project import Project, last_name
from assay.scanner.linker.scopes import ClassSymbol, Scope
from assay.scanner.model.role import Role
from assay.scanner.queries.chains import Chains, Query
from assay.scanner.readers.python import form

# https://docs.djangoproject.com/en/stable/ref/models/querysets/#methods-that-do-not-return-querysets
_DJANGO = frozenset(
    {
        "get", "first", "last", "latest", "earliest", "count", "exists", "aggregate", "in_bulk", "aget", "afirst",
        "alast", "alatest", "aearliest", "acount", "aexists", "aaggregate", "ain_bulk",
    }
)  # fmt: skip
# https://docs.sqlalchemy.org/en/20/orm/queryguide/query.html
_SQLALCHEMY = frozenset(
    {
        "all", "first", "one", "one_or_none", "scalar", "count", "get", "first_or_404", "get_or_404", "one_or_404",
        "paginate",
    }
)  # fmt: skip
_SESSION = frozenset({"execute", "scalars", "scalar", "exec", "stream", "stream_scalars"})
_SESSION_ONE = frozenset({"get", "get_one", "get_or_404", "one_or_404", "first_or_404"})
_SHORTCUTS = frozenset({"get_object_or_404", "get_list_or_404", "aget_object_or_404", "aget_list_or_404"})
_RAW = frozenset({"execute", "fetch", "fetchrow", "fetchval", "fetch_all", "fetch_one", "fetch_val", "exec", "scalar"})
_NAMES = _DJANGO | _SQLALCHEMY | _SESSION | _SESSION_ONE | _SHORTCUTS
_PREFETCHED = frozenset({"all", "count", "exists", "acount", "aexists"})
"""What a related manager answers from what was loaded with the rows, where it was."""

_LOCKING = frozenset({"select_for_update", "with_for_update"})
"""Methods that lock what is read: the beginning of a change, which is made row by row."""


@dataclass(frozen=True, slots=True, eq=False)
class Execution:
    """A call that runs a query; `what` names it in words."""

    call: form.Call
    scope: Scope
    what: str
    query: Query | None = None


class Executions:
    """Recognises them, each call once."""

    def __init__(self, project: Project, chains: Chains, statements: Iterable[SqlExecution]) -> None:
        self._project = project
        self._chains = chains
        self._statements = {s.call: s for s in statements}
        self._known: dict[form.Call, Execution | None] = {}

    def all(self) -> Iterator[Execution]:
        """Those of the running service, in order of path and position."""
        for call, scope in sorted(self._named(), key=lambda pair: (pair[1].module.path, pair[0].start)):
            found = self.of(call, scope)
            if found is not None:
                yield found

    def _named(self) -> Iterator[tuple[form.Call, Scope]]:
        for call, scope in self._project.calls_named(*_NAMES | _RAW):
            if scope.module.role is Role.PROD:
                yield call, scope

    def of(self, call: form.Call, scope: Scope) -> Execution | None:
        """The query that the call runs; None where it runs none, or changes something."""
        if call not in self._known:
            what = self._what(call, scope)
            owner = call.func.value if isinstance(call.func, form.Attr) else None
            query = self._chains.query(owner, scope) if what is not None and owner is not None else None
            self._known[call] = Execution(call, scope, what, query) if what is not None else None
        return self._known[call]

    def _what(self, call: form.Call, scope: Scope) -> str | None:
        name = last_name(call.func)
        if name in _SHORTCUTS and isinstance(call.func, form.Name):
            return f"{name}({_spelled(call.positional[0])})" if call.positional else name
        if call in self._statements and name in _RAW | _SESSION:
            return self._sent(call, scope)
        if not isinstance(call.func, form.Attr) or name not in _NAMES:
            return None
        if name in _SESSION and call.positional:
            return self._sent(call, scope)
        if name in _SESSION_ONE and self._is_object_of(call, scope):
            return f"{name}({_spelled(call.positional[0])})"
        if name in _DJANGO | _SQLALCHEMY:
            query = self._chains.query(call.func.value, scope)
            if query is not None and self._runs(query, name or ""):
                return f"{query.rows.model}: {name}()"
        return None

    def _sent(self, call: form.Call, scope: Scope) -> str | None:
        """A statement handed to a session or a driver: what it reads."""
        assert call.positional
        text = string_value(_unwrapped(call.positional[0]), scope, self._project)
        if text is not None:
            begins = text.lstrip("( \n\t").split(None, 1)
            return "a SELECT" if begins and begins[0].upper() in ("SELECT", "WITH") else None
        if isinstance(call.func, form.Attr) and self._chains.is_session(call.func, scope):
            query = self._chains.query(call.positional[0], scope)
            if query is None:
                return "a SELECT" if self._is_select(call.positional[0], scope) else None
            locks = not _LOCKING.isdisjoint(query.names)
            return f"{query.rows.model}: {call.func.attr}()" if not locks else None
        return None

    def _is_select(self, node: form.Expr, scope: Scope) -> bool:
        """`select(func.count(Order.id)).where(...)`, which gives no rows of a model."""
        if isinstance(node, form.Name):
            return any(_begins_with_select(n) for n, _ in definitions(node, scope, self._project))
        return _begins_with_select(node)

    def _is_object_of(self, call: form.Call, scope: Scope) -> bool:
        """`session.get(User, key)`, `db.get_or_404(User, key)`."""
        assert isinstance(call.func, form.Attr)
        if len(call.positional) < 2 or not self._chains.is_session(call.func, scope):
            return False
        return isinstance(self._project.infer(call.positional[0], scope), ClassSymbol)

    def _runs(self, query: Query, method: str) -> bool:
        if query.is_fetched or not _LOCKING.isdisjoint(query.names):
            return False
        if query.is_django:
            is_loaded = query.is_related and set(query.names) <= {"all"} and method in _PREFETCHED
            return method in _DJANGO and not is_loaded
        # `select(User)` alone runs nothing.
        return method in _SQLALCHEMY and (query.is_related or query.starts == "query")


def _unwrapped(node: form.Expr) -> form.Expr:
    """The text in `text("SELECT 1")`."""
    while isinstance(node, form.Call) and last_name(node.func) in ("text", "SQL", "bindparams") and node.positional:
        node = node.positional[0]
    return node


def _begins_with_select(node: form.Expr) -> bool:
    while isinstance(node, form.Call) and isinstance(node.func, form.Attr):
        node = node.func.value
    return isinstance(node, form.Call) and last_name(node.func) == "select"


def _spelled(node: form.Expr) -> str:
    return last_name(node) or "..."
