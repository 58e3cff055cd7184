"""Expansion: the ways in which a call's names can be bound, one for each turn of a loop over a literal list and one
for each caller of the function around it.
"""

from __future__ import annotations

from itertools import product

from assay.scanner.dataflow.constants import Given, definitions
from assay.scanner.linker.project import Project
from assay.scanner.linker.scopes import Binding, FunctionSymbol, How, Module, Scope
from assay.scanner.linker.values import BoundMethod, Instance, Literal, Namespace, Value
from assay.scanner.readers.python import form

_MOST = 1_000
"""Ways that one call is looked at: past it a table is generated, and a diagnostic serves better than its rows."""


def expansions(call: form.Call, scope: Scope, project: Project, callers: int = 3) -> list[Given]:
    """At least one. Names that a loop's target or a parameter binds are given; a call without any has one way.
    `callers` says how many calls up a parameter is followed.
    """
    bindings = [b for node in form.walk(call) if isinstance(node, form.Name) for b in scope.lookup(node.id)]
    loops = {id(b.value): b for b in bindings if b.how is How.FOR and b.value is not None}
    choices = [turns for b in loops.values() if (turns := _turns(b, project))]
    functions = {id(b.function): b for b in bindings if b.how is How.PARAMETER}
    choices += [given for b in functions.values() if (given := _arguments(b, project, callers))]
    ways: list[Given] = []
    for combination in product(*choices):
        ways.append({name: value for part in combination for name, value in part.items()})
        if len(ways) == _MOST:
            break
    return ways


def resolved(node: form.Expr, scope: Scope, project: Project, given: Given, depth: int = 8) -> Value | None:
    """What the expression stands for while the names in `given` mean what they do."""
    if not depth:
        return None
    if isinstance(node, form.Name):
        bindings = scope.lookup(node.id)
        known = given.get((bindings[0].scope, node.id)) if bindings else None
        if known is not None and known[0] is not node:
            return resolved(known[0], known[1], project, given, depth - 1)
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
    if isinstance(value, Instance) and value.origin is None:
        return _made(node, scope, project, depth) or value
    return value


def _made(node: form.Expr, scope: Scope, project: Project, depth: int) -> Instance | None:
    """The object behind a call, or a name for one, of a function whose annotation tells no more than its class."""
    for call, call_scope in [(node, scope), *definitions(node, scope, project)]:
        callee = project.infer(call.func, call_scope) if isinstance(call, form.Call) else None
        if isinstance(callee, BoundMethod):
            callee = callee.function
        if not isinstance(call, form.Call) or not isinstance(callee, FunctionSymbol):
            continue
        given = arguments(call, call_scope, callee, project)
        for returned in callee.returns():
            value = resolved(returned.value, callee.scope, project, given, depth - 1) if returned.value else None
            if isinstance(value, Instance) and value.origin is not None:
                return value
    return None


def _turns(binding: Binding, project: Project) -> list[Given]:
    """The loop's targets, turn by turn; none where what it loops over isn't a literal."""
    assert binding.value is not None
    iterated = project.infer(binding.value, binding.scope)
    if not isinstance(iterated, Literal) or not isinstance(iterated.node, form.Display):
        return []
    siblings = [(name, b) for name, found in binding.scope.bindings.items() for b in found if b.value is binding.value]
    turns: list[Given] = []
    for item in iterated.node.items:
        turn = {}
        for name, sibling in siblings:
            if sibling.index is None:
                turn[(binding.scope, name)] = (item, iterated.scope)
            elif isinstance(item, form.Display) and sibling.index < len(item.items):
                turn[(binding.scope, name)] = (item.items[sibling.index], iterated.scope)
        turns.append(turn)
    return turns


def _arguments(binding: Binding, project: Project, callers: int) -> list[Given]:
    """The parameters of the binding's function, caller by caller."""
    function = binding.function
    assert function is not None
    if not callers:
        return []
    calls: list[Given] = []
    for call, scope in project.callers(function):
        given = arguments(call, scope, function, project)
        calls += [{**outer, **given} for outer in expansions(call, scope, project, callers - 1)]
    return calls


def arguments(call: form.Call, scope: Scope, function: FunctionSymbol, project: Project) -> Given:
    """What the call gives the function's parameters: its arguments, the defaults, all the rest for `*args`, and the
    receiver for `self`.
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
        elif argument is not None:
            given[(function.scope, param.name)] = (argument, scope)
        elif param.default is not None:
            given[(function.scope, param.name)] = (param.default, function.outer)
    if function.owner is not None and not function.is_static() and isinstance(call.func, form.Attr):
        given[(function.scope, function.node.params[0].name)] = (call.func.value, scope)
    return given
