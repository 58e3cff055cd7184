"""Decorators that guard: below the one that registers the handler they act, above it they wrap what nobody asks for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from assay.scanner.access.uses.found import Use
from assay.scanner.dataflow.refusals.decorators import refuses_by_decorator
from assay.scanner.framework import Sited
from assay.scanner.linker.project import Project, last_name, last_part
from assay.scanner.linker.scopes import ClassSymbol, FunctionSymbol, Scope
from assay.scanner.linker.values import BoundMethod, External, Instance
from assay.scanner.model.access import GuardAction
from assay.scanner.model.role import Role
from assay.scanner.readers.python import form
from assay.scanner.web.guard_names import names_a_guard

_REGISTERING = frozenset(
    "route get post put patch delete head options websocket api_route api_view http_get http_post http_put".split()
)
_OF_REST = frozenset({"permission_classes", "authentication_classes"})
_KNOWN = frozenset(
    """login_required fresh_login_required jwt_required fresh_jwt_required auth_required auth_token_required
    http_auth_required roles_required roles_accepted permissions_required permissions_accepted permission_required
    user_passes_test staff_member_required superuser_required requires require_oauth protected authenticated
    permission_classes authenticate""".split()
)  # fmt: skip
"""What guards are called in libraries, whichever that is."""
_VIEWS = (
    *(f"django.views.generic.{name}View" for name in ("Template", "List", "Detail", "Create", "Update", "Delete")),
    "django.views.View", "django.views.generic.View", "django.views.generic.base.View", "flask.views.MethodView",
    "flask.views.View", "flask_restful.Resource", "flask_restx.Resource",
)  # fmt: skip


def decorator_uses(project: Project, is_guarded: Mapping[FunctionSymbol, bool]) -> Iterator[Use]:
    """`is_guarded` says of handlers whether anything asks who is calling."""
    for function in project.functions:
        if function.decorators and function.module.role is Role.PROD:
            yield from _on_function(function, project, is_guarded)
    for cls in project.classes:
        if cls.node.decorators and cls.module.role is Role.PROD:
            yield from _on_class(cls, project)


def _on_function(
    function: FunctionSymbol, project: Project, is_guarded: Mapping[FunctionSymbol, bool]
) -> Iterator[Use]:
    decorators = function.decorators
    registering = [i for i, node in enumerate(decorators) if _registers(node)]
    last = registering[-1] if registering else -1
    for index, node in enumerate(decorators):
        guard = _guard_name(node, function.outer, project)
        if guard is None:
            continue
        action = GuardAction.ACTS
        below = decorators[last] if index < last else None
        if below is not None and _wraps_in_vain(node, below, function, is_guarded):
            action = GuardAction.REDUNDANT if is_guarded.get(function) else GuardAction.ABOVE_ROUTE
        if _is_for_functions(node, function, project):
            action = GuardAction.ON_METHOD
        yield Use(guard, function.id, Sited(node, function.outer), action)


def _is_for_functions(node: form.Expr, function: FunctionSymbol, project: Project) -> bool:
    """`@permission_classes` on a view's method, which nothing reads unless the view does so itself."""
    owner = function.owner
    name = project.qualified_name(node.func if isinstance(node, form.Call) else node, function.outer) or ""
    if owner is None or not name.endswith(tuple(f".decorators.{each}" for each in _OF_REST)):
        return False
    own = (project.method(owner, each) for each in ("get_permissions", "check_permissions", "get_authenticators"))
    return not any(own) and any(base.startswith("rest_framework.") for base in project.base_names(owner))


def _wraps_in_vain(
    node: form.Expr, below: form.Expr, function: FunctionSymbol, is_guarded: Mapping[FunctionSymbol, bool]
) -> bool:
    """A view that `api_view` makes is wrapped like any other, but for what it reads of the function itself."""
    if _last(below) == "api_view":
        return _last(node) in _OF_REST
    return function in is_guarded and _last(node) not in _OF_REST


def _registers(node: form.Expr) -> bool:
    if _last(node) == "api_view":
        return True
    return isinstance(node, form.Call) and isinstance(node.func, form.Attr) and node.func.attr in _REGISTERING


def _guard_name(node: form.Expr, scope: Scope, project: Project) -> str | None:
    callee = node.func if isinstance(node, form.Call) else node
    name = form.dotted(callee)
    if name is None or _registers(node) or _is_optional(node):
        return None
    value = project.infer(callee, scope)
    function = value.function if isinstance(value, BoundMethod) else value
    if isinstance(function, FunctionSymbol | ClassSymbol):
        is_guard = names_a_guard(function.name) and refuses_by_decorator(node, scope, project) is not None
        return last_part(name) if is_guard else None
    own = last_part(value.name if isinstance(value, External) else name)
    if isinstance(value, Instance) and value.cls is not None:
        return None
    return last_part(name) if own in _KNOWN or last_part(name) in _KNOWN else None


def _is_optional(node: form.Expr) -> bool:
    stated = node.keyword("optional") if isinstance(node, form.Call) else None
    return isinstance(stated, form.Const) and stated.value is True


def _on_class(cls: ClassSymbol, project: Project) -> Iterator[Use]:
    """`@login_required` takes a function; a class goes through it as one, and its methods are never wrapped."""
    bases: frozenset[str] | None = None
    for node in cls.node.decorators:
        callee = node.func if isinstance(node, form.Call) else node
        if _last(node) not in _KNOWN - _OF_REST or isinstance(project.infer(callee, cls.outer), FunctionSymbol):
            continue
        bases = project.base_names(cls) if bases is None else bases
        if not bases.isdisjoint(_VIEWS):
            yield Use(_last(node), cls.id, Sited(node, cls.outer), GuardAction.ON_CLASS)


def _last(node: form.Expr) -> str:
    return last_name(node.func if isinstance(node, form.Call) else node) or ""
