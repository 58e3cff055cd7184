"""What plain SQL statements do to a schema."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

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

if TYPE_CHECKING:
    from sqlglot import exp

_COMMENT = re.compile(r"--[^\n]*|/\*.*?\*/", re.DOTALL)
_CHANGES_SCHEMA = re.compile(
    r"\b(?:CREATE\s+(?:TEMP(?:ORARY)?\s+|UNLOGGED\s+)?TABLE|CREATE\s+(?:UNIQUE\s+)?INDEX|ALTER\s+(?:TABLE|INDEX)"
    r"|DROP\s+(?:TABLE|INDEX)|RENAME\s+TABLE)\b",
    re.IGNORECASE,
)
_BODY = re.compile(r"\$\w*\$|\bCREATE\s+(?:OR\s+REPLACE\s+)?(?:FUNCTION|PROCEDURE|TRIGGER)\b|\bDO\b", re.IGNORECASE)
# What sqlglot can't take apart.
_HARMLESS = re.compile(r"\b(?:VALIDATE|RENAME)\s+CONSTRAINT\b|\bALTER\s+INDEX\b", re.IGNORECASE)
_USING_INDEX = re.compile(
    r"ALTER\s+TABLE\s+(?:ONLY\s+)?(?P<table>[\w.\"]+)\s+ADD\s+CONSTRAINT\s+(?P<name>[\w\"]+)\s+"
    r"(?P<kind>UNIQUE|PRIMARY\s+KEY)\s+USING\s+INDEX",
    re.IGNORECASE,
)
_ALTER = re.compile(r"ALTER\s+TABLE\s+(?:IF\s+EXISTS\s+)?(?:ONLY\s+)?(?P<table>[\w.\"`]+)", re.IGNORECASE)
_REQUIRED = re.compile(r"\W*(?:NOT\W+(\w+)\W+IS\s+NULL|(\w+)\W+IS\s+NOT\s+NULL)\W*", re.IGNORECASE)
_VOLATILE = re.compile(r"random|uuid|nextval|clock_timestamp", re.IGNORECASE)


def steps_of_sql(text: str) -> tuple[SchemaStep, ...]:
    """The steps of the statements, in order; Unclear for what they do to tables in a way that can't be told."""
    plain = _COMMENT.sub(" ", text)
    if not _CHANGES_SCHEMA.search(plain):
        return (ChangeData(),)
    if _BODY.search(plain):
        # What a function's body does is for when it is called; a DO block decides at run time.
        return (Unclear(),) if re.search(r"\bDO\b", plain, re.IGNORECASE) else (ChangeData(),)
    steps: list[SchemaStep] = []
    for statement in plain.split(";"):
        steps += _of_statement(statement) if statement.strip() else ()
    return tuple(steps)


def changes_schema(text: str) -> bool:
    """Whether a text, or part of one, speaks of a change to tables."""
    return _CHANGES_SCHEMA.search(_COMMENT.sub(" ", text)) is not None


def is_volatile(default: str) -> bool:
    """Whether a default is computed anew for each row, so that adding it writes them all."""
    return _VOLATILE.search(default) is not None


def required_by(condition: str) -> str | None:
    """The column of a check `email IS NOT NULL`, which says no more than that."""
    found = _REQUIRED.fullmatch(condition)
    return found[1] or found[2] if found is not None else None


def _of_statement(text: str) -> list[SchemaStep]:
    if not _CHANGES_SCHEMA.search(text) or _HARMLESS.search(text):
        return [ChangeData()]
    using = _USING_INDEX.search(text)
    if using is not None:
        kind = KeyKind.UNIQUE if using["kind"].upper() == "UNIQUE" else KeyKind.PRIMARY
        return [AddKey(_plain(using["table"]), Key((), kind, _plain(using["name"])), is_built=True)]
    import sqlglot
    from sqlglot.errors import SqlglotError

    # What it can't take apart is Unclear here, and no news to the user.
    logging.getLogger("sqlglot").setLevel(logging.ERROR)
    try:
        parsed: exp.Expr | None = sqlglot.parse_one(text, dialect="postgres")
    except (SqlglotError, RecursionError):
        parsed = None
    steps = list(_of_expression(parsed)) if parsed is not None else []
    altered = _ALTER.search(text)
    return steps or [Unclear(_plain(altered["table"]) if altered is not None else None)]


def _plain(name: str) -> str:
    return name.rsplit(".", 1)[-1].strip('"`')


def _of_expression(node: exp.Expr) -> Iterator[SchemaStep]:
    from sqlglot import exp

    match node:
        case exp.Create(kind="TABLE"):
            yield from _created(node)
        case exp.Create(kind="INDEX"):
            yield from _indexed(node)
        case exp.Drop(kind="TABLE"):
            yield from (DropTable(table.name) for table in node.args.get("tables") or ())
        case exp.Drop(kind="INDEX"):
            concurrently = bool(node.args.get("concurrently"))
            yield from (DropKey(None, index.name, concurrently) for index in node.args.get("tables") or ())
        case exp.Alter(kind="INDEX"):
            yield ChangeData()
        case exp.Alter(kind="TABLE"):
            for action in node.args.get("actions") or ():
                found = list(_altered(node.this.name, action, is_valid=not node.args.get("not_valid")))
                yield from found or (Unclear(node.this.name),)


def _created(node: exp.Create) -> Iterator[SchemaStep]:
    from sqlglot import exp

    schema = node.this
    if not isinstance(schema, exp.Schema):
        yield Unclear(node.this.name)  # CREATE TABLE ... AS SELECT
        return
    table = schema.this.name
    columns = tuple(_column(c) for c in schema.expressions if isinstance(c, exp.ColumnDef))
    keys = [key for c in schema.expressions for key in _keys_in(c)]
    yield CreateTable(table, columns, tuple(keys), table)
    for item in schema.expressions:
        yield from _foreign_keys(table, item, is_valid=True)


def _column(node: exp.ColumnDef) -> SchemaColumn:
    from sqlglot import exp

    kinds = [c.kind for c in node.args.get("constraints") or () if isinstance(c, exp.ColumnConstraint)]
    default = next((k for k in kinds if isinstance(k, exp.DefaultColumnConstraint)), None)
    reference = next((r for k in kinds for r in [*k.find_all(exp.Reference)]), None)
    target = reference.find(exp.Table) if reference is not None else None
    is_key = any(isinstance(k, exp.PrimaryKeyColumnConstraint) for k in kinds)
    is_required = any(isinstance(k, exp.NotNullColumnConstraint) and not k.args.get("allow_null") for k in kinds)
    kind = node.kind
    type_ = kind.sql().upper() if kind is not None else ""
    is_written = "SERIAL" in type_ or any(
        isinstance(k, exp.GeneratedAsIdentityColumnConstraint | exp.ComputedColumnConstraint) for k in kinds
    )
    computed = Default.VOLATILE if is_written else Default.NONE
    if default is not None:
        computed = Default.VOLATILE if is_volatile(default.sql()) else Default.CONSTANT
    return SchemaColumn(
        name=node.name,
        type=type_,
        nullable=not (is_required or is_key),
        default=computed,
        refers_to=target.name if target is not None else None,
        is_unique=any(isinstance(k, exp.UniqueColumnConstraint) for k in kinds),
        is_key=is_key,
    )


def _indexed(node: exp.Create) -> Iterator[SchemaStep]:
    from sqlglot import exp

    index = node.this
    table = index.args.get("table")
    parameters = index.args.get("params")
    if table is None or parameters is None:
        yield Unclear()
        return
    columns = []
    for part in parameters.args.get("columns") or ():
        inner = part.this if isinstance(part, exp.Ordered) else part
        inner = inner.this if isinstance(inner, exp.Opclass) else inner
        columns.append(inner.name if isinstance(inner, exp.Column | exp.Identifier) else "")
    where = parameters.args.get("where")
    asked = frozenset(c.name for c in where.find_all(exp.Column)) if where is not None else frozenset[str]()
    kind = KeyKind.UNIQUE if node.args.get("unique") else KeyKind.INDEX
    key = Key(tuple(columns), kind, index.name or None, where is not None, asked)
    yield AddKey(table.name, key, bool(node.args.get("concurrently")))


def _altered(table: str, action: exp.Expr, *, is_valid: bool) -> Iterator[SchemaStep]:
    from sqlglot import exp

    match action:
        case exp.ColumnDef():
            yield AddColumn(table, _column(action))
        case exp.Drop(kind="COLUMN"):
            yield from (DropColumn(table, column.name) for column in action.args.get("tables") or ())
        case exp.Drop(kind="CONSTRAINT"):
            yield from (DropConstraint(table, named.name) for named in action.args.get("tables") or ())
        case exp.RenameColumn():
            yield RenameColumn(table, action.this.name, action.args["to"].name)
        case exp.AlterRename():
            yield RenameTable(table, action.this.name, action.this.name)
        case exp.AlterColumn():
            type_ = action.args.get("dtype")
            default = action.args.get("default")
            dropped = action.args.get("drop") and action.args.get("allow_null") is None
            yield AlterColumn(
                table,
                action.this.name,
                type_.sql().upper() if type_ is not None else None,
                action.args.get("allow_null"),
                Default.CONSTANT if default is not None else Default.NONE if dropped else None,
            )
        case exp.AddConstraint():
            for item in action.expressions:
                yield from (AddKey(table, key) for key in _keys_in(item))
                yield from _foreign_keys(table, item, is_valid=is_valid)
                check = item.find(exp.CheckColumnConstraint)
                if check is not None:
                    yield AddCheck(table, item.name or None, is_valid, required_by(check.this.sql()))


def _keys_in(node: exp.Expr) -> Iterator[Key]:
    """The keys of a table's constraint; those of a column are the column's."""
    from sqlglot import exp

    if isinstance(node, exp.ColumnDef):
        return
    name = node.name or None if isinstance(node, exp.Constraint) else None
    for part in [node, *(node.expressions if isinstance(node, exp.Constraint) else ())]:
        if isinstance(part, exp.PrimaryKey):
            yield Key(tuple(e.name for e in part.expressions), KeyKind.PRIMARY, name)
        elif isinstance(part, exp.UniqueColumnConstraint) and isinstance(part.this, exp.Schema):
            yield Key(tuple(e.name for e in part.this.expressions), KeyKind.UNIQUE, name)


def _foreign_keys(table: str, node: exp.Expr, *, is_valid: bool) -> Iterator[AddForeignKey]:
    from sqlglot import exp

    if isinstance(node, exp.ColumnDef):
        return
    for key in node.find_all(exp.ForeignKey):
        target = key.find(exp.Table)
        name = node.name or None if isinstance(node, exp.Constraint) else None
        columns = tuple(e.name for e in key.expressions)
        yield AddForeignKey(table, columns, target.name if target is not None else None, name, is_valid)
