"""Names and attributes: which of their bindings production leaves behind."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from assay.scanner.configuration.defaults import UNKNOWN
from assay.scanner.configuration.evaluation.given import NOTHING, Given
from assay.scanner.configuration.meanings import (
    Firmness,
    Meaning,
    as_default,
    named,
)
from assay.scanner.dataflow.ways import Branch, Way, way_to
from assay.scanner.linker.project import last_name
from assay.scanner.linker.scopes import Binding, ClassSymbol, How, Module, Scope
from assay.scanner.linker.values import External, Instance
from assay.scanner.model.place import Evidence
from assay.scanner.model.role import Role
from assay.scanner.readers.python import form

if TYPE_CHECKING:
    from assay.scanner.configuration.evaluation.expressions import Expressions

_MOST_CALLERS = 12
_SETTINGS_BASES = ("pydantic_settings.BaseSettings", "pydantic.BaseSettings", "pydantic_settings.main.BaseSettings")


class Names:
    """What names stand for."""

    def __init__(self, expressions: Expressions) -> None:
        self._expressions = expressions
        self._project = expressions.project

    def of(self, node: form.Name, scope: Scope, given: Given, depth: int) -> list[Meaning]:
        """What a name stands for where it is read."""
        bindings = scope.lookup(node.id, node.start)
        if not bindings:
            return self.member(scope.module, node.id, depth) or self.library_object(node, scope)
        handed = given.get((bindings[0].scope, node.id))
        if handed is not None and len(bindings) == 1:
            return self._expressions.of(*handed, NOTHING, depth)
        owner = bindings[0].scope
        around: Way = ()
        if owner is scope and scope.function is not None:
            earlier = [b for b in bindings if b.how is How.PARAMETER or b.offset < node.start]
            bindings = earlier or bindings
            around = way_to(scope.body, node.start)
        return self.alternatives(bindings, around, given, depth) or [self._expressions.unknown(node, scope)]

    def alternatives(
        self, bindings: Sequence[Binding], around: Sequence[Branch], given: Given, depth: int
    ) -> list[Meaning]:
        """What the bindings leave behind: the last one that production runs, and what may override it. `around` are
        the branches that the place that asks is in.
        """
        found: list[Meaning] = []
        firmness = Firmness.FIXED
        is_certain = True
        for index, binding in reversed(list(enumerate(bindings))):
            taken = self._expressions.branches.taken_by_binding(binding, around, given, depth)
            if taken.truth is False:
                firmness = max(firmness, taken.firmness)
                continue
            is_certain = is_certain and taken.truth is True
            values = self._binding(binding, given, depth)
            found += [
                replace(m.resting_on(max(firmness, taken.firmness)), is_certain=m.is_certain and is_certain)
                for m in values
            ]
            if taken.truth is True:
                handled = [b for b in bindings[:index] if b.scope is binding.scope and b.offset > binding.offset]
                fallbacks = [m for b in handled for m in self._binding(b, given, depth)]
                found += [replace(m.resting_on(Firmness.DEFAULT), is_certain=False) for m in fallbacks]
                break
        return found

    def _binding(self, binding: Binding, given: Given, depth: int) -> list[Meaning]:
        scope = binding.scope
        node = binding.value or _declared(binding.annotation)
        match binding.how:
            case How.ASSIGN if node is not None:
                return self._expressions.of(node, scope, given, depth)
            case How.PARAMETER:
                return self._parameter(binding, depth)
            case How.IMPORT_FROM:
                source = self._project.import_module(binding.module, binding.level, scope.module)
                if isinstance(source, Module) and source.scope is not scope:
                    found = self.member(source, binding.name, depth)
                    if found:
                        return found
        place = scope.module.span(binding.offset, binding.offset + 1)
        value = self._project.binding_value(binding)
        return [Meaning(named(value), Evidence(place, "it comes from here"))]

    def _parameter(self, binding: Binding, depth: int) -> list[Meaning]:
        """What callers give it, each of them for certain; else its default."""
        function, param = binding.function, binding.param
        assert function is not None
        assert param is not None
        found: list[Meaning] = []
        is_defaulted = False
        callers = [c for c in self._project.callers(function) if c[1].module.role is Role.PROD]
        for call, scope in callers[:_MOST_CALLERS]:
            argument = self._project.bound_argument(call, function, param)
            if argument is not None:
                found += self._expressions.of(argument, scope, NOTHING, depth)
            else:
                is_defaulted = True
        place = function.module.location(param)
        if param.default is not None and (is_defaulted or not callers):
            defaults = self._expressions.of(param.default, function.outer, NOTHING, depth)
            found += [as_default(m, place, "unless the caller says otherwise") for m in defaults]
        return found or [Meaning(UNKNOWN, Evidence(place, "what this parameter is can't be told"))]

    def member(self, module: Module, name: str, depth: int) -> list[Meaning]:
        """A module's name: its own bindings, then those of its star imports."""
        if not depth:
            return []
        found = self.alternatives(module.scope.bindings.get(name, ()), (), NOTHING, depth)
        if found and found[-1].is_certain:
            return found
        for star in reversed(module.star_imports):
            source = self._project.import_module(star.module, star.level, module)
            if isinstance(source, Module) and source is not module:
                inherited = self.member(source, name, depth - 1)
                if inherited:
                    return found + [replace(m, is_certain=m.is_certain and not found) for m in inherited]
        return found

    def attribute(self, node: form.Attr, scope: Scope, depth: int) -> list[Meaning]:
        """`module.name`, `settings.NAME`, `self.name`."""
        owner = self._project.infer(node.value, scope)
        match owner:
            case Module():
                return self.member(owner, node.attr, depth) or [self._expressions.unknown(node, scope)]
            case External(name="django.conf.settings"):
                return self._expressions.settings.of(node.attr, "Django settings", node, scope, depth)
            case ClassSymbol() | Instance():
                cls = owner if isinstance(owner, ClassSymbol) else owner.cls
                if cls is not None:
                    return self._field(cls, node, scope, depth)
        return self.library_object(node, scope)

    def _field(self, cls: ClassSymbol, node: form.Attr, scope: Scope, depth: int) -> list[Meaning]:
        """An attribute of an object of the project: of its class, or what methods assign to it."""
        bindings = self._project.class_member(cls, node.attr)
        if bindings and bindings[-1].function is not None:
            return self._expressions.calls.returned(bindings[-1].function, {}, depth) or [
                self._expressions.unknown(node, scope)
            ]
        assigned = self._project.instance_attributes(cls, node.attr)
        found: list[Meaning] = []
        for value, around in assigned:
            found += self._expressions.of(value, around, NOTHING, depth)
        if len(assigned) > 1:
            found = [replace(m, is_certain=False) for m in found]
        if not found and any(b.value is not None for b in bindings):
            found = self.alternatives(bindings, (), NOTHING, depth)
            if self._project.is_subclass(cls, *_SETTINGS_BASES):
                found = [as_default(m, m.evidence.location, "unless the environment sets it") for m in found]
        return found or [self._expressions.unknown(node, scope)]

    def library_object(self, node: form.Expr, scope: Scope) -> list[Meaning]:
        """Something of a library, where its name reads like a constant or a class."""
        value = named(self._project.infer(node, scope))
        if value is UNKNOWN:
            return [self._expressions.unknown(node, scope)]
        text = f"it is {value.name}" if isinstance(value, External) else "it is an object"
        return [Meaning(value, scope.module.evidence(node, text))]


def _declared(annotation: form.Expr | None) -> form.Expr | None:
    """The `Field(default=...)` of `x: Annotated[T, Field(default=...)]`."""
    match annotation:
        case form.Subscript(value=base, index=form.Display(items=[_, *added])) if last_name(base) == "Annotated":
            return next((c for c in added if isinstance(c, form.Call) and c.argument(0, "default") is not None), None)
    return None
