"""A mapped table and its columns, as the ORM declares them."""

from __future__ import annotations

from dataclasses import dataclass

from assay.scanner.model.place import Location
from assay.scanner.model.role import Role


@dataclass(frozen=True, slots=True)
class Column:
    """`indexed` counts a unique constraint and a primary key too; `fk_to` is the referenced table or model."""

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
