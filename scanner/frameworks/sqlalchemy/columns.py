"""Columns as SQLAlchemy and SQLModel declare them: which call makes one, and what it and the annotation say of it.

https://docs.sqlalchemy.org/en/20/orm/declarative_tables.html
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

from assay.scanner.dataflow.constants import Given, constant, definitions, string_value
from assay.scanner.dataflow.expansion import arguments
from assay.scanner.frameworks.sqlalchemy.mapped import is_ours
from assay.scanner.linker.project import Project, last_name, last_part
from assay.scanner.linker.scopes import ClassSymbol, FunctionSymbol, Scope
from assay.scanner.linker.values import BoundMethod, External, Instance
from assay.scanner.model.place import Location
from assay.scanner.model.table import Column
from assay.scanner.readers.python import form

_MAKERS = frozenset({"Column", "mapped_column", "MappedColumn"})
_COLUMN_CLASSES = ("sqlalchemy.Column", "sqlalchemy.schema.Column", "sqlalchemy.sql.schema.Column")
_DEFERRING = frozenset({"deferred", "column_property"})
_ANNOTATED = frozenset({"typing.Annotated", "typing_extensions.Annotated"})
_KEYS = frozenset({"ForeignKey", "ForeignKeyConstraint"})
_NO_TYPES = _KEYS | {"Sequence", "Identity", "Computed", "CheckConstraint", "FetchedValue"}
_DEEPEST = 6
# https://docs.sqlalchemy.org/en/20/orm/declarative_tables.html#mapped-column-derives-the-datatype-and-nullability
_TYPES = {
    "builtins.bool": "Boolean", "builtins.bytes": "LargeBinary", "builtins.float": "Float", "builtins.int": "Integer",
    "builtins.str": "String", "datetime.date": "Date", "datetime.datetime": "DateTime", "datetime.time": "Time",
    "datetime.timedelta": "Interval", "decimal.Decimal": "Numeric", "typing.Literal": "Enum", "uuid.UUID": "Uuid",
}  # fmt: skip
_ENUMS = frozenset({"enum.Enum", "enum.IntEnum", "enum.StrEnum"})

TypeMap: TypeAlias = tuple[tuple[form.Expr, Scope, str], ...]
"""A `type_annotation_map`: annotations with the scope that their names are looked up in, and the column types."""


@dataclass(frozen=True, slots=True, eq=False)
class Made:
    """A call that makes a column, where its names are looked up, and what they stand for inside a helper function."""

    call: form.Call
    scope: Scope
    given: Given

    def says(self, flag: str, project: Project) -> bool:
        value = self.call.keyword(flag) or self.handed_on(flag)
        found = constant(value, self.scope, project, self.given) if value is not None else None
        return found is not None and found.value is True

    def handed_on(self, name: str) -> form.Expr | None:
        """What SQLModel's `Field(sa_column_kwargs={...})` gives the column."""
        options = self.call.keyword("sa_column_kwargs")
        entries = zip(options.keys, options.values, strict=True) if isinstance(options, form.Dict) else ()
        return next((value for key, value in entries if isinstance(key, form.Const) and key.value == name), None)

    def text(self, node: form.Expr | None, project: Project) -> str | None:
        return string_value(node, self.scope, project, self.given) if node is not None else None


@dataclass(frozen=True, slots=True)
class Declared:
    """A column, by the attribute (or key) that the code knows it by."""

    key: str
    column: Column
    is_key: bool


def calls_for(node: form.Expr | None, scope: Scope, project: Project, given: Given | None = None) -> list[Made]:
    """The calls that make a column of the expression, what says most first; none where it isn't a column.

    Through functions of the project, `functools.partial`, `deferred(...)` and SQLModel's `Field(sa_column=...)`.
    """
    return list(_calls_for(node, scope, project, given or {}, _DEEPEST))


def _calls_for(node: form.Expr | None, scope: Scope, project: Project, given: Given, depth: int) -> Iterator[Made]:
    if not isinstance(node, form.Call) or not depth:
        return
    callee = project.infer(node.func, scope)
    name = last_part(callee.name) if isinstance(callee, External) else last_name(node.func)
    match callee:
        case FunctionSymbol() | BoundMethod():
            function = callee.function if isinstance(callee, BoundMethod) else callee
            yield from _returned(node, scope, function, project, {**given}, depth)
        case Instance(type_name="functools.partial", origin=origin, scope=made_in) if origin and made_in:
            base = form.Call(start=origin.start, end=origin.end, func=origin.args[0].value, args=origin.args[1:])
            found = list(_calls_for(base, made_in, project, {}, depth - 1))
            yield from ([Made(node, scope, given), *found] if found else ())
        case ClassSymbol():
            if project.is_subclass(callee, *_COLUMN_CLASSES):
                yield Made(node, scope, given)
        case None | External():
            if isinstance(callee, External) and not is_ours(callee.name):
                return
            if name in _MAKERS or (name == "Field" and callee is not None):
                yield from _of_maker(node, scope, project, given, depth)
            elif name in _DEFERRING and node.args:
                yield from _calls_for(node.args[0].value, scope, project, given, depth - 1)


def _of_maker(call: form.Call, scope: Scope, project: Project, given: Given, depth: int) -> Iterator[Made]:
    replaced = call.keyword("sa_column")
    inner = list(_calls_for(replaced, scope, project, given, depth - 1))
    yield from inner or (Made(call, scope, given),)


def _returned(
    call: form.Call, scope: Scope, function: FunctionSymbol, project: Project, given: Given, depth: int
) -> Iterator[Made]:
    inside = {**given, **arguments(call, scope, function, project)}
    for returned in function.returns:
        for node, at in _expressions(returned.value, function.scope, project):
            found = list(_calls_for(node, at, project, inside, depth - 1))
            if found:
                yield from found
                return


def _expressions(node: form.Expr | None, scope: Scope, project: Project) -> list[tuple[form.Expr, Scope]]:
    """The expression, or what its name was given."""
    if node is None:
        return []
    return definitions(node, scope, project) if isinstance(node, form.Name) else [(node, scope)]


def composed(node: form.Expr | None, scope: Scope, project: Project) -> list[list[Made]]:
    """The columns that `composite(Class, mapped_column(...), ...)` declares by itself."""
    if not isinstance(node, form.Call) or last_name(node.func) != "composite":
        return []
    return [made for a in node.args if (made := calls_for(a.value, scope, project))]


def in_annotation(node: form.Expr | None, scope: Scope, project: Project, depth: int = _DEEPEST) -> list[Made]:
    """The calls in `Annotated[int, mapped_column(...)]`, also behind a name and inside of `Optional`."""
    match node:
        case form.Subscript(value=base, index=index) if depth:
            items = index.items if isinstance(index, form.Display) else [index]
            value = project.infer(base, scope)
            if isinstance(value, External) and value.name in _ANNOTATED:
                found = [made for item in items[1:] for made in calls_for(item, scope, project)]
                return found + in_annotation(items[0], scope, project, depth - 1)
            return [made for item in items for made in in_annotation(item, scope, project, depth - 1)]
        case form.Binary(op="|", left=left, right=right):
            return [*in_annotation(left, scope, project, depth), *in_annotation(right, scope, project, depth)]
        case form.Name() | form.Attr() if depth:
            found_definitions = definitions(node, scope, project)
            return [made for d in found_definitions for made in in_annotation(*d, project, depth - 1)]
    return []


def described(
    key: str,
    made: list[Made],
    annotation: form.Expr | None,
    scope: Scope,
    at: Location,
    types: TypeMap,
    project: Project,
) -> Declared:
    """The column that an attribute declares, by all the calls that have a say in it and its annotation."""
    is_key = any(m.says("primary_key", project) for m in made)
    unique = any(m.says("unique", project) for m in made)
    name = next((n for m in made if (n := _name_in(m, project)) is not None), None)
    type_ = next((t for m in made if (t := _type_in(m, project)) is not None), None)
    target = next((t for m in made if (t := _target_in(m, project)) is not None), None)
    indexed = unique or any(m.says("index", project) for m in made)
    type_ = type_ or (annotated_type(annotation, scope, types, project) if annotation is not None else "")
    return Declared(key, Column(name or key, type_, at, indexed, unique, target), is_key)


def _name_in(made: Made, project: Project) -> str | None:
    call = made.call
    if last_name(call.func) == "Field":
        return made.text(made.handed_on("name"), project)
    first = call.positional[0] if call.positional else None
    return made.text(call.keyword("name"), project) or (
        made.text(first, project) if isinstance(first, form.Const | form.Name | form.Template | form.Attr) else None
    )


def _type_in(made: Made, project: Project) -> str | None:
    typed = made.call.keyword("type_") or made.call.keyword("sa_type")
    options = [] if last_name(made.call.func) == "Field" else made.call.positional
    for argument in [*([typed] if typed is not None else []), *options]:
        name = last_name(argument.func if isinstance(argument, form.Call) else argument)
        if name is not None and name not in _NO_TYPES and made.text(argument, project) is None:
            return name
    return None


def _target_in(made: Made, project: Project) -> str | None:
    named = made.text(made.call.keyword("foreign_key"), project)
    if named is not None:
        return table_part(named)
    for argument in made.call.args:
        for node in form.walk(argument.value):
            if isinstance(node, form.Call) and last_name(node.func) in _KEYS and node.args:
                return target_of(node.args[0].value, made, project)
    return None


def target_of(target: form.Expr, made: Made, project: Project) -> str | None:
    """The table that a foreign key names: `"user.id"`, `users.c.id`; for `User.id` the model's id, to be looked up."""
    text = made.text(target, project)
    if text is not None:
        return table_part(text)
    owner = table_of_attribute(target)
    value = project.infer(owner, made.scope) if owner is not None else None
    if isinstance(value, ClassSymbol):
        return value.id
    if isinstance(value, Instance) and value.origin is not None and value.scope is not None and value.origin.args:
        return string_value(value.origin.args[0].value, value.scope, project)
    return last_name(owner) if owner is not None else None


def table_of_attribute(target: form.Expr) -> form.Expr | None:
    """`User` of `User.id` and `User.__table__.c.id`, `users` of `users.c.id`."""
    owner = target.value if isinstance(target, form.Attr) else None
    while isinstance(owner, form.Attr) and owner.attr in ("c", "columns", "__table__"):
        owner = owner.value
    return owner


def table_part(target: str) -> str:
    """`user` of `"public.user.id"`."""
    parts = target.split(".")
    return parts[-2] if len(parts) > 1 else target


def annotated_type(annotation: form.Expr, scope: Scope, types: TypeMap, project: Project) -> str:
    """The column type that SQLAlchemy takes from what `Mapped[...]` holds; for any other class its name."""
    names = _alias_definitions(annotation, scope, project)
    for key, key_scope, type_ in types:
        if names & _alias_definitions(key, key_scope, project):
            return type_
    value = project.annotation_class(annotation, scope)
    for key, key_scope, type_ in types:
        if value is not None and value == project.annotation_class(key, key_scope):
            return type_
    match value:
        case ClassSymbol():
            return "Enum" if project.is_subclass(value, *_ENUMS) else value.name
        case External(name=name):
            return _TYPES.get(name, last_part(name))
    return ""


def _alias_definitions(node: form.Expr, scope: Scope, project: Project) -> set[form.Expr]:
    """What the annotation's names are aliases of: `str50` and `Optional[str50]` have the same."""
    found: set[form.Expr] = set()
    for part in form.walk(node):
        if isinstance(part, form.Name | form.Attr):
            found |= {d for d, _ in definitions(part, scope, project) if isinstance(d, form.Subscript | form.Call)}
    return found
