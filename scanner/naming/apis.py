"""The API of each service: the routes that programs call, with their templates."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from assay.scanner.framework import Route
from assay.scanner.gathered import Gathered
from assay.scanner.model.endpoint import Endpoint, EndpointKind
from assay.scanner.model.place import Location
from assay.scanner.model.role import Role
from assay.scanner.naming.templates import Template, template_of
from assay.scanner.services import innermost

_FOR_PROGRAMS = frozenset({"Django REST framework", "django-ninja", "flask_restful", "connexion", "falcon", "litestar"})
"""Frameworks that nobody makes pages with."""
_VERSION = re.compile(
    r"(?:api[._-]?)?[vV]\d+(?:[._-]\d+)*(?:-?(?:alpha|beta|rc)\d*)?|\d{4}-\d{2}(?:-\d{2})?|\d+\.\d+|\d{1,2}"
)
_API = re.compile(r"(?:rest[_-]?)?apis?|rest", re.IGNORECASE)
_MOSTLY_PAGES = 3
"""JSON routes for each page, below which they are taken to serve the pages alone."""


@dataclass(frozen=True, slots=True, eq=False)
class ApiRoute:
    """A method of a route, with its template. `is_computed` says that only run time tells a part of its path."""

    route: Route
    endpoint: Endpoint
    template: Template
    is_computed: bool = False

    @property
    def says_api(self) -> bool:
        """Whether the path itself says that it is for programs."""
        return any(says_api(s) or is_version(s) for s in self.template.statics)


@dataclass(frozen=True, slots=True, eq=False)
class Api:
    """What one service answers to programs; `pages` counts those for people beside it."""

    root: str
    routes: tuple[ApiRoute, ...]
    pages: int


def says_api(segment: str) -> bool:
    """Whether the segment is a word for an API: `api`, `rest`."""
    return _API.fullmatch(segment) is not None


def is_version(segment: str) -> bool:
    """Whether the segment is a version: `v1`, `2024-01-01`, `1`."""
    return _VERSION.fullmatch(segment) is not None


def by_service(gathered: Gathered) -> dict[str, list[ApiRoute]]:
    """All routes of production code, by the folder of the service that they are in."""
    folders = {"" if service.root == "." else service.root for service in gathered.services}
    computed = {(d.path, d.line) for d in gathered.context.diagnostics if "path" in d.message}
    found: dict[str, list[ApiRoute]] = {}
    for route, endpoint in gathered.endpoints:
        if endpoint.role is Role.PROD:
            root = innermost(endpoint.location.path, folders) or ""
            each = ApiRoute(route, endpoint, template_of(route.path), _is_computed(route, computed))
            found.setdefault(root, []).append(each)
    return found


def apis_of(routes_of: dict[str, list[ApiRoute]]) -> Iterable[Api]:
    """The services with routes that answer programs with JSON."""
    for root, routes in routes_of.items():
        json = [r for r in routes if r.endpoint.kind is EndpointKind.JSON and r.endpoint.method != "OPTIONS"]
        pages = [r for r in routes if r.endpoint.kind is EndpointKind.HTML]
        own = _without_those_of_pages(json, pages)
        if own:
            yield Api(root, tuple(own), len(pages))


def _without_those_of_pages(json: Sequence[ApiRoute], pages: Sequence[ApiRoute]) -> list[ApiRoute]:
    """Without what a service of pages answers to its own forms and scripts: it is registered among them."""
    if not pages:
        return list(json)
    among_pages = {_registrar(r.route) for r in pages}
    bare = [r for r in json if not _is_for_programs(r)]
    are_few = len(pages) * _MOSTLY_PAGES < len(bare)
    of_pages = {r for r in bare if not are_few or _registrar(r.route) in among_pages}
    return [r for r in json if r not in of_pages]


def _is_for_programs(found: ApiRoute) -> bool:
    declared = found.route.request_types or found.route.response_types
    return found.says_api or bool(declared) or found.route.framework in _FOR_PROGRAMS


def _registrar(route: Route) -> object:
    """The router, blueprint or list of patterns that it is in."""
    if len(route.steps) > 1:
        return route.steps[-2].node
    return route.application.node if route.application is not None else route.location.path


def _is_computed(route: Route, places: set[tuple[str, int | None]]) -> bool:
    return any(not places.isdisjoint(_lines(step.module.location(step.node))) for step in route.steps)


def _lines(place: Location) -> Iterable[tuple[str, int]]:
    return ((place.path, line) for line in range(place.line, place.end_line + 1))
