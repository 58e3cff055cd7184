"""Decorators of the project that keep results in a cache: what they decorate, and the key that their wrapper makes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from assay.scanner.caching.kept import Kept
from assay.scanner.caching.key_contents import SAYING_WHO, Key, whole_parameters
from assay.scanner.caching.library_keys import unfolded
from assay.scanner.caching.operations import Act, CacheCall
from assay.scanner.caching.results import Results
from assay.scanner.dataflow.constants import Given
from assay.scanner.dataflow.expansion import arguments
from assay.scanner.framework import Sited
from assay.scanner.linker.project import Project, last_name
from assay.scanner.linker.scopes import FunctionSymbol, Scope
from assay.scanner.model.role import Role
from assay.scanner.readers.python import form

_VARIADIC = (form.ParamKind.VAR_POSITIONAL, form.ParamKind.VAR_KEYWORD)


def kept_by_wrappers(calls: Iterable[CacheCall], results: Results, project: Project) -> Iterator[Kept]:
    """Every use of such a decorator."""
    seen: set[FunctionSymbol] = set()
    for call in calls:
        wrapper = call.scope.function
        key = call.key
        if call.act not in (Act.WRITE, Act.FILL) or key is None or wrapper is None or wrapper in seen:
            continue
        decorator = wrapper.outer.function
        if decorator is None or not _keeps_result(call, wrapper):
            continue
        seen.add(wrapper)
        factory = decorator.outer.function
        for function, index, used in _uses(factory or decorator, project):
            given = _given(factory, used, function.outer, project)
            inner = tuple(function.decorators[index + 1 :])
            made = _key(key, wrapper, given, results)
            name = _name(factory or decorator)
            yield Kept(used, function.outer, name, function, function.owner, made, inner=inner)


def calls_what_it_wraps(function: FunctionSymbol) -> bool:
    """Whether a nested function calls a parameter of the one around it."""
    return bool(handed_on(function))


def handed_on(function: FunctionSymbol) -> list[form.Call]:
    """The calls of what it wraps, in order."""
    handed = _handed(function)
    return [node for node in function.nodes if isinstance(node, form.Call) and _is_call_of(node, handed)]


def _handed(function: FunctionSymbol) -> frozenset[str]:
    around = function.outer.function
    taken = {p.name for p in around.node.params} if around is not None else set()
    return frozenset(taken - {p.name for p in function.node.params})


def _is_call_of(node: form.Expr | form.Stmt, names: frozenset[str]) -> bool:
    return isinstance(node, form.Call) and isinstance(node.func, form.Name) and node.func.id in names


def _keeps_result(call: CacheCall, wrapper: FunctionSymbol) -> bool:
    """Whether what the wrapped function gives is put into the cache, and not a counter or a mark."""
    handed = _handed(wrapper)
    results: set[str] = set()

    def is_made_of_it(node: form.Expr) -> bool:
        return any(
            _is_call_of(inner, handed) or (isinstance(inner, form.Name) and inner.id in results)
            for inner in form.walk(node)
        )

    for node in wrapper.nodes:
        if isinstance(node, form.Assign) and node.value is not None and is_made_of_it(node.value):
            results.update(t.id for t in node.targets if isinstance(t, form.Name))
    return call.value is not None and is_made_of_it(call.value)


def _uses(decorator: FunctionSymbol, project: Project) -> Iterator[tuple[FunctionSymbol, int, form.Expr]]:
    """The functions that it decorates, and which of their decorators it is."""
    own = _name(decorator)
    names = {own, *project.aliases_of(own)}
    for module in project.modules.values():
        if module.role is not Role.PROD:
            continue
        if names.isdisjoint(module.scope.bindings) and (decorator.owner is None or own != decorator.name):
            continue
        for function in module.functions:
            for index, node in enumerate(function.decorators):
                for sited in unfolded(Sited(node, function.outer), project):
                    if _applies(sited, decorator, project):
                        yield function, index, sited.node


def _name(decorator: FunctionSymbol) -> str:
    """What it is applied by: the name of its class, where objects of that decorate."""
    return decorator.owner.name if decorator.owner is not None and decorator.name == "__call__" else decorator.name


def _applies(sited: Sited, decorator: FunctionSymbol, project: Project) -> bool:
    node = sited.node.func if isinstance(sited.node, form.Call) else sited.node
    own = _name(decorator)
    spelled = last_name(node)
    if spelled is None or (spelled != own and spelled not in project.aliases_of(own)):
        return False
    if own != decorator.name:
        return project.infer(node, sited.scope) is decorator.owner
    call = form.Call(start=node.start, end=node.end, func=node, args=[])
    return project.callee_function(call, sited.scope) is decorator


def _given(factory: FunctionSymbol | None, used: form.Expr, scope: Scope, project: Project) -> Given:
    if factory is None:
        return {}
    given = dict(arguments(used, scope, factory, project)) if isinstance(used, form.Call) else {}
    for param in factory.parameters:
        if param.default is not None:
            given.setdefault((factory.scope, param.name), (param.default, factory.outer))
    return given


def _key(node: form.Expr, wrapper: FunctionSymbol, given: Given, results: Results) -> Key:
    found = results.of_key([node], wrapper.scope, given)
    key = Key(f"what its wrapper in {wrapper.module.path} makes").also(replace(found, parameters=frozenset()))
    everything = {p.name for p in wrapper.node.params if p.kind in _VARIADIC}
    parameters = None if found.parameters & everything else whole_parameters(found)
    hands_on = "request" in found.parameters and not any(i.via == "request" for i in found.inputs)
    key = replace(key, parameters=parameters, is_known=not hands_on)
    asks_who = any(
        i.kind in SAYING_WHO
        for test in (n.test for n in wrapper.nodes if isinstance(n, form.If))
        for i in results.of_key([test], wrapper.scope, given).inputs
    )
    return replace(key, kinds=key.kinds | SAYING_WHO) if asks_who else key
