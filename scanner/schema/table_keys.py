"""Which key serves each foreign key, and whether associations hold each pair once."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from assay.scanner.model.database import Dialect
from assay.scanner.model.role import Role
from assay.scanner.model.schema import Key, KeyKind, Schema
from assay.scanner.model.table import Column, Table
from assay.scanner.model.table_key import Association, ForeignKey

_MANY = ("ManyToManyField", "TaggableManager", "ParentalManyToManyField")
_BOOKKEEPING = (
    "created", "updated", "modified", "date_added", "added", "deleted", "timestamp", "inserted", "joined", "uuid",
    "last_",
)  # fmt: skip
"""How columns begin that say when a row was made, and no more."""
_EVENT = re.compile(
    r"(?:(?<!re)view|visit|log|event|history|access|download|click|session|attempt|transfer|impression)"
    r"(?:e?s)?$",
    re.IGNORECASE,
)
"""How tables are called whose rows each say that something happened, which happens again."""
_AUTHORS = ("created_by", "updated_by", "modified_by", "deleted_by", "created_by_id", "updated_by_id", "added_by")
_MOST_BOOKKEEPING = 6
_KEYS_READ = ("SQLAlchemy", "Django ORM")
"""The libraries whose unique keys over several columns are known."""


def foreign_keys(tables: Sequence[Table], schema: Schema, dialects: frozenset[Dialect]) -> Iterator[ForeignKey]:
    """Every foreign key of the tables, by the model's declaration, with what the migrations know of indexes."""
    for table in tables:
        keys = _keys(table, schema)
        for column in table.columns:
            if column.fk_to is None or _is_linked(column, table):
                continue
            serving = next((k for k in keys if k.columns[:1] == (column.name,) and _serves(k, column.name)), None)
            if serving is None and column.indexed:
                serving = Key((column.name,), location=column.location)
            yield ForeignKey(
                table.name,
                (column.name,),
                column.fk_to,
                column.location,
                table.role,
                serving,
                dialects,
                table.is_whole,
            )


def associations(tables: Sequence[Table], schema: Schema) -> Iterator[Association]:
    """The tables that hold little but two or more foreign keys. What others refer to is a thing of its own."""
    things = {c.fk_to.rsplit(".", 1)[-1] for table in tables for c in table.columns if c.fk_to is not None}
    for table in tables:
        if table.framework not in _KEYS_READ or not things.isdisjoint({table.name, table.model}):
            continue
        ends = tuple(c.name for c in table.columns if c.fk_to is not None and not c.name.endswith(_AUTHORS))
        keys = _keys(table, schema)
        own = {c for k in keys if k.kind is KeyKind.PRIMARY and len(k.columns) == 1 for c in k.columns} - set(ends)
        stored = [c for c in table.columns if not c.type.endswith(_MANY) and not c.name.endswith(_AUTHORS)]
        others = [c.name for c in stored if c.name not in ends and c.name not in own]
        happens = _EVENT.search(table.name) is not None
        payload = tuple(name for name in others if happens or not name.lower().startswith(_BOOKKEEPING))
        if len(ends) < 2 or len(others) > _MOST_BOOKKEEPING:
            continue
        spanning = [k for k in keys if k.is_unique and k.columns and set(k.columns) <= {*ends} and len(k.columns) > 1]
        one_each = [k for k in keys if k.is_unique and len(k.columns) == 1 and k.columns[0] in ends]
        whole = next((k for k in [*spanning, *one_each] if not k.is_partial), None)
        partial = next((k for k in spanning if k.is_partial), None)
        wider = next((k for k in keys if k.is_unique and set(k.columns) >= set(ends[:2]) and k is not whole), None)
        yield Association(
            table.name, table.location, table.role, ends, payload, whole or wider, partial, table.is_whole
        )


def _keys(table: Table, schema: Schema) -> list[Key]:
    """What the model declares, and what a migration adds besides."""
    migrated = schema.table(table.name)
    return [*table.keys, *(migrated.all_keys if migrated is not None else ())]


def _serves(key: Key, column: str) -> bool:
    """A partial index serves where all that it leaves out are rows without a reference."""
    return not key.is_partial or key.condition <= {
        column,
        "is",
        "IS",
        "not",
        "NOT",
        "null",
        "NULL",
        "isnull",
        "is_not",
        "isnot",
    }


def _is_linked(column: Column, table: Table) -> bool:
    """The link of a child to its parent's row is the child's primary key."""
    return column.unique or any(k.kind is KeyKind.PRIMARY and k.columns == (column.name,) for k in table.keys)


def of_production(tables: Sequence[Table]) -> list[Table]:
    """One for each name: two services' models may map one table. Of one that others make nobody knows the keys."""
    found: dict[str, Table] = {}
    for table in tables:
        if table.role is Role.PROD and table.is_managed:
            found.setdefault(table.name, table)
    return list(found.values())
