"""Expansion: the ways in which a call's names can be bound, one for each turn of a loop over a literal list and one
for each caller of the function around it.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

from assay.scanner.dataflow.constants import Given, definitions, list_items
from assay.scanner.linker.project import Project, literal_item
from assay.scanner.linker.scopes import Binding, ClassSymbol, FunctionSymbol, How, Module, Scope
from assay.scanner.linker.values import BoundMethod, Instance, Literal, Namespace, Value
from assay.scanner.readers.python import form

_MOST = 1_000
"""Ways that one call is looked at: past it a table is generated, and a diagnostic serves better than its rows."""


def expansions(call: form.Call, scope: Scope, project: Project, callers: int = 3) -> list[Given]:
    """At least one. Names that a loop's target or a parameter binds are given; a call without any has one way.
    `callers` says how many calls up a parameter is followed.
    """
    bindings = _bindings(call, scope)
    loops = {id(b.value): b for b in bindings if b.how is How.FOR and b.value is not None}
    looped_over = [inner for b in loops.values() if b.value is not None for inner in _bindings(b.value, b.scope)]
    functions = {id(b.function): b for b in (*bindings, *looped_over) if b.how is How.PARAMETER}
    ways: list[Given] = []
    for given in _combined(_choices([b.function for b in functions.values() if b.function], project, callers)):
        for turn in _combined([turns(b.value, b.scope, project, given) for b in loops.values() if b.value is not None]):
            ways.append({**given, **turn})
            if len(ways) == _MOST:
                return ways
    return ways


def _bindings(node: form.Expr, scope: Scope) -> list[Binding]:
    names = (inner for inner in form.walk(node) if isinstance(inner, form.Name))
    return [b for name in names for b in _in_force(scope.lookup(name.id), name.start)]


def _in_force(bindings: list[Binding], at: int) -> list[Binding]:
    """Where several loops bind the name one after the other, of those only the last that has begun."""
    loops = [b for b in bindings if b.how is How.FOR and b.within is None]
    begun = [b for b in loops if b.offset < at]
    return [b for b in bindings if b not in loops or b is begun[-1]] if begun else bindings


def _choices(functions: list[FunctionSymbol], project: Project, callers: int) -> list[list[Given]]:
    """What each function was called with; of one around another nothing that the inner one's calls say already."""
    choices: list[list[Given]] = []
    for function in sorted(functions, key=lambda f: f.qualname.count("."), reverse=True):
        if not any(scope is function.scope for choice in choices for given in choice[:1] for scope, _ in given):
            choices.append(_arguments(function, project, callers))
    return choices


def _combined(choices: list[list[Given]]) -> Iterator[Given]:
    """One of each list that has any, in every combination."""
    for combination in product(*(choice for choice in choices if choice)):
        yield {name: value for part in combination for name, value in part.items()}


def resolved(node: form.Expr, scope: Scope, project: Project, given: Given, depth: int = 8) -> Value | None:
    """What the expression stands for while the names in `given` mean what they do."""
    if not depth:
        return None
    if isinstance(node, form.Name):
        bindings = scope.lookup(node.id)
        known = given.get((bindings[0].scope, node.id)) if bindings else None
        if known is not None and known[0] is not node:
            return resolved(known[0], known[1], project, given, depth - 1)
    if isinstance(node, form.Subscript) and isinstance(node.value, form.Name) and isinstance(node.index, form.Const):
        bindings = scope.lookup(node.value.id)
        known = given.get((bindings[0].scope, node.value.id)) if bindings else None
        item = literal_item(known[0], node.index.value) if known is not None else None
        if known is not None and item is not None:
            return resolved(item, known[1], project, given, depth - 1)
    if isinstance(node, form.Attr):
        owner = resolved(node.value, scope, project, given, depth - 1)
        if isinstance(owner, Module | Namespace):
            return project.member(owner, node.attr)
        if isinstance(owner, Instance) and owner.cls is not None and owner.origin is not None:
            found = project.class_attribute(owner.cls, node.attr)
            values = [found] if found is not None else project.instance_attributes(owner.cls, node.attr)
            if values:
                return project.infer(*values[-1])
    value = project.infer(node, scope)
    if isinstance(value, Instance):
        return _made(node, scope, project, depth) or value
    return value


def _made(node: form.Expr, scope: Scope, project: Project, depth: int) -> Instance | None:
    """The object behind a call, or a name for one, of a function that makes or passes on a different one each time."""
    for call, call_scope in [(node, scope), *definitions(node, scope, project)]:
        callee = project.infer(call.func, call_scope) if isinstance(call, form.Call) else None
        if isinstance(callee, BoundMethod):
            callee = callee.function
        if not isinstance(call, form.Call) or not isinstance(callee, FunctionSymbol):
            continue
        given = arguments(call, call_scope, callee, project)
        for returned in callee.returns:
            value = resolved(returned.value, callee.scope, project, given, depth - 1) if returned.value else None
            if isinstance(value, Instance) and value.origin is not None:
                return value
    return None


def turns(iterated: form.Expr, scope: Scope, project: Project, given: Given) -> list[Given]:
    """The targets of the loop over the expression, turn by turn; none where what it loops over can't be seen."""
    names = (*scope.bindings.items(), *scope.comprehended.items())
    targets = [(name, b) for name, found in names for b in found if b.value is iterated]
    found: list[Given] = []
    for item, item_scope in _iterated(iterated, scope, project, given):
        turn = {}
        for name, target in targets:
            if target.index is None:
                turn[(scope, name)] = (item, item_scope)
            elif isinstance(item, form.Display) and target.index < len(item.items):
                turn[(scope, name)] = (item.items[target.index], item_scope)
        found.append(turn)
    return found


def _iterated(node: form.Expr, scope: Scope, project: Project, given: Given) -> list[tuple[form.Expr, Scope]]:
    """What a loop over the expression goes through: the items of a list; the keys, values or pairs of a dict."""
    view = "keys"
    if isinstance(node, form.Call) and isinstance(node.func, form.Attr) and not node.args:
        view, node = node.func.attr, node.func.value
    mapped = project.infer(node, scope)
    if not isinstance(mapped, Literal) or not isinstance(mapped.node, form.Dict):
        return list_items(node, scope, project, given)
    pairs = zip(mapped.node.keys, mapped.node.values, strict=True)
    return [(_viewed(view, key, value), mapped.scope) for key, value in pairs if key is not None]


def _viewed(view: str, key: form.Expr, value: form.Expr) -> form.Expr:
    if view == "items":
        return form.Display(start=key.start, end=value.end, kind="tuple", items=[key, value])
    return value if view == "values" else key


def _arguments(function: FunctionSymbol, project: Project, callers: int) -> list[Given]:
    """The function's parameters, caller by caller."""
    if not callers:
        return []
    calls: list[Given] = []
    for call, scope in project.callers(function):
        given = arguments(call, scope, function, project)
        calls += [{**outer, **given} for outer in expansions(call, scope, project, callers - 1)]
    return calls + _decorations(function, project)


def _decorations(function: FunctionSymbol, project: Project) -> list[Given]:
    """Where it is the decorator that another function makes: what `@made("/path")` gives both of them."""
    maker = function.outer.function
    if maker is None or not function.parameters or not any(_names(r.value, function) for r in maker.returns):
        return []
    found: list[Given] = []
    for call, scope in project.callers(maker):
        symbols: list[FunctionSymbol | ClassSymbol] = [*scope.module.functions, *scope.module.classes]
        decorated = next((symbol for symbol in symbols if call in symbol.node.decorators), None)
        if decorated is not None:
            node = decorated.node
            name = form.Name(start=node.end, end=node.end, id=node.name)
            itself = {(function.scope, function.parameters[0].name): (name, decorated.outer)}
            found.append({**arguments(call, scope, maker, project), **itself})
    return found


def _names(node: form.Expr | None, function: FunctionSymbol) -> bool:
    return isinstance(node, form.Name) and node.id == function.name


def arguments(call: form.Call, scope: Scope, function: FunctionSymbol, project: Project) -> Given:
    """What the call gives the function's parameters: its arguments, the defaults, all the rest for `*args` and
    `**kwargs`, and the receiver for `self`.
    """
    given: dict[tuple[Scope, str], tuple[form.Expr, Scope]] = {}
    for param in function.parameters:
        argument = project.bound_argument(call, function, param)
        if param.kind is form.ParamKind.VAR_POSITIONAL:
            rest = call.positional[function.parameters.index(param) :]
            given[(function.scope, param.name)] = (
                form.Display(start=call.start, end=call.end, kind="tuple", items=rest),
                scope,
            )
        elif param.kind is form.ParamKind.VAR_KEYWORD:
            given[(function.scope, param.name)] = (_rest_by_name(call, function), scope)
        elif argument is not None:
            given[(function.scope, param.name)] = (argument, scope)
        elif param.default is not None:
            given[(function.scope, param.name)] = (param.default, function.outer)
    receiver = _receiver(call, function)
    if receiver is not None:
        given[(function.scope, function.node.params[0].name)] = (receiver, scope)
    return given


def _receiver(call: form.Call, function: FunctionSymbol) -> form.Expr | None:
    """What the call gives a method's `self`: of a class that is called, the object that comes of it."""
    if function.owner is None or function.is_static():
        return None
    named = call.func.attr if isinstance(call.func, form.Attr) else ""
    if function.name == "__init__" and named != "__init__":
        return call
    return call.func.value if isinstance(call.func, form.Attr) else None


def _rest_by_name(call: form.Call, function: FunctionSymbol) -> form.Dict:
    """The named arguments that no parameter takes, as the dict that the function gets."""
    taken = {p.name for p in function.parameters}
    rest = [(a.name, a.value) for a in call.args if a.name is not None and a.name not in taken]
    keys: list[form.Expr | None] = [form.Const(start=value.start, end=value.start, value=name) for name, value in rest]
    return form.Dict(start=call.start, end=call.end, keys=keys, values=[value for _, value in rest])


def named_argument(
    call: form.Call, name: str, scope: Scope, project: Project, given: Given
) -> tuple[form.Expr, Scope] | None:
    """The argument of that name, be it among the `**options` that the function around was called with."""
    stated = call.keyword(name)
    if stated is not None:
        return stated, scope
    for argument in call.args:
        options = resolved(argument.value, scope, project, given) if argument.star == 2 else None
        if isinstance(options, Literal) and isinstance(options.node, form.Dict):
            found = literal_item(options.node, name)
            if found is not None:
                return found, options.scope
    return None
