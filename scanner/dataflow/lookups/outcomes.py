"""What an exception or an answer comes to for the client: its own status, or the one that central code gives it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from assay.scanner.dataflow.lookups.misses import Kind, Miss
from assay.scanner.dataflow.responses.statuses import (
    error_handlers,
    error_status,
    folded,
    is_abort,
    is_response,
    response_status,
)
from assay.scanner.linker.project import Project, last_name, last_part
from assay.scanner.linker.remembered import remembered
from assay.scanner.linker.scopes import ClassSymbol, FunctionSymbol, Scope
from assay.scanner.linker.values import External, Instance
from assay.scanner.readers.python import form

_BASES = {
    "NoResultFound": ("InvalidRequestError", "SQLAlchemyError"),
    "DoesNotExist": ("ObjectDoesNotExist", "BaseORMException", "NotFoundError"),
    "ValidationError": ("ValueError",),
    "Http404": (),
}
"""What else catches an exception of a library, besides its own name."""
_BROADEST = ("Exception", "BaseException")
_FACTORIES = frozenset({"from_exception_data", "from_response", "with_traceback"})
"""Class methods that make an exception."""
_UNANSWERED = frozenset(
    {"builtins", "pydantic", "pydantic_core", "sqlalchemy", "django", "tortoise", "peewee", "pymongo"}
)
"""Packages whose exceptions no web framework answers by itself."""
_CENTRAL = frozenset({"handle_exception", "process_exception", "dispatch", "__call__", "write_error", "handle_error"})
_CENTRAL_NAME = re.compile(r"exception_handler|error_handler|handle_\w*(exception|error)|middleware")
_DEEPEST = 3


def raised(node: form.Expr, scope: Scope, project: Project) -> Miss:
    """What raising the expression, or calling `abort`, comes to."""
    if isinstance(node, form.Call) and isinstance(node.func, form.Attr) and node.func.attr in _FACTORIES:
        node = node.func.value
    _, status = error_status(node, scope, project)
    func = node.func if isinstance(node, form.Call) else node
    value = project.infer(func, scope)
    cls = value if isinstance(value, ClassSymbol) else value.cls if isinstance(value, Instance) else None
    name = last_part(value.name) if isinstance(value, External) else last_name(func) or ""
    is_foreign = isinstance(value, External) and value.name.split(".", 1)[0] not in _UNANSWERED
    return Miss(Kind.RAISES, status, name, cls, is_foreign=is_foreign)


def aborts(call: form.Call, scope: Scope, project: Project) -> Miss | None:
    """What a call that never returns comes to: `abort(404)`, or a function of the project that does nothing else."""
    value = project.infer(call.func, scope)
    is_renamed = isinstance(value, External) and last_part(value.name) == "abort" and bool(call.args)
    if is_renamed or is_abort(call, scope, project):
        return raised(call, scope, project)
    callee = project.callee_function(call, scope)
    if callee is None or callee.returns or not callee.node.body or callee.name == "__init__":
        return None
    match callee.node.body[-1]:
        case form.Raise(exc=exc) if exc is not None:
            return raised(exc, callee.scope, project)
        case form.ExprStmt(value=form.Call() as last) if is_abort(last, callee.scope, project):
            return raised(last, callee.scope, project)
    return None


def answered(node: form.Expr, scope: Scope, project: Project, depth: int = _DEEPEST) -> int | None:
    """The status that a returned answer names; None for plain data, and where it can't be told."""
    match node:
        case form.Await(value=inner):
            return answered(inner, scope, project, depth)
        case form.Display(kind="tuple", items=[form.Const(value=int()) as first, _]):  # Django Ninja's
            return folded(first, scope, project)
        case form.Display(kind="tuple", items=[first, second, *_]):
            return folded(second, scope, project) or answered(first, scope, project, depth)
        case form.Call():
            if is_response(node, scope, project):
                return response_status(node, scope, project)[0]
            is_http, status = error_status(node, scope, project)  # `return HttpResponseNotFound()`, `return NotFound()`
            if is_http:
                return status
            callee = project.callee_function(node, scope)
            if callee is not None and depth and callee.name != "__init__":
                return _of_helper(callee, project, depth)
        case form.Name() | form.Attr() if depth:
            value = project.infer(node, scope)
            if isinstance(value, Instance) and value.origin is not None and value.scope is not None:
                return answered(value.origin, value.scope, project, depth - 1)
    return None


def _of_helper(function: FunctionSymbol, project: Project, depth: int) -> int | None:
    """Of a function that makes answers: `not_found("no such user")`."""
    found = {answered(r.value, function.scope, project, depth - 1) for r in function.returns if r.value is not None}
    return found.pop() if len(found) == 1 else None


def names_of(miss: Miss, project: Project) -> list[str]:
    """The exception's name and those of its bases, the nearest first."""
    if miss.cls is not None:
        order = project.mro(miss.cls)
        named = [base.name if isinstance(base, ClassSymbol) else last_part(base.name) for base in order]
    else:
        named = [miss.exception, *_BASES.get(miss.exception, ())]
        if miss.status is not None:
            named += ["HTTPException", "StarletteHTTPException"]
    return [*dict.fromkeys([*named, *_BROADEST])]


# --- central code ---


@dataclass(frozen=True, slots=True, eq=False)
class _Central:
    """Exceptions of that name are answered with the status; with a `view`, only those of its own handlers."""

    name: str
    status: int
    view: ClassSymbol | None


def status_for(miss: Miss, view: ClassSymbol | None, project: Project) -> int | None:
    """The status of an exception that no code on the way catches."""
    if miss.status is not None:
        return miss.status
    of_view = frozenset(project.mro(view)) if view is not None else frozenset()
    central = [c for c in _central(project) if c.view is None or c.view in of_view]
    for name in names_of(miss, project):
        found = next((c.status for c in central if c.name == name), None)
        if found is not None:
            return found
    return None


@remembered
def _central(project: Project) -> tuple[_Central, ...]:
    return tuple(_central_answers(project))


def _central_answers(project: Project) -> Iterator[_Central]:
    for kind, handler in error_handlers(project):
        status = _first_status(handler.nodes, handler.scope, project)
        if status is not None and not isinstance(kind, int):
            yield _Central(last_part(kind.name), status, None)
    for call, _ in project.calls_named("register_tortoise", "RegisterTortoise"):
        switch = call.keyword("add_exception_handlers")
        if isinstance(switch, form.Const) and switch.value is True:
            yield _Central("DoesNotExist", 404, None)
    for function in project.functions:
        if function.name in _CENTRAL or _CENTRAL_NAME.search(function.name):
            owner = function.owner
            of_view = owner if owner is not None and not _is_middleware(owner, function) else None
            for name, status in _caught_in(function, project):
                yield _Central(name, status, of_view)


def _is_middleware(cls: ClassSymbol, method: FunctionSymbol) -> bool:
    handing_on = {"call_next", "get_response", "receive", "send", "handler"}
    takes = {p.name for p in method.parameters}
    return method.name == "process_exception" or not handing_on.isdisjoint(takes) or "iddleware" in cls.name


def _caught_in(function: FunctionSymbol, project: Project) -> Iterator[tuple[str, int]]:
    """The exceptions that a function catches or asks for, with the statuses that it answers them with."""
    for node in function.nodes:
        if isinstance(node, form.Try):
            for handler in node.handlers:
                asked: list[form.Stmt] = [s for s in handler.body if not isinstance(s, form.If)]
                status = _first_status(_inside(asked), function.scope, project)
                if status is not None and handler.type is not None:
                    yield from ((name, status) for name in _names(handler.type))
        elif isinstance(node, form.If):
            for call in form.walk(node.test):
                if isinstance(call, form.Call) and last_name(call.func) == "isinstance" and len(call.positional) > 1:
                    status = _first_status(_inside(node.body), function.scope, project)
                    if status is not None:
                        yield from ((name, status) for name in _names(call.positional[1]))


def _inside(body: list[form.Stmt]) -> Iterator[form.Expr | form.Stmt]:
    return form.walk_body(body, into_definitions=False)


def _names(node: form.Expr) -> list[str]:
    if isinstance(node, form.Display):
        return [name for item in node.items for name in _names(item)]
    name = last_name(node)
    return [name] if name is not None else []


def _first_status(nodes: Iterable[form.Expr | form.Stmt], scope: Scope, project: Project) -> int | None:
    """The first status of an error among what is returned, raised, made and set."""
    for node in nodes:
        found: int | None = None
        match node:
            case form.Return(value=value) if value is not None:
                found = answered(value, scope, project)
            case form.Raise(exc=exc) if exc is not None:
                found = error_status(exc, scope, project)[1]
            case form.Call() if is_response(node, scope, project):
                found = response_status(node, scope, project)[0]
            case form.Call() if is_abort(node, scope, project):
                found = error_status(node, scope, project)[1]
            case form.Assign(targets=[form.Attr(attr="status_code" | "status")], value=value) if value is not None:
                found = folded(value, scope, project)
        if found is not None and found >= 400:
            return found
    return None
