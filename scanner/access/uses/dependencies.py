"""FastAPI's dependencies that guard: `Depends` has to be given the callable itself."""

from __future__ import annotations

from collections.abc import Iterator

from assay.scanner.access.uses.found import Use
from assay.scanner.dataflow.constants import list_items
from assay.scanner.dataflow.numbering import around
from assay.scanner.dataflow.refusals.functions import refuses_by_answer_alone
from assay.scanner.dataflow.refusals.strangers import dependency_refusal
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
            yield from _of_list(listed, scope, project)
    for call, scope in project.calls_named(*_DEPENDS):
        if call.positional and scope.module.role is Role.PROD:
            yield from _of_depends(call, call.positional[0], scope, project)
    for function in handlers:
        for param in function.parameters:
            default = param.default
            stated = [default] if isinstance(default, form.Name | form.Attr) else []
            for node in [*stated, *_annotated_with(param.annotation)]:
                guard = _guard(node, function.outer, project)
                if guard is not None:
                    yield Use(guard, function.id, Sited(node, function.outer), GuardAction.BARE_DEPENDENCY)


def _of_list(listed: form.Expr, scope: Scope, project: Project) -> Iterator[Use]:
    for item, item_scope in list_items(listed, scope, project):
        lost = _loses_refusal(item, item_scope, project)
        if lost is not None:
            yield Use(lost.name, around(scope), Sited(item, item_scope), GuardAction.LOST)
        guard = _guard(item, item_scope, project)
        if guard is not None:
            yield Use(guard, around(scope), Sited(item, item_scope), GuardAction.BARE_DEPENDENCY)


def _loses_refusal(item: form.Expr, scope: Scope, project: Project) -> FunctionSymbol | None:
    """The dependency that returns a response to turn callers away, where no handler gets what it returns."""
    given = item.positional[:1] if isinstance(item, form.Call) and last_name(item.func) in _DEPENDS else []
    function = next((_function(project.infer(node, scope)) for node in given), None)
    return function if function is not None and refuses_by_answer_alone(function, project) else None


def _annotated_with(annotation: form.Expr | None) -> list[form.Expr]:
    """What `Annotated[User, current_user]` says beside the type."""
    match annotation:
        case form.Subscript(value=value, index=form.Display(items=items)) if last_name(value) == "Annotated":
            return [item for item in items[1:] if isinstance(item, form.Name | form.Attr)]
    return []


def _of_depends(call: form.Call, given: form.Expr, scope: Scope, project: Project) -> Iterator[Use]:
    callee = project.infer(call.func, scope)
    if not isinstance(callee, External) or not callee.name.startswith("fastapi."):
        return
    if isinstance(given, form.Call):
        made = _function(project.infer(given.func, scope))
        if made is not None and _turns_away(made, project) and not _makes_a_callable(made, project):
            yield Use(made.name, around(scope), Sited(given, scope), GuardAction.CALLED_DEPENDENCY)
        return
    value = project.infer(given, scope)
    function = _function(value)
    if function is not None and _turns_away(function, project):
        yield Use(function.name, around(scope), Sited(given, scope), GuardAction.ACTS)
    elif isinstance(value, FunctionSymbol | ClassSymbol) and _only_makes_guard(value, project):
        yield Use(value.name, around(scope), Sited(given, scope), GuardAction.ONLY_MADE)


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


def _only_makes_guard(value: FunctionSymbol | ClassSymbol, project: Project) -> bool:
    """`RoleChecker` or `require_role` without the call that makes the dependency of it."""
    if isinstance(value, ClassSymbol):
        own = project.method(value, "__call__")
        init = project.method(value, "__init__")
        return own is not None and _turns_away(own, project) and (init is None or not _turns_away(init, project))
    made = [project.infer(r.value, value.scope) for r in value.returns if r.value is not None]
    inner = [each for each in made if isinstance(each, FunctionSymbol) and each.outer is value.scope]
    return bool(inner) and len(inner) == len(made) and all(_turns_away(each, project) for each in inner)


def _makes_a_callable(function: FunctionSymbol, project: Project) -> bool:
    """Whether it is a factory of dependencies; what is awaited for is none."""
    if function.node.is_async:
        return False
    values = [project.infer(r.value, function.scope) for r in function.returns if r.value is not None]
    return not values or any(
        value is None or isinstance(value, FunctionSymbol | BoundMethod | ClassSymbol | External | Instance)
        for value in values
    )
