"""Falcon's guards: middleware that turns callers away, and hooks that run before responders
(https://falcon.readthedocs.io/en/stable/api/hooks.html).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from assay.scanner.dataflow.asked import Asked
from assay.scanner.dataflow.constants import constant, string_items
from assay.scanner.dataflow.refusals.functions import refusal
from assay.scanner.dataflow.refusals.strangers import refusal_of_strangers
from assay.scanner.framework import Guard, Sited
from assay.scanner.linker.project import Project, last_part, literal_item
from assay.scanner.linker.scopes import ClassSymbol, FunctionSymbol, Scope
from assay.scanner.linker.values import BoundMethod, Instance, Value
from assay.scanner.readers.python import form
from assay.scanner.web.guards import decorator_guards

_BEFORE = frozenset({"falcon.before", "falcon.hooks.before"})
STEPS = ("process_request", "process_request_async")
"""What middleware is asked for every request."""
RESOURCE_STEPS = (*STEPS, "process_resource", "process_resource_async")
"""For those that a resource answers, and no sink."""
SOCKET_STEPS = ("process_request_ws", "process_resource_ws")
_LIBRARIES = frozenset({"falcon_auth.FalconAuthMiddleware", "falcon_auth.middleware.FalconAuthMiddleware"})


def gates_of(middleware: Iterable[Sited], asked: Asked, steps: tuple[str, ...], project: Project) -> Iterator[Guard]:
    """The middleware that turns strangers away, in one of the steps that it is asked in."""
    for component in middleware:
        value = project.infer(component.node, component.scope)
        if isinstance(value, Instance) and value.cls is not None:
            methods = (project.method(value.cls, step) for step in steps)
            refusals = (refusal_of_strangers(method, project, asked) for method in methods if method is not None)
            refused = next((found for found in refusals if found is not None), None)
            if refused is not None:
                yield Guard(value.cls.name, refused)
        elif isinstance(value, Instance) and _guards_by_library(value, asked, project):
            name = last_part(value.type_name)
            yield Guard(name, component.module.evidence(component.node, f"{name} turns callers away"))


def _guards_by_library(library: Instance, asked: Asked, project: Project) -> bool:
    """falcon-auth, unless the middleware's `exempt_routes` or the resource's own `auth` lets the request through."""
    if library.type_name not in _LIBRARIES:
        return False
    routes = library.origin.keyword("exempt_routes") if library.origin is not None else None
    if routes is not None and library.scope is not None and asked.path in string_items(routes, library.scope, project):
        return False
    stated = project.class_attribute(asked.view, "auth") if isinstance(asked.view, ClassSymbol) else None
    if stated is None:
        return True
    disabled, methods = (literal_item(stated[0], key) for key in ("auth_disabled", "exempt_methods"))
    known = constant(disabled, stated[1], project) if disabled is not None else None
    is_exempt = methods is not None and asked.method in string_items(methods, stated[1], project)
    return not is_exempt and (known is None or known.value is not True)


def hooks_of(responder: FunctionSymbol, resource: ClassSymbol | None, project: Project) -> list[Guard]:
    """The hooks on the responder and on the classes that it is reached through, which wrap every responder they have,
    and other decorators of the project.
    """
    found = []
    for cls in project.mro(resource) if resource is not None else ():
        if isinstance(cls, ClassSymbol):
            found += _hooks(cls.node.decorators, cls.outer, project)
            if cls is responder.owner:
                break
    return [*found, *_hooks(responder.decorators, responder.outer, project)]


def _hooks(decorators: list[form.Expr], scope: Scope, project: Project) -> list[Guard]:
    found = []
    for decorator in decorators:
        is_hook = isinstance(decorator, form.Call) and project.qualified_name(decorator.func, scope) in _BEFORE
        if not isinstance(decorator, form.Call) or not is_hook:
            found += decorator_guards([decorator], scope, project)
            continue
        action = decorator.argument(0, "action")
        function = _function(project.infer(action, scope), project) if action is not None else None
        refused = refusal(function, project) if function is not None else None
        if action is not None and refused is not None:
            named = action.func if isinstance(action, form.Call) else action
            found.append(Guard(form.dotted(named) or "hook", refused))
    return found


def _function(value: Value | None, project: Project) -> FunctionSymbol | None:
    """What runs when the value is called."""
    if isinstance(value, Instance) and value.cls is not None:
        return project.method(value.cls, "__call__")
    function = value.function if isinstance(value, BoundMethod) else value
    return function if isinstance(function, FunctionSymbol) else None
