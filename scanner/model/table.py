"""A mapped table and its columns, as the ORM declares them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from assay.scanner.model.place import Location
from assay.scanner.model.role import Role
from assay.scanner.model.schema import Key


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


class Loading(StrEnum):
    """When the objects of a relation are read."""

    ON_ACCESS = "on access"
    """With a query for each object whose relation is looked at."""
    WITH_ROWS = "with the rows"
    REFUSED = "refused"
    """Looking at it without having asked for it before is an error."""
    QUERY = "query"
    """The attribute is a query to go on with."""
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Relation:
    """An attribute that leads from a row to rows of another table. `target` is the other model, empty where it can't
    be told. `is_derived` says that the other model declares it: a reverse accessor, a `backref`.
    """

    name: str
    target: str
    to_many: bool
    loading: Loading
    location: Location
    is_derived: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """`name` is the table's name in the database, `model` the class that maps it.

    `keys` are its indexes, unique constraints and primary key, those that columns declare included. `is_whole` says
    that all of its columns are known, and none may come from a base that isn't in sight. `is_managed` is False where
    another than the service makes the table.
    """

    name: str
    model: str
    location: Location
    role: Role
    framework: str
    columns: tuple[Column, ...] = ()
    relations: tuple[Relation, ...] = ()
    keys: tuple[Key, ...] = ()
    is_whole: bool = True
    is_managed: bool = True

    @property
    def subject_id(self) -> str:
        return self.name

    @property
    def label(self) -> str:
        return f"table {self.name}"
