"""The tables that mapped classes and `Table(...)` declare, with their columns, keys and indexes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from assay.scanner.dataflow.reaching import Definition, Flow, Kind, State
from assay.scanner.dataflow.sources import RequestSources
from assay.scanner.dataflow.strings import TextReader
from assay.scanner.framework import Context
from assay.scanner.frameworks.sqlalchemy.mapped import (
    SQLMODEL,
    column_of,
    is_ours,
    is_table,
    mapped_type,
    names_itself,
    snake_case,
)
from assay.scanner.linker.project import Project, last_name
from assay.scanner.linker.scopes import Binding, ClassSymbol, FunctionSymbol, Module, Scope
from assay.scanner.model.table import Column, Table
from assay.scanner.readers.python import form

NAME = "SQLAlchemy"
_KEYS = frozenset({"ForeignKey", "ForeignKeyConstraint"})
_NO_TYPES = _KEYS | {"Sequence", "Identity", "Computed", "CheckConstraint", "FetchedValue"}
_NO_COLUMNS = frozenset(
    {"relationship", "Relationship", "column_property", "synonym", "association_proxy", "composite"}
)


def tables(context: Context) -> Iterator[Table]:
    """Every mapped class with a table of its own, then tables declared without a class."""
    project = context.project
    found: set[str] = set()
    for cls in project.classes:
        if is_table(cls, project) and not _is_revision(cls.module):
            table = _of_class(cls, project)
            found.add(table.name)
            yield table
    for call, scope in project.calls_named("Table"):
        if _is_revision(scope.module) or not is_ours(project.callee_name(call, scope)):
            continue
        plain = _of_call(call, scope)
        if plain is not None and plain.name not in found:
            found.add(plain.name)
            yield plain


def _is_revision(module: Module) -> bool:
    """An Alembic revision declares tables as they were, to migrate them."""
    return {"revision", "down_revision"} <= module.scope.bindings.keys()


def table_name(cls: ClassSymbol, project: Project) -> str:
    """The table's name: declared, computed by a base's `declared_attr`, or derived from the class's name."""
    declared = project.class_member(cls, "__tablename__")
    if declared:
        last = declared[-1]
        if isinstance(last.value, form.Const) and isinstance(last.value.value, str):
            return last.value.value
        if last.function is not None:
            return _computed_name(last.function, cls, project) or snake_case(cls.name)
    own = cls.own("__table__")
    if own and isinstance(own[-1].value, form.Call) and (name := _constant(own[-1].value.positional[:1])) is not None:
        return name
    if names_itself(cls, project) and project.is_subclass(cls, SQLMODEL):
        return cls.name.lower()
    return snake_case(cls.name)


def _computed_name(function: FunctionSymbol, cls: ClassSymbol, project: Project) -> str | None:
    """What a `declared_attr` function returns for the class, where it can be worked out."""
    if not function.node.params:
        return None
    this = function.node.params[0].name
    name = form.Const(start=function.node.start, end=function.node.end, value=cls.name)
    given = State(function.scope, {})
    flow = Flow(function.scope)
    reader = TextReader(project, RequestSources(project, {}))
    for returned, state in flow.returns:
        known = state.put(f"{this}.__name__", Definition(Kind.ASSIGN, given, name))
        texts = reader.texts(returned, known)
        if len(texts) == 1 and texts[0].literal:
            return texts[0].literal
    return None


def _of_class(cls: ClassSymbol, project: Project) -> Table:
    columns: dict[str, Column] = {}
    keys: set[str] = set()
    for base in reversed(project.mro(cls)):
        if isinstance(base, ClassSymbol):
            for name, bindings in base.scope.bindings.items():
                column = _column(name, bindings[-1], base, project)
                if column is not None:
                    columns[name] = column
                    value = bindings[-1].value
                    if value is not None and _flag(column_of(value, base, project), "primary_key"):
                        keys.add(name)
    columns = _with_key(columns, keys)
    indexed = _with_arguments(columns, project.class_member(cls, "__table_args__"))
    return Table(table_name(cls, project), cls.name, cls.location, cls.module.role, NAME, tuple(indexed.values()))


def _with_key(columns: dict[str, Column], keys: set[str]) -> dict[str, Column]:
    """The only column of a primary key is unique by itself; one of several isn't."""
    return {k: replace(c, unique=True) if keys == {k} else c for k, c in columns.items()}


def _column(name: str, binding: Binding, cls: ClassSymbol, project: Project) -> Column | None:
    if binding.function is not None:
        return _declared_column(name, binding.function, cls, project)
    is_field = project.is_subclass(cls, SQLMODEL) and binding.annotation is not None
    annotated = mapped_type(binding.annotation) or (binding.annotation if is_field else None)
    value = binding.value
    if name.startswith("__") or (isinstance(value, form.Call) and last_name(value.func) in _NO_COLUMNS):
        return None
    made = column_of(value, cls, project) if value is not None else None
    if made is None and annotated is None:
        return None
    return _described(name, made, annotated, cls.module, value if value is not None else annotated)


def _declared_column(name: str, function: FunctionSymbol, cls: ClassSymbol, project: Project) -> Column | None:
    """A column of a mixin: `@declared_attr def owner_id(cls): return Column(...)`."""
    if not any("declared_attr" in (form.dotted(d) or "") for d in function.decorators):
        return None
    for returned in function.returns():
        made = column_of(returned.value, cls, project) if returned.value is not None else None
        if made is not None:
            return replace(_described(name, made, None, function.module, made), location=function.location)
    return None


def _described(
    name: str, made: form.Call | None, annotation: form.Expr | None, module: Module, at: form.Expr | None
) -> Column:
    arguments = made.positional if made is not None else []
    named = _constant(arguments[:1])
    given = made.keyword("name") if made is not None else None
    if isinstance(given, form.Const) and isinstance(given.value, str):
        named = given.value
    is_key = _flag(made, "primary_key")
    unique = _flag(made, "unique")
    place = at if at is not None else made
    assert place is not None
    return Column(
        named or name,
        _type_of(arguments, made) or _type_name(annotation) or "",
        module.location(place),
        indexed=is_key or unique or _flag(made, "index"),
        unique=unique,
        fk_to=_foreign_key(made),
    )


def _constant(arguments: Iterable[form.Expr]) -> str | None:
    first = next(iter(arguments), None)
    return first.value if isinstance(first, form.Const) and isinstance(first.value, str) else None


def _flag(made: form.Call | None, name: str) -> bool:
    value = made.keyword(name) if made is not None else None
    return isinstance(value, form.Const) and value.value is True


def _type_of(arguments: list[form.Expr], made: form.Call | None) -> str | None:
    typed = made.keyword("type_") or made.keyword("sa_type") if made is not None else None
    for argument in [*([typed] if typed is not None else []), *arguments]:
        named = argument.func if isinstance(argument, form.Call) else argument
        name = last_name(named)
        if name is not None and name not in _NO_TYPES:
            return name
    return None


def _type_name(annotation: form.Expr | None) -> str | None:
    """`str` of `Optional[str]`, `str | None` and `"str"`."""
    match annotation:
        case form.Subscript(value=base, index=index):
            outer = last_name(base)
            inner = index.items[0] if isinstance(index, form.Display) and index.items else index
            return _type_name(inner) if outer in ("Optional", "Union", "Annotated", "Mapped") else outer
        case form.Binary(op="|", left=left, right=right):
            return _type_name(left) if not isinstance(left, form.Const) else _type_name(right)
        case form.Const(value=str() as text):
            return text
        case form.Name() | form.Attr():
            return last_name(annotation)
    return None


def _foreign_key(made: form.Call | None) -> str | None:
    """The table (or model) that a column refers to."""
    if made is None:
        return None
    named = made.keyword("foreign_key")
    if isinstance(named, form.Const) and isinstance(named.value, str):
        return _table_part(named.value)
    for argument in made.args:
        for node in form.walk(argument.value):
            if isinstance(node, form.Call) and last_name(node.func) in _KEYS and node.args:
                target = node.args[0].value
                if isinstance(target, form.Const) and isinstance(target.value, str):
                    return _table_part(target.value)
                return last_name(target.value) if isinstance(target, form.Attr) else None
    return None


def _table_part(target: str) -> str:
    return target.rsplit(".", 1)[0]


def _with_arguments(columns: dict[str, Column], declared: list[Binding]) -> dict[str, Column]:
    """The columns with what `__table_args__` says about them: the first column of an index is the one it serves."""
    value = declared[-1].value if declared else None
    if declared and value is None and declared[-1].function is not None:
        value = next((r.value for r in declared[-1].function.returns()), None)
    if value is None:
        return columns
    return _constrained(columns, [n for n in form.walk(value) if isinstance(n, form.Call)])


def _constrained(columns: dict[str, Column], calls: Iterable[form.Call]) -> dict[str, Column]:
    found = dict(columns)
    for call in calls:
        kind = last_name(call.func)
        if kind not in ("Index", "UniqueConstraint", "PrimaryKeyConstraint"):
            continue
        named = call.positional[1:] if kind == "Index" else call.positional
        names = [n for a in named if (n := _column_named(a)) is not None]
        key = next((k for k, c in found.items() if names and names[0] in (k, c.name)), None)
        if key is not None:
            is_unique = len(names) == 1 and (kind != "Index" or _flag(call, "unique"))
            found[key] = replace(found[key], indexed=True, unique=found[key].unique or is_unique)
    return found


def _column_named(node: form.Expr) -> str | None:
    if isinstance(node, form.Const) and isinstance(node.value, str):
        return node.value
    return last_name(node)


def _of_call(call: form.Call, scope: Scope) -> Table | None:
    """The table of `Table("name", metadata, Column(...), ...)`; None where its name isn't constant."""
    name = _constant(call.positional[:1])
    if name is None:
        return None
    columns: dict[str, Column] = {}
    keys: set[str] = set()
    for argument in call.positional[1:]:
        if isinstance(argument, form.Call) and last_name(argument.func) == "Column":
            column = _described("", argument, None, scope.module, argument)
            columns[column.name] = column
            if _flag(argument, "primary_key"):
                keys.add(column.name)
    columns = _with_key(columns, keys)
    if not columns:
        return None
    constraints = [a for a in call.positional[1:] if isinstance(a, form.Call)]
    described = tuple(_constrained(columns, constraints).values())
    return Table(name, name, scope.module.location(call), scope.module.role, NAME, described)
