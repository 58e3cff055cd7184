"""Statements in SQL, with what they ask of columns."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from assay.scanner.dataflow.constants import string_value
from assay.scanner.gathered import Gathered
from assay.scanner.linker.scopes import Scope
from assay.scanner.model.place import Location
from assay.scanner.model.role import Role
from assay.scanner.model.schema import SchemaTable
from assay.scanner.model.table import Column, Table
from assay.scanner.queries.conditions import Condition, Either, Part, Tables, Test, column_of
from assay.scanner.readers.python import form

if TYPE_CHECKING:
    from sqlglot import exp

_ASKS = re.compile(r"\b(?:WHERE|ORDER\s+BY)\b", re.IGNORECASE)
_READS = re.compile(r"\s*(?:SELECT|UPDATE|DELETE)\b", re.IGNORECASE)
_PLACEHOLDER = re.compile(r"%\(\w+\)s|%s|\?|\$\d+|(?<![:\w]):\w+")


@dataclass(frozen=True, slots=True, eq=False)
class Statement:
    """Conditions that all have to hold; `sort` is given where it takes the first few rows in that order."""

    scope: Scope
    parts: tuple[Part, ...]
    sort: Condition | None


def statements(gathered: Gathered, migrated: Mapping[str, SchemaTable], tables: Tables) -> Iterator[Statement]:
    """Those whose text can be told, and that read or change rows of tables that are known."""
    for execution in gathered.executions:
        scope = execution.scope
        if scope.module.role is not Role.PROD or execution.only_if_sql:
            continue
        text = string_value(execution.text.node, execution.text.scope, gathered.project)
        if text is None or not _READS.match(text) or not _ASKS.search(text):
            continue
        found = _read(text, execution.call, scope, migrated, tables)
        if found is not None:
            yield found


def _read(
    text: str, call: form.Call, scope: Scope, migrated: Mapping[str, SchemaTable], tables: Tables
) -> Statement | None:
    import sqlglot
    from sqlglot import exp
    from sqlglot.errors import SqlglotError

    logging.getLogger("sqlglot").setLevel(logging.ERROR)
    dialect = "mysql" if "`" in text else "postgres"
    try:
        parsed = sqlglot.parse_one(_PLACEHOLDER.sub(":p", text), dialect=dialect)
    except (SqlglotError, RecursionError):
        return None
    if not isinstance(parsed, exp.Select | exp.Update | exp.Delete):
        return None
    sources = _Sources(parsed, call, scope, migrated, tables)
    if not sources.first:
        return None
    where = parsed.args.get("where")
    parts = tuple(sources.parts(where.this)) if where is not None else ()
    order = parsed.args.get("order")
    takes_first = parsed.args.get("limit") is not None or parsed.args.get("fetch") is not None
    is_other = any(parsed.args.get(clause) for clause in ("group", "distinct", "having", "joins"))
    sort = sources.sort(order) if order is not None and takes_first and not is_other else None
    return Statement(scope, parts, sort)


class _Sources:
    """The tables of one statement, by what it calls them."""

    def __init__(
        self,
        statement: exp.Expr,
        call: form.Call,
        scope: Scope,
        migrated: Mapping[str, SchemaTable],
        tables: Tables,
    ) -> None:
        from sqlglot import exp

        self._call = call
        self._scope = scope
        self._by_name: dict[str, Table | None] = {}
        clause = statement.args.get("from_") or statement.args.get("from")
        begun = clause.this if clause is not None and isinstance(statement, exp.Select) else statement.this
        joined = [join.this for join in statement.args.get("joins") or ()]
        for source in (begun, *joined):
            table = None
            if isinstance(source, exp.Table):
                table = tables.named(source.name) or _of_schema(migrated.get(source.name), scope.module.location(call))
            if source is not None:
                self._by_name[source.alias_or_name] = table
        self.first = next(iter(self._by_name.values()), None)

    def parts(self, node: exp.Expr) -> list[Part]:
        """The conditions that all have to hold."""
        from sqlglot import exp

        match node:
            case exp.Paren():
                return self.parts(node.this)
            case exp.And():
                return [*self.parts(node.left), *self.parts(node.right)]
            case exp.Or():
                return [Either((tuple(self.parts(node.left)), tuple(self.parts(node.right))))]
            case exp.Not() | exp.Is() | exp.NEQ() | exp.Boolean() | exp.Column():
                return []
            case exp.EQ() | exp.GT() | exp.GTE() | exp.LT() | exp.LTE():
                return self._compared(node)
            case exp.In() if not node.args.get("query"):
                return self._condition(node.this, Test.AMONG, all(isinstance(e, exp.Literal) for e in node.expressions))
            case exp.Between():
                return self._condition(node.this, Test.FROM, is_fixed=False)
        return [None]

    def sort(self, order: exp.Expr) -> Condition | None:
        """The column that it sorts by first, of the table that it begins with."""
        from sqlglot import exp

        inner = order.expressions[0].this if order.expressions else None
        found = self._condition(inner, Test.LOOSE, is_fixed=False) if isinstance(inner, exp.Column) else [None]
        return found[0] if isinstance(found[0], Condition) and found[0].table is self.first else None

    def _compared(self, node: exp.Expr) -> list[Part]:
        from sqlglot import exp

        left, right = node.this, node.expression
        if isinstance(_column(left), exp.Column) and isinstance(_column(right), exp.Column):
            return []  # it joins two tables
        is_turned = isinstance(_column(right), exp.Column)
        if is_turned:
            left, right = right, left
        upwards = (exp.LT, exp.LTE) if is_turned else (exp.GT, exp.GTE)
        test = Test.EQUAL if isinstance(node, exp.EQ) else Test.FROM if isinstance(node, upwards) else Test.LOOSE
        return self._condition(left, test, isinstance(right, exp.Literal | exp.Boolean))

    def _condition(self, node: exp.Expr, test: Test, is_fixed: bool) -> list[Part]:
        from sqlglot import exp

        column = _column(node)
        if not isinstance(column, exp.Column):
            return [None]
        table = self._by_name.get(column.table) if column.table else self.first
        if not column.table and len(self._by_name) > 1:
            return [None]
        found = column_of(table, column.name) if table is not None else None
        if table is None or found is None:
            return [None]
        return [Condition(table, found, test, self._call, self._scope, is_fixed)]


def _column(node: exp.Expr) -> exp.Expr:
    """The column in `LOWER(email)`."""
    from sqlglot import exp

    return node.this if isinstance(node, exp.Lower | exp.Upper | exp.Cast | exp.Paren) else node


def _of_schema(table: SchemaTable | None, place: Location) -> Table | None:
    """A table that no model maps, as the migrations leave it."""
    if table is None:
        return None
    columns = tuple(Column(c.name, c.type, place, fk_to=c.refers_to) for c in table.columns)
    return Table(table.name, table.name, place, Role.PROD, "SQL", columns, keys=table.all_keys, is_whole=table.is_whole)
