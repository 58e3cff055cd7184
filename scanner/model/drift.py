"""A mapped table beside the one that the migrations make."""

from __future__ import annotations

from dataclasses import dataclass

from assay.scanner.model.place import Evidence, Location
from assay.scanner.model.role import Role


@dataclass(frozen=True, slots=True)
class MigratedTable:
    """What the models declare of a table and what replaying the migrations gives, compared.

    `is_migrated` is False where the migrations don't make the table: another tool, or a baseline that isn't among them.
    `differences` are what only one of both has. `is_sure` says that both sides are known in full.
    """

    name: str
    location: Location
    role: Role
    is_migrated: bool
    differences: tuple[Evidence, ...] = ()
    is_sure: bool = True
    size: int = 0

    @property
    def subject_id(self) -> str:
        return self.name

    @property
    def label(self) -> str:
        return f"table {self.name}"
