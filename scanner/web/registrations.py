"""Registrations: calls that put a handler somewhere, as its decorator, given it, or called with it afterwards."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from assay.scanner.dataflow.constants import Given
from assay.scanner.dataflow.expansion import resolved
from assay.scanner.linker.project import Project, last_name
from assay.scanner.linker.remembered import remembered
from assay.scanner.linker.scopes import ClassSymbol, FunctionSymbol, Scope, nested_name
from assay.scanner.linker.values import BoundMethod, External, Value
from assay.scanner.model.place import Location
from assay.scanner.readers.python import form
from assay.scanner.web.lists import Item, spelled_out


@dataclass(frozen=True, slots=True, eq=False)
class Registration:
    """One of `@app.get(path)`, `app.get(path, handler)` and `app.get(path)(handler)`.

    `@get` without parentheses is a call without arguments. `position` is the number of decorators from the top down to
    the registration, where it is one: those wrap something that it doesn't see.
    """

    call: form.Call
    scope: Scope
    handler: form.Expr | FunctionSymbol | ClassSymbol
    position: int = 0

    def handled_by(self, project: Project, given: Given) -> Value | None:
        """The function or class that handles, where it can be told."""
        if isinstance(self.handler, FunctionSymbol | ClassSymbol):
            return self.handler
        return handler_of(Item(self.handler, self.scope, given), project)

    @property
    def location(self) -> Location:
        return self.scope.module.location(self.call)

    def name_of(self, handler: Value | None) -> str:
        """The handler's name as the inventory shows it: `module:qualified.name`, or a library's dotted name."""
        if isinstance(handler, FunctionSymbol | ClassSymbol):
            return handler.id
        return name_without_symbol(self.handler, handler, self.scope)

    def decorators_of(self, handler: FunctionSymbol | ClassSymbol) -> list[form.Expr]:
        """The handler's decorators that act on what is registered."""
        return handler.node.decorators[self.position :]

    def wrappers(self) -> list[form.Expr]:
        """The decorators that a handler is given to as it is registered: `signed_in` of `signed_in(handler)`."""
        return [] if isinstance(self.handler, FunctionSymbol | ClassSymbol) else wrappers_of(self.handler)


def handler_of(item: Item, project: Project) -> Value | None:
    """What handles: the function in `signed_in(handler)` and `partial(handler, 1)`, or what `make_handler()` gives."""
    node, scope, given = item.node, item.scope, item.given
    value = resolved(node, scope, project, given)
    wrapped = _wrapped(node) if isinstance(node, form.Call) else None
    inner = resolved(wrapped, scope, project, given) if wrapped is not None else None
    if isinstance(inner, FunctionSymbol | BoundMethod):
        value = inner
    elif isinstance(node, form.Call) and not isinstance(value, FunctionSymbol | BoundMethod | ClassSymbol):
        made = (resolved(m.node, m.scope, project, m.given) for m in spelled_out(item, project))
        value = next((m for m in made if isinstance(m, FunctionSymbol | BoundMethod)), value)
    return value.function if isinstance(value, BoundMethod) else value


def _wrapped(node: form.Expr) -> form.Expr | None:
    """The innermost first argument of calls in calls, where a name stands for it."""
    while isinstance(node, form.Call) and node.positional:
        node = node.positional[0]
    return node if isinstance(node, form.Name | form.Attr) else None


def wrappers_of(node: form.Expr) -> list[form.Expr]:
    """What calls in calls give a handler to, outermost first."""
    found = []
    while isinstance(node, form.Call) and node.positional:
        found.append(node.func)
        node = node.positional[0]
    return found


def name_without_symbol(
    node: form.Expr | FunctionSymbol | ClassSymbol | None, value: Value | None, scope: Scope
) -> str:
    """The name of a handler that is a lambda, a library's, or can't be told."""
    if isinstance(node, form.Lambda):
        return f"{scope.module.name}:{nested_name(scope, '<lambda>')}"
    return value.name if isinstance(value, External) else "unknown"


def registrations(project: Project, names: Collection[str], index: int | None, keyword: str) -> Iterator[Registration]:
    """The calls whose last name is one of `names`; `index` and `keyword` say which argument is the handler. Without an
    index it is never given by position.
    """
    yield from decorated(project, names)
    applied = _applied(project)
    for call, scope in project.calls_named(*names):
        later = applied[call].positional[:1] if call in applied else []
        given = call.keyword(keyword) if index is None else call.argument(index, keyword)
        for handler in later or ([given] if given is not None else []):
            yield Registration(call, scope, handler)


@remembered
def _applied(project: Project) -> dict[form.Call, form.Call]:
    """Calls of what a call gives, `app.get("/")(handler)`, by the inner one."""
    return {call.func: call for call, _ in project.calls if isinstance(call.func, form.Call)}


def decorated(project: Project, names: Collection[str]) -> Iterator[Registration]:
    """The decorators among them, on functions and then on classes."""
    return (found for found in decorations(project) if last_name(found.call.func) in names)


def decorations(project: Project) -> Iterator[Registration]:
    """All decorators of functions and classes, as what they are if they register what they stand on."""
    symbols: list[FunctionSymbol | ClassSymbol] = [*project.functions, *project.classes]
    for symbol in symbols:
        for position, node in enumerate(symbol.node.decorators, start=1):
            bare = form.Call(start=node.start, end=node.end, func=node, args=[])
            yield Registration(node if isinstance(node, form.Call) else bare, symbol.outer, symbol, position)
