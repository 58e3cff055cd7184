"""Where models and migrations have parted: columns and foreign keys that only one of them knows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath

from assay.scanner.model.drift import MigratedTable
from assay.scanner.model.migration import Migration
from assay.scanner.model.place import Evidence
from assay.scanner.model.role import Role
from assay.scanner.model.schema import Schema, SchemaTable
from assay.scanner.model.table import Column, Table
from assay.scanner.schema.trees import ALEMBIC, Tree

_ALEMBICS = ("SQLAlchemy",)
_DJANGO = "Django ORM"


def migrated_tables(tables: Sequence[Table], trees: Sequence[Tree], schema: Schema) -> Iterator[MigratedTable]:
    """Each table of the service's models beside that of its migrations."""
    of_django = [tree for tree in trees if tree.migrations[0].framework == _DJANGO]
    apps = {tree.name for tree in of_django}
    homes = {f"{PurePosixPath(m.location.path).parent.parent}/" for tree in of_django for m in tree.migrations}
    has_alembic = any(tree.migrations[0].framework == ALEMBIC for tree in trees)
    known = {t.name: t for t in schema.tables}
    starts_elsewhere = any(not t.is_created for t in schema.tables)
    seen: set[str] = set()
    for table in tables:
        if table.role is not Role.PROD or not table.is_managed or table.name in seen:
            continue
        seen.add(table.name)
        found = known.get(table.name)
        migrates = (
            has_alembic
            if table.framework in _ALEMBICS
            else table.framework == _DJANGO and _has_migrations(table, apps, homes)
        )
        is_migrated = migrates and (found.is_created if found is not None else not starts_elsewhere)
        is_sure = schema.is_whole and table.is_whole and (found is None or found.is_whole)
        yield MigratedTable(
            table.name,
            table.location,
            table.role,
            is_migrated,
            tuple(_differences(table, found)) if is_migrated else (),
            is_sure,
            len(table.columns),
        )


def _has_migrations(table: Table, apps: set[str], homes: set[str]) -> bool:
    """Whether the table's app has migrations at all: they lie beside its models, or are called after the app."""
    beside = any(table.location.path.startswith(home) or home == "./" for home in homes)
    return beside or any(table.name.startswith(f"{app}_") for app in apps)


def _differences(table: Table, found: SchemaTable | None) -> Iterator[Evidence]:
    if found is None:
        yield Evidence(table.location, f"no migration makes the table {table.name}")
        return
    names = {c.name for c in found.columns}
    for column in table.columns:
        if column.name not in names:
            yield Evidence(column.location, f"no migration adds the column {column.name}")
        elif (lacks := _foreign_key(table, column, found)) is not None:
            yield lacks
    own = {c.name for c in table.columns}
    for extra in found.columns:
        if extra.name not in own:
            yield Evidence(table.location, f"the migrations leave a column {extra.name}, which the model doesn't have")


def _foreign_key(table: Table, column: Column, found: SchemaTable) -> Evidence | None:
    """A foreign key that only one of both has. Django's may be declared without a constraint in the database."""
    migrated = found.column(column.name)
    if table.framework == _DJANGO or migrated is None:
        return None
    if column.fk_to is not None and migrated.refers_to is None:
        return Evidence(column.location, f"no migration makes {column.name} a foreign key")
    if column.fk_to is None and migrated.refers_to is not None:
        return Evidence(column.location, f"the migrations make {column.name} a foreign key, which the model doesn't")
    return None


def migrations_of(trees: Sequence[Tree]) -> list[Migration]:
    """All migrations of the trees."""
    return [migration for tree in trees for migration in tree.migrations]
