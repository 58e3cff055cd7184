"""Who may call an endpoint, as far as the names of what guards it tell."""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum, auto

from assay.scanner.dataflow.bodies.requests.conditions import leaves
from assay.scanner.dataflow.lexicon import words
from assay.scanner.framework import Route
from assay.scanner.linker.project import Project, last_name
from assay.scanner.linker.scopes import ClassSymbol, FunctionSymbol
from assay.scanner.model.endpoint import Endpoint
from assay.scanner.readers.python import form

_ADMIN = frozenset({"admin", "admins", "administrator", "superuser", "superusers", "staff", "superadmin", "root"})
_RIGHT = frozenset(
    {
        "permission", "permissions", "role", "roles", "scope", "scopes", "authorize", "authorized", "authorization",
        "can", "policy", "owner", "manager", "moderator", "privilege", "privileges", "allow", "allowed", "acl", "rbac",
    }
)  # fmt: skip


class Authority(Enum):
    """Of the callers that are let in."""

    ADMIN = auto()
    SOME = auto()
    """Those who have some right."""
    ANYBODY = auto()
    """Everybody, or all who have signed in."""


def authority(route: Route, endpoint: Endpoint, project: Project) -> Authority:
    """By the strictest of its guards, its dependencies and the tests that its handler begins with."""
    spoken = {word for name in (*endpoint.auth, *_names(route, project)) for word in words(name)}
    if spoken & _ADMIN or "admin" in words(endpoint.path):
        return Authority.ADMIN
    is_some = spoken & _RIGHT or endpoint.unresolved_guards or _chooses_serializer(route)
    return Authority.SOME if is_some else Authority.ANYBODY


def _chooses_serializer(route: Route) -> bool:
    """`if self.request.user.is_staff: return AdminSerializer` in `get_serializer_class`."""
    method = route.view_class.methods.get("get_serializer_class") if route.view_class is not None else None
    tests = [n.test for n in method.nodes if isinstance(n, form.If | form.Conditional)] if method is not None else []
    spoken = {word for test in tests for name in _spoken(test) for word in words(name)}
    return bool(spoken & (_ADMIN | _RIGHT))


def _names(route: Route, project: Project) -> Iterator[str]:
    for step in route.steps:
        yield from _spoken(step.node, under="dependencies")
    handler = route.handler
    if handler is None:
        return
    for decorator in handler.decorators:
        is_route = isinstance(decorator, form.Call) and decorator.keyword("dependencies") is not None
        yield from _spoken(decorator, under="dependencies" if is_route else None)
    for param in handler.parameters:
        for node in (param.annotation, param.default):
            if node is not None:
                yield from _spoken(node)
    yield from _tested(handler)
    for base in project.mro(handler.owner) if handler.owner is not None else ():
        for bindings in base.scope.bindings.values() if isinstance(base, ClassSymbol) else ():
            value = bindings[-1].value  # `user: User = Depends(get_admin)` of a class of handlers
            if isinstance(value, form.Call) and last_name(value.func) == "Depends":
                yield from _spoken(value)


def _spoken(node: form.Expr, under: str | None = None) -> Iterator[str]:
    """The names in an expression; in one argument of a call where that is said."""
    if under is not None:
        argument = node.keyword(under) if isinstance(node, form.Call) else None
        if argument is not None:
            yield from _spoken(argument)
        return
    for inner in form.walk(node):
        if isinstance(inner, form.Name):
            yield inner.id
        elif isinstance(inner, form.Attr):
            yield inner.attr
        elif isinstance(inner, form.Const) and isinstance(inner.value, str):
            yield inner.value


def _tested(handler: FunctionSymbol) -> Iterator[str]:
    """`if not user.is_admin: raise Forbidden`."""
    for node in handler.nodes:
        if isinstance(node, form.If) and leaves(node.body):
            yield from _spoken(node.test)
        elif isinstance(node, form.ExprStmt) and isinstance(node.value, form.Call):
            yield from _spoken(node.value.func)
