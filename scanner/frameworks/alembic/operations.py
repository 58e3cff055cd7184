"""What one operation of Alembic does to the schema, step by step.

https://alembic.sqlalchemy.org/en/latest/ops.html
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from assay.scanner.dataflow.constants import Given, definitions, list_items, string_value
from assay.scanner.dataflow.expansion import arguments
from assay.scanner.linker.project import Project, last_name
from assay.scanner.linker.scopes import Scope
from assay.scanner.model.schema import (
    AddCheck,
    AddColumn,
    AddForeignKey,
    AddKey,
    AlterColumn,
    ChangeData,
    CreateTable,
    Default,
    DropColumn,
    DropConstraint,
    DropKey,
    DropTable,
    Key,
    KeyKind,
    RenameColumn,
    RenameTable,
    SchemaColumn,
    SchemaStep,
    Unclear,
)
from assay.scanner.readers.python import form
from assay.scanner.schema.sql import changes_schema, is_volatile, required_by, steps_of_sql

_NO_TYPES = frozenset(
    {"ForeignKey", "Sequence", "Identity", "Computed", "CheckConstraint", "FetchedValue", "Constraint"}
)
_OF_KEYS = {
    "create_index": KeyKind.INDEX,
    "create_unique_constraint": KeyKind.UNIQUE,
    "create_primary_key": KeyKind.PRIMARY,
}
_DEEPEST = 4


@dataclass(frozen=True, slots=True)
class Operation:
    """A call of an operation, what its arguments stand for in this turn, and the table that it is about.

    `in_batch`: the table is that of a batch, and the call doesn't name it.
    """

    name: str
    call: form.Call
    table: str | None
    scope: Scope
    given: Given
    in_batch: bool
    project: Project

    def text(self, node: form.Expr | None, scope: Scope | None = None) -> str | None:
        """A string, one marked as final by `op.f("ix_user_name")` or wrapped by `sa.text("...")`."""
        if isinstance(node, form.Call) and node.positional and last_name(node.func) in ("f", "text", "DDL"):
            node = node.positional[0]
        return string_value(node, scope or self.scope, self.project, self.given) if node is not None else None

    def is_on(self, name: str) -> bool | None:
        """What a flag says; None where nothing does."""
        return _flag(self.call, name)

    def argument(self, index: int, name: str) -> form.Expr | None:
        """By its place among the operation's arguments without the table, which batches leave out."""
        return self.call.keyword(name) or next(iter(self.call.positional[index:]), None)


def steps_of(operation: Operation) -> tuple[SchemaStep, ...]:
    """What the operation does to the schema."""
    return tuple(_steps(operation))


def _steps(op: Operation) -> Iterator[SchemaStep]:
    if op.name == "execute":
        yield from _executed(op)
        return
    if op.name in ("bulk_insert", "create_table_comment", "drop_table_comment"):
        yield ChangeData()
        return
    if op.name == "drop_index":
        named = op.text(op.argument(0, "index_name"))
        yield DropKey(op.table, named, bool(op.is_on("postgresql_concurrently")))
        return
    table = op.table
    if table is None:
        yield Unclear()
        return
    shift = 0 if op.in_batch else 1
    if op.name.endswith("_table"):
        yield from _of_table(op, table)
    elif op.name.endswith("_column"):
        yield from _of_column(op, table, shift)
    else:
        yield _of_key(op, table, shift)


def _of_table(op: Operation, table: str) -> Iterator[SchemaStep]:
    match op.name:
        case "create_table":
            yield from _created(op, table)
        case "drop_table":
            yield DropTable(table)
        case "rename_table":
            new = op.text(op.argument(1, "new_table_name"))
            yield RenameTable(table, new, new) if new is not None else Unclear(table)
        case _:
            yield Unclear(table)


def _of_column(op: Operation, table: str, shift: int) -> Iterator[SchemaStep]:
    if op.name == "alter_column":
        yield from _altered(op, table, shift)
    elif op.name == "drop_column":
        column = op.text(op.argument(shift, "column_name"))
        yield DropColumn(table, column) if column is not None else Unclear(table)
    else:
        node = op.argument(shift, "column")
        found = list(_columns(op, node, op.scope)) if node is not None else []
        yield from (AddColumn(table, column) for column in found)
        if not found:
            yield Unclear(table)


def _of_key(op: Operation, table: str, shift: int) -> SchemaStep:
    match op.name:
        case "create_index" | "create_unique_constraint" | "create_primary_key":
            return _key_added(op, table, shift)
        case "create_foreign_key":
            return _foreign_key(op, table, shift)
        case "create_check_constraint":
            name = op.text(op.argument(0, "constraint_name"))
            condition = op.text(op.argument(1 + shift, "condition")) or ""
            return AddCheck(table, name, not op.is_on("postgresql_not_valid"), required_by(condition))
        case "drop_constraint":
            named = op.argument(0, "constraint_name")
            name = op.text(named)
            is_nameless = named is None or (isinstance(named, form.Const) and named.value is None)
            return DropConstraint(table, name) if name is not None or is_nameless else Unclear(table)
    return ChangeData() if op.name == "create_exclude_constraint" else Unclear(table)


def _executed(op: Operation) -> Iterator[SchemaStep]:
    node = op.argument(0, "sqltext")
    text = op.text(node)
    if text is not None:
        yield from steps_of_sql(text)
        return
    while isinstance(node, form.Call) and node.positional and last_name(node.func) in ("text", "DDL"):
        node = node.positional[0]
    found = [node] if node is not None else []
    if isinstance(node, form.Name):
        found = [d for d, _ in definitions(node, op.scope, op.project)]
    parts = (p for n in found for t in form.walk(n) if isinstance(t, form.Template) for p in t.parts)
    literal = " ".join(p if isinstance(p, str) else " x " for p in parts)
    yield Unclear() if changes_schema(literal) else ChangeData()


# --- tables and columns ---


def _created(op: Operation, table: str) -> Iterator[SchemaStep]:
    columns: list[SchemaColumn] = []
    keys: list[Key] = []
    foreign: list[SchemaStep] = []
    is_whole = True
    for argument in op.call.args[1:] if op.call.keyword("table_name") is None else op.call.args:
        if argument.name is not None or argument.star == 2:
            continue
        items = [(argument.value, op.scope)]
        if argument.star:
            items = list_items(argument.value, op.scope, op.project, op.given)
            is_whole = is_whole and bool(items)
        for node, scope in items:
            name = last_name(node.func) if isinstance(node, form.Call) else None
            if isinstance(node, form.Call) and name in ("PrimaryKeyConstraint", "UniqueConstraint"):
                kind = KeyKind.PRIMARY if name == "PrimaryKeyConstraint" else KeyKind.UNIQUE
                keys.append(_key(op, node.positional, kind, node.keyword("name"), scope))
            elif isinstance(node, form.Call) and name == "Index":
                kind = KeyKind.UNIQUE if _flag(node, "unique") else KeyKind.INDEX
                keys.append(_key(op, node.positional[1:], kind, next(iter(node.positional), None), scope))
            elif isinstance(node, form.Call) and name == "ForeignKeyConstraint":
                foreign.append(_table_foreign_key(op, table, node, scope))
            elif name not in ("CheckConstraint", "ExcludeConstraint"):
                found = list(_columns(op, node, scope))
                is_whole = is_whole and bool(found)
                columns += found
    primary = next((k for k in keys if k.kind is KeyKind.PRIMARY), None)
    yield CreateTable(table, tuple(columns), tuple(keys), table, is_whole and (bool(columns) or primary is not None))
    yield from foreign


def _columns(op: Operation, node: form.Expr, scope: Scope, depth: int = _DEEPEST) -> Iterator[SchemaColumn]:
    """The column of `sa.Column("name", sa.Text())`, also behind a name or a function that makes one."""
    if isinstance(node, form.Name) and depth:
        for definition in definitions(node, scope, op.project)[:1]:
            yield from _columns(op, *definition, depth - 1)
    if not isinstance(node, form.Call):
        return
    if (last_name(node.func) or "").endswith("Column"):
        column = _column(op, node, scope)
        if column is not None:
            yield column
        return
    function = op.project.callee_function(node, scope) if depth else None
    for returned in function.returns[:1] if function is not None else ():
        if function is not None and returned.value is not None:
            given = {**op.given, **arguments(node, scope, function, op.project)}
            inside = Operation(op.name, op.call, op.table, function.scope, given, op.in_batch, op.project)
            yield from _columns(inside, returned.value, function.scope, depth - 1)


def _column(op: Operation, call: form.Call, scope: Scope) -> SchemaColumn | None:
    positional = list(call.positional)
    name = op.text(call.keyword("name") or (positional.pop(0) if positional else None), scope)
    if name is None:
        return None
    type_, length, target = "", None, None
    for node in [*positional, *([t] if (t := call.keyword("type_")) is not None else [])]:
        called = last_name(node.func if isinstance(node, form.Call) else node) or ""
        if called == "ForeignKey" and isinstance(node, form.Call):
            text = op.text(next(iter(node.positional), None), scope)
            target = _table_of(text) if text is not None else "?"
        elif not type_ and called not in _NO_TYPES:
            type_, length = called, _length(node)
    server = call.keyword("server_default")
    is_key = bool(_flag(call, "primary_key"))
    nullable = _flag(call, "nullable")
    return SchemaColumn(
        name=name,
        type=type_,
        nullable=not is_key if nullable is None else nullable,
        default=_default(op, server) or _computed(positional),
        refers_to=target,
        is_unique=bool(_flag(call, "unique")),
        is_indexed=bool(_flag(call, "index")),
        is_key=is_key,
        length=length,
        fills_in=call.keyword("default") is not None,
    )


def _computed(positional: list[form.Expr]) -> Default:
    """`sa.Identity()` and `sa.Computed("a * b", persisted=True)` write a value into each row."""
    for node in positional:
        called = last_name(node.func) if isinstance(node, form.Call) else None
        if isinstance(node, form.Call) and called in ("Identity", "Computed"):
            is_written = called == "Identity" or _flag(node, "persisted")
            return Default.VOLATILE if is_written else Default.CONSTANT
    return Default.NONE


def _altered(op: Operation, table: str, shift: int) -> Iterator[SchemaStep]:
    column = op.text(op.argument(shift, "column_name"))
    if column is None:
        yield Unclear(table)
        return
    type_ = op.call.keyword("type_")
    named = last_name(type_.func if isinstance(type_, form.Call) else type_) if type_ is not None else None
    nullable, default = op.is_on("nullable"), _default(op, op.call.keyword("server_default"))
    if type_ is not None or nullable is not None or default is not None:
        yield AlterColumn(table, column, named, nullable, default, _length(type_) if type_ is not None else None)
    new = op.call.keyword("new_column_name") or op.call.keyword("name")
    if new is not None:
        text = op.text(new)
        yield RenameColumn(table, column, text) if text is not None else Unclear(table)
    elif type_ is None and nullable is None and default is None:
        yield ChangeData()


def _length(type_: form.Expr) -> int | None:
    node = type_.argument(0, "length") if isinstance(type_, form.Call) else None
    return node.value if isinstance(node, form.Const) and isinstance(node.value, int) else None


def _default(op: Operation, node: form.Expr | None) -> Default | None:
    """What `server_default=` gives; None where it isn't said."""
    if node is None:
        return None
    if isinstance(node, form.Const) and (node.value is None or node.value is False):
        return Default.NONE
    text = op.text(node)
    called = last_name(node.func) if isinstance(node, form.Call) else None
    return Default.VOLATILE if is_volatile(text or called or "") else Default.CONSTANT


# --- keys and constraints ---


def _key_added(op: Operation, table: str, shift: int) -> SchemaStep:
    kind = _OF_KEYS[op.name]
    if op.is_on("unique"):
        kind = KeyKind.UNIQUE
    listed = op.argument(1 + shift, "columns")
    if listed is None:
        return Unclear(table)
    items = list_items(listed, op.scope, op.project, op.given)
    named = op.argument(0, "index_name") if op.name == "create_index" else op.argument(0, "constraint_name")
    if not items:
        return Unclear(table)
    key = _key(op, [node for node, _ in items], kind, named, items[0][1])
    where = next((a.value for a in op.call.args if a.name is not None and a.name.endswith("_where")), None)
    if where is not None:
        words = (op.text(where) or "").replace("(", " ").replace(")", " ").replace('"', " ").split()
        key = Key(key.columns, key.kind, key.name, True, frozenset(words), key.location)
    return AddKey(table, key, bool(op.is_on("postgresql_concurrently")))


def _key(op: Operation, nodes: list[form.Expr], kind: KeyKind, named: form.Expr | None, scope: Scope) -> Key:
    columns = tuple(
        (op.text(node, scope) or "") if not isinstance(node, form.Call) else _ordered(op, node, scope) for node in nodes
    )
    return Key(columns, kind, op.text(named, scope), location=op.scope.module.location(op.call))


def _ordered(op: Operation, node: form.Call, scope: Scope) -> str:
    """`name` of `sa.text("name DESC")`; nothing for an expression."""
    words = (op.text(node, scope) or "").split()
    return words[0].strip('"') if words and "(" not in words[0] and len(words) <= 2 else ""


def _foreign_key(op: Operation, table: str, shift: int) -> SchemaStep:
    target = op.text(op.argument(1 + shift, "referent_table"))
    local = op.argument(2 + shift, "local_cols")
    items = list_items(local, op.scope, op.project, op.given) if local is not None else []
    columns = tuple(op.text(*item) or "" for item in items)
    name = op.text(op.argument(0, "constraint_name"))
    return AddForeignKey(table, columns, target or "?", name, not op.is_on("postgresql_not_valid"))


def _table_foreign_key(op: Operation, table: str, node: form.Call, scope: Scope) -> AddForeignKey:
    local, remote = node.argument(0, "columns"), node.argument(1, "refcolumns")
    columns = list_items(local, scope, op.project, op.given) if local is not None else []
    targets = list_items(remote, scope, op.project, op.given) if remote is not None else []
    target = op.text(*targets[0]) if targets else None
    named = tuple(op.text(*item) or "" for item in columns)
    return AddForeignKey(table, named, _table_of(target) if target else "?", op.text(node.keyword("name"), scope))


def _table_of(target: str) -> str:
    """`user` of `"public.user.id"`."""
    parts = target.split(".")
    return parts[-2] if len(parts) > 1 else target


def _flag(call: form.Call, name: str) -> bool | None:
    value = call.keyword(name)
    return bool(value.value) if isinstance(value, form.Const) and value.value is not None else None
