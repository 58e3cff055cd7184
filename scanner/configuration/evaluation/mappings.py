"""Mappings that the code makes, and what they hold under one key."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from assay.scanner.configuration.evaluation.given import NOTHING
from assay.scanner.configuration.meanings import (
    Items,
    any_of,
    last_of,
)
from assay.scanner.dataflow.constants import definitions, string_value
from assay.scanner.dataflow.ways import way_to
from assay.scanner.linker.project import Project, last_name, literal_item
from assay.scanner.linker.scopes import Binding, ClassSymbol, How, Module, Scope
from assay.scanner.linker.values import External, Instance
from assay.scanner.readers.python import form

if TYPE_CHECKING:
    from assay.scanner.configuration.evaluation.expressions import Expressions


class Mappings:
    """What mappings hold."""

    def __init__(self, expressions: Expressions) -> None:
        self._expressions = expressions
        self._project = expressions.project

    def items(self, node: form.Expr, scope: Scope, key: str, depth: int) -> Items:
        """What a mapping holds under the key, as far as it is made in the code."""
        if not depth:
            return Items(is_open=True)
        match node:
            case form.Dict(keys=keys, values=values):
                return self._of_dict(keys, values, scope, key, depth - 1)
            case form.Call():
                return self._of_call(node, scope, key, depth - 1)
            case form.Binary(op="|", left=left, right=right):
                return last_of([self.items(side, scope, key, depth - 1) for side in (left, right)])
            case form.Conditional(body=body, orelse=orelse):
                return any_of([self.items(side, scope, key, depth - 1) for side in (body, orelse)])
            case form.Boolean(values=values):
                return any_of([self.items(side, scope, key, depth - 1) for side in values])
            case form.Name():
                return self._items_of_name(node, scope, key, depth - 1)
            case form.Attr():
                return self._items_of_attribute(node, scope, key, depth - 1)
            case form.Subscript(value=base, index=form.Const(value=outer)):
                made = [(base, scope), *definitions(base, scope, self._project)]
                inner = [(item, s) for n, s in made if (item := literal_item(n, outer)) is not None]
                return any_of([self.items(*item, key, depth - 1) for item in inner] or [Items(is_open=True)])
        return Items(is_open=True)

    def _of_call(self, call: form.Call, scope: Scope, key: str, depth: int) -> Items:
        if last_name(call.func) == "dict" and isinstance(call.func, form.Name):
            return self._updated(call, scope, key, depth)
        function = self._project.callee_function(call, scope)
        if function is None or function.name == "__init__" or not function.returns:
            return Items(is_open=True)
        returned = [r.value for r in function.returns if r.value is not None]
        return any_of([self.items(value, function.scope, key, depth) for value in returned])

    def _of_dict(
        self, keys: Sequence[form.Expr | None], values: Sequence[form.Expr], scope: Scope, key: str, depth: int
    ) -> Items:
        parts: list[Items] = []
        for name, value in zip(keys, values, strict=True):
            if name is None:
                parts.append(self.items(value, scope, key, depth))
            elif (text := string_value(name, scope, self._project)) == key:
                parts.append(Items(tuple(self._expressions.of(value, scope, NOTHING, depth))))
            elif text is None and not isinstance(name, form.Const | form.Attr):
                parts.append(Items(is_open=True))
        return last_of(parts)

    def _items_of_name(self, node: form.Name, scope: Scope, key: str, depth: int) -> Items:
        bindings = scope.lookup(node.id, node.start)
        parts: list[Items] = []
        for binding in bindings:
            if binding.how is How.ASSIGN and binding.value is not None:
                parts.append(self.items(binding.value, binding.scope, key, depth))
            elif binding.how is How.IMPORT_FROM:
                parts.append(self._items_of_import(binding, key, depth))
            else:
                parts.append(Items(is_open=True))
        made = any_of(parts) if parts else Items(is_open=True)
        stored = [part for b in bindings[:1] for part in self._stored(node.id, b.scope, key, depth)]
        certain = [part for part in stored if part.found and all(m.is_certain for m in part.found)]
        found = [m for part in (certain[-1:] or [made, *stored]) for m in part.found]
        return Items(tuple(found), any(part.is_open for part in (*stored, *(() if certain else (made,)))))

    def _items_of_import(self, binding: Binding, key: str, depth: int) -> Items:
        source = self._project.import_module(binding.module, binding.level, binding.scope.module)
        if not isinstance(source, Module):
            return Items(is_open=True)
        bound = [b for b in source.scope.bindings.get(binding.name, ()) if b.value is not None and b.how is How.ASSIGN]
        parts = [self.items(b.value, b.scope, key, depth) for b in bound if b.value is not None]
        return any_of(parts) if parts else Items(is_open=True)

    def _stored(self, name: str, scope: Scope, key: str, depth: int) -> Iterator[Items]:
        """What `name["key"] = value` and `name.update(...)` put there in the body that owns the name."""
        for node in form.walk_body(scope.body, into_definitions=False):
            part = self._stored_by(node, name, scope, key, depth)
            if part is None:
                continue
            taken = self._expressions.branches.taken(way_to(scope.body, node.start), scope, NOTHING, depth)
            if taken.truth is not False:
                is_certain = taken.truth is True
                yield Items(tuple(replace(m, is_certain=m.is_certain and is_certain) for m in part.found), part.is_open)

    def _stored_by(self, node: form.Node, name: str, scope: Scope, key: str, depth: int) -> Items | None:
        """What one statement or call stores there; None for any other."""
        match node:
            case form.Assign(targets=targets, value=value) if any(_is_item(target, name, key) for target in targets):
                return Items(tuple(self._expressions.of(value, scope, NOTHING, depth)) if value is not None else ())
            case form.Call(func=func) if form.dotted(func) == f"{name}.update":
                return self._updated(node, scope, key, depth)
        return None

    def _updated(self, call: form.Call, scope: Scope, key: str, depth: int) -> Items:
        """What the arguments of `update` or `dict` hold under the key."""
        named = call.keyword(key)
        if named is not None:
            return Items(tuple(self._expressions.of(named, scope, NOTHING, depth)))
        return last_of([self.items(a.value, scope, key, depth) for a in call.args if a.name is None])

    def _items_of_attribute(self, node: form.Attr, scope: Scope, key: str, depth: int) -> Items:
        owner = self._project.infer(node.value, scope)
        known: list[tuple[form.Expr, Scope]] = []
        if isinstance(owner, Module):
            known = [(b.value, b.scope) for b in owner.scope.bindings.get(node.attr, ()) if b.value is not None]
        cls = owner if isinstance(owner, ClassSymbol) else owner.cls if isinstance(owner, Instance) else None
        if cls is not None:
            attribute = self._project.class_attribute(cls, node.attr)
            known = [attribute] if attribute is not None else self._project.instance_attributes(cls, node.attr)
        if isinstance(owner, External) and owner.name == "django.conf.settings":
            site = self._expressions.settings.site(scope.module.path)
            known = [(b.value, b.scope) for b in _layered(site, node.attr, self._project) if b.value is not None]
        parts = [self.items(value, around, key, depth) for value, around in known]
        return any_of(parts) if parts else Items(is_open=True)


def _is_item(target: form.Expr, name: str, key: str) -> bool:
    """`name["key"]`."""
    match target:
        case form.Subscript(value=form.Name(id=owner), index=form.Const(value=index)):
            return owner == name and index == key
    return False


def _layered(module: Module | None, name: str, project: Project) -> list[Binding]:
    """The bindings of a module's name, or else those of its star imports."""
    if module is None:
        return []
    own = [b for b in module.scope.bindings.get(name, ()) if b.how is How.ASSIGN]
    if own:
        return own
    for star in reversed(module.star_imports):
        source = project.import_module(star.module, star.level, module)
        if isinstance(source, Module) and source is not module and (found := _layered(source, name, project)):
            return found
    return []
