"""Functions and calls that a team's own rules ask for: of what is called by the dotted name that patterns match."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from assay.scanner.dataflow.numbering import Ordinals, around
from assay.scanner.linker.library_types import canonical
from assay.scanner.linker.project import Project, last_name, last_part
from assay.scanner.linker.scopes import ClassSymbol, FunctionSymbol, Scope
from assay.scanner.linker.values import BoundMethod, External, Value
from assay.scanner.model.call import Argument, Function, FunctionCall
from assay.scanner.model.patterns import Patterns
from assay.scanner.readers.python import form

__all__ = ["NOTHING_WANTED", "Wanted", "decorator_names", "function_calls", "functions"]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is only looked for where a rule asks for it: calls of what matches one of `calls`, and all `functions`."""

    calls: tuple[Patterns, ...] = ()
    functions: bool = False


NOTHING_WANTED = Wanted()


def function_calls(project: Project, wanted: Wanted) -> Iterator[FunctionCall]:
    """The calls that some rule asks for, by path and position."""
    ordinals = Ordinals()
    for call, scope in sorted(_candidates(project, wanted.calls), key=lambda c: (c[1].module.path, c[0].start)):
        callee = project.infer(call.func, scope)
        name = _dotted_name(callee)
        if name is None or not any(patterns.match(name) for patterns in wanted.calls):
            continue
        function = around(scope)
        yield FunctionCall(
            callee=name,
            function=function,
            ordinal=ordinals.next(function, name),
            location=scope.module.location(call),
            role=scope.module.role,
            arguments=tuple(_arguments(call, callee)),
            is_open=any(argument.star for argument in call.args),
        )


def functions(project: Project, wanted: Wanted) -> Iterator[Function]:
    """All functions that the project defines, where some rule judges them."""
    ordinals = Ordinals()
    for symbol in project.functions if wanted.functions else ():
        yield Function(
            name=symbol.id,
            ordinal=ordinals.next(symbol.id, ""),
            location=symbol.location,
            role=symbol.module.role,
            decorators=decorator_names(symbol, project),
            parameters=tuple(p.name for p in symbol.parameters),
            is_async=symbol.node.is_async,
        )


def decorator_names(symbol: FunctionSymbol, project: Project) -> tuple[str, ...]:
    """Dotted names of a function's decorators, then those of its class; as they are spelled where they can't be told.

    `@method_decorator(audited)` has two names: its own and that of what it is given.
    """
    owner = symbol.owner
    decorated = [(d, symbol.outer) for d in symbol.decorators]
    decorated += [(d, owner.outer) for d in owner.node.decorators] if owner is not None else []
    return tuple(dict.fromkeys(name for node, scope in decorated for name in _names_of(node, scope, project)))


def _names_of(node: form.Expr, scope: Scope, project: Project) -> Iterator[str]:
    called = node.func if isinstance(node, form.Call) else node
    name = _dotted_name(project.infer(called, scope)) or form.dotted(called)
    if name is not None:
        yield name
    if isinstance(node, form.Call) and name is not None and last_part(name) == "method_decorator":
        for argument in node.positional[:1]:
            items = argument.items if isinstance(argument, form.Display) else [argument]
            for item in items:
                yield from _names_of(item, scope, project)


def _candidates(project: Project, wanted: Iterable[Patterns]) -> Iterator[tuple[form.Call, Scope]]:
    """Calls whose last name may be one that is asked for; all of them where a pattern leaves it open."""
    names: set[str] = set()
    for patterns in wanted:
        last = {last_part(p) for p in patterns.wanted}
        if not last or any("*" in name or "?" in name for name in last):
            yield from project.calls
            return
        names |= last
    # What is imported or assigned by another name is called by that one.
    names |= {alias for name in names for alias in project.aliases_of(name)}
    for node, _ in (pair for module in project.modules.values() for pair in module.assignments):
        if node.value is not None and last_name(node.value) in names:
            names |= {target.id for target in node.targets if isinstance(target, form.Name)}
    yield from project.calls_named(*sorted(names))


def _dotted_name(value: Value | None) -> str | None:
    """Of a library's function, or of one that the project defines."""
    match value:
        case External(name=name):
            return canonical(name)
        case BoundMethod(function=function):
            return function.id.replace(":", ".")
        case FunctionSymbol() | ClassSymbol():
            return value.id.replace(":", ".")
    return None


def _arguments(call: form.Call, callee: Value | None) -> Iterator[Argument]:
    """Arguments in places have the parameter's name too, where the project defines what is called."""
    parameters: list[str] = []
    if isinstance(callee, BoundMethod):
        callee = callee.function
    if isinstance(callee, FunctionSymbol):
        parameters = [p.name for p in callee.parameters if p.kind is not form.ParamKind.KEYWORD_ONLY]
    for place, node in enumerate(call.positional):
        yield Argument(str(place), _constant(node))
        if place < len(parameters):
            yield Argument(parameters[place], _constant(node))
    for argument in call.args:
        if argument.name is not None:
            yield Argument(argument.name, _constant(argument.value))


def _constant(node: form.Expr) -> str | None:
    return repr(node.value) if isinstance(node, form.Const) else None
