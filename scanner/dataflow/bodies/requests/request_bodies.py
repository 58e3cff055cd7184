"""The bodies that endpoints read, one for each handler."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from assay.scanner.dataflow.bodies.requests.declared import is_upload, let_through
from assay.scanner.dataflow.bodies.requests.following import Following
from assay.scanner.dataflow.bodies.requests.handling import Handling
from assay.scanner.dataflow.bodies.requests.readings import Readings
from assay.scanner.dataflow.bodies.requests.sent import Sent
from assay.scanner.dataflow.bodies.requests.validators import Validators
from assay.scanner.dataflow.bodies.schemas.reader import Schemas
from assay.scanner.dataflow.lexicon import words
from assay.scanner.framework import BodyType, Route
from assay.scanner.linker.project import Project
from assay.scanner.linker.scopes import FunctionSymbol
from assay.scanner.model.body import RequestBody
from assay.scanner.model.effect import EffectKind
from assay.scanner.model.endpoint import Endpoint, EndpointKind
from assay.scanner.model.place import Evidence
from assay.scanner.model.role import Role
from assay.scanner.readers.python import form

_WRITING = ("POST", "PUT", "PATCH", "ANY")
_KINDS = frozenset({EndpointKind.JSON, EndpointKind.HTML})
_HOOKS = frozenset({"webhook", "webhooks", "hook", "hooks", "callback", "callbacks"})
_VALIDATING_FRAMEWORKS = frozenset({"connexion"})
"""They hold every request against the API's description before a handler runs."""


@dataclass(slots=True)
class _Found:
    """A handler's routes."""

    endpoint: Endpoint
    route: Route
    types: list[BodyType] = field(default_factory=list)


class RequestBodies:
    """Finds the bodies of one project's requests."""

    def __init__(self, schemas: Schemas, project: Project) -> None:
        self._project = project
        self._validators = Validators(schemas, project)
        self.following = Following(Readings(project), self._validators, project)

    def all(self, endpoints: Iterable[tuple[Route, Endpoint]]) -> Iterator[RequestBody]:
        """One for each handler of requests that may have a body."""
        found: dict[tuple[str, str], _Found] = {}
        for route, endpoint in endpoints:
            if endpoint.method not in _WRITING or endpoint.kind not in _KINDS or endpoint.role is Role.TEST:
                continue
            handler = route.handler.id if route.handler is not None else f"{endpoint.handler} {endpoint.method}"
            entry = found.setdefault((handler, endpoint.method), _Found(endpoint, route))
            entry.types += route.request_types
        for entry in found.values():
            yield from self._body(entry)

    def _body(self, found: _Found) -> Iterator[RequestBody]:
        endpoint, handler = found.endpoint, found.route.handler
        checked = [t for t in found.types if t.is_checked and not self._is_open(t)]
        handling = self._handling(handler, found.types)
        if endpoint.method == "ANY" and handling.read is None and not handling.validated:
            return
        validated = [*self._declared(checked, found.route, handler), *handling.validated]
        location = handling.read.location if handling.read is not None and not validated else endpoint.location
        yield RequestBody(
            endpoint.subject_id,
            location,
            endpoint.role,
            is_read=handling.read is not None or bool(validated),
            trusted=handling.signed or self._webhook(endpoint, handler),
            validated=tuple(validated),
            is_open=any(self._is_open(each) for each in found.types),
            is_text=endpoint.kind is EndpointKind.HTML or handling.is_form,
            changes_something=handling.is_stored or _changes_something(endpoint),
            breaks=bool(handling.broken),
            unchecked=handling.unchecked,
            half_checked=handling.half_checked,
            forwarded=tuple(handling.forwarded.values()),
            checks=tuple(dict.fromkeys(handling.check_places)),
            compared=tuple(handling.compared.values()),
        )

    def _webhook(self, endpoint: Endpoint, handler: FunctionSymbol | None) -> Evidence | None:
        """Where a webhook asks for the credentials of the service that calls it."""
        spoken = {*words(endpoint.path), *words(handler.name if handler is not None else "")}
        if handler is None or spoken.isdisjoint(_HOOKS):
            return None
        if endpoint.guards:
            return endpoint.guards[0]
        headers = (n for n in handler.nodes if isinstance(n, form.Attr) and n.attr == "headers")
        asked = next(headers, None)
        return handler.module.evidence(asked, "the caller's headers are looked at") if asked is not None else None

    def _is_open(self, declared: BodyType) -> bool:
        return is_upload(declared, self._project) or let_through(declared, self._project) is not None

    def _declared(self, types: list[BodyType], route: Route, handler: FunctionSymbol | None) -> Iterator[Evidence]:
        for each in types:
            yield each.site.module.evidence(each.site.node, "the body is validated by this")
        if route.framework.lower() in _VALIDATING_FRAMEWORKS:
            yield Evidence(route.location, "requests are held against the API's description")
        decorators = handler.decorators if handler is not None else []
        decorator = self._validators.among(decorators) if handler is not None else None
        if decorator is not None and handler is not None and not types:
            yield handler.module.evidence(decorator, "the body is validated by this")

    def _handling(self, handler: FunctionSymbol | None, types: list[BodyType]) -> Handling:
        """What the handler, and a dependency that takes the body, do with it."""
        given: dict[FunctionSymbol, dict[str, Sent]] = {}
        places: list[Evidence] = []
        if handler is not None:
            given[handler] = {}
        for each in types:
            sent = let_through(each, self._project) if not is_upload(each, self._project) else None
            if sent is not None and each.parameter is not None:
                function, name = each.parameter
                given.setdefault(function, {})[name] = sent
                places.append(each.site.module.evidence(each.site.node, "this type lets everything through"))
        whole = Handling()
        for function, parameters in given.items():
            whole.add(self.following.of(function, parameters))
        if places and whole.read is not None:
            whole.read = places[0]
        return whole


def _changes_something(endpoint: Endpoint) -> bool:
    """Whether more than somebody's session may change."""
    kinds = {effect.kind for effect in endpoint.effects if effect.excuse is None}
    return bool(kinds - {EffectKind.SESSION})
