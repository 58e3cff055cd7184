"""The columns that a mapped class gives its table: its own, and those of its mixins and abstract bases."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from assay.scanner.dataflow.constants import definitions
from assay.scanner.frameworks.sqlalchemy.columns import (
    Declared,
    TypeMap,
    calls_for,
    composed,
    described,
    in_annotation,
)
from assay.scanner.frameworks.sqlalchemy.known_bases import columns_of_library
from assay.scanner.frameworks.sqlalchemy.mapped import (
    is_declared_attr,
    is_mapped,
    is_sqlmodel,
    lineage,
    own_member,
)
from assay.scanner.frameworks.sqlalchemy.per_class import returned_for
from assay.scanner.linker.project import Project, last_name
from assay.scanner.linker.scopes import Binding, ClassSymbol, FunctionSymbol, How, Scope
from assay.scanner.readers.python import form

_NO_COLUMNS = frozenset(
    {
        "relationship", "Relationship", "column_property", "synonym", "association_proxy", "composite", "backref",
        "query_expression", "dynamic_loader", "hybrid_property", "PrivateAttr", "ClassVar",
    }
)  # fmt: skip
_WRAPPED = frozenset({"Mapped", "MappedColumn"})
_CLASS_VARIABLES = frozenset({"ClassVar", "PrivateAttr"})
_COLLECTIONS = frozenset({"List", "list", "Set", "set", "Sequence", "Dict", "dict"})


def declared_by(cls: ClassSymbol, parent: ClassSymbol | None, project: Project) -> dict[str, Declared]:
    """The columns by their attributes, without those that a mapped `parent` already has."""
    return _ClassColumns(cls, parent, project).declared()


def above(parent: ClassSymbol | None, project: Project) -> set[ClassSymbol]:
    """What a mapped parent took its columns from."""
    return set(lineage(parent, project)) if parent is not None else set()


@dataclass(frozen=True, slots=True)
class _ClassColumns:
    cls: ClassSymbol
    parent: ClassSymbol | None
    project: Project

    def declared(self) -> dict[str, Declared]:
        cls, parent, project = self.cls, self.parent, self.project
        found = {d.key: d for d in columns_of_library(cls, project)} if parent is None else {}
        known, types = above(parent, project), self._type_map()
        for base in reversed(lineage(cls, project)):
            for name, bindings in base.scope.bindings.items():
                if base in known and not _cascades(bindings[-1]):
                    continue
                if name in found and _is_nothing(bindings[-1]):
                    del found[name]
                function = bindings[-1].function
                if function is None:
                    found.update((d.key, d) for d in self._of_attribute(name, bindings[-1], base, types))
                elif is_declared_attr(bindings[-1]):
                    found.update((d.key, d) for d in self._of_function(name, function, types))
        return found

    def _of_attribute(self, name: str, binding: Binding, cls: ClassSymbol, types: TypeMap) -> Iterator[Declared]:
        project, scope = self.project, cls.scope
        if name.startswith("__"):
            return
        value, annotation = binding.value, _mapped(binding.annotation)
        if annotation is None and binding.annotation is not None and is_sqlmodel(cls, project):
            if name.startswith("_"):
                return  # pydantic keeps it to itself
            annotation = binding.annotation
        parts = composed(value, scope, project)
        for part in parts:
            key = part[0].text(part[0].call.args[0].value, project) if part[0].call.args else None
            yield described(key or name, part, None, scope, cls.module.location(part[0].call), types, project)
        made = [*calls_for(value, scope, project), *in_annotation(binding.annotation, scope, project)]
        place = value if value is not None else binding.annotation
        if place is None or parts or (not made and not self._is_plain_column(value, annotation, scope)):
            return
        yield described(name, made, annotation, scope, cls.module.location(place), types, project)

    def _is_plain_column(self, value: form.Expr | None, annotation: form.Expr | None, scope: Scope) -> bool:
        """Whether `name: Mapped[int]` (SQLModel: `name: int = 0`) is a column without a call that says so."""
        if annotation is None or (isinstance(value, form.Call) and last_name(value.func) in _NO_COLUMNS):
            return False
        outer = annotation.value if isinstance(annotation, form.Subscript) else annotation
        if last_name(outer) in _CLASS_VARIABLES:
            return False
        if value is None or isinstance(value, form.Const):
            return True
        target = self.project.annotation_class(annotation, scope)
        is_collection = isinstance(annotation, form.Subscript) and last_name(annotation.value) in _COLLECTIONS
        return not is_collection and not (isinstance(target, ClassSymbol) and is_mapped(target, self.project))

    def _of_function(self, name: str, function: FunctionSymbol, types: TypeMap) -> Iterator[Declared]:
        """A column of a mixin: `@declared_attr def owner_id(cls): return Column(...)`."""
        project = self.project
        annotation = _mapped(function.node.returns)
        for returned in returned_for(function, self.cls, project, is_heir=self.parent is not None):
            for node, scope in [(returned, function.scope), *definitions(returned, function.scope, project)]:
                made = calls_for(node, scope, project)
                if made:
                    yield described(name, made, annotation, function.outer, function.location, types, project)
                    return

    def _type_map(self) -> TypeMap:
        """The `type_annotation_map` of its base, or of the base's registry."""
        project = self.project
        for name in ("type_annotation_map", "registry"):
            binding = own_member(self.cls, name, project)
            for node, scope in _definitions_of(binding, project):
                mapping = node.keyword("type_annotation_map") if isinstance(node, form.Call) else node
                if isinstance(mapping, form.Dict):
                    return tuple(
                        (key, scope, last_name(v.func if isinstance(v, form.Call) else v) or "")
                        for key, v in zip(mapping.keys, mapping.values, strict=True)
                        if key is not None
                    )
        return ()


def _mapped(annotation: form.Expr | None) -> form.Expr | None:
    """X of `Mapped[X]`."""
    if isinstance(annotation, form.Subscript) and last_name(annotation.value) in _WRAPPED:
        return annotation.index
    return None


def _cascades(binding: Binding) -> bool:
    """`@declared_attr.cascading`: for each subclass anew."""
    decorators = binding.function.decorators if binding.function is not None else []
    return any(last_name(decorator) == "cascading" for decorator in decorators)


def _is_nothing(binding: Binding) -> bool:
    return binding.how is How.ASSIGN and isinstance(binding.value, form.Const) and binding.value.value is None


def _definitions_of(binding: Binding | None, project: Project) -> list[tuple[form.Expr, Scope]]:
    if binding is None or binding.value is None:
        return []
    return [(binding.value, binding.scope), *definitions(binding.value, binding.scope, project)]
