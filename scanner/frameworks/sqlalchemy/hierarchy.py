"""Which class has which table: its own, an ancestor's that it shares, or none because it is abstract."""

from __future__ import annotations

from assay.scanner.dataflow.constants import string_value
from assay.scanner.frameworks.sqlalchemy.class_columns import declared_by
from assay.scanner.frameworks.sqlalchemy.columns import calls_for
from assay.scanner.frameworks.sqlalchemy.mapped import is_base, is_declared_attr, is_mapped, is_sqlmodel, lineage
from assay.scanner.frameworks.sqlalchemy.names import (
    computed_name,
    gives_none,
    imposed_name,
    library_name,
    names_itself,
)
from assay.scanner.linker.project import Project
from assay.scanner.linker.scopes import Binding, ClassSymbol
from assay.scanner.linker.values import External


class Hierarchy:
    """The mapped classes of a project; what is worked out about one is remembered."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._owners: dict[ClassSymbol, ClassSymbol | None] = {}

    def may_be_mapped(self, cls: ClassSymbol) -> bool:
        """A subclass of a base that isn't in the tree counts where it names its table and has columns."""
        if is_mapped(cls, self._project):
            return True
        if not cls.own("__tablename__") or not any(isinstance(b, External) for b in self._project.mro(cls)[1:]):
            return False
        return any(calls_for(b[-1].value, cls.scope, self._project) for b in cls.scope.bindings.values())

    def owner(self, cls: ClassSymbol) -> ClassSymbol | None:
        """The class that has the table which this one is mapped to: itself, an ancestor, or none."""
        if cls not in self._owners:
            self._owners[cls] = None  # for a class that derives from itself
            self._owners[cls] = self._find_owner(cls)
        return self._owners[cls]

    def _find_owner(self, cls: ClassSymbol) -> ClassSymbol | None:
        project = self._project
        if is_base(cls, project):
            return None
        parent = self.parent(cls)
        if cls.own("__table__") or is_sqlmodel(cls, project):
            return cls
        named = self._named_in(cls, parent)
        if parent is None:
            is_named = named is not None or names_itself(cls, project) or imposed_name(cls, project) is not None
            return cls if is_named and declared_by(cls, None, project) else None
        if named is not None:
            is_shared = named.function is not None and gives_none(named.function, cls, project)
            return self.owner(parent) if is_shared else cls
        has_key = any(d.is_key for d in declared_by(cls, parent, project).values())
        return cls if has_key and names_itself(cls, project) else self.owner(parent)

    def parent(self, cls: ClassSymbol) -> ClassSymbol | None:
        """The nearest ancestor that is mapped to a table."""
        bases = self._project.mro(cls)[1:]
        return next((b for b in bases if isinstance(b, ClassSymbol) and self._owns_or_shares(b)), None)

    def _owns_or_shares(self, cls: ClassSymbol) -> bool:
        return is_mapped(cls, self._project) and self.owner(cls) is not None

    def _named_in(self, cls: ClassSymbol, parent: ClassSymbol | None) -> Binding | None:
        """Where the table's name comes from: the class, a mixin or a base; what names a mapped parent is its own."""
        for base in lineage(cls, self._project):
            binding = base.own("__tablename__")[-1] if base.own("__tablename__") else None
            if binding is None or (binding.value is None and binding.function is None):
                continue
            if base is cls or parent is None or not self._owns_or_shares(base) or is_declared_attr(binding):
                return binding
        return None

    def name(self, cls: ClassSymbol) -> str | None:
        """The table's name, where it can be told."""
        project = self._project
        parent = self.parent(cls)
        binding = self._named_in(cls, parent)
        if binding is not None and binding.function is not None:
            return computed_name(binding.function, cls, project, is_heir=parent is not None)
        if binding is not None and binding.value is not None:
            return string_value(binding.value, binding.scope, project)
        return imposed_name(cls, project) or (library_name(cls, project) if names_itself(cls, project) else None)
