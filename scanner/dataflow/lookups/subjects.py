"""Look-ups of one object by an id that a client sent."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from assay.scanner.dataflow.lookups.labels import Labels
from assay.scanner.dataflow.lookups.misses import Kind, Miss
from assay.scanner.dataflow.lookups.outcomes import status_for
from assay.scanner.dataflow.lookups.owners import Owners
from assay.scanner.dataflow.lookups.reach import CHANGING, reached
from assay.scanner.dataflow.lookups.search import Found, Search
from assay.scanner.dataflow.sources import path_parameters
from assay.scanner.framework import Route
from assay.scanner.gathered import Gathered
from assay.scanner.linker.project import Project
from assay.scanner.model.endpoint import Endpoint, EndpointKind
from assay.scanner.model.lookup import Absence, ObjectLookup
from assay.scanner.model.place import Location
from assay.scanner.model.role import Role

_UNNAMED = re.compile(r"\((?!\?)")
"""A group of a path that is a regular expression: its text is the handler's next argument."""


@dataclass(frozen=True, slots=True, eq=False)
class _Place:
    """A look-up with one of the endpoints that it serves."""

    route: Route
    endpoint: Endpoint
    found: Found

    @property
    def location(self) -> Location:
        return self.found.lookup.location or self.route.location


def object_lookups(gathered: Gathered) -> Iterator[ObjectLookup]:
    """Look-ups of one object by what a client sent: what happens when there is none, and whose it is."""
    owners = Owners(gathered.tables, gathered.project)
    search = Search(gathered.project, owners)
    places = list(_places(gathered, search))
    read_by_owner = frozenset(_read_by_owner(gathered, places, owners, search))
    for place in places:
        endpoint, ending = place.endpoint, place.found.ending
        absence, status = _absence(ending, endpoint, place.route, gathered.project)
        reach = reached(place.found, place.route, endpoint, owners, read_by_owner, gathered.project)
        yield ObjectLookup(
            name=endpoint.label,
            model=place.found.lookup.model,
            location=place.location,
            role=endpoint.role,
            absence=absence,
            status=status,
            absence_evidence=(ending.evidence,) if ending.evidence is not None else (),
            reach=reach.reach,
            reach_reason=reach.reason,
            reach_evidence=reach.evidence,
        )


def _read_by_owner(gathered: Gathered, places: Iterable[_Place], owners: Owners, search: Search) -> Iterator[str]:
    """The models of which some endpoint lets callers read only what is theirs."""
    in_question: set[str] = set()
    for place in places:
        lookup = place.found.lookup
        if lookup.scoped is None and place.found.checked is None:
            owner = owners.of(lookup.model)
            in_question.update([owner.model] if owner is not None else [])
        elif place.endpoint.method == "GET":
            yield lookup.model
    for route, endpoint in gathered.endpoints:
        is_list = endpoint.is_json_list and bool(endpoint.auth) and endpoint.collection in in_question
        if is_list and route.handler is not None and search.held.is_list(route.handler, Labels()):
            yield endpoint.collection


def _places(gathered: Gathered, search: Search) -> Iterable[_Place]:
    """Each once, however many methods and prefixes lead to it with the same guards; a change says more than a read."""
    places: dict[object, _Place] = {}
    for route, endpoint in gathered.endpoints:
        if endpoint.kind is not EndpointKind.JSON or endpoint.role is Role.TEST:
            continue
        found = _lookup(route, endpoint, search)
        if found is not None:
            key = (route.handler or route.view_class, found.lookup.node, endpoint.auth, found.checked is None)
            known = places.get(key)
            if known is None or (endpoint.method in CHANGING and known.endpoint.method not in CHANGING):
                places[key] = _Place(route, endpoint, found)
    return places.values()


def _lookup(route: Route, endpoint: Endpoint, search: Search) -> Found | None:
    """By the last parameter of the path that anything is looked up by."""
    for wanted in reversed(_parameters(route)):
        if route.handler is not None:
            found = search.of(route.handler, wanted, Labels({wanted}), route.view_class)
        elif route.view_class is not None and not endpoint.returns_collection and endpoint.method != "POST":
            found = search.of_view(route.view_class, endpoint.method, wanted)
        else:
            found = None
        if found is not None:
            return found
    return None


def _parameters(route: Route) -> list[str]:
    named = list(path_parameters(route.path))
    if named or route.handler is None:
        return named
    taken = [p.name for p in route.handler.parameters if p.default is None and p.name not in ("request", "req", "resp")]
    return taken[: len(_UNNAMED.findall(route.path))]


def _absence(miss: Miss, endpoint: Endpoint, route: Route, project: Project) -> tuple[Absence, int | None]:
    match miss.kind:
        case Kind.RAISES | Kind.CRASHES:
            status = status_for(miss, route.view_class, project)
            if status is not None:
                return Absence.STATUS, status
            is_own = miss.cls is not None or miss.is_foreign
            return (Absence.UNKNOWN, None) if is_own else (Absence.STATUS, 500)
        case Kind.ANSWERS:
            return Absence.STATUS, miss.status
        case Kind.NONE:
            return Absence.NULL, None
        case Kind.GOES_ON:
            return Absence.NOTHING_TO_DO if endpoint.method == "DELETE" else Absence.REPLACED, None
    return Absence.UNKNOWN, None
