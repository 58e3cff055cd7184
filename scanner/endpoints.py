"""Routes to endpoints: what a handler returns and reads joins what its framework knows of the registration."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from assay.scanner.access.purposes import public_purpose
from assay.scanner.access.stand_ins import stand_ins
from assay.scanner.access.webhook_names import is_named_webhook, names_vendor
from assay.scanner.dataflow.health import is_health_path
from assay.scanner.dataflow.named_functions import decorator_names
from assay.scanner.dataflow.page_inputs import PageInput
from assay.scanner.dataflow.reads import Reads
from assay.scanner.dataflow.returned import Returned, Shape
from assay.scanner.dataflow.sources import path_parameters
from assay.scanner.framework import Route, Rows
from assay.scanner.model.endpoint import Endpoint, EndpointKind
from assay.scanner.model.place import Evidence
from assay.scanner.model.query import Bound, Cap, CollectionRead, Order, PagedQuery, PageSize
from assay.scanner.web.unfollowed import unfollowed_guards

_READS = ("GET", "ANY")


def endpoints_of(route: Route, reads: Reads) -> tuple[Endpoint, ...]:
    """One endpoint for each method of the route."""
    returned = reads.of_route(route)
    kind = route.kind or EndpointKind.JSON
    is_health = is_health_path(route.path, route.handler_name, is_open=not route.guards) is not None
    if is_health and kind in (EndpointKind.JSON, EndpointKind.HTML):
        kind = EndpointKind.HEALTH
    rows = returned.rows
    reads_found = tuple(_paged(_read(r, _addresses_a_parent(route)), route) for r in rows)
    sizes = _page_sizes(route, returned)
    purpose = public_purpose(route, reads.project) if not route.guards else None
    endpoint = Endpoint(
        method="",
        path=route.path,
        handler=route.handler_name,
        location=route.location,
        framework=route.framework,
        kind=kind,
        role=route.role,
        auth=tuple(dict.fromkeys(g.name for g in route.guards)),
        guards=tuple(dict.fromkeys(g.evidence for g in route.guards)),
        unresolved_guards=_unresolved_guards(route, purpose, reads),
        public_purpose=purpose,
        stand_ins=() if route.guards else tuple(stand_ins(route)),
        opened=route.opened,
        decorators=decorator_names(route.handler, reads.project) if route.handler is not None else (),
        tags=route.tags,
        summary=route.summary,
        is_deprecated=route.is_deprecated,
        request_model=route.request_model,
        response_model=route.response_model,
        status_codes=route.status_codes,
        rate_limits=tuple(dict.fromkeys(g.name for g in route.rate_limits)),
        throttles=tuple(dict.fromkeys(g.evidence for g in route.rate_limits)),
        operations=route.operations,
        returns_collection=_returns_collection(route, returned),
        collection=route.collection or next((r.model for r in rows if r.model not in ("", "rows")), "row"),
        pagination=_pagination(route, rows),
        reads=reads_found,
        page_sizes=sizes,
        paginators=route.paginators,
        bounded_by_nature=returned.bounded,
        unresolved=returned.unknown,
    )
    is_declared = route.returns_collection is not None and len(route.methods) == 1
    return tuple(
        replace(endpoint, method=m, returns_collection=endpoint.returns_collection and (is_declared or m in _READS))
        for m in route.methods
    )


def _unresolved_guards(route: Route, purpose: str | None, reads: Reads) -> tuple[Evidence, ...]:
    """What may guard it, where nothing does for sure."""
    if route.guards:
        return ()
    is_judged = purpose is None or is_named_webhook(route) or names_vendor(route)
    return (*route.unresolved_guards, *(unfollowed_guards(route, reads.project) if is_judged else ()))


def _returns_collection(route: Route, returned: Returned) -> bool:
    if route.returns_collection is not None:
        return route.returns_collection
    return bool(returned.rows) and returned.shape in (Shape.LIST, Shape.WRAPPER)


def _pagination(route: Route, rows: tuple[Rows, ...]) -> str | None:
    if route.paginators:
        return route.paginators[0].text
    if rows and all(r.bound is Bound.LIMITED for r in rows):
        return next((r.limit.text for r in rows if r.limit is not None), "limited")
    if not rows and route.returns_collection and route.page_sizes:
        return f"takes {route.page_sizes[0].name}"  # what is read can't be seen, but how much of it is asked for
    return None


def _read(rows: Rows, addresses_a_parent: bool) -> CollectionRead:
    by_parent = rows.filtered_by_parent or (rows.narrowed and addresses_a_parent)
    return CollectionRead(rows.place.location, rows.model, rows.bound, rows.order, rows.limit, rows.order_by, by_parent)


def _paged(read: CollectionRead, route: Route) -> CollectionRead:
    """The read as a library's paginator around the response leaves it."""
    if not route.paginators:
        return read
    ordered = read.order in (Order.EXPLICIT, Order.DEFAULT) or route.page_order is Order.NONE
    return replace(
        read,
        bound=Bound.LIMITED,
        limit=read.limit or route.paginators[0],
        order=read.order if ordered else route.page_order,
        order_by=read.order_by if ordered else route.page_order_evidence,
    )


def _addresses_a_parent(route: Route) -> bool:
    """The path names another object, `/teams/{team_id}/users`, and the handler takes it.

    A prefix that middleware takes (a tenant's slug) is no parent: every row of a tenant is still every row.
    """
    parameters = {p.name for p in route.handler.parameters} if route.handler is not None else set()
    return any(name in parameters for name in path_parameters(route.path))


def _page_sizes(route: Route, returned: Returned) -> tuple[PageSize, ...]:
    """Sizes declared as parameters, with caps found on their way to the query, and those read from the request."""
    declared = tuple(_with_caps(size, returned.inputs) for size in route.page_sizes)
    sent = tuple(size for i in returned.inputs if (size := i.page_size()) is not None)
    return tuple({s.subject_id: s for s in (*sent, *declared)}.values())


def _with_caps(size: PageSize, inputs: Iterable[PageInput]) -> PageSize:
    for page_input in inputs:
        parameter = page_input.parameter
        if size.cap is not Cap.UNCAPPED or parameter is None or parameter[1] != size.name:
            continue
        capped = page_input.cap()
        if capped is not None:
            return replace(size, cap=Cap.CAPPED, maximum=capped[1], evidence=(capped[0],))
    return size


def page_sizes(endpoints: Iterable[Endpoint]) -> tuple[PageSize, ...]:
    """Each input once, however many endpoints take it."""
    sizes = {s.subject_id: s for e in endpoints for s in e.page_sizes}
    return tuple(sizes[key] for key in sorted(sizes))


def paged_queries(endpoints: Iterable[Endpoint]) -> tuple[PagedQuery, ...]:
    """Each query that is cut into pages for a client, once: where it begins and where it is cut."""
    found: dict[tuple[object, object], PagedQuery] = {}
    for endpoint in endpoints:
        if not endpoint.returns_collection:
            continue
        for read in endpoint.reads:
            if read.bound is not Bound.LIMITED or read.limit is None:
                continue
            key = (read.location, read.limit.location)
            query = PagedQuery(endpoint.handler, read.location, endpoint.role, read.order, read.order_by)
            found.setdefault(key, query)
    ordinals: dict[str, int] = {}
    numbered = []
    for query in sorted(found.values(), key=lambda q: (q.function, q.location)):
        ordinals[query.function] = number = ordinals.get(query.function, 0) + 1
        numbered.append(replace(query, ordinal=number))
    return tuple(numbered)
