"""Where code reads many rows into memory, and what keeps them few."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from assay.scanner.dataflow.numbering import Ordinals, around
from assay.scanner.linker.project import Project, last_name
from assay.scanner.linker.scopes import FunctionSymbol, Scope
from assay.scanner.model.endpoint import Endpoint
from assay.scanner.model.place import Evidence, Location
from assay.scanner.model.query import Bound
from assay.scanner.model.role import Role
from assay.scanner.model.row_read import Extent, RowRead
from assay.scanner.queries.chains import Chains, Query
from assay.scanner.queries.growth import grows, is_small
from assay.scanner.queries.helpers import Helpers
from assay.scanner.queries.offline import Offline
from assay.scanner.queries.regions import may_loop
from assay.scanner.queries.relations import Relations
from assay.scanner.queries.requests import Requests
from assay.scanner.queries.tasks import Tasks
from assay.scanner.readers.python import form

_READING = ("list", "tuple", "set", "sorted", "dict", "len", "sum", "all", "fetchall", "in_bulk")
_NARROWING = frozenset({"filter", "filter_by", "where", "exclude", "having", "join", "get_by", "search", "distinct",
                        "values", "group_by", "with_entities", "intersect", "intersection", "difference",
                        "none", "dates", "datetimes"})  # fmt: skip
_STREAMING = frozenset({"iterator", "aiterator", "yield_per", "stream", "stream_scalars", "partitions"})


@dataclass(frozen=True, slots=True)
class RowReads:
    """Finds them in one project."""

    project: Project
    chains: Chains
    relations: Relations
    helpers: Helpers
    requests: Requests
    tasks: Tasks
    offline: Offline

    def all(
        self, calls: Mapping[FunctionSymbol, Sequence[tuple[form.Call, Scope]]], endpoints: Iterable[Endpoint]
    ) -> Iterator[RowRead]:
        """Each query once in a function, however often its rows are gone through."""
        ordinals = Ordinals()
        listed = {read.location for endpoint in endpoints if endpoint.is_json_list for read in endpoint.reads}
        told: set[form.Expr] = set()
        for function, made in calls.items():
            if function.module.role is not Role.PROD:
                continue
            for node, scope in self._read(function, made):
                query = self.chains.query(node, scope)
                if query is not None and query.root not in told and self.relations.knows(query.rows.model):
                    told.add(query.root)
                    yield self._of(query, node, scope, ordinals, listed)

    def _read(
        self, function: FunctionSymbol, made: Sequence[tuple[form.Call, Scope]]
    ) -> Iterator[tuple[form.Expr, Scope]]:
        for call, scope in made:
            name = last_name(call.func)
            if name not in _READING:
                continue
            if isinstance(call.func, form.Name):
                if call.positional:
                    yield call.positional[0], scope
            elif isinstance(call.func, form.Attr) and self._reads_all(call, scope):
                yield call.func.value, scope
        if may_loop(function):
            for loop in self.helpers.regions(function).loops:
                yield loop.iter, function.scope

    def _reads_all(self, call: form.Call, scope: Scope) -> bool:
        """Whether the method reads the rows of what it is called on: of Django's, `all()` doesn't yet."""
        name = last_name(call.func)
        if name != "all":
            return name == "fetchall" or (name == "in_bulk" and not call.args)
        query = self.chains.query(call.func.value, scope) if isinstance(call.func, form.Attr) else None
        return query is not None and not query.is_django

    def _of(self, query: Query, node: form.Expr, scope: Scope, ordinals: Ordinals, listed: set[Location]) -> RowRead:
        name, place = around(query.scope), query.rows.place
        extent, evidence = _extent(query)
        function = query.scope.function
        is_whole = extent is Extent.WHOLE
        asks = is_whole and function is not None
        return RowRead(
            function=name,
            ordinal=ordinals.next(name, query.rows.model),
            model=query.rows.model,
            location=place.location,
            role=query.scope.module.role,
            extent=extent,
            evidence=(
                place,
                *evidence,
                *((scope.module.evidence(node, "all of it is gone through"),) if is_whole else ()),
            ),
            request=self.requests.leading_to(function) if asks and function is not None else (),
            task=self.tasks.leading_to(function) if function is not None else (),
            offline=self.offline.reason(query.scope, is_asked_of_callers=False),
            is_listed=place.location in listed,
            grows=grows(query.rows.model, self.relations),
        )


def _asks_for_parts(step: form.Call) -> bool:
    """`execute(statement, execution_options={"yield_per": 500})`."""
    stated = step.keyword("execution_options")
    return isinstance(stated, form.Dict) and any(
        isinstance(k, form.Const) and k.value == "yield_per" for k in stated.keys
    )


def _extent(query: Query) -> tuple[Extent, tuple[Evidence, ...]]:
    if query.rows.bound is Bound.LIMITED:
        return Extent.LIMITED, (query.rows.limit,) if query.rows.limit is not None else ()
    module = query.scope.module
    for step in [*query.steps, *(n for n in form.walk(query.root) if isinstance(n, form.Call))]:
        method = last_name(step.func) or ""
        if method in _STREAMING or step.keyword("yield_per") is not None or _asks_for_parts(step):
            return Extent.STREAMED, (module.evidence(step, f"{method}() reads a part at a time"),)
        if method in _NARROWING:
            return Extent.NARROWED, (module.evidence(step, f"{method}() narrows it"),)
    if query.rows.own_filter is not None:
        return Extent.NARROWED, (query.rows.own_filter,)
    if query.is_related or query.rows.filtered_by_parent:
        return Extent.NARROWED, ()
    if is_small(query.rows.model):
        return Extent.SMALL, ()
    return (Extent.WHOLE if query.rows.bound is Bound.UNLIMITED else Extent.UNKNOWN), ()
