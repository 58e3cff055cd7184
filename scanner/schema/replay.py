"""Replaying migrations: the schema that they leave, as far as it can be told."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from assay.scanner.model.migration import Migration, SchemaChange
from assay.scanner.model.schema import (
    AddCheck,
    AddColumn,
    AddForeignKey,
    AddKey,
    AlterColumn,
    CreateTable,
    DropColumn,
    DropConstraint,
    DropKey,
    DropTable,
    Key,
    KeyKind,
    RenameColumn,
    RenameKey,
    RenameTable,
    Schema,
    SchemaColumn,
    SchemaStep,
    SchemaTable,
    SetKeys,
    Unclear,
)
from assay.scanner.schema.order import in_order, without_replaced


def schema_of(migrations: Iterable[Migration]) -> Schema:
    """The schema after all of them. Of test migrations the caller has taken care."""
    replay = Replay()
    for migration in in_order(without_replaced(migrations)):
        for change in migration.believed if migration.believed is not None else migration.changes:
            replay.apply(change)
    return replay.schema()


@dataclass(slots=True)
class _Table:
    """A table while steps change it. `constraints` are the columns of foreign keys, by the constraint's name.

    `checked` are the columns that a check keeps from being NULL.
    """

    name: str
    columns: dict[str, SchemaColumn] = field(default_factory=dict)
    keys: list[Key] = field(default_factory=list)
    constraints: dict[str, tuple[str, ...]] = field(default_factory=dict)
    checked: set[str] = field(default_factory=set)
    is_whole: bool = True
    is_created: bool = True

    def known_as(self, column: str) -> str:
        """The name that the column has here: raw SQL says `org_id` where Django says `org`."""
        if column not in self.columns and column.removesuffix("_id") in self.columns:
            return column.removesuffix("_id")
        return column


class Replay:
    """A schema that steps are applied to, one after the other."""

    def __init__(self) -> None:
        self._tables: dict[str, _Table] = {}
        self._is_whole = True

    def apply(self, change: SchemaChange) -> None:
        """All steps of a change. What only happens under a condition leaves its table partly known."""
        for step in change.steps:
            self.step(step)
            table = getattr(step, "table", None)
            if change.is_conditional and isinstance(table, str) and (found := self._find(table)) is not None:
                found.is_whole = False

    def schema(self) -> Schema:
        """What there is now, by name."""
        names = {key: table.name for key, table in self._tables.items()}
        tables = [
            SchemaTable(
                table.name,
                tuple(
                    replace(c, refers_to=names.get(c.refers_to, c.refers_to) if c.refers_to else None)
                    for c in table.columns.values()
                ),
                tuple(table.keys),
                table.is_whole,
                table.is_created,
            )
            for table in self._tables.values()
        ]
        return Schema(tuple(sorted(tables, key=lambda t: t.name)), self._is_whole)

    def step(self, step: SchemaStep) -> None:
        """Apply one step. What is done to a table that nobody made leaves a partly known one."""
        match step:
            case CreateTable() | DropTable() | RenameTable():
                self._on_tables(step)
            case AddColumn() | DropColumn() | RenameColumn() | AlterColumn():
                self._on_columns(step)
            case AddKey() | DropKey() | RenameKey() | SetKeys():
                self._on_keys(step)
            case AddForeignKey(table, columns, refers_to, name):
                self._refer(self._table(table), columns, refers_to, name)
            case AddCheck(table, _, _, str(column)):
                found = self._table(table)
                found.checked.add(found.known_as(column))
            case DropConstraint(table, name):
                self._drop_constraint(self._table(table), name)
            case Unclear(None):
                self._is_whole = False
            case Unclear(str(table)):
                self._table(table).is_whole = False

    def _on_tables(self, step: CreateTable | DropTable | RenameTable) -> None:
        match step:
            case CreateTable():
                self._create(step)
            case DropTable(table):
                found = self._find(table)
                self._tables = {key: t for key, t in self._tables.items() if t is not found}
            case RenameTable(table, to, name):
                self._rename(table, to, name)

    def _on_columns(self, step: AddColumn | DropColumn | RenameColumn | AlterColumn) -> None:
        table = self._table(step.table)
        match step:
            case AddColumn(_, column):
                table.columns[column.name] = column
            case DropColumn(_, name):
                self._drop_column(table, name)
            case RenameColumn(_, name, to):
                self._rename_column(table, name, to)
            case AlterColumn():
                self._alter(table, step)

    def _on_keys(self, step: AddKey | DropKey | RenameKey | SetKeys) -> None:
        match step:
            case AddKey(table, key):
                self._add_key(self._table(table), key, is_built=step.is_built)
            case DropKey(table, name):
                self._drop_key(self._find(table) if table is not None else None, name)
            case RenameKey(table, name, to, columns):
                self._rename_key(self._table(table), name, to, columns)
            case SetKeys(table, name, keys):
                found = self._table(table)
                found.keys = [k for k in found.keys if k.name != name] + list(keys)

    def column(self, table: str, name: str) -> SchemaColumn | None:
        """A column as it is now."""
        found = self._find(table)
        return found.columns.get(found.known_as(name)) if found is not None else None

    def is_checked(self, table: str, column: str) -> bool:
        """Whether a check keeps the column from being NULL."""
        found = self._find(table)
        return found is not None and found.known_as(column) in found.checked

    def name(self, table: str) -> str | None:
        """A table's name in the database."""
        found = self._find(table)
        return found.name if found is not None else None

    # --- tables ---

    def _find(self, table: str) -> _Table | None:
        return self._tables.get(table) or next((t for t in self._tables.values() if t.name == table), None)

    def _table(self, table: str) -> _Table:
        """The table, or a partly known one in its place."""
        found = self._find(table)
        if found is None:
            found = self._tables[table] = _Table(table.replace(".", "_"), is_whole=False, is_created=False)
        return found

    def _create(self, step: CreateTable) -> None:
        if step.table in self._tables:
            self._tables[step.table].is_whole = False  # made twice: one of the two is conditional
            return
        columns = {c.name: c for c in step.columns}
        self._tables[step.table] = _Table(step.name or step.table, columns, list(step.keys), is_whole=step.is_whole)

    def _rename(self, table: str, to: str, name: str | None) -> None:
        found = self._table(table)
        key = next(k for k, t in self._tables.items() if t is found)
        if name is None:
            by_default = key.replace(".", "_")
            name = to.replace(".", "_") if found.name == by_default else found.name
        found.name = name
        new = to if key == table else key
        self._tables = {new if t is found else k: t for k, t in self._tables.items()}
        for other in self._tables.values():
            for column in other.columns.values():
                if column.refers_to == key:
                    other.columns[column.name] = replace(column, refers_to=new)

    # --- columns ---

    def _drop_column(self, table: _Table, name: str) -> None:
        name = table.known_as(name)
        table.columns.pop(name, None)
        table.keys = [k for k in table.keys if name not in k.columns]
        table.constraints = {c: columns for c, columns in table.constraints.items() if name not in columns}

    def _rename_column(self, table: _Table, name: str, to: str) -> None:
        name = table.known_as(name)
        table.columns = {
            to if n == name else n: replace(c, name=to) if n == name else c for n, c in table.columns.items()
        }
        if to not in table.columns:
            table.columns[to] = SchemaColumn(to)
        table.keys = [replace(k, columns=_renamed(k.columns, name, to)) for k in table.keys]
        table.constraints = {c: _renamed(columns, name, to) for c, columns in table.constraints.items()}

    def _alter(self, table: _Table, step: AlterColumn) -> None:
        name = table.known_as(step.column)
        if step.declared is not None:
            table.columns[name] = replace(step.declared, name=name)
            return
        column = table.columns.get(name) or SchemaColumn(name)
        table.columns[name] = replace(
            column,
            type=step.type or column.type,
            nullable=column.nullable if step.nullable is None else step.nullable,
            default=column.default if step.default is None else step.default,
            length=step.length if step.type is not None else column.length,
        )

    # --- keys ---

    def _add_key(self, table: _Table, key: Key, *, is_built: bool) -> None:
        if is_built:
            # It takes over an index, which goes by the constraint's name from now on.
            table.keys = [replace(k, kind=key.kind) if k.name == key.name else k for k in table.keys]
            return
        columns = tuple(table.known_as(c) for c in key.columns)
        table.keys.append(replace(key, columns=columns))
        if key.kind is KeyKind.PRIMARY:
            for name in columns:
                if name in table.columns:
                    table.columns[name] = replace(table.columns[name], nullable=False)

    def _drop_key(self, table: _Table | None, name: str | None) -> bool:
        """Whether the key was known."""
        is_known = False
        for each in [table] if table is not None else list(self._tables.values()):
            kept = [k for k in each.keys if k.name != name]
            is_known = is_known or len(kept) < len(each.keys)
            if name is not None and not is_known and table is not None:
                is_known = self._drop_implicit(each, name)
            each.keys = kept
        return is_known

    def _drop_implicit(self, table: _Table, name: str) -> bool:
        """A key that a column declares has a name made of table and column: `ix_user_email`."""
        by_suffix = [c for c in table.columns if name.removesuffix("_key").removesuffix("_idx").endswith(c)]
        if by_suffix:
            longest = max(by_suffix, key=len)
            table.columns[longest] = replace(table.columns[longest], is_unique=False, is_indexed=False)
        return bool(by_suffix)

    def _rename_key(self, table: _Table, name: str | None, to: str, columns: tuple[str, ...]) -> None:
        table.keys = [
            replace(k, name=to)
            if (name is not None and k.name == name) or (name is None and k.columns == columns)
            else k
            for k in table.keys
        ]

    # --- constraints ---

    def _refer(self, table: _Table, columns: tuple[str, ...], refers_to: str | None, name: str | None) -> None:
        for column in (table.known_as(c) for c in columns):
            if column in table.columns:
                table.columns[column] = replace(table.columns[column], refers_to=refers_to or "?")
        if name is not None:
            table.constraints[name] = columns

    def _drop_constraint(self, table: _Table, name: str | None) -> None:
        if name is None:
            return
        columns = table.constraints.pop(name, None)
        if columns is None and name.endswith("_fkey"):
            columns = tuple(c for c in table.columns if name == f"{table.name}_{c}_fkey")
        for column in columns or ():
            if column in table.columns:
                table.columns[column] = replace(table.columns[column], refers_to=None)
        if not columns and not self._drop_key(table, name):
            table.is_whole = False  # a constraint of the database's own naming


def _renamed(columns: tuple[str, ...], name: str, to: str) -> tuple[str, ...]:
    return tuple(to if c == name else c for c in columns)
