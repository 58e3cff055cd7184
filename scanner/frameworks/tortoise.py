"""Tortoise ORM: the tables of its models, and those between two models.

https://tortoise.github.io/models.html
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from assay.scanner.dataflow.class_fields import ClassField, class_fields, own_option, string_groups
from assay.scanner.dataflow.constants import constant, string_value
from assay.scanner.framework import Context, Framework
from assay.scanner.linker.project import Project, last_part
from assay.scanner.linker.scopes import ClassSymbol
from assay.scanner.model.table import Column, Table
from assay.scanner.readers.python import form

_NAME = "Tortoise ORM"
_MODELS = ("tortoise.models.Model", "tortoise.Model")
_TO_ONE = ("ForeignKeyField", "OneToOneField")
_TO_MANY = "ManyToManyField"


def _tables(context: Context) -> Iterator[Table]:
    """One for each concrete model, then those that many-to-many fields make and no model maps."""
    project = context.project
    models = [c for c in project.classes if project.is_subclass(c, *_MODELS) and not _is_abstract(c, project)]
    names = {cls.name: _table_name(cls, project) for cls in models}
    _tell_of_generator(context, models)
    found = set(names.values())
    for cls in models:
        fields = _fields(cls, project)
        columns = _columns(cls, fields, names, project)
        yield Table(names[cls.name], cls.name, cls.location, cls.module.role, _NAME, columns)
    for cls in models:
        for field in _fields(cls, project).values():
            between = _between(field, cls, names, project) if field.kind == _TO_MANY else None
            if between is not None and between.name not in found:
                found.add(between.name)
                yield between


def _tell_of_generator(context: Context, models: list[ClassSymbol]) -> None:
    """A function given as `table_name_generator` names the tables that don't name themselves."""
    unnamed = [cls.name for cls in models if own_option(cls, "table") is None]
    for call, scope in context.project.calls_named("init", "register_tortoise", "RegisterTortoise"):
        if call.keyword("table_name_generator") is not None and unnamed:
            message = f"tables of {', '.join(unnamed)} are named by a function at run time"
            context.unresolved(scope.module.location(call), message)


def _is_abstract(cls: ClassSymbol, project: Project) -> bool:
    option = own_option(cls, "abstract")
    known = constant(*option, project) if option is not None else None
    return known is not None and known.value is True


def _table_name(cls: ClassSymbol, project: Project) -> str:
    option = own_option(cls, "table")
    return (string_value(*option, project) if option is not None else None) or cls.name.lower()


def _fields(cls: ClassSymbol, project: Project) -> dict[str, ClassField]:
    bases = [base for base in reversed(project.mro(cls)) if isinstance(base, ClassSymbol)]
    return class_fields(bases, project, _is_field)


def _is_field(dotted_name: str) -> bool:
    return dotted_name.startswith("tortoise.") and last_part(dotted_name).endswith("Field")


def _is_key(field: ClassField, project: Project) -> bool:
    return field.says(project, "pk", "primary_key")


def _columns(
    cls: ClassSymbol, fields: dict[str, ClassField], names: dict[str, str], project: Project
) -> tuple[Column, ...]:
    columns = {name: _column(f, names, project) for name, f in fields.items() if f.kind != _TO_MANY}
    if not any(_is_key(field, project) for field in fields.values()):
        columns = {"id": Column("id", "IntField", cls.location, indexed=True, unique=True), **columns}
    for option in ("unique_together", "indexes"):
        for node, group in string_groups(own_option(cls, option), project):
            column = columns.get(group[0]) if group else None
            if column is not None and not _is_partial(node):
                unique = column.unique or (option == "unique_together" and len(group) == 1)
                columns[group[0]] = replace(column, indexed=True, unique=unique)
    return tuple(columns.values())


def _is_partial(node: form.Expr) -> bool:
    return isinstance(node, form.Call) and node.keyword("condition") is not None


def _column(field: ClassField, names: dict[str, str], project: Project) -> Column:
    is_to_one = field.kind in _TO_ONE
    name = field.text(project, "source_field") or (f"{field.name}_id" if is_to_one else field.name)
    unique = _is_key(field, project) or field.says(project, "unique") or field.kind == "OneToOneField"
    indexed = unique or field.says(project, "index", "db_index")
    target = _target(field, project) if is_to_one else None
    return Column(name, field.type, field.location, indexed, unique, names.get(target, target) if target else None)


def _target(field: ClassField, project: Project) -> str | None:
    """`User` of `"models.User"`, or of the class itself."""
    to = field.call.argument(0, "model_name") or field.call.keyword("to")
    text = string_value(to, field.scope, project) if to is not None else None
    value = project.infer(to, field.scope) if to is not None else None
    return last_part(text) if text is not None else value.name if isinstance(value, ClassSymbol) else None


def _between(field: ClassField, cls: ClassSymbol, names: dict[str, str], project: Project) -> Table | None:
    """The table of a many-to-many field, with a column to each side."""
    target = _target(field, project)
    if target is None:
        return None
    own, other = names[cls.name], names.get(target, target.lower())
    forward = field.text(project, "forward_key") or f"{target.lower()}_id"
    backward = field.text(project, "backward_key") or f"{own}_id"
    if backward == forward:
        backward = f"{own}_rel_id"
    columns = (
        Column(backward, "ForeignKeyField", field.location, fk_to=own),
        Column(forward, "ForeignKeyField", field.location, fk_to=other),
    )
    name = field.text(project, "through") or f"{own}_{other}"
    return Table(name, f"{cls.name}.{field.name}", field.location, cls.module.role, _NAME, columns)


TORTOISE = Framework(_NAME, ("tortoise",), tables=_tables)
