"""FastAPI's dependencies that guard: `Depends` has to be given the callable itself."""

from __future__ import annotations

from collections.abc import Iterator

from assay.scanner.access.uses.found import Use
from assay.scanner.dataflow.constants import list_items
from assay.scanner.dataflow.numbering import around
from assay.scanner.dataflow.refusals import dependency_refusal
from assay.scanner.framework import Sited
from assay.scanner.linker.project import Project, last_name
from assay.scanner.linker.remembered import remembered
from assay.scanner.linker.scopes import ClassSymbol, FunctionSymbol, Scope
from assay.scanner.linker.values import BoundMethod, External, Instance, Value
from assay.scanner.model.access import GuardAction
from assay.scanner.model.role import Role
from assay.scanner.readers.python import form

_TAKING = ("FastAPI", "APIRouter", "include_router", "get", "post", "put", "patch", "delete", "api_route", "websocket")
_DEPENDS = ("Depends", "Security")


def dependency_uses(project: Project, handlers: Iterator[FunctionSymbol]) -> Iterator[Use]:
    """Of `dependencies=[...]`, of `Depends(...)`, and of handlers' parameters."""
    if "fastapi" not in project.imported_packages:
        return
    for call, scope in project.calls_named(*_TAKING):
        listed = call.keyword("dependencies")
        if listed is not None and scope.module.role is Role.PROD:
            for item, item_scope in list_items(listed, scope, project):
                guard = _guard(item, item_scope, project)
                if guard is not None:
                    yield Use(guard, around(scope), Sited(item, item_scope), GuardAction.BARE_DEPENDENCY)
    for call, scope in project.calls_named(*_DEPENDS):
        if call.positional and scope.module.role is Role.PROD:
            yield from _of_depends(call, call.positional[0], scope, project)
    for function in handlers:
        for param in function.parameters:
            default = param.default
            guard = _guard(default, function.outer, project) if isinstance(default, form.Name | form.Attr) else None
            if guard is not None and default is not None:
                yield Use(guard, function.id, Sited(default, function.outer), GuardAction.BARE_DEPENDENCY)


def _of_depends(call: form.Call, given: form.Expr, scope: Scope, project: Project) -> Iterator[Use]:
    callee = project.infer(call.func, scope)
    if not isinstance(callee, External) or not callee.name.startswith("fastapi."):
        return
    if isinstance(given, form.Call):
        made = _function(project.infer(given.func, scope))
        if made is not None and _turns_away(made, project) and not _makes_a_callable(made, project):
            yield Use(made.name, around(scope), Sited(given, scope), GuardAction.CALLED_DEPENDENCY)
        return
    function = _function(project.infer(given, scope))
    if function is not None and _turns_away(function, project):
        yield Use(function.name, around(scope), Sited(given, scope), GuardAction.ACTS)


def _guard(node: form.Expr, scope: Scope, project: Project) -> str | None:
    """The name of a guard that stands there itself: `current_user`, `RoleChecker("admin")`."""
    value = project.infer(node, scope)
    if isinstance(node, form.Call) and last_name(node.func) in _DEPENDS:
        return None
    if isinstance(value, Instance) and value.cls is not None:
        method = project.method(value.cls, "__call__")
        return value.cls.name if method is not None and _turns_away(method, project) else None
    function = _function(value)
    is_guard = function is not None and not isinstance(node, form.Call) and _turns_away(function, project)
    return function.name if function is not None and is_guard else None


def _function(value: Value | None) -> FunctionSymbol | None:
    function = value.function if isinstance(value, BoundMethod) else value
    return function if isinstance(function, FunctionSymbol) else None


@remembered
def _turns_away(function: FunctionSymbol, project: Project) -> bool:
    """Itself, or by what it depends on."""
    if dependency_refusal(function, project) is not None:
        return True
    for param in function.parameters:
        default = param.default
        if isinstance(default, form.Call) and last_name(default.func) in _DEPENDS and default.positional:
            inner = _function(project.infer(default.positional[0], function.outer))
            if inner is not None and inner is not function and dependency_refusal(inner, project) is not None:
                return True
    return False


def _makes_a_callable(function: FunctionSymbol, project: Project) -> bool:
    """Whether it is a factory of dependencies; what is awaited for is none."""
    if function.node.is_async:
        return False
    values = [project.infer(r.value, function.scope) for r in function.returns if r.value is not None]
    return not values or any(
        value is None or isinstance(value, FunctionSymbol | BoundMethod | ClassSymbol | External | Instance)
        for value in values
    )
