"""Django where SQL is written as text: `raw`, `extra`, `RawSQL`, `RunSQL`. Cursors are the DB-API's."""

from __future__ import annotations

from collections.abc import Iterator

from assay.scanner.framework import Context, Framework, Sited, SqlExecution
from assay.scanner.linker.project import Project, last_part
from assay.scanner.linker.scopes import Scope
from assay.scanner.linker.values import External
from assay.scanner.readers.python import form

_MANAGERS = frozenset({"objects", "_default_manager", "_base_manager", "all_objects"})


def _sql(context: Context) -> Iterator[SqlExecution]:
    project = context.project
    for call, scope in project.calls_named("raw"):
        if isinstance(call.func, form.Attr) and call.args and (text := call.argument(0, "raw_query")) is not None:
            sure = _is_queryset(call.func.value, scope, project)
            yield _execution(call, scope, text, call.argument(1, "params"), only_if_sql=not sure)
    for call, scope in project.calls_named("extra"):
        if isinstance(call.func, form.Attr) and (condition := _conditions(call)) is not None:
            yield _execution(call, scope, condition, call.keyword("params") or call.keyword("select_params"))
    for call, scope in project.calls_named("RawSQL", "RunSQL"):
        name = project.callee_name(call, scope) or ""
        if name.startswith("django.") and last_part(name) in ("RawSQL", "RunSQL"):
            text = call.argument(0, "sql")
            if text is not None:
                yield _execution(call, scope, text, call.argument(1, "params"))


def _execution(
    call: form.Call, scope: Scope, text: form.Expr, values: form.Expr | None, *, only_if_sql: bool = False
) -> SqlExecution:
    parameters = Sited(values, scope) if values is not None else None
    return SqlExecution(call, scope, Sited(text, scope), parameters, "Django", only_if_sql)


def _is_queryset(node: form.Expr, scope: Scope, project: Project) -> bool:
    """`Model.objects` and what querysets are made of."""
    value = project.infer(node, scope)
    if isinstance(value, External) and value.name.startswith("django.db."):
        return True
    while isinstance(node, form.Call | form.Attr):
        if isinstance(node, form.Attr) and node.attr in _MANAGERS:
            return True
        node = node.func if isinstance(node, form.Call) else node.value
    return False


def _conditions(call: form.Call) -> form.Expr | None:
    """What `extra(select=..., where=[...], tables=..., order_by=...)` puts into the statement, as one text.

    Written as Django composes it: the conditions of `where` joined by AND.
    """
    at = {"start": call.start, "end": call.end}
    parts: list[form.Expr] = []
    where, select = call.keyword("where"), call.keyword("select")
    if where is not None:
        joined = form.Call(
            **at,
            func=form.Attr(**at, value=form.Const(**at, value=" AND "), attr="join", attr_start=call.start),
            args=[form.Arg(where)],
        )
        parts.append(form.Binary(**at, op="+", left=form.Const(**at, value=" WHERE "), right=joined))
    if isinstance(select, form.Dict):
        beginning = form.Const(**at, value="SELECT ")
        parts += [form.Binary(**at, op="+", left=beginning, right=value) for value in select.values]
    if not parts:
        return None
    whole = parts[0]
    for part in parts[1:]:
        whole = form.Binary(**at, op="+", left=part, right=whole)
    return whole


FRAMEWORK = Framework("Django SQL", ("django",), sql=_sql, is_listed=False)
