"""A migration: one step of a schema's history, and what it does to the schema."""

from __future__ import annotations

from dataclasses import dataclass

from assay.scanner.model.place import Location
from assay.scanner.model.role import Role


@dataclass(frozen=True, slots=True)
class SchemaChange:
    """One operation, by the migration library's own name for it: `add_column`, `AddField`.

    `table` is the table's name in the database where it can be told (Django: `app_model`); `column` is the column,
    index or constraint that is meant.
    """

    operation: str
    location: Location
    table: str | None = None
    column: str | None = None


@dataclass(frozen=True, slots=True)
class Migration:
    """`name` is the revision (Alembic) or `app.0001_initial` (Django); `parents` are those it builds on.

    `changes` go forward, `reversals` back; `is_reversible` is False where going back raises or does nothing although
    there is something to undo.
    """

    name: str
    parents: tuple[str, ...]
    framework: str
    location: Location
    role: Role
    changes: tuple[SchemaChange, ...] = ()
    reversals: tuple[SchemaChange, ...] = ()
    is_reversible: bool = True

    @property
    def subject_id(self) -> str:
        return self.name

    @property
    def label(self) -> str:
        return f"migration {self.name}"
