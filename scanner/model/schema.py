"""A schema as migrations make it: tables, columns, keys, and the steps that lead from one schema to the next."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TypeAlias

from assay.scanner.model.place import Location


class KeyKind(StrEnum):
    """What an ordered set of columns serves as."""

    PRIMARY = "primary key"
    UNIQUE = "unique key"
    INDEX = "index"


@dataclass(frozen=True, slots=True)
class Key:
    """An index, a unique constraint or a primary key over columns in order.

    A column is `""` where an expression stands in its place. `is_partial` says that it holds some of the rows only;
    `condition` names the columns that decide which, as far as they can be told.
    """

    columns: tuple[str, ...]
    kind: KeyKind = KeyKind.INDEX
    name: str | None = None
    is_partial: bool = False
    condition: frozenset[str] = frozenset()
    location: Location | None = None

    @property
    def is_unique(self) -> bool:
        """Whether no two rows can have the same values in its columns."""
        return self.kind is not KeyKind.INDEX

    @property
    def label(self) -> str:
        """`unique key ix_user_email (email)`."""
        return " ".join(part for part in (self.kind.value, self.name, f"({', '.join(self.columns)})") if part)


class Default(StrEnum):
    """What the database itself puts into a column that a statement leaves out."""

    NONE = "none"
    CONSTANT = "constant"
    VOLATILE = "volatile"
    """Computed for each row: `gen_random_uuid()`."""


@dataclass(frozen=True, slots=True)
class SchemaColumn:
    """A column by the name that migrations know it by: Django's go by their fields' names.

    `type` is the library's name of it. `nullable` is None where it isn't told. `is_stored` is False for a many-to-many
    field, which is a table of its own. `refers_to` is the table (Django: `app.model`) that a foreign key points to.
    """

    name: str
    type: str = ""
    nullable: bool | None = None
    default: Default = Default.NONE
    refers_to: str | None = None
    is_unique: bool = False
    is_indexed: bool = False
    is_key: bool = False
    is_stored: bool = True
    length: int | None = None
    fills_in: bool = False
    """The ORM, not the database, gives new rows a value."""
    stored_as: str | None = None
    """Its name in the database where that is stated, and stays when the field is renamed."""


@dataclass(frozen=True, slots=True)
class CreateTable:
    """`table` is what later steps call it by; `name` its name in the database where that is another."""

    table: str
    columns: tuple[SchemaColumn, ...] = ()
    keys: tuple[Key, ...] = ()
    name: str | None = None
    is_whole: bool = True
    """Whether all of its columns are told."""


@dataclass(frozen=True, slots=True)
class DropTable:
    """The table goes, with all that is in it."""

    table: str


@dataclass(frozen=True, slots=True)
class RenameTable:
    """`to` is what it is called by from now on, `name` its new name in the database; None where that stays."""

    table: str
    to: str
    name: str | None = None


@dataclass(frozen=True, slots=True)
class AddColumn:
    """A new column."""

    table: str
    column: SchemaColumn


@dataclass(frozen=True, slots=True)
class DropColumn:
    """The column goes, with the keys over it."""

    table: str
    column: str


@dataclass(frozen=True, slots=True)
class RenameColumn:
    """The column is called `to` from now on."""

    table: str
    column: str
    to: str


@dataclass(frozen=True, slots=True)
class AlterColumn:
    """A column that is `declared` anew (Django), or changed in what isn't None (Alembic)."""

    table: str
    column: str
    type: str | None = None
    nullable: bool | None = None
    default: Default | None = None
    length: int | None = None
    declared: SchemaColumn | None = None


@dataclass(frozen=True, slots=True)
class AddKey:
    """`is_concurrent`: built while the table stays writable. `is_built`: made of an index that is there already."""

    table: str
    key: Key
    is_concurrent: bool = False
    is_built: bool = False


@dataclass(frozen=True, slots=True)
class DropKey:
    """`table` may be unknown: an index's name is enough for most databases."""

    table: str | None
    name: str | None
    is_concurrent: bool = False


@dataclass(frozen=True, slots=True)
class RenameKey:
    """`columns` tell which key is meant where it had no name."""

    table: str
    name: str | None
    to: str
    columns: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SetKeys:
    """Keys that are declared all at once under one name, as Django's `unique_together` is."""

    table: str
    name: str
    keys: tuple[Key, ...]


@dataclass(frozen=True, slots=True)
class AddForeignKey:
    """`is_valid`: rows that are there already are checked, while both tables are locked."""

    table: str
    columns: tuple[str, ...]
    refers_to: str | None
    name: str | None = None
    is_valid: bool = True


@dataclass(frozen=True, slots=True)
class AddCheck:
    """A check constraint; `is_valid` as with a foreign key, `required` the column that it keeps from being NULL."""

    table: str
    name: str | None = None
    is_valid: bool = True
    required: str | None = None


@dataclass(frozen=True, slots=True)
class DropConstraint:
    """A constraint by its name; `name` is None where none is given, which no database can run."""

    table: str
    name: str | None


@dataclass(frozen=True, slots=True)
class ChangeData:
    """Rows change, or what no schema holds; the tables stay as they are."""


@dataclass(frozen=True, slots=True)
class Unclear:
    """Something happens to the table that can't be told; to any table where `table` is None."""

    table: str | None = None


SchemaStep: TypeAlias = (
    CreateTable
    | DropTable
    | RenameTable
    | AddColumn
    | DropColumn
    | RenameColumn
    | AlterColumn
    | AddKey
    | DropKey
    | RenameKey
    | SetKeys
    | AddForeignKey
    | AddCheck
    | DropConstraint
    | ChangeData
    | Unclear
)


@dataclass(frozen=True, slots=True)
class SchemaTable:
    """A table as the migrations leave it. `is_whole` says that all about it is known, `is_created` that one of them
    makes it: else its beginning lies elsewhere.
    """

    name: str
    columns: tuple[SchemaColumn, ...] = ()
    keys: tuple[Key, ...] = ()
    is_whole: bool = True
    is_created: bool = True

    def column(self, name: str) -> SchemaColumn | None:
        """The column of that name; Django's also by the name that a foreign key has in the database."""
        by_name = {c.name: c for c in self.columns}
        return by_name.get(name) or by_name.get(name.removesuffix("_id"))

    @property
    def all_keys(self) -> tuple[Key, ...]:
        """Its keys, those that columns declare included."""
        primary = tuple(c.name for c in self.columns if c.is_key)
        of_columns = (
            Key((c.name,), KeyKind.UNIQUE if c.is_unique else KeyKind.INDEX)
            for c in self.columns
            if (c.is_unique or c.is_indexed) and not c.is_key
        )
        stated = (Key(primary, KeyKind.PRIMARY),) if primary else ()
        return (*stated, *of_columns, *(self._by_fields(key) for key in self.keys))

    def _by_fields(self, key: Key) -> Key:
        """The key with the columns' names here, where SQL made it over their names in the database."""
        known = {c.name for c in self.columns}
        if known.issuperset(key.columns):
            return key
        stored = {c.stored_as: c.name for c in self.columns if c.stored_as is not None}
        found = ((column, stored.get(column, column.removesuffix("_id"))) for column in key.columns)
        return replace(key, columns=tuple(name if name in known else column for column, name in found))


@dataclass(frozen=True, slots=True)
class Schema:
    """The tables that replaying migrations gives. `is_whole` is False where something happened to an unknown table."""

    tables: tuple[SchemaTable, ...] = ()
    is_whole: bool = True

    def table(self, name: str) -> SchemaTable | None:
        """The table of that name in the database."""
        return next((t for t in self.tables if t.name == name), None)
