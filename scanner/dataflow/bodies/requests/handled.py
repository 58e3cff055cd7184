"""The handlers of requests that may have a body, with what becomes of it in each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from assay.scanner.dataflow.bodies.requests.declared import dependencies, is_upload, let_through
from assay.scanner.dataflow.bodies.requests.following import Following
from assay.scanner.dataflow.bodies.requests.handling import Handling
from assay.scanner.dataflow.bodies.requests.readings import Readings
from assay.scanner.dataflow.bodies.requests.sent import Part, Sent
from assay.scanner.dataflow.bodies.requests.validators import Validators
from assay.scanner.dataflow.bodies.schemas.reader import Schemas
from assay.scanner.dataflow.sources import path_parameters
from assay.scanner.framework import BodyType, Route
from assay.scanner.linker.project import Project
from assay.scanner.linker.scopes import FunctionSymbol
from assay.scanner.model.endpoint import Endpoint, EndpointKind
from assay.scanner.model.role import Role

_WRITING = ("POST", "PUT", "PATCH", "ANY")
_KINDS = frozenset({EndpointKind.JSON, EndpointKind.HTML})


@dataclass(slots=True)
class Handled:
    """One handler. `types` are those that a library reads its body by, on any of its routes; `open_types` are those
    among them that let everything through.
    """

    routes: list[tuple[Route, Endpoint]] = field(default_factory=list)
    types: list[BodyType] = field(default_factory=list)
    open_types: list[BodyType] = field(default_factory=list)
    handling: Handling = field(default_factory=Handling)

    @property
    def endpoint(self) -> Endpoint:
        """The first of its endpoints."""
        return self.routes[0][1]

    @property
    def handler(self) -> FunctionSymbol | None:
        return self.routes[0][0].handler

    @property
    def checked_types(self) -> list[BodyType]:
        """The types against which the library holds the body."""
        return [t for t in self.types if t.is_checked and t not in self.open_types]


class Requests:
    """Finds them in one project."""

    def __init__(self, schemas: Schemas, project: Project) -> None:
        self._project = project
        self._schemas = schemas
        self.validators = Validators(schemas, project)
        self._following = Following(Readings(project), self.validators, schemas, project)

    def all(self, endpoints: Iterable[tuple[Route, Endpoint]]) -> Iterator[Handled]:
        """Each handler once for each method that it answers."""
        found: dict[tuple[str, str], Handled] = {}
        for route, endpoint in endpoints:
            if endpoint.method not in _WRITING or endpoint.kind not in _KINDS or endpoint.role is not Role.PROD:
                continue
            handler = route.handler.id if route.handler is not None else endpoint.handler
            entry = found.setdefault((handler, endpoint.method), Handled())
            entry.routes.append((route, endpoint))
            entry.types += [t for t in route.request_types if t not in entry.types]
        for entry in found.values():
            entry.open_types = [t for t in entry.types if self._is_open(t)]
            entry.handling = self._handling(entry)
            yield entry

    def _is_open(self, declared: BodyType) -> bool:
        return is_upload(declared, self._project) or let_through(declared, self._project) is not None

    def _handling(self, entry: Handled) -> Handling:
        """What the handler, and a dependency that takes the body, do with it."""
        given: dict[FunctionSymbol, dict[str, Sent]] = {entry.handler: {}} if entry.handler is not None else {}
        open_type: BodyType | None = None
        for each in entry.types:
            sent = self._sent(each)
            taken = each.parameter or _taking(entry.routes[0][0], each)
            if sent is not None and taken is not None:
                given.setdefault(taken[0], {})[taken[1]] = sent
                open_type = each if sent.schema is None else open_type
        if entry.handler is not None and entry.routes[0][0].framework in _INJECTING:
            self._inject(entry.handler, given)
        whole = Handling()
        for function, parameters in given.items():
            whole.add(self._following.of(function, parameters))
        if open_type is not None and whole.read is not None:
            site = open_type.site
            whole.read = site.module.evidence(site.node, "this type lets everything through")
        return whole

    def _inject(self, handler: FunctionSymbol, given: dict[FunctionSymbol, dict[str, Sent]]) -> None:
        """What dependencies read of the body and give to the handler: `data=Depends(json_body)`."""
        for name, dependency in list(dependencies(handler, self._project)):
            sent = self._following.given_by(dependency, given.get(dependency, {}))
            if sent is not None:
                given.setdefault(dependency, {})
                given.setdefault(handler, {})[name] = sent

    def _sent(self, declared: BodyType) -> Sent | None:
        """What the handler gets by such a declaration."""
        if is_upload(declared, self._project):
            return None
        through = let_through(declared, self._project)
        if through is not None:
            return through
        schema = self._schemas.declared(declared)
        return Sent(Part.WHOLE, schema=schema) if schema is not None and declared.is_checked else None


def _taking(route: Route, declared: BodyType) -> tuple[FunctionSymbol, str] | None:
    """The one parameter that isn't in the path, where a decorator hands the body over."""
    handler = route.handler
    if handler is None or not declared.is_checked:
        return None
    in_path = path_parameters(route.path)
    free = [p.name for p in handler.parameters if p.name not in in_path and p.annotation is None]
    return (handler, free[0]) if len(free) == 1 and route.framework in _HANDING_OVER else None


_INJECTING = frozenset({"fastapi"})
_HANDING_OVER = frozenset({"flask", "quart"})
"""Frameworks whose decorators pass the validated body as an argument without saying to which parameter."""
