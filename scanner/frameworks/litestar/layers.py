"""Litestar's layers: what an app, a router, a controller and a handler say for all that is below them
(https://docs.litestar.dev/2/usage/applications.html#layered-architecture).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from assay.scanner.dataflow.constants import Given, constant, list_items
from assay.scanner.framework import Sited
from assay.scanner.linker.project import Project, literal_item
from assay.scanner.linker.scopes import ClassSymbol, Scope
from assay.scanner.linker.values import Literal
from assay.scanner.readers.python import form


@dataclass(frozen=True, slots=True, eq=False)
class Layer:
    """One of them: the call that makes it, or the controller's class; `added` is what is put into its lists later."""

    source: form.Call | ClassSymbol
    scope: Scope
    given: Given
    added: tuple[tuple[str, Sited], ...] = ()

    def stated(self, name: str, project: Project) -> Sited | None:
        """The value that it is made with."""
        if isinstance(self.source, ClassSymbol):
            found = project.class_attribute(self.source, name)
            return Sited(*found) if found is not None else None
        value = self.source.keyword(name)
        return Sited(value, self.scope) if value is not None else None

    def items(self, name: str, project: Project) -> Iterator[Sited]:
        """What one of its lists holds, in order."""
        stated = self.stated(name, project)
        if stated is not None:
            yield from (Sited(*item) for item in list_items(stated.node, stated.scope, project, self.given))
        yield from (item for listed, item in self.added if listed == name)


def entry(layers: Sequence[Layer], name: str, key: str, project: Project) -> Sited | None:
    """What the nearest layer has under the key of one of its dicts, such as `opt` or `dependencies`."""
    for layer in reversed(layers):
        stated = layer.stated(name, project)
        value = project.infer(stated.node, stated.scope) if stated is not None else None
        item = literal_item(value.node, key) if isinstance(value, Literal) else None
        if item is not None and isinstance(value, Literal):
            return Sited(item, value.scope)
        direct = layer.source.keyword(key) if name == "opt" and isinstance(layer.source, form.Call) else None
        if direct is not None:  # what a handler's decorator doesn't know goes into its `opt`
            return Sited(direct, layer.scope)
    return None


def is_set(layers: Sequence[Layer], key: str, project: Project) -> bool:
    """Whether the nearest layer that has the `opt` has it set to something true."""
    found = entry(layers, "opt", key, project)
    known = constant(found.node, found.scope, project) if found is not None else None
    return known is not None and bool(known.value)
