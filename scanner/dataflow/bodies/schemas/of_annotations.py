"""Classes whose fields are annotations: pydantic's models, SQLModel's, Ninja's schemas, data classes, attrs, msgspec.

https://docs.pydantic.dev/latest/concepts/fields/, https://django-ninja.dev/guides/response/django-pydantic/
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from assay.scanner.dataflow.bodies.schemas.names import names_in
from assay.scanner.dataflow.bodies.schemas.schema import Library, Schema, SchemaField
from assay.scanner.dataflow.bodies.schemas.tables import Tables, holds_text
from assay.scanner.dataflow.constants import definitions, string_value
from assay.scanner.dataflow.model_options import model_option
from assay.scanner.dataflow.typed import is_typed
from assay.scanner.linker.project import Project, last_name
from assay.scanner.linker.scopes import Binding, ClassSymbol, How, Scope
from assay.scanner.model.place import Evidence
from assay.scanner.readers.python import form

_MODELS = frozenset(
    {
        "pydantic.BaseModel", "pydantic.main.BaseModel", "pydantic.v1.BaseModel", "pydantic.RootModel",
        "pydantic.generics.GenericModel", "sqlmodel.SQLModel", "sqlmodel.main.SQLModel", "ninja.Schema",
        "ninja.ModelSchema", "ninja.schema.Schema", "ninja.orm.ModelSchema", "ninja_schema.Schema",
        "ninja_schema.ModelSchema", "ninja_extra.ModelSchema", "beanie.Document", "odmantic.Model",
        "pydantic_settings.BaseSettings", "flask_openapi3.BaseModel", "fastapi_camelcase.CamelModel",
        "fastapi_utils.api_model.APIModel", "humps.CamelModel", "djantic.ModelSchema",
    }
)  # fmt: skip
_RECORDS = frozenset(
    {
        "msgspec.Struct", "typing.NamedTuple", "typing.TypedDict", "typing_extensions.TypedDict",
        "litestar.contrib.pydantic.PydanticDTO",
    }
)  # fmt: skip
_RECORD_DECORATORS = frozenset(
    {
        "dataclasses.dataclass", "attrs.define", "attrs.frozen", "attr.s", "attr.attrs", "attr.define",
        "attr.dataclass", "pydantic.dataclasses.dataclass", "attrs.mutable",
    }
)  # fmt: skip
_MASKED = frozenset({"SecretStr", "SecretBytes", "Secret"})
_NO_FIELDS = frozenset({"ClassVar", "InitVar", "PrivateAttr"})
_NO_COLUMNS = frozenset({"Relationship", "PrivateAttr"})
_SERIALIZERS = frozenset({"field_serializer", "serializer"})
_FIELD = frozenset({"Field", "field", "attrib", "ib", "FieldInfo"})
_DEEPEST = 4


def is_pydantic(names: frozenset[str]) -> bool:
    """Whether library bases of these names make a model that pydantic checks."""
    return not names.isdisjoint(_MODELS) or any(
        name.startswith(("pydantic.", "fastapi_users.schemas.", "ninja.")) for name in names
    )


def is_record(cls: ClassSymbol, project: Project) -> bool:
    """A class whose annotations are its fields, without pydantic."""
    if project.is_subclass(cls, *_RECORDS):
        return True
    for base in project.mro(cls):
        for decorator in base.node.decorators if isinstance(base, ClassSymbol) else ():
            callee = decorator.func if isinstance(decorator, form.Call) else decorator
            if project.qualified_name(callee, cls.outer) in _RECORD_DECORATORS:
                return True
    return False


def annotated_class(cls: ClassSymbol, tables: Tables, project: Project) -> Schema:
    """The fields of the class and its bases."""
    library = Library.PYDANTIC if is_pydantic(project.base_names(cls)) else Library.DATACLASS
    fields: dict[str, SchemaField] = {}
    masked: set[str] = set()
    unknown: Evidence | None = None
    for base in reversed(project.mro(cls)):
        if not isinstance(base, ClassSymbol):
            continue
        fields.update(_own_fields(base, project))
        for names, whole in _serialized_by_hand(base, project):
            masked.update(names)
            unknown = unknown or whole
    fields = {name: replace(f, is_masked=True) if name in masked else f for name, f in fields.items()}
    found = Schema(
        cls.name,
        library,
        cls.location,
        cls.module.role,
        fields,
        cls,
        tables.of(cls),
        is_table=tables.of(cls) is not None,
        unknown=unknown,
        open_to=_open_to(cls, project),
    )
    return _of_model(found, cls, tables, project)


def _own_fields(cls: ClassSymbol, project: Project) -> Iterator[tuple[str, SchemaField]]:
    for name, bindings in cls.scope.bindings.items():
        binding = bindings[-1]
        if binding.how is How.ASSIGN and binding.annotation is not None and not name.startswith("_"):
            field = _field(name, binding, cls.scope, project)
            if field is not None:
                yield name, field
        elif binding.function is not None and _is_computed(binding.function.decorators):
            returns = binding.function.node.returns
            is_text = returns is None or not is_typed(returns, cls.scope, project)
            place = binding.function.location
            yield name, SchemaField(name, place, is_taken=False, is_masked=True, is_text=is_text)


def _is_computed(decorators: list[form.Expr]) -> bool:
    return any(last_name(d.func if isinstance(d, form.Call) else d) == "computed_field" for d in decorators)


def _field(name: str, binding: Binding, scope: Scope, project: Project) -> SchemaField | None:
    annotation = binding.annotation
    assert annotation is not None
    words = set(_words(annotation, scope, project))
    if words & _NO_FIELDS:
        return None
    calls = [n for n in form.walk(annotation) if isinstance(n, form.Call)]
    if isinstance(binding.value, form.Call):
        calls.append(binding.value)
    if any(last_name(call.func) in _NO_COLUMNS for call in calls):
        return None
    said = [call for call in calls if last_name(call.func) in _FIELD]
    alias = next((string_value(a, scope, project) for c in said if (a := c.keyword("alias")) is not None), None)
    start = binding.offset
    return SchemaField(
        alias or name,
        scope.module.span(start, start + len(name)),
        is_taken=not any(_is_false(call.keyword("init")) for call in said),
        is_shown=not any(_is_true(call.keyword("exclude")) for call in said),
        is_masked=bool(words & _MASKED),
        is_text=not is_typed(annotation, scope, project),
        nested=tuple(_classes_in(annotation, scope, project)),
    )


def _words(annotation: form.Expr, scope: Scope, project: Project, depth: int = _DEEPEST) -> Iterator[str]:
    """The last names in the annotation, and in the aliases that it names."""
    for node in form.walk(annotation):
        if isinstance(node, form.Name | form.Attr):
            yield last_name(node) or ""
        elif isinstance(node, form.Const) and isinstance(node.value, str):
            yield from (word for word in ("SecretStr", "ClassVar") if word in node.value)
        if isinstance(node, form.Name) and depth:
            for definition, around in definitions(node, scope, project):
                if isinstance(definition, form.Subscript | form.Binary):
                    yield from _words(definition, around, project, depth - 1)


def _classes_in(annotation: form.Expr, scope: Scope, project: Project) -> Iterator[ClassSymbol]:
    """The project's classes that a value of the type may hold."""
    seen: set[ClassSymbol] = set()
    for node in form.walk(annotation):
        value = None
        if isinstance(node, form.Name):
            value = project.infer(node, scope)
        elif isinstance(node, form.Const) and isinstance(node.value, str):
            value = project.annotation_class(node, scope)
        if isinstance(value, ClassSymbol) and value not in seen:
            seen.add(value)
            yield value


def _is_true(node: form.Expr | None) -> bool:
    return isinstance(node, form.Const) and node.value is True


def _is_false(node: form.Expr | None) -> bool:
    return isinstance(node, form.Const) and node.value is False


def _serialized_by_hand(cls: ClassSymbol, project: Project) -> Iterator[tuple[list[str], Evidence | None]]:
    """The names of fields that a method of the class writes; a whole-model serializer may leave any of them out."""
    for method in cls.methods.values():
        for decorator in method.decorators:
            callee = decorator.func if isinstance(decorator, form.Call) else decorator
            name = last_name(callee)
            if name in _SERIALIZERS and isinstance(decorator, form.Call):
                texts = (string_value(arg.value, cls.scope, project) for arg in decorator.args if arg.name is None)
                yield [text for text in texts if text is not None], None
            elif name == "model_serializer":
                yield [], method.module.evidence(decorator, "a method writes the whole model")
        if method.name in ("model_dump", "dict", "to_dict"):
            yield [n.value for n in method.walk() if isinstance(n, form.Const) and isinstance(n.value, str)], None


def _open_to(cls: ClassSymbol, project: Project) -> Evidence | None:
    """`model_config = ConfigDict(extra="allow")`, `class Config: extra = "allow"`."""
    extra = model_option(cls, "extra", project)
    if extra is None:
        return None
    is_open = last_name(extra.node) == "allow" or (isinstance(extra.node, form.Const) and extra.node.value == "allow")
    return extra.module.evidence(extra.node, "it takes fields that it doesn't declare") if is_open else None


# --- Ninja's model schemas ---


def _of_model(found: Schema, cls: ClassSymbol, tables: Tables, project: Project) -> Schema:
    """`class Meta: model = User; fields = ["id"]` of a ModelSchema."""
    bindings = [*project.class_member(cls, "Meta"), *project.class_member(cls, "Config")]
    meta = next((b.cls for b in bindings if b.cls is not None and project.class_attribute(b.cls, "model")), None)
    stated = project.class_attribute(meta, "model") if meta is not None else None
    if meta is None or stated is None:
        return found
    table = tables.of_expression(*stated)
    found = replace(found, table=table)
    listed = project.class_attribute(meta, "fields") or project.class_attribute(meta, "model_fields")
    listed = listed or project.class_attribute(meta, "include")
    excluded = project.class_attribute(meta, "exclude") or project.class_attribute(meta, "model_exclude")
    option = listed or excluded
    if option is None or table is None:
        return found
    place = option[1].module.evidence(option[0], "the model's fields are in it")
    columns = {c.name: c for c in table.columns}
    is_all = listed is not None and isinstance(listed[0], form.Const) and listed[0].value == "__all__"
    names = list(columns) if is_all else names_in(*option, project, tables.columns)
    if names is None:
        return replace(found, unknown=place)
    if listed is None:
        names = [name for name in columns if name not in names]
    fields = {
        name: SchemaField(name, place.location, is_text=name not in columns or holds_text(columns[name]))
        for name in names
    }
    fields.update(found.fields)
    return replace(found, fields=fields, everything=place if is_all or listed is None else None)
