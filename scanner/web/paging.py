"""Decorators of the project that cut what a handler returns into pages."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from assay.scanner.linker.project import Project
from assay.scanner.linker.scopes import FunctionSymbol, How, Scope
from assay.scanner.model.place import Evidence
from assay.scanner.readers.python import form
from assay.scanner.web.decorators import Applied, decorating_function, nested_functions

_LIMITS = frozenset({"limit", "paginate", "slice", "fetchmany"})


def paging_decorators(decorators: Iterable[form.Expr], scope: Scope, project: Project) -> Iterator[Evidence]:
    """Where a decorator's wrapper limits what the handler it calls gives."""
    for node in decorators:
        decorator = Applied(node, scope, {})
        function = decorating_function(decorator, project)
        name = form.dotted(decorator.callee) or "decorator"
        for wrapper in nested_functions(function) if function is not None else ():
            results = _names_of_results(wrapper)
            limiting = next((n for n in wrapper.walk() if _limits_one(n, results, wrapper)), None)
            if limiting is not None:
                yield wrapper.module.evidence(limiting, f"{name} limits what the handler returns")


def _names_of_results(wrapper: FunctionSymbol) -> set[str]:
    """The names for what the handler gave, and for what was made of it step by step: `query = query.order_by(x)`."""
    assigned = [
        (name, binding.value)
        for name, bindings in wrapper.scope.bindings.items()
        for binding in bindings
        if binding.how is How.ASSIGN and binding.value is not None
    ]
    found = set[str]()
    while more := {name for name, value in assigned if name not in found and _is_result(value, found, wrapper)}:
        found |= more
    return found


def _is_result(node: form.Expr, results: set[str], wrapper: FunctionSymbol) -> bool:
    """`f(*args)`, `query`, `query.order_by(x)`."""
    match node:
        case form.Await(value=value) | form.Attr(value=value):
            return _is_result(value, results, wrapper)
        case form.Name(id=name):
            return name in results
        case form.Call(func=form.Name(id=name)):
            called = wrapper.scope.lookup(name)
            return any(b.how is How.PARAMETER and b.function is not wrapper for b in called)
        case form.Call(func=func):
            return _is_result(func, results, wrapper)
    return False


def _limits_one(node: form.Expr | form.Stmt, results: set[str], wrapper: FunctionSymbol) -> bool:
    match node:
        case form.Call(func=form.Attr(value=receiver, attr=name)) if name in _LIMITS:
            given = node.positional[:1] if name == "paginate" else []
            return any(_is_result(each, results, wrapper) for each in (receiver, *given))
        case form.Call(func=form.Name(id=name)) if name.startswith("paginate"):
            return any(_is_result(argument, results, wrapper) for argument in node.positional)
        case form.Subscript(value=value, index=form.Slice()):
            return _is_result(value, results, wrapper)
    return False
