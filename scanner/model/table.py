"""A mapped table and its columns, as the ORM declares them."""

from __future__ import annotations

from dataclasses import dataclass

from assay.scanner.model.place import Location
from assay.scanner.model.role import Role


@dataclass(frozen=True, slots=True)
class Column:
    """A column that the table stores; Django's go by their fields' names, many-to-many ones included.

    `indexed` says that it leads an index, a unique constraint or a key of all rows, `unique` that it alone is one's
    only column. `fk_to` is the referenced table, for Django the model. `type` is the library's name of it, empty where
    a foreign key takes its target's.
    """

    name: str
    type: str
    location: Location
    indexed: bool = False
    unique: bool = False
    fk_to: str | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """`name` is the table's name in the database, `model` the class that maps it."""

    name: str
    model: str
    location: Location
    role: Role
    framework: str
    columns: tuple[Column, ...] = ()

    @property
    def subject_id(self) -> str:
        return self.name

    @property
    def label(self) -> str:
        return f"table {self.name}"
