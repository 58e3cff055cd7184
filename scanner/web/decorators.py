"""What acts on a handler: its decorators, and those that decorators of the project apply on their own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from assay.scanner.dataflow.constants import Given, definitions
from assay.scanner.dataflow.expansion import arguments
from assay.scanner.linker.project import Project
from assay.scanner.linker.scopes import FunctionSymbol, Scope
from assay.scanner.linker.values import BoundMethod
from assay.scanner.readers.python import form

_DEEPEST = 3
"""Decorators that are made of decorators."""


@dataclass(frozen=True, slots=True, eq=False)
class Applied:
    """A decorator, the scope of its names, and what they stand for where a project's decorator was given arguments."""

    node: form.Expr
    scope: Scope
    given: Given

    @property
    def call(self) -> form.Call | None:
        return self.node if isinstance(self.node, form.Call) else None

    @property
    def callee(self) -> form.Expr:
        return self.node.func if isinstance(self.node, form.Call) else self.node


def applied(
    decorators: Iterable[form.Expr], scope: Scope, project: Project, given: Given | None = None, depth: int = _DEEPEST
) -> Iterator[Applied]:
    """Each decorator, and behind one of the project those that it applies to the handler or to its wrapper."""
    for node in decorators:
        found = Applied(*_made_of(node, scope, project), given or {})
        yield found
        function = decorating_function(found, project)
        if function is None or not depth:
            continue
        known = arguments(found.call, found.scope, function, project) if found.call is not None else {}
        inside = {**found.given, **known}
        for part in [function, *nested_functions(function)]:
            if part is not function:
                yield from applied(part.decorators, part.outer, project, inside, depth - 1)
            yield from applied(_applied_in(part), part.scope, project, inside, depth - 1)


def decorating_function(decorator: Applied, project: Project) -> FunctionSymbol | None:
    """The function of the project that decorates, or that makes what does."""
    value = project.infer(decorator.callee, decorator.scope)
    function = value.function if isinstance(value, BoundMethod) else value
    return function if isinstance(function, FunctionSymbol) else None


def nested_functions(function: FunctionSymbol) -> list[FunctionSymbol]:
    """The functions that are defined in it, at any depth."""
    found = []
    for bindings in function.scope.bindings.values():
        for binding in bindings:
            if binding.function is not None and binding.function.outer is function.scope:
                found += [binding.function, *nested_functions(binding.function)]
    return found


def _made_of(node: form.Expr, scope: Scope, project: Project) -> tuple[form.Expr, Scope]:
    """`auth.login_required(role="admin")` behind the name that it was given."""
    named = definitions(node, scope, project) if isinstance(node, form.Name) else []
    return named[-1] if named and isinstance(named[-1][0], form.Call) else (node, scope)


def _applied_in(function: FunctionSymbol) -> Iterator[form.Expr]:
    """`login_required` of `login_required(f)`, and `response(schema)` of `response(schema)(f)`."""
    for node in function.walk():
        if not isinstance(node, form.Call) or len(node.positional) != 1:
            continue
        is_handler = _is_handler(node.positional[0], function.scope)
        if isinstance(node.func, form.Call) or (is_handler and isinstance(node.func, form.Name | form.Attr)):
            yield node.func


def _is_handler(node: form.Expr, scope: Scope) -> bool:
    """A parameter, a function that is defined there, or another name for one of them."""
    bindings = scope.lookup(node.id) if isinstance(node, form.Name) else []
    return any(
        b.param is not None or b.function is not None or (isinstance(b.value, form.Name) and b.value is not node)
        for b in bindings
    )
