"""Database drivers (PEP 249, asyncpg and others that take SQL as text): what they execute and the rows they read."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace

from assay.scanner.dataflow.branches import branches_on_none
from assay.scanner.framework import Context, Framework, Rows, Sited, SqlExecution, Step
from assay.scanner.linker.project import Project, last_name
from assay.scanner.linker.scopes import Binding, Scope
from assay.scanner.linker.values import External
from assay.scanner.model.query import Bound, Order
from assay.scanner.readers.python import form

PACKAGES = (
    "sqlite3", "psycopg2", "psycopg", "psycopg_pool", "pymysql", "MySQLdb", "mysql", "aiomysql", "aiosqlite", "aiopg",
    "pyodbc", "oracledb", "cx_Oracle", "pymssql", "pg8000", "duckdb", "snowflake", "clickhouse_driver", "asyncpg",
    "databases", "dataset", "peewee", "tortoise",
)  # fmt: skip
_EXECUTE = frozenset({"execute", "executemany", "executescript", "mogrify", "copy_expert", "copy", "callproc"})
_FETCH = frozenset({"fetch", "fetchrow", "fetchval", "prepare", "copy_from_query", "cursor"})
_OTHER = {
    "clickhouse_driver.Client.execute": "clickhouse-driver",
    "clickhouse_driver.Client.execute_iter": "clickhouse-driver",
    "databases.Database.execute": "databases",
    "databases.Database.execute_many": "databases",
    "databases.Database.fetch_all": "databases",
    "databases.Database.fetch_one": "databases",
    "databases.Database.fetch_val": "databases",
    "databases.Database.iterate": "databases",
    "dataset.connect.query": "dataset",
    "peewee.Database.execute_sql": "peewee",
    "peewee.SQL": "peewee",
    "peewee.RawQuery": "peewee",
    "tortoise.expressions.RawSQL": "Tortoise",
    "tortoise.backends.base.client.BaseDBAsyncClient.execute_query": "Tortoise",
    "tortoise.backends.base.client.BaseDBAsyncClient.execute_query_dict": "Tortoise",
    "tortoise.backends.base.client.BaseDBAsyncClient.execute_insert": "Tortoise",
    "tortoise.backends.base.client.BaseDBAsyncClient.execute_script": "Tortoise",
}
_BATCHES = frozenset({"psycopg2.extras.execute_values", "psycopg2.extras.execute_batch"})
_NAMES = frozenset({"cur", "cursor", "crsr", "conn", "connection", "db", "c", "database", "pool"})
_TEXT_KEYWORDS = ("query", "sql", "operation", "statement", "command")
_VALUE_KEYWORDS = ("params", "vars", "args", "parameters", "values", "seq_of_parameters")
_SELECT = re.compile(r"\s*(?:SELECT|WITH|VALUES)\b", re.IGNORECASE)
_LIMIT = re.compile(r"\b(?:LIMIT\s+(?!ALL\b)|FETCH\s+(?:FIRST|NEXT)\b|TOP\s*\(?\s*[\d%:?@])", re.IGNORECASE)
_ORDER = re.compile(r"\bORDER\s+BY\b", re.IGNORECASE)
_AGGREGATE = re.compile(
    r"\s*SELECT\s+(?:COUNT|SUM|MIN|MAX|AVG|EXISTS)\s*\([^()]*\)(?:\s+AS\s+\w+)?\s+FROM\b(?!.*\bGROUP\b)", re.I | re.S
)
_PARENT = re.compile(r"\b\w+_id\s*=\s*(?:%|\?|:|\$)", re.IGNORECASE)
_FROM = re.compile(r"\bFROM\s+[\"`\[]?([\w.]+)", re.IGNORECASE)


def _sql(context: Context) -> Iterator[SqlExecution]:
    project = context.project
    for call, scope in project.calls_named(*_EXECUTE, *_FETCH):
        callee = project.infer(call.func, scope)
        name = callee.name if isinstance(callee, External) else None
        if name in _OTHER or (callee is not None and name is None) or not isinstance(call.func, form.Attr):
            continue
        driver, sure = _driver(call.func, name, scope)
        if driver is not None:
            yield from _execution(call, scope, driver, only_if_sql=not sure)
    for call, scope in project.calls_named(*(n.rsplit(".", 1)[-1] for n in (*_OTHER, *_BATCHES))):
        name = project.callee_name(call, scope)
        if name in _OTHER:
            yield from _execution(call, scope, _OTHER[name])
        elif name in _BATCHES:
            yield from _execution(call, scope, "psycopg2", first=1)


def _driver(func: form.Attr, name: str | None, scope: Scope) -> tuple[str | None, bool]:
    """The driver that a method belongs to, and whether that is certain; no driver where it is none."""
    method = func.attr
    if name is not None and name.startswith("asyncpg."):
        return "asyncpg", True
    if method in _FETCH:
        return None, False
    if name is not None and name.startswith("dbapi."):
        return "DB-API", True
    if name is not None and name.endswith(f".cursor.{method}"):
        return "DB-API", True
    if name is None and _is_made_by_cursor(func.value, scope):
        return "DB-API", True
    return ("DB-API", False) if (last_name(func.value) or "").lower() in _NAMES else (None, False)


def _is_made_by_cursor(node: form.Expr, scope: Scope) -> bool:
    """`cursor = anything.cursor()`: only database drivers have such a method."""
    if not isinstance(node, form.Name):
        return isinstance(node, form.Call) and last_name(node.func) == "cursor"
    values = (b.value for b in scope.lookup(node.id))
    made = (v.value if isinstance(v, form.Await) else v for v in values)
    return any(isinstance(v, form.Call) and last_name(v.func) == "cursor" for v in made)


def _execution(
    call: form.Call, scope: Scope, driver: str, *, first: int = 0, only_if_sql: bool = False
) -> Iterator[SqlExecution]:
    positional = call.positional
    text = positional[first] if len(positional) > first else _keyword(call, _TEXT_KEYWORDS)
    if text is None:
        return
    values = positional[first + 1] if len(positional) > first + 1 else _keyword(call, _VALUE_KEYWORDS)
    if values is None:
        values = next((a.value for a in call.args if a.star), None)
    parameters = Sited(values, scope) if values is not None else None
    yield SqlExecution(call, scope, Sited(text, scope), parameters, driver, only_if_sql)


def _keyword(call: form.Call, names: Iterable[str]) -> form.Expr | None:
    return next((v for n in names if (v := call.keyword(n)) is not None), None)


class DbapiRows:
    """Rows of `SELECT` texts: the text itself tells whether they are limited and ordered."""

    def source(self, node: form.Expr, scope: Scope, project: Project) -> Rows | None:
        """`cursor.fetchall()` after an execute, `connection.execute("SELECT ...")`, asyncpg's `fetch("SELECT ...")`."""
        if not isinstance(node, form.Call) or not isinstance(node.func, form.Attr):
            return None
        name = project.callee_name(node, scope) or ""
        receiver = node.func.value
        is_driver = name.startswith(("dbapi.", "asyncpg.")) or _is_made_by_cursor(receiver, scope)
        if not is_driver and (last_name(receiver) or "").lower() not in _NAMES:
            return None
        if node.func.attr in ("execute", "fetch"):
            return self._selected(node, node, scope)
        if node.func.attr in ("fetchall", "fetchmany"):
            executed = self._executed_before(node, receiver, scope)
            rows = self._selected(executed, node, scope) if executed is not None else None
            if rows is not None and node.func.attr == "fetchmany":
                return _limited(rows, node, scope)
            return rows
        return None

    def step(self, rows: Rows, method: str, call: form.Call | None, scope: Scope) -> Rows | str | None:
        """What a cursor's method makes of the rows that its statement selected."""
        if method in ("fetchone", "fetchval", "fetchrow"):
            return Step.SINGLE
        if method == "fetchmany" and call is not None:
            return _limited(rows, call, scope)
        return rows if method == "fetchall" else None

    def _selected(self, executed: form.Call, place: form.Call, scope: Scope) -> Rows | None:
        pieces = list(_texts(executed.args[0].value, scope)) if executed.args else []
        texts = [text for text, _ in pieces]
        whole = " ".join(texts)
        if not any(_SELECT.match(t) for t in texts) or _AGGREGATE.match(whole):
            return None
        module = scope.module
        table = _FROM.search(whole)
        rows = Rows(table[1] if table else "rows", module.evidence(place, "rows are read here"))
        if _LIMIT.search(" ".join(text for text, is_optional in pieces if not is_optional)):
            rows = _limited(rows, executed, scope)
        elif _LIMIT.search(whole):
            rows = replace(rows, bound=Bound.UNKNOWN)
        if _ORDER.search(whole):
            order = module.evidence(executed, "the statement has ORDER BY")
            rows = replace(rows, order=Order.EXPLICIT, order_by=order)
        return replace(rows, filtered_by_parent=_PARENT.search(whole) is not None)

    def _executed_before(self, fetch: form.Call, receiver: form.Expr, scope: Scope) -> form.Call | None:
        """The last `execute` on the same cursor above the fetch."""
        function = scope.enclosing_function
        key = form.dotted(receiver)
        if function is None or key is None:
            return None
        found = None
        for node in function.walk():
            if not isinstance(node, form.Call) or not isinstance(node.func, form.Attr) or node.start >= fetch.start:
                continue
            if node.func.attr == "execute" and form.dotted(node.func.value) == key:
                found = node if found is None or node.start > found.start else found
        return found


def _limited(rows: Rows, call: form.Call, scope: Scope) -> Rows:
    """Rows cut to a page by the statement or by `fetchmany(size)`."""
    evidence = scope.module.evidence(call, "the number of rows is limited here")
    size = tuple(Sited(a.value, scope) for a in call.args) if last_name(call.func) == "fetchmany" else ()
    return replace(rows, bound=Bound.LIMITED, limit=evidence, page_input=(*rows.page_input, *size))


def _texts(node: form.Expr, scope: Scope, is_optional: bool = False, depth: int = 0) -> Iterator[tuple[str, bool]]:
    """The literal pieces that a statement is built of, through all assignments to a name, and which of them are only
    there when an optional argument was given.
    """
    for part in form.walk(node):
        match part:
            case form.Const(value=str() as text):
                yield text, is_optional
            case form.Template(parts=parts):
                yield from ((p if isinstance(p, str) else "%", is_optional) for p in parts)
            case form.Name(id=name) if depth < 3:
                for binding in scope.lookup(name):
                    if binding.value is not None and binding.param is None:
                        optional = is_optional or _waits_for_an_argument(binding)
                        yield from _texts(binding.value, binding.scope, optional, depth + 1)


def _waits_for_an_argument(binding: Binding) -> bool:
    """`if limit is not None: query += " LIMIT %s"`."""
    function = binding.scope.enclosing_function
    return function is not None and any(
        branch.when_given and branch.start <= binding.offset < branch.end for branch in branches_on_none(function)
    )


FRAMEWORK = Framework("DB-API", PACKAGES, rows=DbapiRows(), sql=_sql, is_listed=False)
