"""Lookups that insert what they don't find, and the unique keys that keep two of them from inserting twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from assay.scanner.dataflow.entry_points import is_command
from assay.scanner.dataflow.offline import offline_reason
from assay.scanner.gathered import Gathered
from assay.scanner.linker.project import Project, last_name
from assay.scanner.linker.scopes import ClassSymbol, Scope
from assay.scanner.model.find_or_create import FindOrCreateCall
from assay.scanner.model.place import Evidence
from assay.scanner.model.role import Role
from assay.scanner.model.schema import Key, KeyKind, Schema
from assay.scanner.model.table import Table
from assay.scanner.readers.python import form

_METHODS = ("get_or_create", "update_or_create", "aget_or_create", "aupdate_or_create")
_NOT_ASKED = frozenset({"defaults", "create_defaults", "using_db"})
_EQUAL = frozenset({"", "exact", "iexact"})
_KEYS_READ = ("SQLAlchemy", "Django ORM")
_LOCKING = frozenset({"select_for_update", "with_for_update", "pg_advisory_lock", "advisory_lock", "lock"})


def finds_or_creates(tables: Sequence[Table], schema: Schema, gathered: Gathered) -> Iterator[FindOrCreateCall]:
    """The calls on models of these tables."""
    project = gathered.project
    by_model = {(table.location, table.model): table for table in tables}
    seen: Counter[tuple[str, str, str]] = Counter()
    for call, scope in project.calls_named(*_METHODS):
        if scope.module.role is not Role.PROD or not isinstance(call.func, form.Attr):
            continue
        model, manager = _model_of(call.func.value, scope, project)
        table = by_model.get((model.location, model.name)) if model is not None else None
        if model is None or table is None:
            continue
        function = scope.enclosing_function
        name = function.id if function is not None else scope.module.name
        seen[name, call.func.attr, table.model] += 1
        asked, unclear = _asked(call, table)
        hidden = _filtered_by(model, manager, project)
        keys = _unique_keys(table, schema)
        if unclear is None and any(_may_cover(k, asked) for k in keys):
            unclear = "one is over an expression"
        offline = offline_reason(scope)
        if offline is None and function is not None and is_command(function, project):
            offline = "command line"
        yield FindOrCreateCall(
            function=name,
            ordinal=seen[name, call.func.attr, table.model],
            method=call.func.attr,
            model=table.model,
            location=scope.module.location(call),
            role=scope.module.role,
            asked=asked,
            covering=next((k for k in keys if _covers(k, asked) and (not k.is_partial or k.condition <= hidden)), None),
            conditional=next((k for k in keys if _covers(k, asked)), None),
            unclear=unclear,
            lock=lock_before(call, scope),
            offline=offline,
        )


def _model_of(node: form.Expr, scope: Scope, project: Project) -> tuple[ClassSymbol | None, str]:
    """The model of `Order.objects`, `Order.objects.select_related(...)`, and of the class alone, with its manager."""
    while isinstance(node, form.Call) and isinstance(node.func, form.Attr):
        node = node.func.value
    for owner in (node, node.value if isinstance(node, form.Attr) else None):
        value = project.infer(owner, scope) if owner is not None else None
        if isinstance(value, ClassSymbol):
            return value, node.attr if isinstance(node, form.Attr) and owner is not node else ""
    return None, ""


def _filtered_by(model: ClassSymbol, manager: str, project: Project) -> frozenset[str]:
    """The columns by which the manager leaves rows out: what is softly deleted is not found."""
    stated = project.class_attribute(model, manager) if manager else None
    made = stated[0] if stated is not None else None
    cls = project.infer(made.func, stated[1]) if stated is not None and isinstance(made, form.Call) else None
    method = project.method(cls, "get_queryset") if isinstance(cls, ClassSymbol) else None
    return frozenset(
        argument.name.split("__", 1)[0]
        for node in (method.walk() if method is not None else ())
        if isinstance(node, form.Call) and last_name(node.func) in ("filter", "exclude")
        for argument in node.args
        if argument.name is not None
    )


def _asked(call: form.Call, table: Table) -> tuple[tuple[str, ...], str | None]:
    """The columns asked for a value, and why that isn't all that can be said."""
    columns = {c.name for c in table.columns}
    found: list[str] = []
    unclear = None
    for argument in call.args:
        if argument.star:
            unclear = "what it asks for is put together at run time"
        if argument.name is None or argument.name.lstrip("_") in _NOT_ASKED:
            continue
        field, _, lookup = argument.name.partition("__")
        field = _column(field, table, columns)
        if lookup not in _EQUAL or field not in columns:
            unclear = f"it asks for {argument.name}, which is no column of {table.name}"
        else:
            found.append(field)
    if table.framework not in _KEYS_READ and unclear is None and len(found) > 1:
        unclear = f"keys over several columns of {table.name} are not known"
    if not found and unclear is None:
        unclear = "it asks for no column"
    return tuple(found), unclear


def _column(field: str, table: Table, columns: set[str]) -> str:
    """`pk` by the key's name, a foreign key's column by the field's."""
    if field == "pk":
        return next((k.columns[0] for k in table.keys if k.kind is KeyKind.PRIMARY and k.columns), "id")
    return field.removesuffix("_id") if field not in columns else field


def _unique_keys(table: Table, schema: Schema) -> list[Key]:
    migrated = schema.table(table.name)
    of_columns = [Key((c.name,), KeyKind.UNIQUE, location=c.location) for c in table.columns if c.unique]
    return [k for k in [*table.keys, *of_columns, *(migrated.all_keys if migrated is not None else ())] if k.is_unique]


def _covers(key: Key, asked: Sequence[str]) -> bool:
    return bool(key.columns) and "" not in key.columns and set(key.columns) <= set(asked)


def _may_cover(key: Key, asked: Sequence[str]) -> bool:
    """Whether it is over an expression: `Lower("email")` holds one row for `email__iexact`."""
    return "" in key.columns and {*key.columns} - {""} <= {*asked}


def lock_before(call: form.Call, scope: Scope) -> Evidence | None:
    """Where the function takes a lock before."""
    function = scope.enclosing_function
    for node in function.walk() if function is not None else ():
        if isinstance(node, form.Call) and last_name(node.func) in _LOCKING and node.start < call.start:
            return scope.module.evidence(node, "a lock is taken")
    return None
