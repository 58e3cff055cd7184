"""SQLAlchemy, SQLModel and Flask-SQLAlchemy: SQL given as text, mapped tables, queries of many rows."""

from __future__ import annotations

from collections.abc import Iterator

from assay.scanner.framework import Context, Framework, Sited, SqlExecution
from assay.scanner.frameworks.sqlalchemy.mapped import PACKAGES, is_ours
from assay.scanner.frameworks.sqlalchemy.rows import SqlalchemyRows
from assay.scanner.frameworks.sqlalchemy.tables import NAME, tables
from assay.scanner.linker.project import last_name, last_part
from assay.scanner.linker.scopes import Scope
from assay.scanner.linker.values import External
from assay.scanner.readers.python import form

_CONSTRUCTS = frozenset({"text", "literal_column", "DDL"})
_EXECUTE = frozenset({"execute", "scalar", "scalars", "exec", "stream", "stream_scalars"})
_COERCING = frozenset({"filter", "order_by", "group_by", "having"})
_FRAGMENTS = frozenset({"prefix_with", "suffix_with", "with_hint", "from_statement"})
_SESSION_NAMES = frozenset({"session", "db_session", "sess", "dbsession", "async_session", "engine"})


def _sql(context: Context) -> Iterator[SqlExecution]:
    project = context.project
    for call, scope in project.calls_named(*_CONSTRUCTS):
        if is_ours(project.callee_name(call, scope)):
            yield from _execution(call, scope)
    for call, scope in project.calls_named("exec_driver_sql"):
        yield from _execution(call, scope)
    for call, scope in project.calls_named(*_EXECUTE):
        callee = project.infer(call.func, scope)
        name = callee.name if isinstance(callee, External) else None
        if is_ours(name) or (callee is None and _is_session(call.func)):
            yield from _execution(call, scope)
    for call, scope in project.calls_named(*_COERCING):
        if is_ours(project.callee_name(call, scope)):
            yield from _execution(call, scope, certain=False)
    for call, scope in project.calls_named(*_FRAGMENTS):
        callee = project.infer(call.func, scope)
        if callee is None or (isinstance(callee, External) and is_ours(callee.name)):
            yield from _execution(call, scope, certain=False)


def _is_session(func: form.Expr) -> bool:
    """A receiver that can't be resolved and bears the name that sessions and engines go by."""
    return isinstance(func, form.Attr) and (last_name(func.value) or "").lower().lstrip("_") in _SESSION_NAMES


def _execution(call: form.Call, scope: Scope, *, certain: bool = True) -> Iterator[SqlExecution]:
    positional = call.positional
    text = positional[0] if positional else call.keyword("statement") or call.keyword("text") or call.keyword("sqltext")
    if text is None:
        return
    values = positional[1] if len(positional) > 1 else call.keyword("params") or call.keyword("parameters")
    if values is None and last_part(form.dotted(call.func) or "") == "execute":
        values = next((a.value for a in call.args if a.star == 2 or a.name not in (None, "execution_options")), None)
    parameters = Sited(values, scope) if values is not None else None
    yield SqlExecution(call, scope, Sited(text, scope), parameters, NAME, certain=certain)


FRAMEWORK = Framework(NAME, PACKAGES, tables=tables, rows=SqlalchemyRows(), sql=_sql)
