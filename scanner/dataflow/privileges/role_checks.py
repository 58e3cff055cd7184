"""Where a caller's role or permission is asked for, on the way to a handler and in it."""

from __future__ import annotations

from collections.abc import Iterator

from assay.scanner.dataflow.lexicon import words
from assay.scanner.dataflow.privileges.role_words import (
    speaks_of_identity,
    speaks_of_machines,
    speaks_of_roles,
    speaks_of_state,
)
from assay.scanner.dataflow.sources import injection
from assay.scanner.framework import Guard, Route
from assay.scanner.linker.project import Project, last_name, last_part
from assay.scanner.linker.remembered import remembered
from assay.scanner.linker.scopes import ClassSymbol, FunctionSymbol, Scope
from assay.scanner.linker.values import BoundMethod
from assay.scanner.model.place import Evidence
from assay.scanner.readers.python import form

_DEEPEST = 3
_AROUND = (
    "dispatch", "check_permissions", "get_permissions", "has_permission", "has_object_permission", "test_func",
    "prepare", "initial", "get_queryset", "get_object", "authorize", "before_request",
)  # fmt: skip
"""Methods of a view's class that see the request before the handler."""
_DECLARING = ("permission_classes", "permission_required", "decorators", "method_decorators", "guards", "dependencies")
_CHECKS = ("__call__", "has_permission", "has_object_permission", "dispatch", "test_func", "__init__")
_PERMITTING = ("has_permission", "has_object_permission")
_BASES = frozenset({"BasePermission", "PermissionsMixin", "BasePermissionMetaclass"})
"""Classes of libraries on which every permission is built."""
_REGISTERING = frozenset(
    """get post put patch delete head options trace route api_route websocket add_url_rule view register action endpoint
    doc expect response arguments input output errorhandler""".split()
)
_FORBIDDING = frozenset({"forbidden", "denied"})
_AUTHORIZING = ("authorize", "authorise", "enforce")
_IN_BODY = ("check in the handler", "check of request.user")


def role_checks(route: Route, project: Project) -> Iterator[Evidence]:
    """The tests of roles that a caller of the route meets."""
    for guard in route.guards:
        if speaks_of_roles(last_part(guard.name)) or _behind_name(last_part(guard.name), project):
            yield guard.evidence
    for step in route.steps:
        for part in _guarding_parts(step.node):
            if _speaks(part):
                yield step.module.evidence(part, "it asks for a role")
    for function in route.runs_before:
        yield from _within(function, _DEEPEST, project)
    yield from _of_handler(route, project)


def unread_guards(route: Route, project: Project) -> Iterator[Guard]:
    """Guards of which neither the name nor the code tells that they let in everybody who is signed in."""
    for guard in route.guards:
        name = last_part(guard.name)
        if guard.name in _IN_BODY or speaks_of_identity(name):
            continue
        if speaks_of_machines(name) or not _is_known(name, project):
            yield guard


def _of_handler(route: Route, project: Project) -> Iterator[Evidence]:
    handler = route.handler
    if handler is not None:
        for decorator in handler.decorators:
            yield from _of_expression(decorator, handler.outer, project)
        for param in handler.parameters:
            for declared in (param.default, param.annotation):
                found = injection(declared, handler.outer, project)
                if found is not None and isinstance(found.node, form.Call):
                    yield from _of_expression(found.node, found.scope, project)
        yield from _within(handler, _DEEPEST, project)
    if route.view_class is not None:
        for name in _DECLARING:
            stated = project.class_attribute(route.view_class, name)
            if stated is not None:
                yield from _of_expression(*stated, project)
        for name in _AROUND:
            method = project.method(route.view_class, name)
            if method is not None and method is not handler:
                yield from _within(method, _DEEPEST, project)
        for decorator in route.view_class.node.decorators:
            yield from _of_expression(decorator, route.view_class.outer, project)


def _guarding_parts(step: form.Expr) -> Iterator[form.Expr]:
    """What a registration is given to keep callers out: `dependencies=[...]`, `guards=[...]`, `auth=...`."""
    for arg in step.args if isinstance(step, form.Call) else ():
        if arg.name in ("dependencies", "guards", "decorators", "auth", "middleware", "opt", "permission"):
            yield arg.value


def _of_expression(node: form.Expr, scope: Scope, project: Project) -> Iterator[Evidence]:
    """A decorator or a list of classes: by what it names, and by the code behind that."""
    parts = list(_said_parts(node))
    if any(_speaks(part) for part in parts):
        yield scope.module.evidence(node, "it asks for a role")
        return
    for inner in (inner for part in parts for inner in form.walk(part)):
        if isinstance(inner, form.Name | form.Attr):
            value = project.infer(inner, scope)
            function = value.function if isinstance(value, BoundMethod) else value
            if isinstance(function, FunctionSymbol):
                yield from _within(function, _DEEPEST, project)
            elif isinstance(value, ClassSymbol) and _class_asks(value, project):
                yield scope.module.evidence(inner, f"`{value.name}` asks for a role")


def _said_parts(node: form.Expr) -> Iterator[form.Expr]:
    """What says something of callers: of `admin.get("/users", dependencies=...)`, how a route is registered, no more
    than the dependencies.
    """
    called = node.func if isinstance(node, form.Call) else node
    if isinstance(node, form.Call) and last_name(called) in _DECLARING:
        yield from (arg.value for arg in node.args)  # `@permission_classes([IsAuthenticated])`
    elif isinstance(called, form.Attr) and called.attr.lower() in _REGISTERING:
        yield from _guarding_parts(node)
    else:
        yield node


def _speaks(node: form.Expr) -> bool:
    scopes = any(isinstance(inner, form.Call) and inner.keyword("scopes") is not None for inner in form.walk(node))
    return scopes or _names_role(node)


@remembered
def _behind_name(name: str, project: Project) -> bool:
    """Whether a function or class of the project of that name asks for a role."""
    if any(_class_asks(cls, project) for cls in project.classes_named(name)):
        return True
    return any(any(_within(function, _DEEPEST, project)) for function in _functions(project).get(name, ()))


@remembered
def _is_known(name: str, project: Project) -> bool:
    return bool(project.classes_named(name)) or name in _functions(project)


def _class_asks(cls: ClassSymbol, project: Project) -> bool:
    bases = {last_part(base) for base in project.base_names(cls)} - _BASES
    if any(map(speaks_of_roles, bases)):
        return True
    methods = [method for name in _CHECKS if (method := project.method(cls, name)) is not None]
    return any(any(_within(method, _DEEPEST, project)) or _permits_some(method) for method in methods)


def _permits_some(method: FunctionSymbol) -> bool:
    """Whether a permission's answer hangs on more than that somebody is signed in."""
    answers = [r.value for r in method.returns if r.value is not None] if method.name in _PERMITTING else []
    return any(map(_is_more_than_identity, answers))


def _within(function: FunctionSymbol, depth: int, project: Project) -> tuple[Evidence, ...]:
    """The tests of roles in a function, in what is defined inside of it, and in what it calls."""
    return _tests(function, depth, project)


@remembered
def _tests(function: FunctionSymbol, depth: int, project: Project) -> tuple[Evidence, ...]:
    own = [node for node in function.nodes if _asks_for_role(node)] or _only_let_in(function)
    found = [function.module.evidence(node, "it asks for a role") for node in own[:2]]
    if found or not depth:
        return tuple(found)
    for bindings in function.scope.bindings.values():
        for binding in bindings:
            if binding.function is not None and binding.function.outer.function is function:
                found += _tests(binding.function, depth - 1, project)
    for node in function.nodes if not found else ():
        callee = project.callee_function(node, function.scope) if isinstance(node, form.Call) else None
        if callee is not None and callee is not function:
            found += _tests(callee, depth - 1, project)
            if found:
                break
    return tuple(found)


def _only_let_in(function: FunctionSymbol) -> list[form.Expr | form.Stmt]:
    """`if claims["kind"] == "root": return report`, where everybody else has a 403."""
    *before, last = function.node.body
    lets_in = [s for s in before if isinstance(s, form.If) and isinstance(s.body[-1], form.Return)]
    return [s for s in lets_in if _is_more_than_identity(s.test)] if _forbids([last]) else []


def _asks_for_role(node: form.Expr | form.Stmt) -> bool:
    """A test of a role that decides what happens, or a call of something that refuses by it."""
    match node:
        case form.If(test=test, body=body, orelse=orelse):
            return _names_role(test) or ((_forbids(body) or _forbids(orelse)) and _is_more_than_identity(test))
        case form.Match(subject=subject, cases=cases):
            return _names_role(subject) or any(_forbids(case.body) for case in cases)
        case form.With(items=items):  # `with admin_permission.require():`
            return any(isinstance(item.value, form.Call) and _names_role(item.value.func) for item in items)
        case form.Conditional(test=test) | form.Assert(test=test) | form.While(test=test):
            return _names_role(test)
        case form.Comprehension(generators=generators):
            return any(_names_role(test) for generator in generators for test in generator.ifs)
        case form.ExprStmt(value=form.Call() as call) | form.ExprStmt(value=form.Await(value=form.Call() as call)):
            name = last_name(call.func) or ""
            return speaks_of_roles(name) or name in _AUTHORIZING
        case form.Return(value=value) if value is not None:
            return _names_role(value)
    return False


def _names_role(test: form.Expr | form.Stmt) -> bool:
    """Whether it has the name of a role, or of what holds one: `user.is_admin`, `claims["role"]`."""
    match test:
        case form.Attr(value=form.Name(id=owner), attr=attr) if attr[:1].isupper() or owner == "permissions":
            return speaks_of_roles(attr)  # of `permissions.IsAuthenticated` the module's name says nothing
        case form.Subscript(
            value=form.Name(id="scope") | form.Attr(attr="scope"), index=form.Const(value="type" | "path" | "method")
        ):
            return False  # of an ASGI application
        case form.Attr(attr="groups"):
            return True
    name = _name(test)
    return (name is not None and speaks_of_roles(name)) or any(map(_names_role, test.children()))


def _forbids(body: list[form.Stmt]) -> bool:
    """Whether it answers 403: `abort(403)`, `raise HTTPForbidden()`, `return HttpResponseForbidden()`."""
    last = body[-1] if body else None
    if not isinstance(last, form.Return | form.Raise | form.ExprStmt):
        return False
    return any(
        (isinstance(node, form.Const) and node.value == 403)
        or (isinstance(node, form.Name | form.Attr) and not _FORBIDDING.isdisjoint(words(last_name(node) or "")))
        for node in form.walk(last)
    )


def _is_more_than_identity(test: form.Expr) -> bool:
    """Whether a condition asks for more than that somebody is known and their account is open: `user.level < 3`."""
    return any(not speaks_of_state(name) and not speaks_of_machines(name) for name in _mentioned(test))


def _mentioned(node: form.Expr | form.Stmt) -> Iterator[str]:
    """The names in an expression, without those of the objects whose attributes are read."""
    name = _name(node)
    if name is not None:
        yield name
    for child in node.children():
        if not (isinstance(node, form.Attr) and isinstance(child, form.Name)):
            yield from _mentioned(child)


def _name(node: form.Expr | form.Stmt) -> str | None:
    match node:
        case form.Name() | form.Attr():
            return last_name(node)
        case form.Const(value=str() as text) if text.isidentifier():
            return text
    return None


@remembered
def _functions(project: Project) -> dict[str, list[FunctionSymbol]]:
    found: dict[str, list[FunctionSymbol]] = {}
    for function in project.functions:
        found.setdefault(function.name, []).append(function)
    return found
