"""Queries with an offset: in which order their rows come, and whether the pages are still the same for the next one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from assay.scanner.dataflow.constants import string_value
from assay.scanner.dataflow.numbering import Ordinals, around
from assay.scanner.framework import Route
from assay.scanner.linker.project import Project, last_name
from assay.scanner.linker.scopes import FunctionSymbol, Scope
from assay.scanner.model.offset_paging import OffsetPaging
from assay.scanner.model.place import Evidence
from assay.scanner.model.query import Order
from assay.scanner.model.role import Role
from assay.scanner.model.table import Table
from assay.scanner.queries.chains import Chains, Query
from assay.scanner.queries.offline import Offline
from assay.scanner.readers.python import form

_KEYS = frozenset({"id", "pk", "uuid", "guid"})
_MARKERS = frozenset(
    {"desc", "asc", "nulls_last", "nulls_first", "nullslast", "nullsfirst", "col", "F", "text", "Lower"}
)


class Offsets:
    """Finds them among the queries that were followed."""

    def __init__(self, project: Project, chains: Chains, tables: Iterable[Table], offline: Offline) -> None:
        self._project = project
        self._chains = chains
        self._offline = offline
        self._unique: dict[str, set[str]] = {}
        for table in tables:
            self._unique.setdefault(table.model, set()).update(c.name for c in table.columns if c.unique)

    def all(self, routes: Iterable[Route]) -> Iterator[OffsetPaging]:
        """Each query once, the paged ones of handlers included."""
        for handler in dict.fromkeys(r.handler for r in routes if r.handler is not None):
            for node in handler.nodes:
                if isinstance(node, form.Subscript) and isinstance(node.index, form.Slice) and node.index.lower:
                    self._chains.query(node, handler.scope)
        ordinals = Ordinals()
        paged: dict[form.Expr, Query] = {}
        for query in self._chains.known():
            if query.offset is None or isinstance(query.offset[0], form.Const):
                continue  # a number that is written down is no page: `offset(1).first()` is the last but one
            if query.scope.module.role is Role.PROD:
                longest = paged.get(query.root)
                if longest is None or len(query.steps) > len(longest.steps):
                    paged[query.root] = query
        for query in sorted(paged.values(), key=lambda q: q.rows.place.location):
            yield self._of(query, ordinals)

    def _of(self, query: Query, ordinals: Ordinals) -> OffsetPaging:
        name = around(query.scope)
        names, is_told = self._ordered_by(query)
        order = Order.EXPLICIT if names or not is_told else query.rows.order
        is_total: bool | None = None
        if names and is_told and not _is_grouped(query):
            unique = self._unique.get(query.rows.model, set()) | _KEYS
            is_total = any(n in unique for n in names)
        assert query.offset is not None
        offset, scope = query.offset
        loop = _loop_around(offset, scope)
        place = Evidence(scope.module.location(offset), "it skips the rows of earlier pages")
        return OffsetPaging(
            function=name,
            ordinal=ordinals.next(name, query.rows.model),
            model=query.rows.model,
            location=query.rows.place.location,
            role=query.scope.module.role,
            order=order,
            is_total=is_total,
            ordered_by=tuple(names),
            is_batch=loop is not None,
            shrinking=tuple(_shrinking(query, loop, scope)) if loop is not None else (),
            evidence=(query.rows.place, place),
            offline=self._offline.reason(query.scope, is_asked_of_callers=False),
        )

    def _ordered_by(self, query: Query) -> tuple[list[str], bool]:
        """The columns of its last `order_by`, and whether all of them could be told."""
        step = next((s for s in reversed(query.steps) if last_name(s.func) == "order_by"), None)
        if step is None:
            return [], True
        names: list[str] = []
        is_told = True
        for argument in step.args:
            found = self._columns(argument.value, query.scope) if not argument.star else []
            is_told = is_told and bool(found)
            names += found
        return names, is_told

    def _columns(self, node: form.Expr, scope: Scope) -> list[str]:
        text = string_value(node, scope, self._project)
        if text is not None:
            return [part.strip().lstrip("-+").split(" ")[0].rpartition(".")[2] for part in text.split(",")]
        if isinstance(node, form.Call) and last_name(node.func) in _MARKERS:
            inner = (
                node.positional[0] if node.positional else node.func.value if isinstance(node.func, form.Attr) else None
            )
            return self._columns(inner, scope) if inner is not None else []
        if isinstance(node, form.Attr) and isinstance(node.value, form.Name | form.Attr):
            return [node.attr]
        return []


def _is_grouped(query: Query) -> bool:
    """Whether its rows are groups, of which the columns that they are grouped by are the key."""
    names = query.names
    return "group_by" in names or ("values" in names and "annotate" in names[names.index("values") :])


def _loop_around(offset: form.Expr, scope: Scope) -> form.While | form.For | None:
    """The innermost loop around the place that gives the offset a new value, or that goes through the offsets."""
    function: FunctionSymbol | None = scope.function
    names = {n.id for n in form.walk(offset) if isinstance(n, form.Name)}
    found: form.While | form.For | None = None
    for node in function.nodes if function is not None else ():
        if isinstance(node, form.While | form.For) and node.start <= offset.start < node.end:
            bound = {b.offset for n in names for b in scope.bindings.get(n, ())}
            if any(node.start <= place < node.end for place in bound):
                found = node
    return found


def _shrinking(query: Query, loop: form.While | form.For, scope: Scope) -> Iterator[Evidence]:
    """Where the loop changes a column that the query filters by, or deletes rows."""
    filtered = set(_filtered_by(query))
    for statement in loop.body:
        for node in form.walk(statement, into_definitions=False):
            if isinstance(node, form.Assign):
                for target in node.targets:
                    if isinstance(target, form.Attr) and target.attr in filtered:
                        yield scope.module.evidence(node, f"it changes `{target.attr}`, which the query filters by")
            elif isinstance(node, form.Call) and last_name(node.func) in ("update", "values"):
                changed = [a.name for a in node.args if a.name in filtered]
                if changed:
                    yield scope.module.evidence(node, f"it changes `{changed[0]}`, which the query filters by")
            elif isinstance(node, form.Call) and last_name(node.func) == "delete":
                yield scope.module.evidence(node, "it deletes rows")


def _filtered_by(query: Query) -> Iterator[str]:
    for step in query.steps:
        if last_name(step.func) in ("filter", "filter_by", "where", "exclude"):
            for argument in step.args:
                if argument.name is not None:
                    yield argument.name.partition("__")[0]
                for node in form.walk(argument.value):
                    if isinstance(node, form.Compare) and isinstance(node.left, form.Attr):
                        yield node.left.attr
                    elif isinstance(node, form.Call) and isinstance(node.func, form.Attr):
                        owner = node.func.value
                        if isinstance(owner, form.Attr) and node.func.attr in ("is_", "is_not", "isnot", "in_"):
                            yield owner.attr
