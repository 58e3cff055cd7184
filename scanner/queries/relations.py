"""The relations of models, by the model's name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from assay.scanner.linker.project import Project
from assay.scanner.linker.scopes import ClassSymbol
from assay.scanner.model.role import Role
from assay.scanner.model.table import Relation, Table

_NONE: Mapping[str, Relation] = {}


class Relations:
    """Of models with the same name, those that all of them have."""

    def __init__(self, tables: Iterable[Table], project: Project) -> None:
        self._project = project
        self._by_model: dict[str, dict[str, Relation]] = {}
        for table in tables:
            if table.role is Role.TEST:
                continue
            own = {r.name: r for r in table.relations}
            known = self._by_model.get(table.model)
            shared = own if known is None else {n: r for n, r in known.items() if n in own}
            self._by_model[table.model] = shared

    def of(self, model: str) -> Mapping[str, Relation]:
        """By their names; none where the model isn't known."""
        return self._by_model.get(model, _NONE)

    def knows(self, model: str) -> bool:
        """Whether the name is a model's."""
        return model in self._by_model

    def of_class(self, cls: ClassSymbol) -> Mapping[str, Relation]:
        """Those of the class, or of the nearest base with a table."""
        for base in self._project.mro(cls):
            if isinstance(base, ClassSymbol) and base.name in self._by_model:
                return self._by_model[base.name]
        return _NONE
