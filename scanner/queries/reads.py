"""Queries of Django and SQLAlchemy with the calls that say which rows they read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from assay.scanner.linker.project import Project, last_name
from assay.scanner.linker.scopes import Scope
from assay.scanner.model.place import Location
from assay.scanner.model.query import Bound
from assay.scanner.model.role import Role
from assay.scanner.model.table import Table
from assay.scanner.queries.chains import Chains, Query
from assay.scanner.queries.conditions import Tables
from assay.scanner.queries.regions import statements_around
from assay.scanner.readers.python import form

_STEPS = ("filter", "filter_by", "where", "order_by", "limit", "paginate", "slice", "fetch")
_ENDINGS = ("get", "aget", "first", "last", "afirst", "alast", "first_or_404", "latest", "earliest", "alatest",
            "aearliest")  # fmt: skip
SHORTCUTS = ("get_object_or_404", "aget_object_or_404", "get_list_or_404", "aget_list_or_404")
_GROUPING = frozenset({"group_by", "distinct", "union", "union_all", "intersection", "difference", "values", "having"})
_JOINING = frozenset({"join", "outerjoin", "join_from", "select_from"})
_BEGINNINGS = frozenset({"query", "select"})


@dataclass(frozen=True, slots=True, eq=False)
class Read:
    """A query with the calls that say which rows it reads, in order, and their scopes.

    `takes_first` says that it reads no more than the first few, `is_grouped` that its rows are not the table's.
    `is_joined` says that it reads another table too. `is_whole` is False where more may narrow it.
    """

    table: Table
    root: form.Expr
    scope: Scope
    steps: tuple[tuple[form.Call, Scope], ...]
    place: Location
    takes_first: bool = False
    is_grouped: bool = False
    is_joined: bool = False
    is_whole: bool = True


@dataclass(frozen=True, slots=True)
class Reads:
    """Finds the queries of Django and SQLAlchemy."""

    project: Project
    chains: Chains
    tables: Tables

    def all(self) -> Iterator[Read]:
        """Each as far as it was followed; not those that others go on from."""
        scopes: dict[form.Call, Scope] = {}
        found: list[tuple[Query, form.Call | None]] = []
        for call, scope in self.project.calls_named(*_STEPS, *_ENDINGS):
            if scope.module.role is not Role.PROD or not isinstance(call.func, form.Attr):
                continue
            scopes[call] = scope
            if call.func.attr in _ENDINGS:
                query = self.chains.query(call.func.value, scope)
                if query is not None and (query.is_django or query.steps):
                    found.append((query, call))
            else:
                query = self.chains.query(call, scope)
                if query is not None and query.steps and query.steps[-1] is call:
                    found.append((query, None))
        for call, scope, first in self._shortcuts():
            scopes[call] = scope
            query = self.chains.query(first, scope)
            if query is not None:
                found.append((query, call))
            elif (table := self.tables.of_class(first, scope)) is not None:
                yield Read(table, first, scope, ((call, scope),), scope.module.location(call))
        gone_on = {step for query, ending in found for step in (query.steps if ending else query.steps[:-1])}
        for query, ending in found:
            if ending is not None or query.steps[-1] not in gone_on:
                read = self._read(query, ending, scopes)
                if read is not None:
                    yield read

    def _read(self, query: Query, ending: form.Call | None, scopes: Mapping[form.Call, Scope]) -> Read | None:
        table = self.tables.of(query.rows.model)
        if table is None or query.is_related:
            return None
        steps = [*query.steps, *([ending] if ending is not None else [])]
        is_begun_here = isinstance(query.root, form.Attr) or last_name(query.root) in _BEGINNINGS
        if isinstance(query.root, form.Call):
            is_begun_here = last_name(query.root.func) in _BEGINNINGS
        return Read(
            table,
            query.root,
            scopes[steps[-1]],
            tuple((step, scopes[step]) for step in steps if step in scopes),
            query.rows.place.location,
            takes_first=query.rows.bound is Bound.LIMITED or (ending is not None and not query.is_fetched),
            is_grouped=not _GROUPING.isdisjoint(query.names),
            is_joined=not _JOINING.isdisjoint(query.names),
            is_whole=is_begun_here and not any(_narrows(step) for step in query.steps),
        )

    def _shortcuts(self) -> Iterator[tuple[form.Call, Scope, form.Expr]]:
        """Calls such as `get_object_or_404(orders, number=number)`, with what they look in."""
        for call, scope in self.project.calls_named(*SHORTCUTS):
            if call.positional and scope.module.role is Role.PROD:
                yield call, scope, call.positional[0]


def _narrows(step: form.Call) -> bool:
    """Whether a join asks for more than that the rows belong together."""
    return last_name(step.func) in _JOINING and any(
        isinstance(node, form.Compare) and not isinstance(node.rights[0], form.Attr)
        for a in step.args
        for node in form.walk(a.value)
    )


def is_conditional(call: form.Call, scope: Scope, read: Read) -> bool:
    """Whether it is only called in some cases of those in which the query begins."""
    function = scope.function
    if function is None:
        return False
    begins = read.root.start if function is read.scope.function else -1
    for block, index in statements_around(function.node.body, call.start):
        statement = block[index]
        if isinstance(statement, form.If | form.Match) and not statement.start <= begins < statement.end:
            is_tested = isinstance(statement, form.If) and call.start < statement.test.end
            if not is_tested:
                return True
    return False
