"""WebSocket routes of web frameworks, and whom they let connect."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from assay.scanner.access.purposes import is_secret_name
from assay.scanner.access.sockets.checks import Checks, asking_decorators, checks_of, wrappers_of
from assay.scanner.dataflow.sources import injection, path_parameters
from assay.scanner.framework import Route
from assay.scanner.linker.project import Project
from assay.scanner.linker.scopes import ClassSymbol, FunctionSymbol
from assay.scanner.model.access import Admission, SocketEntrance
from assay.scanner.model.endpoint import Endpoint, EndpointKind
from assay.scanner.model.place import Evidence
from assay.scanner.readers.python import form

_ENTRANCES = ("prepare", "open", "get", "get_current_user", "on_connect", "on_accept")
"""Methods that run as somebody connects, of Tornado's and Starlette's classes."""


def socket_routes(endpoints: Iterable[tuple[Route, Endpoint]], project: Project) -> Iterator[SocketEntrance]:
    """One for each route of a WebSocket."""
    for route, endpoint in endpoints:
        if endpoint.kind is EndpointKind.WEBSOCKET:
            admission, evidence = _admission(route, endpoint, project)
            yield SocketEntrance(
                route.path or "/", endpoint.location, endpoint.role, admission, evidence, route.http_guards
            )


def _admission(route: Route, endpoint: Endpoint, project: Project) -> tuple[Admission, tuple[Evidence, ...]]:
    handlers = _handlers(route, project)
    checks = [checks_of(handler, project) for handler in handlers]
    any_origin = _lets_any_origin_in(route.view_class, project) if route.view_class is not None else None
    asking = (e for handler in handlers for e in asking_decorators(handler))
    identity = (*endpoint.guards, *asking, *(e for check in checks for e in check.identity))
    if any_origin is not None and not any(check.is_ticket for check in checks):
        return Admission.ANY_ORIGIN, (any_origin,)
    if identity:
        return admitted(checks, is_guarded=bool(endpoint.guards)), identity
    origin = tuple(e for check in checks for e in check.origin)
    secrets = (name for name in path_parameters(route.path) if is_secret_name(name))
    known = tuple(Evidence(endpoint.location, f"whoever knows `{name}` may connect") for name in secrets)
    hidden = (*endpoint.unresolved_guards, *(e for check in checks for e in check.hidden), *endpoint.opened, *known)
    if any(check.only_closes for check in checks):
        return Admission.NOBODY, (Evidence(endpoint.location, "closes every connection"),)
    if hidden:
        return Admission.UNKNOWN, hidden
    if origin or (route.framework == "tornado" and any_origin is None):
        return Admission.ORIGIN, origin or (Evidence(endpoint.location, "Tornado compares the origin with the host"),)
    if any_origin is not None:
        return Admission.ANY_ORIGIN, (any_origin,)
    return Admission.ANYBODY, (Evidence(endpoint.location, "accepts whoever connects"),)


def admitted(checks: Iterable[Checks], *, is_guarded: bool) -> Admission:
    """Of one that checks who connects."""
    return Admission.TICKET if not is_guarded and any(check.is_ticket for check in checks) else Admission.KNOWN


def _handlers(route: Route, project: Project) -> list[FunctionSymbol]:
    """The handler, what it depends on, and the methods of its class that run as somebody connects."""
    found = [route.handler] if route.handler is not None else []
    for handler in found[:1]:
        found += [*_dependencies(handler, project), *wrappers_of(handler, project)]
    cls = route.view_class or _endpoint_class(route, project)
    methods = [project.method(cls, name) for name in _ENTRANCES] if cls is not None else []
    return [*found, *(method for method in methods if method is not None and method not in found)]


def _dependencies(handler: FunctionSymbol, project: Project) -> Iterator[FunctionSymbol]:
    for param in handler.parameters:
        for declared in (param.default, param.annotation):
            depends = injection(declared, handler.outer, project)
            given = depends.node.argument(0, "dependency") if depends and isinstance(depends.node, form.Call) else None
            value = project.infer(given, depends.scope) if depends is not None and given is not None else None
            if isinstance(value, FunctionSymbol):
                yield value


def _endpoint_class(route: Route, project: Project) -> ClassSymbol | None:
    """The class in `WebSocketRoute("/feed", Feed)`."""
    made = route.steps[-1] if route.handler is None and route.steps else None
    endpoint = made.node.argument(1, "endpoint") if made is not None and isinstance(made.node, form.Call) else None
    value = project.infer(endpoint, made.scope) if made is not None and endpoint is not None else None
    return value if isinstance(value, ClassSymbol) else None


def _lets_any_origin_in(cls: ClassSymbol, project: Project) -> Evidence | None:
    """Tornado's `check_origin` that says yes to all."""
    method = project.method(cls, "check_origin")
    returned = [node.value for node in method.returns] if method is not None else []
    says_yes = bool(returned) and all(isinstance(v, form.Const) and v.value is True for v in returned)
    return (
        method.module.evidence(method.node.body[-1], "pages of any site may connect") if method and says_yes else None
    )
