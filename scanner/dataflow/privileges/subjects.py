"""Endpoints with what makes them privileged."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from assay.scanner.dataflow.lookups.labels import Labels, labels_in, names_caller
from assay.scanner.dataflow.privileges.reasons import reason
from assay.scanner.dataflow.privileges.role_checks import role_checks, unread_guards
from assay.scanner.framework import Route
from assay.scanner.linker.project import Project
from assay.scanner.linker.scopes import FunctionSymbol
from assay.scanner.model.endpoint import Endpoint
from assay.scanner.model.place import Evidence
from assay.scanner.model.privilege import Privilege
from assay.scanner.model.role import Role
from assay.scanner.readers.python import form

_MOST_CHECKS = 3
_FINDING = ("get_queryset", "get_object")
"""Methods of a view's class by which its other methods find what they work on."""


def with_privileges(endpoints: Iterable[tuple[Route, Endpoint]], project: Project) -> Iterator[tuple[Route, Endpoint]]:
    """Each endpoint with why it is for few and what it asks of callers, where nobody gets there unknown."""
    for route, endpoint in endpoints:
        found = _privilege(route, endpoint, project) if endpoint.role is Role.PROD and route.guards else None
        yield route, replace(endpoint, privilege=found) if found is not None else endpoint


def _privilege(route: Route, endpoint: Endpoint, project: Project) -> Privilege | None:
    why = reason(endpoint)
    if why is None:
        return None
    return Privilege(
        why.what,
        why.change.steps if why.change is not None else (),
        tuple(dict.fromkeys(role_checks(route, project)))[:_MOST_CHECKS],
        _own(route, project) if not why.of_all else None,
        tuple(guard.evidence for guard in unread_guards(route, project)),
    )


def _own(route: Route, project: Project) -> Evidence | None:
    """Where the handler, or what finds its object, compares with who is asking, or looks only at what is theirs."""
    finding = [project.method(route.view_class, name) for name in _FINDING] if route.view_class is not None else []
    return next(
        (e for f in (route.handler, *finding) if f is not None and (e := _own_in(f, project)) is not None), None
    )


def _own_in(function: FunctionSymbol, project: Project) -> Evidence | None:
    labels = labels_in(function, "", Labels(), project)
    for node in function.nodes:
        match node:
            case form.Compare() if names_caller(node, labels):
                return function.module.evidence(node, "it compares with the caller")
            case form.Call(args=args) if any(arg.name is not None and names_caller(arg.value, labels) for arg in args):
                return function.module.evidence(node, "it is given the caller")
    return None
