"""GraphQL apps that a server runs as they are, without a web framework around them."""

from __future__ import annotations

from collections.abc import Iterator

from assay.scanner.framework import Context, Route, Sited, frameworks
from assay.scanner.linker.project import Project, last_part
from assay.scanner.linker.scopes import Scope
from assay.scanner.model.endpoint import EndpointKind
from assay.scanner.model.role import Role
from assay.scanner.readers.python import form


def standalone_routes(context: Context, names: frozenset[str], framework: str) -> Iterator[Route]:
    """The one route of each app of these types, made where the project has no application to mount it in."""
    hosts = frozenset(name for f in frameworks() for name in f.applications) - names
    if any(_makes(call, scope, hosts, context.project) for call, scope in _calls(hosts, context.project)):
        return
    for call, scope in _calls(names, context.project):
        if _makes(call, scope, names, context.project):
            yield Route(
                methods=("ANY",),
                path="/",
                handler=None,
                handler_name=context.project.callee_name(call, scope) or framework,
                location=scope.module.location(call),
                framework=framework,
                role=scope.module.role,
                kind=EndpointKind.GRAPHQL,
                mounted=Sited(call, scope),
            )


def _calls(names: frozenset[str], project: Project) -> Iterator[tuple[form.Call, Scope]]:
    return project.calls_named(*sorted({last_part(name) for name in names}))


def _makes(call: form.Call, scope: Scope, names: frozenset[str], project: Project) -> bool:
    return scope.module.role is Role.PROD and project.callee_name(call, scope) in names
