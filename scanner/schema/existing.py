"""What new migrations do to tables that were there before them, with what is known of their columns until then."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from assay.scanner.model.migration import Migration, SchemaChange
from assay.scanner.model.schema import (
    AddColumn,
    AlterColumn,
    ChangeData,
    CreateTable,
    DropColumn,
    DropTable,
    RenameColumn,
    RenameTable,
    SchemaColumn,
    SchemaStep,
)
from assay.scanner.schema.order import in_order, without_replaced
from assay.scanner.schema.replay import Replay


@dataclass(frozen=True, slots=True)
class OnExisting:
    """A step of a new migration on a table that the last release has.

    `before` is the altered or renamed column as it was, None where that isn't known or another step is meant. `is_new`
    says that the columns it is about came with this release. `was_believed`: until then the library knew of the table,
    and of the column that is meant.
    """

    change: SchemaChange
    step: SchemaStep
    before: SchemaColumn | None
    is_new: bool
    was_believed: bool
    table_name: str | None = None
    """The table's name in the database until then."""
    is_checked: bool = False
    """A check keeps the altered column from being NULL."""


def on_existing(migrations: Iterable[Migration], new: Collection[str]) -> dict[str, list[OnExisting]]:
    """By the name of each new migration, in order."""
    replay = Replay()
    made = _Made(set(), set(), set())
    found: dict[str, list[OnExisting]] = {}
    for migration in in_order(without_replaced(migrations)):
        believed = migration.believed if migration.believed is not None else migration.changes
        if migration.name in new:
            found[migration.name] = list(_steps(migration, believed, replay, made))
        else:
            for change in believed:
                replay.apply(change)
    return found


@dataclass(frozen=True, slots=True)
class _Made:
    """The tables, and the columns of older ones, that new migrations have made so far; and what models lost in them."""

    tables: set[str]
    columns: set[tuple[str, str]]
    given_up: set[tuple[str, str]]
    """What is left to the database alone since: the tables' names there, with a column or none."""

    def note(self, step: SchemaStep) -> None:
        if isinstance(step, CreateTable):
            self.tables.update({step.table, step.name or step.table})
        elif isinstance(step, RenameTable) and step.table in self.tables:
            self.tables.update({step.to, step.name or step.to})
        if isinstance(step, AddColumn):
            self.columns.add((step.table, step.column.name))


def _steps(
    migration: Migration, believed: tuple[SchemaChange, ...], replay: Replay, made: _Made
) -> Iterator[OnExisting]:
    # What only the library believes may make a table or a column that is in the database already.
    for change in migration.changes:
        in_state = change in believed
        for step in change.steps:
            made.note(step)
            if isinstance(step, ChangeData):
                continue
            table = getattr(step, "table", None)
            if table not in made.tables and not isinstance(step, CreateTable):
                yield _on_existing(change, step, replay, made)
            if in_state:
                replay.step(step)
    for change in believed:
        if change not in migration.changes:
            for step in change.steps:
                if isinstance(step, DropTable | DropColumn):
                    made.given_up.add((replay.name(step.table) or "", getattr(step, "column", "")))
            replay.apply(change)


def _on_existing(change: SchemaChange, step: SchemaStep, replay: Replay, made: _Made) -> OnExisting:
    table = getattr(step, "table", None)
    columns = _columns_of(step)
    is_new = bool(columns) and all((table, c) in made.columns for c in columns)
    before = replay.column(step.table, step.column) if isinstance(step, AlterColumn | RenameColumn) else None
    name = replay.name(table) if table is not None else None
    is_known = name is not None
    if isinstance(step, DropTable):
        is_known = is_known or (step.table, "") in made.given_up
    elif isinstance(step, DropColumn):
        lost = {(step.table, step.column), (step.table, step.column.removesuffix("_id"))}
        is_known = replay.column(step.table, step.column) is not None or not lost.isdisjoint(made.given_up)
    is_checked = isinstance(step, AlterColumn) and replay.is_checked(step.table, step.column)
    return OnExisting(change, step, before, is_new, is_known, name, is_checked)


def _columns_of(step: SchemaStep) -> tuple[str, ...]:
    key = getattr(step, "key", None)
    named = getattr(step, "column", None)
    if key is not None:
        return tuple(key.columns)
    if isinstance(named, str):
        return (named,)
    return tuple(getattr(step, "columns", ()))
