"""The query behind an expression: followed back through its methods, names and helpers to where it begins."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from assay.scanner.framework import Framework, RowLibrary, Rows
from assay.scanner.linker.project import Project, last_name
from assay.scanner.linker.scopes import ClassSymbol, FunctionSymbol, How, Scope
from assay.scanner.linker.values import External
from assay.scanner.model.query import Bound
from assay.scanner.readers.python import form

_DEEPEST = 14
_PASSING = frozenset({"list", "tuple", "set", "frozenset", "sorted", "reversed", "iter", "filter", "map", "enumerate"})
"""Builtins that give the elements of what they are given."""
_RUNNING = frozenset({"execute", "scalars", "exec", "stream", "stream_scalars", "scalar", "select_from"})
"""Methods that take a statement and give its rows."""
_BY_KEY = frozenset({"in_bulk", "ain_bulk"})
"""Methods that give a dictionary of the rows."""


@dataclass(frozen=True, slots=True, eq=False)
class Query:
    """A query of many rows. `root` is the expression it begins with, `steps` are the methods called on it since.

    `is_fetched` says that the rows are read already: what is done to them costs no further query.
    """

    rows: Rows
    library: RowLibrary
    framework: str
    root: form.Expr
    scope: Scope
    starts: str = ""
    """The name that it begins with: `query`, `select`, `objects`, a relation's."""
    steps: tuple[form.Call, ...] = ()
    is_fetched: bool = False
    offset: tuple[form.Expr, Scope] | None = None
    """What it is given to skip, where it skips rows."""

    @property
    def names(self) -> list[str]:
        """The names of the methods called on it, in order."""
        return [last_name(step.func) or "" for step in self.steps]

    @property
    def is_django(self) -> bool:
        return self.framework == "Django ORM"

    @property
    def is_related(self) -> bool:
        """It begins at an attribute of a row: `post.comments`, `user.groups`."""
        return self.rows.filtered_by_parent and isinstance(self.root, form.Attr) and not self.is_manager

    @property
    def is_manager(self) -> bool:
        """It begins at a model: `Post.objects`, `Post.query`."""
        return isinstance(self.root, form.Attr) and (last_name(self.root.value) or "a")[0].isupper()


class Chains:
    """Answers are remembered by expression."""

    def __init__(self, project: Project, known: Iterable[Framework]) -> None:
        self._project = project
        packages = project.imported_packages
        self._libraries = tuple(
            (f.name, f.rows) for f in known if f.rows is not None and not packages.isdisjoint(f.packages)
        )
        self._known: dict[form.Expr, Query | None] = {}
        self._results: dict[FunctionSymbol, Query | None] = {}

    def query(self, node: form.Expr, scope: Scope, depth: int = 0) -> Query | None:
        """The query of many rows that the expression stands for; None for anything else."""
        if node not in self._known:
            self._known[node] = None  # for a name that is defined in terms of itself
            if depth < _DEEPEST:
                self._known[node] = self._query(node, scope, depth + 1)
        return self._known[node]

    def known(self) -> Iterator[Query]:
        """All that were asked for, or came up on the way."""
        return (query for query in self._known.values() if query is not None)

    def _query(self, node: form.Expr, scope: Scope, depth: int) -> Query | None:
        for framework, library in self._libraries:
            source = library.source(node, scope, self._project)
            if isinstance(source, Rows):
                return Query(source, library, framework, node, scope, _name_of(node))
            if source is not None:
                return None
        match node:
            case form.Await(value=value) | form.Starred(value=value) | form.Walrus(value=value):
                return self.query(value, scope, depth)
            case form.Name(id=name):
                return self._named(name, node, scope, depth)
            case form.Call():
                return self._call(node, scope, depth)
            case form.Subscript(value=value, index=form.Slice(lower=lower, upper=upper)):
                found = self.query(value, scope, depth)
                if found is not None and lower is not None and not _is_zero(lower) and not found.is_fetched:
                    found = replace(found, offset=(lower, scope))
                if found is None or upper is None:
                    return found
                limit = scope.module.evidence(node, "a slice limits it")
                return replace(found, rows=replace(found.rows, bound=Bound.LIMITED, limit=limit))
            case form.Conditional(body=first, orelse=second):
                return self.query(first, scope, depth) or self.query(second, scope, depth)
            case form.Boolean(values=values):
                return next((q for v in values if (q := self.query(v, scope, depth)) is not None), None)
        return None

    def _named(self, name: str, node: form.Name, scope: Scope, depth: int) -> Query | None:
        """The last query that the name was given before the place that asks."""
        known = scope.lookup(name, node.start)
        bindings = [b for b in known if b.how is How.ASSIGN and b.value is not None]
        before = [b for b in bindings if b.scope is not scope or b.value is None or b.value.end <= node.start]
        if not before and any(b.how is How.PARAMETER for b in known):
            return None  # what the caller gives
        for binding in reversed(before or bindings):
            if binding.value is not None:
                found = self.query(binding.value, binding.scope, depth)
                if found is not None:
                    return found
        return None

    def _call(self, call: form.Call, scope: Scope, depth: int) -> Query | None:
        if isinstance(call.func, form.Name) and call.func.id in _PASSING and call.positional:
            passed = self.query(call.positional[-1 if call.func.id in ("filter", "map") else 0], scope, depth)
            return replace(passed, is_fetched=True) if passed is not None else None
        if isinstance(call.func, form.Attr):
            if call.func.attr in _RUNNING and call.positional and self.is_session(call.func, scope):
                statement = self.query(call.positional[0], scope, depth)
                if statement is None:
                    return None
                is_told = call.func.attr.startswith("stream") or call.keyword("execution_options") is not None
                steps = (*statement.steps, call) if is_told else statement.steps
                return replace(statement, is_fetched=True, steps=steps)
            before = self.query(call.func.value, scope, depth)
            if before is not None:
                return self._stepped(before, call.func.attr, call, scope)
        function = self._project.callee_function(call, scope)
        returned = self._returned(function, depth) if function is not None else None
        return self._of_class(returned, call, scope) if returned is not None else None

    def _of_class(self, query: Query, call: form.Call, scope: Scope) -> Query:
        """`User.recent()` of a method that a base class has for all its models: the rows are of the class's."""
        owner = self._project.infer(call.func.value, scope) if isinstance(call.func, form.Attr) else None
        if not isinstance(owner, ClassSymbol) or owner.name == query.rows.model:
            return query
        rows = replace(query.rows, model=owner.name, place=scope.module.evidence(call, f"reads {owner.name}"))
        return replace(query, rows=rows, root=call, scope=scope)

    def _stepped(self, before: Query, method: str, call: form.Call, scope: Scope) -> Query | None:
        rows = before.library.step(before.rows, method, call, scope)
        if not isinstance(rows, Rows):
            return None
        is_fetched = before.is_fetched or (method in ("all", "fetchall") and not before.is_django) or method in _BY_KEY
        offset = before.offset
        if method == "offset" and call.positional and not _is_zero(call.positional[0]):
            offset = (call.positional[0], scope)
        return replace(before, rows=rows, steps=(*before.steps, call), is_fetched=is_fetched, offset=offset)

    def _returned(self, function: FunctionSymbol, depth: int) -> Query | None:
        """The query, or the rows of a query, that a function of the project returns."""
        if function not in self._results:
            self._results[function] = None
            for statement in function.returns:
                if statement.value is not None:
                    found = self.query(statement.value, function.scope, depth)
                    if found is not None:
                        self._results[function] = found
                        break
        return self._results[function]

    def is_session(self, func: form.Attr, scope: Scope) -> bool:
        """Whether the method is one of a session, a connection or an engine."""
        callee = self._project.infer(func, scope)
        if isinstance(callee, External):
            return callee.name.split(".", 1)[0] in ("sqlalchemy", "sqlmodel", "flask_sqlalchemy", "alchemical")
        name = (last_name(func.value) or "").lower()
        return callee is None and name.rsplit("_", 1)[-1] in ("session", "db", "conn", "connection", "sess")


def _name_of(root: form.Expr) -> str:
    return last_name(root.func if isinstance(root, form.Call) else root) or ""


def _is_zero(node: form.Expr) -> bool:
    return isinstance(node, form.Const) and node.value in (0, None)
