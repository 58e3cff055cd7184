"""Lists of routes as code puts them together: displays, sums, `append` and `+=`, loops, comprehensions, functions."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from assay.scanner.dataflow.constants import Given, definitions
from assay.scanner.dataflow.expansion import arguments, expansions
from assay.scanner.linker.project import Project
from assay.scanner.linker.scopes import How, Module, Scope
from assay.scanner.readers.python import form

_DEEPEST = 12
_AT_THE_END = 1 << 60
"""The offset at which importers see a module's names: when it is done."""
_COPIES = ("list", "tuple", "sorted", "set", "reversed")


@dataclass(frozen=True, slots=True, eq=False)
class Item:
    """One item, with the scope of its names and what they mean in it."""

    node: form.Expr
    scope: Scope
    given: Given


def spelled_out(item: Item, project: Project) -> list[Item]:
    """What a name, or the call of a function of the project, stands for; nothing for other expressions."""
    node, scope = item.node, item.scope
    if isinstance(node, form.Call):
        function = project.callee_function(node, scope)
        if function is None or function.name == "__init__":
            return []
        given = {**item.given, **arguments(node, scope, function, project)}
        return [Item(r.value, function.scope, given) for r in function.returns if r.value is not None]
    bindings = scope.lookup(node.id, node.start) if isinstance(node, form.Name) else []
    known = item.given.get((bindings[0].scope, node.id)) if bindings and isinstance(node, form.Name) else None
    if known is not None and known[0] is not node:
        return [Item(*known, item.given)]
    return [Item(*definition, item.given) for definition in definitions(node, scope, project)]


class ListReader:
    """Reads lists of one project; `on_unknown` is told of every part that can't be seen."""

    def __init__(self, project: Project, on_unknown: Callable[[form.Expr, Scope], None]) -> None:
        self._project = project
        self._on_unknown = on_unknown

    def items(self, node: form.Expr, scope: Scope, given: Given, depth: int = _DEEPEST) -> Iterator[Item]:
        """The items of the list that the expression stands for, in order."""
        match node:
            case form.Display(items=found) if depth:
                for item in found:
                    if isinstance(item, form.Starred):
                        yield from self.items(item.value, scope, given, depth - 1)
                    else:
                        yield Item(item, scope, given)
            case form.Comprehension() if depth:
                yield from self._comprehended(node, scope, given, depth)
            case form.Call() if depth:
                yield from self._called(node, scope, given, depth)
            case form.Name() | form.Attr() if depth:
                yield from self._named(node, scope, given, depth)
            case form.Const(value=None):
                return
            case _:
                parts = _parts(node) if depth else []
                if not parts:
                    self._on_unknown(node, scope)
                for part in parts:
                    yield from self.items(part, scope, given, depth - 1)

    def _comprehended(self, node: form.Comprehension, scope: Scope, given: Given, depth: int) -> Iterator[Item]:
        generator, *more = node.generators
        if more or generator.ifs:
            self._on_unknown(node, scope)
            return
        for item in self.items(generator.iter, scope, given, depth - 1):
            yield Item(node.element, scope, {**given, **_bound(generator.target, item, scope, node.start)})

    def _called(self, call: form.Call, scope: Scope, given: Given, depth: int) -> Iterator[Item]:
        """A copy of a list, or what a function of the project returns."""
        if isinstance(call.func, form.Name) and call.func.id in _COPIES and call.positional:
            yield from self.items(call.positional[0], scope, given, depth - 1)
            return
        returned = spelled_out(Item(call, scope, given), self._project)
        if not returned:
            self._on_unknown(call, scope)
        for item in returned:
            yield from self.items(item.node, item.scope, item.given, depth - 1)

    def _named(self, node: form.Name | form.Attr, scope: Scope, given: Given, depth: int) -> Iterator[Item]:
        if isinstance(node, form.Attr):
            owner = self._project.infer(node.value, scope)
            if isinstance(owner, Module):
                name = form.Name(start=_AT_THE_END, end=_AT_THE_END, id=node.attr)
                yield from self._named(name, owner.scope, given, depth)
                return
        bindings = scope.lookup(node.id, node.start) if isinstance(node, form.Name) else []
        known = given.get((bindings[0].scope, node.id)) if bindings and isinstance(node, form.Name) else None
        if bindings and isinstance(node, form.Name) and _is_rewritten(node.id, bindings[0].scope):
            self._on_unknown(node, scope)
        elif known is not None:
            yield from self.items(*known, given, depth - 1)
        elif bindings and isinstance(node, form.Name) and bindings[0].how in (How.ASSIGN, How.AUGMENT):
            before = node.start if bindings[0].scope is scope else None
            for value, is_item in _put_into(node.id, bindings[0].scope, before):
                yield from self._put(value, bindings[0].scope, given, depth, is_item=is_item)
        elif imported := [b for b in bindings if b.how is How.IMPORT_FROM]:
            source = self._project.import_module(imported[-1].module, imported[-1].level, scope.module)
            name = form.Name(start=_AT_THE_END, end=_AT_THE_END, id=imported[-1].name)
            if isinstance(source, Module) and source.scope is not scope:
                yield from self._named(name, source.scope, given, depth - 1)
            else:
                self._on_unknown(node, scope)
        else:
            found = definitions(node, scope, self._project)
            if not found:
                self._on_unknown(node, scope)
            for definition in found:
                yield from self.items(*definition, given, depth - 1)

    def _put(self, value: form.Expr, scope: Scope, given: Given, depth: int, *, is_item: bool) -> Iterator[Item]:
        """What one statement puts into a list, in each turn of the loops around it."""
        call = form.Call(start=value.start, end=value.end, func=value, args=[])
        for turn in expansions(call, scope, self._project, callers=0):
            if is_item:
                yield Item(value, scope, {**given, **turn})
            else:
                yield from self.items(value, scope, {**given, **turn}, depth - 1)


def _parts(node: form.Expr) -> list[form.Expr]:
    """The lists that an expression joins, or chooses from."""
    match node:
        case form.Binary(op="+", left=left, right=right) | form.Conditional(body=left, orelse=right):
            return [left, right]
        case form.Boolean(values=values):
            return values
        case form.Await(value=inner):
            return [inner]
    return []


def _put_into(name: str, scope: Scope, before: int | None) -> Iterator[tuple[form.Expr, bool]]:
    """What the statements of a scope put into the list of that name, each as one item or as a list of them.

    With `before`, only those that are done at that offset. A branch that makes the list anew out of itself, as for a
    prefix that somebody may set, is taken not to run.
    """
    for node in form.walk_body(scope.body, into_definitions=False):
        if before is not None and node.end > before:
            continue
        match node:
            case form.Assign(targets=targets, value=value) if value is not None:
                is_ours = any(isinstance(t, form.Name) and t.id == name for t in targets)
                if is_ours and not (node not in scope.body and _mentions(value, name)):
                    yield value, False
            case form.AugAssign(target=form.Name(id=target), value=value) if target == name:
                yield value, False
            case form.Call(func=form.Attr(value=form.Name(id=owner), attr=method)) if owner == name and node.positional:
                if method in ("append", "insert"):
                    yield node.positional[-1], True
                elif method == "extend":
                    yield node.positional[0], False


def _is_rewritten(name: str, scope: Scope) -> bool:
    """Whether items are put in the place of others: `rules[i] = ...`."""
    return any(
        isinstance(node, form.Assign)
        and any(isinstance(t, form.Subscript) and form.dotted(t.value) == name for t in node.targets)
        for node in form.walk_body(scope.body, into_definitions=False)
    )


def _mentions(node: form.Expr, name: str) -> bool:
    return any(isinstance(inner, form.Name) and inner.id == name for inner in form.walk(node))


def _bound(target: form.Expr, item: Item, scope: Scope, at: int) -> Given:
    """What the target of a comprehension stands for while it takes the item."""
    if isinstance(target, form.Name):
        bindings = scope.lookup(target.id, at)
        return {(bindings[0].scope, target.id): (item.node, item.scope)} if bindings else {}
    parts: dict[tuple[Scope, str], tuple[form.Expr, Scope]] = {}
    if isinstance(target, form.Display) and isinstance(item.node, form.Display):
        for name, part in zip(target.items, item.node.items, strict=False):
            parts.update(_bound(name, Item(part, item.scope, item.given), scope, at))
    return parts
