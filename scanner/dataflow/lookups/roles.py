"""Guards that let in by role or by object, and not everybody who is signed in."""

from __future__ import annotations

import re
from collections.abc import Iterator

from assay.scanner.dataflow.lexicon import words
from assay.scanner.dataflow.lookups.calling import function_of
from assay.scanner.dataflow.lookups.labels import CALLER_WORDS
from assay.scanner.dataflow.sources import injection
from assay.scanner.framework import Route, Sited
from assay.scanner.linker.project import Project, last_name, last_part
from assay.scanner.linker.remembered import remembered
from assay.scanner.linker.scopes import ClassSymbol, FunctionSymbol, Scope
from assay.scanner.linker.values import Instance
from assay.scanner.model.place import Evidence
from assay.scanner.readers.python import form

_ROLE_WORDS = frozenset(
    """admin admins administrator superuser staff role roles permission permissions perm perms owner ownership moderator
    manager privileged privilege acl rbac policy entitlement""".split()
)
ROLE_ATTRIBUTES = frozenset(
    """is_admin is_superuser is_staff is_owner role roles has_perm has_perms has_role permissions admin is_moderator
    is_manager is_administrator has_permission superuser groups""".split()
)
"""Of the one who is asking."""
_ASKING_MORE = frozenset({"UserPassesTestMixin", "user_passes_test"})
_ANYBODY_SIGNED_IN = frozenset(
    """IsAuthenticated IsAuthenticatedOrReadOnly AllowAny IsAuthenticatedOrTokenHasScope LoginRequiredMixin""".split()
)
_SIGNING_IN = frozenset(
    """login logged signin signed auth authed authenticate authenticated authentication authenticator authorization
    authorized authorised jwt protected secured token tokens bearer oauth oauth2 oidc user identity session cookie key
    apikey credentials basic handler principal account verified csrf""".split()
)
"""Words of guards that ask who somebody is, and no more."""
_OF_OBJECTS = "has_object_permission"
_OF_VIEWS = "has_permission"
_WHO = frozenset({"user", "is_authenticated", "is_anonymous", "is_active", "auth", "method"})
"""Attributes of a request and its user that tell no more than whether somebody is signed in."""


def role_guard(route: Route, project: Project) -> Evidence | None:
    """Where only some of those who are signed in are let in."""
    for guard in route.guards:
        if _lets_in_some(guard.name, project):
            return guard.evidence
    for dependency in _dependencies(route, project):
        if _is_role_dependency(dependency, project):
            return dependency.module.evidence(dependency.node, "it lets in by role")
    return None


def _dependencies(route: Route, project: Project) -> Iterator[Sited]:
    """The `Depends(...)` of its registration, of the routers around it, and of the handler's parameters."""
    for step in route.steps:
        yield from _stated(step.node, step.scope)
        match step.node:
            case form.Call(func=form.Attr(value=router)):
                made = project.infer(router, step.scope)
            case _:
                continue
        if isinstance(made, Instance) and made.origin is not None and made.scope is not None:
            yield from _stated(made.origin, made.scope)
    if route.handler is not None:
        for param in route.handler.parameters:
            for declared in (param.default, param.annotation):
                found = injection(declared, route.handler.outer, project)
                if found is not None:
                    yield found


def _stated(call: form.Expr, scope: Scope) -> Iterator[Sited]:
    """`dependencies=[Depends(...)]` of a call."""
    stated = call.keyword("dependencies") if isinstance(call, form.Call) else None
    for node in form.walk(stated) if stated is not None else ():
        if isinstance(node, form.Call) and last_name(node.func) in ("Depends", "Security"):
            yield Sited(node, scope)


def _is_role_dependency(dependency: Sited, project: Project) -> bool:
    call = dependency.node
    if not isinstance(call, form.Call):
        return False
    provider = call.argument(0, "dependency")
    if call.keyword("scopes") is not None:
        return True
    for node in form.walk(provider) if provider is not None else ():
        if isinstance(node, form.Name | form.Attr) and not _ROLE_WORDS.isdisjoint(words(last_name(node) or "")):
            return True
    function = function_of(provider, dependency.scope, project) if provider is not None else None
    return function is not None and _asks_for_role(function)


@remembered
def _lets_in_some(name: str, project: Project) -> bool:
    """Of `IsAuthenticated & IsMember`, each part; what nothing is known of is there for a reason."""
    parts = [last_part(part) for part in re.split(r"[&|~()\s]+", name) if part]
    if len(parts) > 1 and parts[-1] == "handler":
        parts = ["handler"]
    return any(_lets_in_some_by(part, project) for part in parts)


def _lets_in_some_by(name: str, project: Project) -> bool:
    classes = project.classes_named(name)
    functions = _functions_by_name(project).get(name, [])
    if name in _ANYBODY_SIGNED_IN or any(_is_of_objects(cls, project) for cls in classes):
        return False
    if name in _ASKING_MORE or not _ROLE_WORDS.isdisjoint(words(name)):
        return True
    if classes or functions:
        return any(_asks_for_more(cls, project) for cls in classes) or any(map(_asks_for_role, functions))
    return _SIGNING_IN.isdisjoint(words(name))


def _is_of_objects(cls: ClassSymbol, project: Project) -> bool:
    """Whether it decides by the object alone, which is not known when a request comes in."""
    return project.method(cls, _OF_OBJECTS) is not None and project.method(cls, _OF_VIEWS) is None


def _asks_for_more(cls: ClassSymbol, project: Project) -> bool:
    """A permission class that looks at more of the caller than whether they are signed in."""
    methods = [m for n in (_OF_VIEWS, "__call__", "dispatch") if (m := project.method(cls, n)) is not None]
    asks_the_database = any(
        isinstance(n, form.Attr) and n.attr in ("objects", "kwargs", "path_params") for m in methods for n in m.nodes
    )
    return asks_the_database or any(map(_asks_for_role, methods))


def object_permission(view: ClassSymbol, project: Project) -> Evidence | None:
    """A permission of a Django REST framework view that is asked for each object that the view looks up itself."""
    checking = project.method(view, "check_object_permissions")
    if checking is not None:
        return checking.module.evidence(checking.node, f"{checking.name} is asked for each object")
    stated = project.class_attribute(view, "permission_classes")
    places = [stated] if stated is not None else []
    own = project.method(view, "get_permissions")
    if own is not None:
        places += [(r.value, own.scope) for r in own.returns if r.value is not None]
    for node, scope in places:
        for inner in form.walk(node):
            cls = project.infer(inner, scope) if isinstance(inner, form.Name | form.Attr) else None
            asking = project.method(cls, _OF_OBJECTS) if isinstance(cls, ClassSymbol) else None
            if isinstance(cls, ClassSymbol) and asking is not None and not _asks_who_only(asking):
                return scope.module.evidence(inner, f"{cls.name} is asked for each object")
    return None


def _asks_who_only(method: FunctionSymbol) -> bool:
    """Whether a permission says the same of every object: `return request.user.is_authenticated`."""
    objects = {param.name for param in method.parameters[2:]}
    return not any(
        (isinstance(node, form.Name) and node.id in objects)
        or (isinstance(node, form.Attr) and node.attr not in _WHO)
        or (isinstance(node, form.Call) and last_name(node.func) != "bool")
        for node in method.nodes
    )


def _asks_for_role(function: FunctionSymbol) -> bool:
    return any(
        isinstance(node, form.Attr)
        and node.attr in ROLE_ATTRIBUTES
        and not CALLER_WORDS.isdisjoint(words(last_name(node.value) or ""))
        for node in function.nodes
    )


@remembered
def _functions_by_name(project: Project) -> dict[str, list[FunctionSymbol]]:
    found: dict[str, list[FunctionSymbol]] = {}
    for function in project.functions:
        found.setdefault(function.name, []).append(function)
    return found
