"""What `__all__` comes to: the names that `from module import *` binds, where the module lists them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, TypeAlias

from assay.scanner.linker.scopes import How, Module
from assay.scanner.readers.python import form

if TYPE_CHECKING:
    from assay.scanner.linker.project import Project

_LIST = "__all__"
Names: TypeAlias = frozenset[str] | None
"""None where a part of the list is computed."""


class Exports:
    """The lists of a project's modules, each worked out once."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._known: dict[Module, Names] = {}

    def listed(self, module: Module) -> Names:
        """The names of `__all__`; None where there is none or it is computed."""
        if module not in self._known:
            self._known[module] = None  # for modules that list one another's
            self._known[module] = self._worked_out(module)
        return self._known[module]

    def _worked_out(self, module: Module) -> Names:
        """Statement by statement: the list is made, imported, added to."""
        names: Names = None
        for _, how, value in sorted(self._statements(module), key=lambda s: s[0]):
            given = value if isinstance(value, Module) else None
            added = self.listed(given) if given is not None else self._names(value, module, names)
            if how is How.AUGMENT:
                added = names | added if names is not None and added is not None else None
            names = added
        return names

    def _statements(self, module: Module) -> Iterator[tuple[int, How, form.Expr | Module | None]]:
        """Where the list is given or (AUGMENT) added to, and what: an expression, or the module it is imported from."""
        for binding in module.scope.bindings.get(_LIST, ()):
            value: form.Expr | Module | None = binding.value
            if binding.how is How.IMPORT_FROM:
                source = self._project.import_module(binding.module, binding.level, module)
                value = source if isinstance(source, Module) else None
            yield binding.offset, binding.how, value
        if _LIST not in module.scope.bindings:
            return
        for call, scope in module.calls:
            match call:
                case form.Call(
                    func=form.Attr(value=form.Name(id="__all__"), attr="extend" | "append" as way), args=[arg]
                ):
                    if scope is module.scope:
                        one = form.Display(start=call.start, end=call.end, kind="list", items=[arg.value])
                        yield call.start, How.AUGMENT, one if way == "append" else arg.value

    def _names(self, node: form.Expr | Module | None, module: Module, so_far: Names) -> Names:
        match node:
            case form.Display(items=items):
                return _joined(self._item(item, module, so_far) for item in items)
            case form.Binary(op="+", left=left, right=right):
                return _joined(self._names(side, module, so_far) for side in (left, right))
            case form.Call(func=form.Name(id="list" | "tuple" | "sorted" | "set"), args=[only]):
                return self._names(only.value, module, so_far)
            case form.Name(id="__all__"):
                return so_far
            case form.Name(id=name):
                return self._named(name, module, so_far)
            case form.Attr(value=base, attr="__all__"):
                owner = self._project.infer(base, module.scope)
                return self.listed(owner) if isinstance(owner, Module) else None
        return None

    def _item(self, item: form.Expr, module: Module, so_far: Names) -> Names:
        match item:
            case form.Const(value=str() as name):
                return frozenset({name})
            case form.Starred(value=inner):
                return self._names(inner, module, so_far)
        return None

    def _named(self, name: str, module: Module, so_far: Names) -> Names:
        """A list by another name: assigned once, or imported from another module's `__all__`."""
        bindings = module.scope.bindings.get(name, [])
        if len(bindings) != 1:
            return None
        (binding,) = bindings
        if binding.how is How.IMPORT_FROM and binding.name == _LIST:
            source = self._project.import_module(binding.module, binding.level, module)
            return self.listed(source) if isinstance(source, Module) else None
        return self._names(binding.value, module, so_far) if binding.how is How.ASSIGN else None


def _joined(parts: Iterator[Names]) -> Names:
    found: frozenset[str] = frozenset()
    for part in parts:
        if part is None:
            return None
        found |= part
    return found
