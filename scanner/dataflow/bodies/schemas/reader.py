"""The schemas of a project, each read once, by the class or by the expression that names one."""

from __future__ import annotations

from dataclasses import replace

from assay.scanner.dataflow.bodies.schemas.names import names_in
from assay.scanner.dataflow.bodies.schemas.of_annotations import annotated_class, is_pydantic, is_record
from assay.scanner.dataflow.bodies.schemas.of_django import (
    is_form,
    is_model_form,
    is_serializer,
    model_form,
    serializer,
)
from assay.scanner.dataflow.bodies.schemas.of_marshmallow import (
    fields_dict,
    is_schema,
    made_of,
    marshmallow_schema,
)
from assay.scanner.dataflow.bodies.schemas.schema import Library, Schema, SchemaField
from assay.scanner.dataflow.bodies.schemas.tables import Tables, holds_text
from assay.scanner.dataflow.constants import string_value
from assay.scanner.framework import BodyType
from assay.scanner.linker.project import Project, last_name
from assay.scanner.linker.scopes import ClassSymbol, Scope
from assay.scanner.linker.values import Instance, Literal, Value
from assay.scanner.readers.python import form


class Schemas:
    """Reads schemas of one project."""

    def __init__(self, tables: Tables, project: Project) -> None:
        self.tables = tables
        self._project = project
        self._known: dict[ClassSymbol, Schema | None] = {}

    def library(self, cls: ClassSymbol) -> Library | None:
        """By whose rules the class is a schema; None for one that is none."""
        names = self._project.base_names(cls)
        if is_serializer(names):
            return Library.REST_FRAMEWORK
        if is_schema(names):
            return Library.MARSHMALLOW
        if is_form(names) or is_model_form(names):
            return Library.FORM
        if is_pydantic(names):
            return Library.PYDANTIC
        return Library.DATACLASS if is_record(cls, self._project) else None

    def of(self, cls: ClassSymbol) -> Schema | None:
        """What the class says as a schema; None for one that is none."""
        if cls not in self._known:
            self._known[cls] = self._read(cls)
        return self._known[cls]

    def _read(self, cls: ClassSymbol) -> Schema | None:
        match self.library(cls):
            case Library.REST_FRAMEWORK:
                return serializer(cls, self.tables, self._project)
            case Library.MARSHMALLOW:
                return marshmallow_schema(cls, self.tables, self._project)
            case Library.FORM:
                return model_form(cls, self.tables, self._project)
            case Library.PYDANTIC | Library.DATACLASS:
                return annotated_class(cls, self.tables, self._project)
        return None

    def of_rows(self, cls: ClassSymbol) -> Schema | None:
        """What is shown of a mapped class where its objects are written out as they are: every column."""
        table = self.tables.of(cls)
        if table is None:
            return None
        fields = {c.name: SchemaField(c.name, c.location, is_text=holds_text(c)) for c in table.columns}
        return Schema(cls.name, Library.DATACLASS, cls.location, cls.module.role, fields, cls, table, is_table=True)

    def of_expression(self, node: form.Expr, scope: Scope) -> Schema | None:
        """`UserSchema`, `UserSchema(exclude=("password",))`, `api.model("User", {...})`, a dict of fields."""
        return self.of_value(self._project.infer(node, scope))

    def declared(self, declared: BodyType) -> Schema | None:
        """What a declaration of a body says, of the part of the fields that it picks."""
        found = self.of_expression(declared.site.node, declared.site.scope)
        return found.narrowed(declared.only, declared.without) if found is not None else None

    def of_value(self, value: Value | None) -> Schema | None:
        """The same of what the expression stands for."""
        match value:
            case ClassSymbol():
                return self.of(value)
            case Instance(cls=ClassSymbol() as cls):
                found = self.of(cls)
                return self._as_made(found, value) if found is not None else None
            case Instance():
                return made_of(value, self._project) or self._created(value)
            case Literal():
                return fields_dict(value, "fields")
        return None

    def _created(self, value: Instance) -> Schema | None:
        """`pydantic_model_creator(User, exclude=("password_hash",))` of Tortoise."""
        call, scope = value.origin, value.scope
        if call is None or scope is None or last_name(call.func) != "pydantic_model_creator" or not call.positional:
            return None
        cls = self._project.infer(call.positional[0], scope)
        found = self.of_rows(cls) if isinstance(cls, ClassSymbol) else None
        if found is None or not isinstance(cls, ClassSymbol):
            return None
        named = string_value(said, scope, self._project) if (said := call.argument(1, "name")) is not None else None
        only = self._names(call.keyword("include"), scope)
        without = self._names(call.keyword("exclude"), scope) or frozenset()
        meta = self._project.class_member(cls, "PydanticMeta")
        inner = self._project.class_attribute(meta[-1].cls, "exclude") if meta and meta[-1].cls is not None else None
        without |= (self._names(*inner) if inner is not None else None) or frozenset()
        place = scope.module.location(call)
        made = replace(found, name=named or cls.name, location=place, cls=None, is_table=False)
        return replace(made, library=Library.PYDANTIC).narrowed(only, without)

    def _names(self, node: form.Expr | None, scope: Scope) -> frozenset[str] | None:
        found = names_in(node, scope, self._project, self.tables.columns) if node is not None else None
        return frozenset(found) if found is not None else None

    def _as_made(self, found: Schema, value: Instance) -> Schema:
        """`only` and `exclude` of marshmallow, `fields` of REST framework's serializers that take it."""
        call, scope = value.origin, value.scope
        if found.library not in (Library.MARSHMALLOW, Library.REST_FRAMEWORK) or call is None or scope is None:
            return found
        only, without = call.keyword("only") or call.keyword("fields"), call.keyword("exclude") or call.keyword("omit")
        return found.narrowed(self._names(only, scope), self._names(without, scope) or frozenset())
