"""What keys and indexes a table has for the foreign keys in it."""

from __future__ import annotations

from dataclasses import dataclass

from assay.scanner.model.database import Dialect
from assay.scanner.model.place import Location
from assay.scanner.model.role import Role
from assay.scanner.model.schema import Key


@dataclass(frozen=True, slots=True)
class ForeignKey:
    """A column, or several, that refer to rows of another table.

    `serving` is the key that leads with it, None where there is none; `dialects` are the databases that the service may
    run on. `is_whole` says that all keys of the table are in sight.
    """

    table: str
    columns: tuple[str, ...]
    refers_to: str
    location: Location
    role: Role
    serving: Key | None
    dialects: frozenset[Dialect] = frozenset()
    is_whole: bool = True

    @property
    def subject_id(self) -> str:
        return f"{self.table}.{'+'.join(self.columns)}"

    @property
    def label(self) -> str:
        return f"foreign key {self.table}.{', '.join(self.columns)}"


@dataclass(frozen=True, slots=True)
class Association:
    """A table that ties rows of others together and holds little else.

    `ends` are the columns that refer to them, `payload` the others besides a key of its own; `spanning` is the unique
    key over the ends, `conditional` one that holds for some rows only.
    """

    table: str
    location: Location
    role: Role
    ends: tuple[str, ...]
    payload: tuple[str, ...] = ()
    spanning: Key | None = None
    conditional: Key | None = None
    is_whole: bool = True

    @property
    def subject_id(self) -> str:
        return self.table

    @property
    def label(self) -> str:
        return f"association {self.table}"
