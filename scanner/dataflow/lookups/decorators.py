"""Decorators of the project: what they put around a function, and what they hand it."""

from __future__ import annotations

from collections.abc import Iterator

from assay.scanner.linker.project import Project
from assay.scanner.linker.remembered import remembered
from assay.scanner.linker.scopes import FunctionSymbol
from assay.scanner.readers.python import form


@remembered
def wrappers(function: FunctionSymbol, project: Project) -> tuple[FunctionSymbol, ...]:
    """The functions that decorators of the project put around it, and the decorators."""
    found: list[FunctionSymbol] = []
    for decorator in function.decorators:
        named = decorator.func if isinstance(decorator, form.Call) else decorator
        value = project.infer(named, function.outer)
        if isinstance(value, FunctionSymbol):
            inside = value.node
            found += (f for f in value.module.functions if inside.start <= f.node.start and f.node.end <= inside.end)
    return tuple(found)


@remembered
def filled(function: FunctionSymbol, project: Project) -> frozenset[str]:
    """The parameters that decorators fill beside what they hand on: `return view(user, *args, **kwargs)`."""
    return frozenset(name for wrapper in wrappers(function, project) for name in _filled_by(wrapper, function))


def _filled_by(wrapper: FunctionSymbol, function: FunctionSymbol) -> Iterator[str]:
    for node in wrapper.nodes:
        if not isinstance(node, form.Call) or not any(argument.star for argument in node.args):
            continue
        first_star = next(i for i, argument in enumerate(node.args) if argument.star)
        yield from (p.name for p, a in zip(function.parameters, node.args[:first_star], strict=False) if a.name is None)
        named = {argument.name for argument in node.args}
        yield from (p.name for p in function.parameters if p.name in named)
