"""Queries that the service runs, each with how often."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from assay.scanner.dataflow.bodies.answers import Answers
from assay.scanner.dataflow.bodies.subjects import schemas_of
from assay.scanner.dataflow.numbering import Ordinals, around
from assay.scanner.framework import frameworks
from assay.scanner.gathered import Gathered
from assay.scanner.linker.project import Project
from assay.scanner.linker.scopes import FunctionSymbol, Scope
from assay.scanner.model.access_path import AccessPath
from assay.scanner.model.endpoint import Endpoint
from assay.scanner.model.find_or_create import FindOrCreateCall
from assay.scanner.model.offset_paging import OffsetPaging
from assay.scanner.model.query_call import QueryCall, Repetition
from assay.scanner.model.relation_read import RelationRead, Supply
from assay.scanner.model.role import Role
from assay.scanner.model.row_read import RowRead
from assay.scanner.queries.access_paths import access_paths
from assay.scanner.queries.chains import Chains
from assay.scanner.queries.eager import EagerLoads
from assay.scanner.queries.elements import Elements, Rows
from assay.scanner.queries.executions import Execution, Executions
from assay.scanner.queries.helpers import Helpers, writes
from assay.scanner.queries.offline import Offline
from assay.scanner.queries.offsets import Offsets
from assay.scanner.queries.regions import may_loop
from assay.scanner.queries.relation_reads import Look, Looks
from assay.scanner.queries.relations import Relations
from assay.scanner.queries.repetition import repetition
from assay.scanner.queries.requests import Requests
from assay.scanner.queries.row_reads import RowReads
from assay.scanner.queries.serialized import Serialized
from assay.scanner.queries.sizes import Sizes
from assay.scanner.queries.tasks import Tasks
from assay.scanner.readers.python import form


def queries(
    gathered: Gathered,
) -> Iterator[QueryCall | RelationRead | RowRead | OffsetPaging | AccessPath | FindOrCreateCall]:
    """Calls that run a query, calls in loops of helpers that do, and relations that loops look at."""
    project = gathered.project
    chains = Chains(project, frameworks())
    executions = Executions(project, chains, gathered.executions)
    handlers = frozenset(r.handler for r, _ in gathered.endpoints if r.handler is not None)
    calls = _by_function(project)
    helpers = Helpers(project, executions, calls)
    relations = Relations(gathered.tables, project)
    sizes = Sizes(project, chains, relations, handlers)
    eager = EagerLoads(project)
    rows = Rows(project, chains, relations, sizes, eager)
    looks = Looks(project, relations, rows)
    finder = _Finder(project, executions, helpers, sizes, Ordinals(), Offline(project))
    for execution in executions.all():
        yield finder.direct(execution)
    for function, made in calls.items():
        if function.module.role is Role.PROD and may_loop(function):
            yield from finder.through_helpers(function, made)
            yield from finder.relations(function, looks)
    serialized = Serialized(project, Answers(schemas_of(gathered), project), relations, chains, eager, looks)
    requests = Requests((route for route, _ in gathered.endpoints), project)
    tasks = Tasks(gathered.tasks, project)
    row_reads = RowReads(project, chains, relations, helpers, requests, tasks, finder.offline)
    yield from row_reads.all(calls, [endpoint for _, endpoint in gathered.endpoints])
    offsets = Offsets(project, chains, gathered.tables, finder.offline)
    yield from offsets.all(route for route, _ in gathered.endpoints)
    yield from access_paths(gathered, chains, requests, finder.offline)
    told: set[tuple[object, str]] = set()
    for route, endpoint in gathered.endpoints:
        for elements, look in serialized.of(route, endpoint) if endpoint.role is Role.PROD else ():
            key = (route.handler or route.view_class, look.relation.name)
            if key not in told:  # a handler may answer several paths
                told.add(key)
                yield _of_schema(elements, look, endpoint)


@dataclass(frozen=True, slots=True)
class _Finder:
    project: Project
    executions: Executions
    helpers: Helpers
    sizes: Sizes
    ordinals: Ordinals
    offline: Offline

    def direct(self, execution: Execution) -> QueryCall:
        call, scope, what = execution.call, execution.scope, execution.what
        function = scope.function
        size = (
            repetition(call, function, self.helpers.regions(function), self.sizes, execution)
            if function is not None and may_loop(function)
            else None
        )
        query = scope.module.evidence(call, f"this query runs: {what}")
        name = around(scope)
        return QueryCall(
            function=name,
            ordinal=self.ordinals.next(name, "query"),
            what=what,
            location=scope.module.location(call),
            role=scope.module.role,
            repetition=size.repetition if size is not None else Repetition.ONCE,
            steps=(*(size.evidence if size is not None else ()), query),
            offline=self.offline.reason(scope, is_asked_of_callers=size is not None and size.repetition.is_open),
        )

    def through_helpers(self, function: FunctionSymbol, made: Sequence[tuple[form.Call, Scope]]) -> Iterator[QueryCall]:
        regions = self.helpers.regions(function)
        for call, scope in made:
            if not regions.around(call.start) or self.executions.of(call, scope) is not None:
                continue
            helper = self.project.callee_function(call, scope)
            if helper is None or writes(helper):
                continue
            steps = self.helpers.query_in(helper)
            if not steps:
                continue
            size = repetition(call, function, regions, self.sizes)
            if size.repetition is Repetition.UNKNOWN and len(steps) > 1:
                continue  # too far from the query to ask a person about
            name = around(scope)
            yield QueryCall(
                function=name,
                ordinal=self.ordinals.next(name, "query"),
                what=f"{helper.name}()",
                location=scope.module.location(call),
                role=scope.module.role,
                repetition=size.repetition,
                steps=(*size.evidence, scope.module.evidence(call, f"it calls {helper.name}()"), *steps),
                offline=self.offline.reason(scope, is_asked_of_callers=size.repetition.is_open),
                is_through_helper=True,
            )

    def relations(self, function: FunctionSymbol, looks: Looks) -> Iterator[RelationRead]:
        """The relations that the function's loops look at, row by row."""
        for elements, _, look in looks.of(function, self.helpers.regions(function)):
            relation = f"{look.model}.{look.relation.name}"
            is_open = look.supply in (Supply.EACH, Supply.ANEW, Supply.UNKNOWN)
            yield RelationRead(
                reader=function.id,
                relation=relation,
                location=look.steps[-1].location,
                role=function.module.role,
                supply=look.supply,
                query=elements.query,
                steps=look.steps,
                loader=look.loader,
                offline=self.offline.reason(function.scope, is_asked_of_callers=is_open),
                ordinal=self.ordinals.next(function.id, relation),
            )


def _of_schema(elements: Elements, look: Look, endpoint: Endpoint) -> RelationRead:
    return RelationRead(
        reader=endpoint.label,
        relation=f"{look.model}.{look.relation.name}",
        location=endpoint.location,
        role=endpoint.role,
        supply=look.supply,
        query=elements.query,
        steps=look.steps,
        loader=look.loader,
    )


def _by_function(project: Project) -> dict[FunctionSymbol, list[tuple[form.Call, Scope]]]:
    found: dict[FunctionSymbol, list[tuple[form.Call, Scope]]] = {}
    for made in project.calls:
        function = made[1].function
        if function is not None:
            found.setdefault(function, []).append(made)
    return found
