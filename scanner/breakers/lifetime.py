"""How long what a call makes lives: as long as the process, or only as long as the call around it."""

from __future__ import annotations

from collections.abc import Iterator

from assay.scanner.linker.project import Project, last_name
from assay.scanner.linker.scopes import FunctionSymbol, Scope
from assay.scanner.model.place import Evidence
from assay.scanner.readers.python import form

_CACHING = frozenset({"cache", "lru_cache", "cached", "cached_property", "alru_cache", "fixture", "singleton"})
_DEEPEST = 2


def forgotten(call: form.Call, scope: Scope, project: Project, depth: int = _DEEPEST) -> Evidence | None:
    """Where a call makes it anew each time, if that is so; None also where it can't be told."""
    function = scope.enclosing_function
    if function is None or _is_cached(function):
        return None
    here = scope.module.evidence(call, "it is made anew for each call")
    for node in function.nodes:
        match node:
            case form.Call(func=form.Attr(value=owner)) if owner is call:
                return here
            case form.Assign(targets=targets, value=value) if value is call:
                if not all(isinstance(target, form.Name) for target in targets):
                    return _of_object(targets[0], function, project, depth)
                names = {t.id for t in targets if isinstance(t, form.Name)}
                return None if _escapes(names, function) or not _is_used(names, function) else here
            case form.With(items=items) if any(item.value is call for item in items):
                return here
            case form.Return(value=value) if value is call:
                return _of_result(function, project, depth)
    return None


def defined_anew(protected: FunctionSymbol, call: form.Call) -> Evidence | None:
    """Where the function under `@circuit(...)` is itself defined in each call that uses it, and handed to nobody."""
    function = protected.outer.enclosing_function
    if function is None or _is_cached(function) or not _is_called(protected.name, function):
        return None
    called = {id(n.func) for n in function.nodes if isinstance(n, form.Call)}
    handed = (n for n in function.nodes if isinstance(n, form.Name) and n.id == protected.name and id(n) not in called)
    return None if any(handed) else function.module.evidence(call, "it is made anew for each call")


def _of_object(target: form.Expr, function: FunctionSymbol, project: Project, depth: int) -> Evidence | None:
    """Of what an object keeps: it lives as long as the objects of its class do."""
    first = function.node.params[0].name if function.node.params else ""
    is_own = isinstance(target, form.Attr) and form.dotted(target.value) == first
    if not is_own or function.owner is None or function.name != "__init__" or not depth:
        return None
    return _of_all([*project.callers(function)], project, depth)


def _of_result(function: FunctionSymbol, project: Project, depth: int) -> Evidence | None:
    """Of what a function gives: to its callers, or to the requests that depend on it."""
    for call, scope in project.calls_named("Depends", "Security"):
        given = call.positional[0] if call.positional else None
        if given is not None and last_name(given) == function.name and project.infer(given, scope) is function:
            return scope.module.evidence(call, "it is made anew for each request")
    return _of_all(project.callers(function), project, depth) if depth else None


def _of_all(calls: list[tuple[form.Call, Scope]], project: Project, depth: int) -> Evidence | None:
    """Where all of them forget what they made."""
    found = [forgotten(call, scope, project, depth - 1) for call, scope in calls]
    return found[0] if found and all(found) else None


def _is_cached(function: FunctionSymbol) -> bool:
    names = {last_name(d.func if isinstance(d, form.Call) else d) for d in function.decorators}
    return not _CACHING.isdisjoint(names)


def _is_used(names: set[str], function: FunctionSymbol) -> bool:
    """Whether the function itself calls what the name stands for."""
    return any(
        isinstance(node, form.Call)
        and isinstance(node.func, form.Attr)
        and isinstance(node.func.value, form.Name)
        and node.func.value.id in names
        for node in function.nodes
    ) or any(_decorates(inner, names) and _is_called(inner.name, function) for inner in function.nested)


def _escapes(names: set[str], function: FunctionSymbol) -> bool:
    """Whether anything may keep it: an object, a caller, a function that is handed on."""
    if names & function.scope.globals:
        return True
    for node in function.nodes:
        match node:
            case form.Assign(targets=targets, value=form.Name(id=name)) if name in names:
                if not all(isinstance(target, form.Name) for target in targets):
                    return True
            case form.Return(value=value) | form.Yield(value=value) if value is not None and _holds(value, names):
                return True
            case form.Call(args=args) if any(_holds(argument.value, names) for argument in args):
                return True
    return any(_mentions(inner, names) and not _is_called(inner.name, function) for inner in function.nested)


def _holds(value: form.Expr, names: set[str]) -> bool:
    parts = value.items if isinstance(value, form.Display) else [value]
    return any(isinstance(part, form.Name) and part.id in names for part in parts)


def _decorates(inner: FunctionSymbol, names: set[str]) -> bool:
    return any(name in names for d in inner.decorators for name in _names_in(d))


def _mentions(inner: FunctionSymbol, names: set[str]) -> bool:
    return _decorates(inner, names) or any(isinstance(n, form.Name) and n.id in names for n in inner.nodes)


def _is_called(name: str, function: FunctionSymbol) -> bool:
    return any(isinstance(n, form.Call) and isinstance(n.func, form.Name) and n.func.id == name for n in function.nodes)


def _names_in(node: form.Expr) -> Iterator[str]:
    return (n.id for n in form.walk(node) if isinstance(n, form.Name))
