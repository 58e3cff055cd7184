"""Refusals: where code of a gRPC server turns callers away, with UNAUTHENTICATED or PERMISSION_DENIED
(https://grpc.io/docs/guides/auth/).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from assay.scanner.framework import Guard
from assay.scanner.linker.project import Project, last_name
from assay.scanner.linker.scopes import ClassSymbol, FunctionSymbol, Scope
from assay.scanner.linker.values import BoundMethod, Instance
from assay.scanner.model.place import Evidence
from assay.scanner.readers.python import form

_STATUSES = frozenset({"UNAUTHENTICATED", "PERMISSION_DENIED"})
_EXCEPTIONS = frozenset({"Unauthenticated", "PermissionDenied"})
"""Exceptions of grpc-interceptor that end a call with these statuses."""
_CREDENTIALS = frozenset({"invocation_metadata", "auth_context", "peer_identities", "peer_identity_key"})
"""What comes along with every call and says who is calling."""
_DEEPEST = 3


def refusal(functions: Iterable[FunctionSymbol], project: Project, made: Instance | None = None) -> Evidence | None:
    """Where the functions, with what they call, turn callers away for what their metadata or certificate says; or where
    their object is `made` with the status that they do it with.

    A wrong password in the request ends a call with UNAUTHENTICATED too, but guards nothing.
    """
    reached = list(_reached(functions, project))
    if not any(isinstance(n, form.Attr) and n.attr in _CREDENTIALS for f in reached for n in _nodes(f.walk())):
        return None
    found = [(f.module, node) for f in reached for node in _refusing(f.walk())]
    if made is not None and made.origin is not None and made.scope is not None:
        found += [(made.scope.module, node) for node in _refusing(form.walk(made.origin))]
    return next((module.evidence(node, "turns callers away") for module, node in found), None)


def own_guards(handler: FunctionSymbol, project: Project) -> Iterator[Guard]:
    """The decorators around a method that turn callers away, and the check that it makes itself."""
    for decorator in handler.decorators:
        named = decorator.func if isinstance(decorator, form.Call) else decorator
        value = project.infer(named, handler.outer)
        made_by = value.function if isinstance(value, BoundMethod) else value
        inner = functions_in(made_by.scope) if isinstance(made_by, FunctionSymbol) else []
        refused = refusal(inner, project)
        if refused is not None:
            yield Guard(form.dotted(named) or "decorator", refused)
    own = refusal([handler], project)
    if own is not None:
        yield Guard("check in the handler", own)


def functions_in(scope: Scope) -> list[FunctionSymbol]:
    """All functions that are defined somewhere inside of a class or function."""
    return [f for f in scope.module.functions if f.scope is not scope and _is_inside(f.outer, scope)]


def refusal_by(interceptor: Instance, project: Project) -> Evidence | None:
    """Where an interceptor's class, with the project's classes that it derives from, turns callers away."""
    functions = functions_of(interceptor.cls, project) if interceptor.cls is not None else []
    return refusal(functions, project, interceptor)


def functions_of(cls: ClassSymbol, project: Project) -> list[FunctionSymbol]:
    """All functions in the class and in the project's classes that it derives from."""
    return [f for base in project.mro(cls) if isinstance(base, ClassSymbol) for f in functions_in(base.scope)]


def _is_inside(scope: Scope | None, outer: Scope) -> bool:
    while scope is not None and scope is not outer:
        scope = scope.parent
    return scope is outer


def _reached(functions: Iterable[FunctionSymbol], project: Project) -> Iterator[FunctionSymbol]:
    """The functions, and those of the project that they call, each once."""
    seen = set[FunctionSymbol]()
    layer = list(functions)
    for _ in range(_DEEPEST):
        layer = [f for f in dict.fromkeys(layer) if f not in seen]
        seen.update(layer)
        yield from layer
        calls = [(n, f.scope) for f in layer for n in f.walk() if isinstance(n, form.Call)]
        layer = [callee for call, scope in calls if (callee := project.callee_function(call, scope)) is not None]


def _nodes(nodes: Iterable[form.Expr | form.Stmt]) -> Iterator[form.Expr | form.Stmt]:
    """The nodes, and what is inside of lambdas: a refusing handler is often one."""
    for node in nodes:
        yield node
        if isinstance(node, form.Lambda):
            yield from form.walk(node.body)


def _refusing(walked: Iterable[form.Expr | form.Stmt]) -> Iterator[form.Expr]:
    """Where a refusing status is named, unless something is compared with it, and where an exception of one is made."""
    nodes = list(_nodes(walked))
    compared = {inner for node in nodes if isinstance(node, form.Compare) for inner in form.walk(node)}
    for node in nodes:
        match node:
            case form.Attr(attr=attr) if attr in _STATUSES and node not in compared:
                yield node
            case form.Call(func=func) if last_name(func) in _EXCEPTIONS:
                yield node
