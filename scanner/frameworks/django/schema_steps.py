"""What the operations of a Django migration do to the schema, step by step.

https://docs.djangoproject.com/en/stable/ref/migration-operations/
"""

from __future__ import annotations

from collections.abc import Iterator

from assay.scanner.dataflow.constants import list_items, string_value
from assay.scanner.framework import Sited
from assay.scanner.frameworks.django.constants import Evaluator
from assay.scanner.frameworks.django.keys import (
    INDEX_TOGETHER,
    UNIQUE_TOGETHER,
    is_check,
    key_of,
    keys_in,
    required_by,
    together,
)
from assay.scanner.frameworks.django.settings import settings_for
from assay.scanner.linker.project import Project, last_name, last_part
from assay.scanner.linker.scopes import ClassSymbol, Scope
from assay.scanner.linker.values import External
from assay.scanner.model.schema import (
    AddCheck,
    AddColumn,
    AddKey,
    AlterColumn,
    ChangeData,
    CreateTable,
    Default,
    DropColumn,
    DropConstraint,
    DropKey,
    DropTable,
    Key,
    RenameColumn,
    RenameKey,
    RenameTable,
    SchemaColumn,
    SchemaStep,
    SetKeys,
    Unclear,
)
from assay.scanner.readers.python import form

_TO_ONE = ("ForeignKey", "OneToOneField", "ParentalKey")
_TO_MANY = ("ManyToManyField", "TaggableManager", "ParentalManyToManyField")
_NO_SCHEMA = frozenset(
    {
        "AlterModelOptions", "AlterModelManagers", "AlterModelTableComment", "ValidateConstraint", "RunPython",
        "CreateCollation", "RemoveCollation", "AlterConstraint",
    }
)  # fmt: skip
_KNOWN = _NO_SCHEMA | {
    "CreateModel", "DeleteModel", "RenameModel", "AlterModelTable", "AlterUniqueTogether", "AlterIndexTogether",
    "AlterOrderWithRespectTo", "AddField", "RemoveField", "AlterField", "RenameField", "AddIndex", "RemoveIndex",
    "RenameIndex", "AddConstraint", "RemoveConstraint", "AddIndexConcurrently", "RemoveIndexConcurrently",
    "AddConstraintNotValid", "RunSQL",
}  # fmt: skip
_UNKNOWN_TABLE = "?"


def operation_name(call: form.Call, scope: Scope, project: Project) -> str:
    """The library's name of the operation that a call makes, also of a class of the project built on one."""
    name = last_name(call.func) or ""
    if name in _KNOWN:
        return name
    value = project.infer(call.func, scope)
    bases = project.mro(value) if isinstance(value, ClassSymbol) else ()
    known = (last_part(b.name) for b in bases if isinstance(b, External))
    return next((base for base in known if base in _KNOWN), name)


def steps_of(call: form.Call, scope: Scope, app: str, project: Project) -> tuple[SchemaStep, ...]:
    """What the operation does, tables being called `app.model`. `RunSQL` is for the reader of SQL."""
    return tuple(_Operation(call, scope, app, project).steps())


class _Operation:
    """One call in a migration's `operations`."""

    def __init__(self, call: form.Call, scope: Scope, app: str, project: Project) -> None:
        self._call = call
        self._scope = scope
        self._app = app
        self._project = project

    def steps(self) -> Iterator[SchemaStep]:
        name = operation_name(self._call, self._scope, self._project)
        if name in _NO_SCHEMA or name.endswith("Extension"):
            yield ChangeData()
            return
        of_model = name in ("CreateModel", "DeleteModel", "RenameModel", "AlterModelTable") or name.startswith(
            ("AlterUnique", "AlterIndex", "AlterOrder")
        )
        model = self._text(0, "old_name" if name == "RenameModel" else "name" if of_model else "model_name")
        table = f"{self._app}.{model.lower()}" if model is not None else None
        if name not in _KNOWN or table is None:
            yield Unclear(table)
            return
        if of_model:
            yield from self._of_model(name, table)
        elif "Field" in name:
            yield from self._of_field(name, table)
        else:
            yield from self._of_key(name, table)

    # --- tables ---

    def _of_model(self, name: str, table: str) -> Iterator[SchemaStep]:
        match name:
            case "CreateModel":
                yield from self._created(table)
            case "DeleteModel":
                yield DropTable(table)
            case "RenameModel":
                new = self._text(1, "new_name")
                yield RenameTable(table, f"{self._app}.{new.lower()}") if new else Unclear(table)
            case "AlterModelTable":
                stated = self._text(1, "table")
                yield RenameTable(table, table, stated.strip('"') if stated else _by_default(table))
            case "AlterUniqueTogether" | "AlterIndexTogether":
                option = UNIQUE_TOGETHER if name == "AlterUniqueTogether" else INDEX_TOGETHER
                node = self._call.argument(1, option)
                keys = together(option, node, self._scope, self._project) if node is not None else ()
                yield SetKeys(table, option, keys)
            case "AlterOrderWithRespectTo":
                node = self._call.argument(1, "order_with_respect_to")
                is_off = isinstance(node, form.Const) and node.value is None
                column = SchemaColumn("_order", "OrderWrt", nullable=False, is_indexed=True, fills_in=True)
                yield DropColumn(table, "_order") if is_off else AddColumn(table, column)

    def _created(self, table: str) -> Iterator[SchemaStep]:
        options = self._options()
        if _is_on(options.get("proxy")) or _is_off(options.get("managed")):
            yield ChangeData()
            return
        listed = self._call.argument(1, "fields")
        fields = list_items(listed, self._scope, self._project) if listed is not None else []
        fields = [field for field in fields if not _is_composite_key(field[0])]
        columns = [c for node, at in fields if (c := self._listed(node, at)) is not None]
        stated = options.get("db_table")
        name = string_value(stated, self._scope, self._project) if stated is not None else None
        keys: list[Key] = []
        for option in ("indexes", "constraints"):
            if option in options:
                keys += keys_in(options[option], self._scope, self._project)
        for option in (UNIQUE_TOGETHER, INDEX_TOGETHER):
            if option in options:
                keys += together(option, options[option], self._scope, self._project)
        if "order_with_respect_to" in options:
            columns.append(SchemaColumn("_order", "OrderWrt", nullable=False, is_indexed=True, fills_in=True))
        is_whole = len(columns) >= len(fields) > 0 and (stated is None or name is not None)
        name = name.strip('"') if name else _by_default(table)
        yield CreateTable(table, tuple(columns), tuple(keys), name, is_whole)

    def _options(self) -> dict[str, form.Expr]:
        options = self._call.argument(2, "options")
        if not isinstance(options, form.Dict):
            return {}
        return {
            key.value: value
            for key, value in zip(options.keys, options.values, strict=True)
            if isinstance(key, form.Const) and isinstance(key.value, str)
        }

    def _listed(self, node: form.Expr, scope: Scope) -> SchemaColumn | None:
        """`("name", models.CharField(...))`."""
        if not isinstance(node, form.Display) or len(node.items) != 2:
            return None
        name = string_value(node.items[0], scope, self._project)
        return self._column(name, node.items[1], scope) if name is not None else None

    # --- columns ---

    def _of_field(self, name: str, table: str) -> Iterator[SchemaStep]:
        field = self._text(1, "old_name" if name == "RenameField" else "name")
        if field is None:
            yield Unclear(table)
            return
        if name == "RemoveField":
            yield DropColumn(table, field)
            return
        if name == "RenameField":
            new = self._text(2, "new_name")
            yield RenameColumn(table, field, new) if new is not None else Unclear(table)
            return
        node = self._call.argument(2, "field")
        column = self._column(field, node, self._scope) if node is not None else None
        if column is None:
            yield Unclear(table)
        elif name == "AddField":
            yield AddColumn(table, column)
        else:
            yield AlterColumn(table, field, declared=column)

    def _column(self, name: str, node: form.Expr, scope: Scope) -> SchemaColumn | None:
        if not isinstance(node, form.Call):
            return None
        type_ = last_name(node.func) or ""
        is_to_one = type_.endswith(_TO_ONE)
        is_key = _is_on(node.keyword("primary_key"))
        is_unique = _is_on(node.keyword("unique")) or type_.endswith("OneToOneField")
        indexed = node.keyword("db_index")
        by_default = is_to_one or type_ == "SlugField"
        length = node.keyword("max_length")
        has_constraint = not _is_off(node.keyword("db_constraint"))
        stated = node.keyword("db_column")
        return SchemaColumn(
            name=name,
            type=type_,
            nullable=_is_on(node.keyword("null")) or type_ == "NullBooleanField",
            default=_default(node, type_),
            refers_to=self._target(node, scope) if is_to_one and has_constraint else None,
            is_unique=is_unique,
            is_indexed=_is_on(indexed) or (by_default and not _is_off(indexed)),
            is_key=is_key,
            is_stored=not type_.endswith(_TO_MANY),
            length=length.value if isinstance(length, form.Const) and isinstance(length.value, int) else None,
            fills_in=node.keyword("default") is not None
            or _is_on(node.keyword("auto_now"))
            or _is_on(node.keyword("auto_now_add")),
            stored_as=string_value(stated, scope, self._project) if stated is not None else None,
        )

    def _target(self, call: form.Call, scope: Scope) -> str:
        to = call.argument(0, "to")
        if to is None:
            return _UNKNOWN_TABLE
        text = Evaluator(self._project, settings_for(self._project, scope.module.path)).text(Sited(to, scope))
        if text is None:
            return _UNKNOWN_TABLE
        return text.lower() if "." in text else f"{self._app}.{text.lower()}"

    # --- keys ---

    def _of_key(self, name: str, table: str) -> Iterator[SchemaStep]:
        concurrent = name.endswith("Concurrently")
        match name.removesuffix("Concurrently"):
            case "AddIndex" | "AddConstraint" | "AddConstraintNotValid":
                node = self._call.argument(1, "index" if "Index" in name else "constraint")
                key = key_of(node, self._scope, self._project) if node is not None else None
                if node is not None and is_check(node):
                    yield AddCheck(
                        table, self._named(node), is_valid=name == "AddConstraint", required=required_by(node)
                    )
                elif key is not None:
                    yield AddKey(table, key, concurrent)
                else:
                    yield ChangeData() if isinstance(node, form.Call) else Unclear(table)
            case "RemoveIndex":
                yield DropKey(table, self._text(1, "name"), concurrent)
            case "RemoveConstraint":
                yield DropConstraint(table, self._text(1, "name"))
            case "RenameIndex":
                new, old = self._text(1, "new_name"), self._text(2, "old_name")
                fields = self._call.argument(3, "old_fields")
                items = list_items(fields, self._scope, self._project) if fields is not None else []
                columns = tuple(string_value(*item, self._project) or "" for item in items)
                yield RenameKey(table, old, new or "", columns)

    def _named(self, node: form.Expr) -> str | None:
        named = node.keyword("name") if isinstance(node, form.Call) else None
        return string_value(named, self._scope, self._project) if named is not None else None

    def _text(self, index: int, name: str) -> str | None:
        node = self._call.argument(index, name)
        return string_value(node, self._scope, self._project) if node is not None else None


def _by_default(table: str) -> str:
    return table.replace(".", "_")


def _is_composite_key(listed: form.Expr) -> bool:
    """`("pk", models.CompositePrimaryKey(...))`: no column, but the model's key, which the model states."""
    called = listed.items[-1] if isinstance(listed, form.Display) and listed.items else None
    return isinstance(called, form.Call) and last_name(called.func) == "CompositePrimaryKey"


def _is_on(node: form.Expr | None) -> bool:
    return isinstance(node, form.Const) and node.value is True


def _is_off(node: form.Expr | None) -> bool:
    return isinstance(node, form.Const) and node.value is False


def _default(field: form.Call, type_: str) -> Default:
    """`db_default=0` is one value for all rows, `db_default=RandomUUID()` is another for each."""
    if type_ == "GeneratedField":
        return Default.VOLATILE if _is_on(field.keyword("db_persist")) else Default.CONSTANT
    stated = field.keyword("db_default")
    if stated is None:
        return Default.NONE
    called = last_name(stated.func) if isinstance(stated, form.Call) else None
    return Default.VOLATILE if called is not None and "random" in called.lower() else Default.CONSTANT
