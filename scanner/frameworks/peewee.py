"""Peewee: the tables of its models, and those between two models.

https://docs.peewee-orm.com/en/latest/peewee/models.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from assay.scanner.dataflow.class_fields import ClassField, class_fields, own_option, string_groups
from assay.scanner.dataflow.constants import constant, string_items, string_value
from assay.scanner.framework import Context, Framework
from assay.scanner.linker.project import Project, last_name, last_part
from assay.scanner.linker.scopes import ClassSymbol, Scope
from assay.scanner.model.table import Column, Table
from assay.scanner.readers.python import form

_NAME = "Peewee"
_MODELS = (
    "peewee.Model", "playhouse.signals.Model", "playhouse.flask_utils.FlaskDB.Model", "peewee_async.AioModel",
    "playhouse.kv.Model",
)  # fmt: skip
_KEYS = frozenset({"AutoField", "BigAutoField", "IdentityField", "PrimaryKeyField", "AutoIncrementField"})
_TO_ONE = frozenset({"ForeignKeyField", "DeferredForeignKey"})
_TO_MANY = "ManyToManyField"
_FIRST_WORD = re.compile("(.)([A-Z][a-z]+)")
_NEXT_WORD = re.compile("([a-z0-9])([A-Z])")
_BASE_NAMES = re.compile("Base|Abstract|Mixin")


def _tables(context: Context) -> Iterator[Table]:
    """One for each model that others don't only build on, then those that many-to-many fields make."""
    project = context.project
    models = [c for c in project.classes if project.is_subclass(c, *_MODELS) and not _is_base(c, project)]
    names: dict[str, str] = {}
    for cls in models:
        name = _table_name(cls, project)
        if name is None:
            context.unresolved(cls.location, f"the name of the table of {cls.name} is computed at run time")
        else:
            names[cls.name] = name
    for cls in models:
        if cls.name in names:
            columns = _columns(cls, names, project)
            yield Table(names[cls.name], cls.name, cls.location, cls.module.role, _NAME, columns)
            yield from _between(cls, names, project)


def _is_base(cls: ClassSymbol, project: Project) -> bool:
    """A class that only gives its subclasses a database and common fields."""
    return bool(project.subclasses(cls)) and (not _own_fields(cls, project) or bool(_BASE_NAMES.search(cls.name)))


def _own_fields(cls: ClassSymbol, project: Project) -> dict[str, ClassField]:
    return class_fields([cls], project, _is_field)


def _is_field(dotted_name: str) -> bool:
    if not dotted_name.startswith(("peewee.", "playhouse.", "peewee_async.")):
        return False
    return last_part(dotted_name).endswith(("Field", "DeferredForeignKey"))


def _option(cls: ClassSymbol, name: str, project: Project) -> tuple[form.Expr, Scope] | None:
    """An option of `Meta` that subclasses inherit."""
    bases = (base for base in project.mro(cls) if isinstance(base, ClassSymbol))
    return next((found for base in bases if (found := own_option(base, name)) is not None), None)


def _table_name(cls: ClassSymbol, project: Project) -> str | None:
    """Stated, made by `Meta.table_function`, or the class's name in lower case (`legacy_table_names`, the default)."""
    stated = own_option(cls, "table_name") or own_option(cls, "db_table")
    if stated is not None:
        return string_value(*stated, project)
    legacy = _option(cls, "legacy_table_names", project)
    is_legacy = constant(*legacy, project) if legacy is not None else None
    if _option(cls, "table_function", project) is not None or _has_method(cls, "table_function", project):
        return None
    return _snake_case(cls.name) if is_legacy is not None and is_legacy.value is False else cls.name.lower()


def _has_method(cls: ClassSymbol, name: str, project: Project) -> bool:
    metas = (b.own("Meta")[-1].cls for b in project.mro(cls) if isinstance(b, ClassSymbol) and b.own("Meta"))
    return any(meta is not None and name in meta.methods for meta in metas)


def _snake_case(name: str) -> str:
    return _NEXT_WORD.sub(r"\1_\2", _FIRST_WORD.sub(r"\1_\2", name)).lower()


def _columns(cls: ClassSymbol, names: dict[str, str], project: Project) -> tuple[Column, ...]:
    bases = [base for base in reversed(project.mro(cls)) if isinstance(base, ClassSymbol)]
    fields = class_fields(bases, project, _is_field)
    columns = {name: _column(f, cls, names, project) for name, f in fields.items() if f.kind != _TO_MANY}
    key = _option(cls, "primary_key", project)
    if key is None and not any(f.says(project, "primary_key") or f.kind in _KEYS for f in fields.values()):
        columns = {"id": Column("id", "AutoField", cls.location, indexed=True, unique=True), **columns}
    if key is not None and isinstance(key[0], form.Call) and last_name(key[0].func) == "CompositeKey":
        listed = form.Display(start=key[0].start, end=key[0].end, kind="tuple", items=key[0].positional)
        _serve(columns, [name for name in string_items(listed, key[1], project) if name is not None], unique=True)
    for node, group in string_groups(_option(cls, "indexes", project), project):
        is_unique = isinstance(node, form.Display) and isinstance(node.items[-1], form.Const) and node.items[-1].value
        _serve(columns, group, unique=is_unique is True)
    return tuple(columns.values())


def _serve(columns: dict[str, Column], names: list[str], *, unique: bool) -> None:
    """An index serves its first column; alone in a unique one, it is unique."""
    if names and names[0] in columns:
        column = columns[names[0]]
        columns[names[0]] = replace(column, indexed=True, unique=column.unique or (unique and len(names) == 1))


def _column(field: ClassField, cls: ClassSymbol, names: dict[str, str], project: Project) -> Column:
    is_to_one = field.kind in _TO_ONE
    name = field.text(project, "column_name", "db_column") or (_with_id(field.name) if is_to_one else field.name)
    unique = field.says(project, "unique", "primary_key") or field.kind in _KEYS
    off = field.call.keyword("index")
    by_default = is_to_one and not (isinstance(off, form.Const) and off.value is False)
    indexed = unique or by_default or field.says(project, "index")
    target = _target(field, cls, project) if is_to_one else None
    return Column(name, field.type, field.location, indexed, unique, names.get(target, target) if target else None)


def _with_id(name: str) -> str:
    return name if name.endswith("_id") else f"{name}_id"


def _target(field: ClassField, cls: ClassSymbol, project: Project) -> str | None:
    to = field.call.argument(0, "model") or field.call.keyword("rel_model")
    if to is None:
        return None
    name = string_value(to, field.scope, project) or last_name(to)
    return cls.name if name == "self" else name


def _between(cls: ClassSymbol, names: dict[str, str], project: Project) -> Iterator[Table]:
    """The tables that many-to-many fields of the class make where they aren't given a model."""
    for field in _own_fields(cls, project).values():
        target = _target(field, cls, project) if field.kind == _TO_MANY else None
        if target is None or field.call.keyword("through_model") is not None:
            continue
        sides = (cls.name, target)
        key = Column("id", "AutoField", field.location, indexed=True, unique=True)
        ends = [Column(f"{s.lower()}_id", "ForeignKeyField", field.location, True, False, names.get(s)) for s in sides]
        name = f"{names[cls.name]}_{names.get(target, target.lower())}_through"
        yield Table(name, f"{cls.name}.{field.name}", field.location, cls.module.role, _NAME, (key, *ends))


PEEWEE = Framework(_NAME, ("peewee", "playhouse", "peewee_async"), tables=_tables)
