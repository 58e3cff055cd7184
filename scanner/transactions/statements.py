"""UPDATE statements in SQL that give a column a value computed from its own, in the database or before."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace

from assay.scanner.dataflow.constants import string_value
from assay.scanner.framework import Sited, SqlExecution
from assay.scanner.linker.project import Project, last_name, literal_item
from assay.scanner.linker.scopes import How, Scope
from assay.scanner.model.role import Role
from assay.scanner.model.table import Table
from assay.scanner.readers.python import form
from assay.scanner.transactions.increments import Increment
from assay.scanner.transactions.rows import Row

_UPDATE = re.compile(
    r"\s*UPDATE\s+(?:ONLY\s+)?[\"`\[]?(?P<table>[\w.]+)[\"`\]]?\s+SET\s+(?P<set>.*?)(?:\s+WHERE\s+(?P<where>.*))?$",
    re.IGNORECASE | re.DOTALL,
)
_ASSIGNED = re.compile(r"^\s*[\"`\[]?(\w+)[\"`\]]?\s*=\s*(.+?)\s*;?\s*$", re.DOTALL)
_SEPARATOR = re.compile(r",(?![^()]*\))")
_PLACEHOLDER = re.compile(r"%s|\?|\$(\d+)|:(\w+)|%\((\w+)\)s")
_CALCULATED = re.compile(r"[\w)]\s*[+-]\s*[\w:%$?(]")
_FETCHING = frozenset(
    """fetchone fetchval fetchrow fetch_one fetch_val scalar scalar_one scalar_one_or_none first one one_or_none
    fetchall""".split()
)
_DEEPEST = 4


def statements(executions: Iterable[SqlExecution], project: Project) -> Iterator[Increment]:
    """One for each such column."""
    for execution in executions:
        if execution.scope.module.role is Role.PROD:
            text = string_value(execution.text.node, execution.text.scope, project)
            match = _UPDATE.match(text) if text is not None else None
            if match is not None:
                yield from _of_update(match, _executed(execution, project))


def _executed(execution: SqlExecution, project: Project) -> SqlExecution:
    """Of `text("UPDATE ...")` the call that it is given to, which has the values too."""
    if last_name(execution.call.func) != "text":
        return execution
    for call, scope in project.calls_named("execute"):
        if call.positional and call.positional[0] is execution.call:
            given = call.argument(1, "params") or call.keyword("parameters")
            values = Sited(given, scope) if given is not None else execution.parameters
            return replace(execution, call=call, parameters=values)
    return execution


def _of_update(match: re.Match[str], execution: SqlExecution) -> Iterator[Increment]:
    table = _table(match["table"], execution)
    where = match["where"] or ""
    offset = match.start("set")
    for part in _SEPARATOR.split(match["set"]):
        assigned = _ASSIGNED.match(part)
        column, value = (assigned[1], assigned[2]) if assigned is not None else ("", "")
        is_named = re.compile(rf"\b{re.escape(column)}\b", re.IGNORECASE)
        compared = execution.call if column and is_named.search(where) else None
        if column and is_named.search(value) and _CALCULATED.search(value):
            yield Increment(execution.call, execution.scope, table, column, None, compared=compared)
        elif column and _PLACEHOLDER.fullmatch(value):
            given = _parameter(match.string, offset + part.index(value), execution)
            read = _read_before(given, execution.scope, column) if given is not None else None
            if read is not None:
                row = Row(table)
                yield Increment(execution.call, execution.scope, table, column, row, None, read, compared)
        offset += len(part) + 1


def _table(name: str, execution: SqlExecution) -> Table:
    module = execution.scope.module
    return Table(name=name, model=name, location=module.location(execution.call), role=module.role, framework="SQL")


def _parameter(text: str, offset: int, execution: SqlExecution) -> form.Expr | None:
    """What is bound to the placeholder at that place."""
    found = _PLACEHOLDER.match(text, offset)
    given = execution.parameters.node if execution.parameters is not None else None
    if found is None:
        return None
    if found[1] is not None:  # asyncpg: $1, with the values behind the text
        values = execution.call.positional[1:]
        return values[int(found[1]) - 1] if 0 < int(found[1]) <= len(values) else None
    if found[2] or found[3]:
        return literal_item(given, found[2] or found[3]) if given is not None else None
    before = sum(1 for other in _PLACEHOLDER.finditer(text) if other.start() < offset)
    items = given.items if isinstance(given, form.Display) else []
    return items[before] if before < len(items) else None


def _read_before(
    node: form.Expr, scope: Scope, column: str, depth: int = _DEEPEST, *, is_computed: bool = False
) -> form.Expr | None:
    """The value of the column that a query gave, which something is added to or taken from."""
    if not depth:
        return None
    match node:
        case form.Binary(op=op, left=left, right=right):
            is_computed = is_computed or op in ("+", "-")
            parts = [left, right]
        case form.Call(args=args) if last_name(node.func) in ("max", "min", "int", "float", "Decimal", "round"):
            parts = [a.value for a in args]
        case form.Name():
            return _of_name(node, scope, column, depth, is_computed=is_computed)
        case form.Attr(attr=name, value=owner) | form.Subscript(index=form.Const(value=name), value=owner):
            is_it = is_computed and (name == column or name == 0)
            return node if is_it and _is_fetched(owner, scope) and _selects(scope, column) else None
        case _:
            return None
    found = (_read_before(part, scope, column, depth - 1, is_computed=is_computed) for part in parts)
    return next((f for f in found if f is not None), None)


def _of_name(node: form.Name, scope: Scope, column: str, depth: int, *, is_computed: bool) -> form.Expr | None:
    for binding in reversed([b for b in scope.bindings.get(node.id, ()) if b.offset < node.start]):
        if binding.value is None or binding.how not in (How.ASSIGN, How.UNPACK):
            continue
        if is_computed and _is_fetched(binding.value, scope):
            return node if _selects(scope, column) else None
        return _read_before(binding.value, scope, column, depth - 1, is_computed=is_computed)
    return None


def _is_fetched(node: form.Expr, scope: Scope, depth: int = _DEEPEST) -> bool:
    """`cursor.fetchone()`, `await connection.fetchval(...)`, a name for one of them."""
    while isinstance(node, form.Await | form.Subscript):
        node = node.value
    if isinstance(node, form.Call):
        return last_name(node.func) in _FETCHING
    if isinstance(node, form.Name) and depth:
        before = [b for b in scope.bindings.get(node.id, ()) if b.offset < node.start and b.value is not None]
        return bool(before) and before[-1].value is not None and _is_fetched(before[-1].value, scope, depth - 1)
    return False


def _selects(scope: Scope, column: str) -> bool:
    """Whether the function has a query that asks for the column."""
    asks = re.compile(rf"\bSELECT\b.*\b({re.escape(column)}|\*)", re.IGNORECASE | re.DOTALL)
    function = scope.enclosing_function
    return function is not None and any(
        isinstance(n, form.Const) and isinstance(n.value, str) and asks.search(n.value) is not None
        for n in function.nodes
    )
