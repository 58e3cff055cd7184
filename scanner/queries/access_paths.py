"""How the queries of requests get at their rows, and which index leads them there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from assay.scanner.dataflow.numbering import around
from assay.scanner.gathered import Gathered
from assay.scanner.linker.project import Project, last_name
from assay.scanner.linker.scopes import FunctionSymbol, Scope
from assay.scanner.model.access_path import AccessPath
from assay.scanner.model.find_or_create import FindOrCreateCall
from assay.scanner.model.place import Evidence, Location
from assay.scanner.model.query import Bound
from assay.scanner.model.role import Role
from assay.scanner.model.table import Table
from assay.scanner.queries.absent_rows import AbsentRows
from assay.scanner.queries.chains import Chains
from assay.scanner.queries.class_reads import ClassReads
from assay.scanner.queries.conditions import Condition, Conditions, Part, Tables
from assay.scanner.queries.growth import is_small, keeps_growing
from assay.scanner.queries.indexes import Indexes, Lead, Way
from assay.scanner.queries.offline import Offline
from assay.scanner.queries.reads import SHORTCUTS, Read, Reads, is_conditional
from assay.scanner.queries.requests import Requests
from assay.scanner.queries.sql_reads import Statement, statements
from assay.scanner.readers.python import form
from assay.scanner.schema.replayed import replayed

_FILTERS = frozenset({"filter", "filter_by", "where"})
_GETTING = frozenset({"get", "aget", "get_or_none", "exists"})
_LATEST = frozenset({"latest", "earliest", "alatest", "aearliest"})


@dataclass(frozen=True, slots=True)
class AccessPaths:
    """Tells of each read what leads to its rows. `limited` are the places of queries that pages are cut from."""

    project: Project
    chains: Chains
    conditions: Conditions
    indexes: Indexes
    requests: Requests
    offline: Offline
    views: frozenset[Scope]
    limited: frozenset[Location]
    _made: dict[str, Evidence | None] = field(default_factory=dict)

    def all(self, reads: Iterable[Read], statements: Iterable[Statement]) -> Iterator[AccessPath]:
        """One for a function, a table and columns."""
        found = [path for read in reads for path in self._of(read)]
        found += [path for s in statements for path in self._found(s.scope, s.parts, s.sort)]
        told: set[str] = set()
        for path in found:
            if path.subject_id not in told:
                told.add(path.subject_id)
                yield path

    def _of(self, read: Read) -> Iterator[AccessPath]:
        parts: list[Part] = [] if read.is_whole else [None]
        sort: Condition | None = None
        may_sort = read.takes_first or read.place in self.limited
        is_sorted = False
        for call, scope in read.steps:
            name = last_name(call.func) or ""
            if name == "filter_by" and read.is_joined:
                parts.append(None)  # it speaks of the table that was joined last
            elif name in _FILTERS or name in _GETTING or name in SHORTCUTS:
                parts += self._asked(call, scope, read)
            elif name in _LATEST and call.positional:
                sort = self.conditions.sorted_by(call, scope, read.table)
            elif name == "order_by" and (not is_sorted or read.table.framework == "Django ORM"):
                is_sorted = True
                at_times = is_conditional(call, scope, read)
                sort = self.conditions.sorted_by(call, scope, read.table) if not at_times else None
        if sort is not None and (read.is_grouped or read.is_joined or not (may_sort or self._is_cut(read))):
            sort = None
        lead = self.indexes.way(parts).lead
        if (lead is Lead.ALL_ROWS or (lead is Lead.NOWHERE and sort is not None)) and self._is_handed_on(read):
            parts.append(None)
        yield from self._found(read.scope, parts, sort)

    def _is_handed_on(self, read: Read) -> bool:
        """Whether the function gives the query to another one that may narrow it: `visible_to(user, query)`."""
        function = read.scope.function
        for node in function.nodes if function is not None else ():
            if not isinstance(node, form.Call) or node is read.root:
                continue
            callee = None
            for argument in node.args:
                query = self.chains.query(argument.value, read.scope) if not argument.star else None
                if query is not None and query.root is read.root:
                    callee = callee or self.project.callee_function(node, read.scope)
                    if callee is not None and _narrows_given(callee):
                        return True
        return False

    def _found(self, scope: Scope, parts: Sequence[Part], sort: Condition | None) -> Iterator[AccessPath]:
        way = self.indexes.way(parts, sort)
        if way.lead is Lead.NOWHERE and sort is not None and sort.column.fk_to is None:
            key = self.indexes.for_sort(parts, sort)
            yield from self._path(scope, Way(Lead.KEY if key is not None else Lead.ALL_ROWS, key, (sort,)), sort)
        elif way.lead not in (Lead.NOWHERE, Lead.UNKNOWN):
            yield from self._path(scope, way)

    def _asked(self, call: form.Call, scope: Scope, read: Read) -> list[Part]:
        skipped = 1 if last_name(call.func) in SHORTCUTS else 0
        parts = self.conditions.of(call, scope, read.table, skipped)
        if not is_conditional(call, scope, read):
            return parts
        # What is asked for at times is looked for past all rows at times; but it may be one of two ways.
        is_open = self.indexes.way(parts).lead in (Lead.KEY, Lead.REFERENCE, Lead.UNKNOWN)
        return [None] if is_open else []

    def _path(self, scope: Scope, way: Way, sort: Condition | None = None) -> Iterator[AccessPath]:
        function = scope.enclosing_function
        request = self.requests.leading_to(function) if function is not None else ()
        if scope not in self.views and (not request or self.offline.reason(scope, is_asked_of_callers=False)):
            return
        table = way.at[0].table
        columns = tuple(dict.fromkeys(c.column.name for c in way.at if c.table is table))
        is_slow = way.lead is Lead.ALL_ROWS
        yield AccessPath(
            function=around(scope),
            table=table.name,
            columns=columns,
            location=way.at[0].location,
            role=scope.module.role,
            is_sort=sort is not None,
            serving=way.key,
            reference=columns[0] if way.lead is Lead.REFERENCE else None,
            expression=self.indexes.over_expression(table) if is_slow and sort is None else None,
            is_small=is_slow and is_small(table.model),
            grows=is_slow and keeps_growing(table),
            made=self._made_at(table) if is_slow else None,
            is_whole=self.indexes.is_whole(table),
            request=request,
        )

    def _made_at(self, table: Table) -> Evidence | None:
        """Where requests add rows to the table."""
        if table.model not in self._made:
            self._made[table.model] = self._making(table)
        return self._made[table.model]

    def _making(self, table: Table) -> Evidence | None:
        for call, scope in self.project.calls_named(table.model, "create", "acreate"):
            function = scope.enclosing_function
            if scope.module.role is not Role.PROD or function is None or not call.args:
                continue
            made = call.func
            if last_name(call.func) in ("create", "acreate"):
                made = call.func.value if isinstance(call.func, form.Attr) else call.func
                made = made.value if isinstance(made, form.Attr) else made
            if self.conditions.tables.of_class(made, scope) is table and self.requests.leading_to(function):
                return scope.module.evidence(call, f"requests make a {table.model} here")
        return None

    def _is_cut(self, read: Read) -> bool:
        """Whether the function takes a slice of what the query gives."""
        function = read.scope.function
        for node in function.nodes if function is not None else ():
            if isinstance(node, form.Subscript) and isinstance(node.index, form.Slice) and node.index.upper is not None:
                query = self.chains.query(node, read.scope)
                if query is not None and query.root is read.root:
                    return True
        return False


def _narrows_given(function: FunctionSymbol) -> bool:
    """Whether it asks for more of a query that it is given."""
    given = {p.name for p in function.node.params}
    for node in function.walk():
        if isinstance(node, form.Call) and isinstance(node.func, form.Attr) and node.func.attr in _FILTERS:
            begins: form.Expr = node
            while isinstance(begins, form.Call) and isinstance(begins.func, form.Attr):
                begins = begins.func.value
            if isinstance(begins, form.Name) and begins.id in given:
                return True
    return False


def access_paths(
    gathered: Gathered, chains: Chains, requests: Requests, offline: Offline
) -> Iterator[AccessPath | FindOrCreateCall]:
    """Those of all queries that were followed, and the look-ups among them that rows are made after."""
    project = gathered.project
    tables = Tables(gathered.tables, project)
    migrated = {t.name: t for history in replayed(gathered).values() for t in history.schema.tables}
    views = frozenset(r.view_class.scope for r, _ in gathered.endpoints if r.view_class is not None)
    limited = frozenset(r.location for _, e in gathered.endpoints for r in e.reads if r.bound is Bound.LIMITED)
    paths = AccessPaths(
        project,
        chains,
        Conditions(project, tables),
        Indexes(migrated, project),
        requests,
        offline,
        views,
        limited,
    )
    reads = [*Reads(project, chains, tables).all(), *ClassReads(project, tables).all()]
    yield from paths.all(reads, statements(gathered, migrated, tables))
    yield from AbsentRows(project, paths.conditions, paths.indexes, requests, offline).all(reads)
