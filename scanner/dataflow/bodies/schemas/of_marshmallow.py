"""marshmallow's schemas, and the dicts of fields that Flask-RESTful and Flask-RESTX write answers by.

https://marshmallow.readthedocs.io/en/stable/quickstart.html, https://marshmallow-sqlalchemy.readthedocs.io
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from assay.scanner.dataflow.bodies.schemas.names import names_in
from assay.scanner.dataflow.bodies.schemas.schema import Library, Schema, SchemaField
from assay.scanner.dataflow.bodies.schemas.tables import Tables, holds_text
from assay.scanner.dataflow.constants import constant, string_value
from assay.scanner.linker.project import Project, last_name, last_part
from assay.scanner.linker.scopes import ClassSymbol, How, Scope
from assay.scanner.linker.values import Instance, Literal
from assay.scanner.model.place import Evidence
from assay.scanner.model.table import Table
from assay.scanner.readers.python import form

_SCHEMAS = frozenset({"Schema", "SQLAlchemyAutoSchema", "SQLAlchemySchema", "SQLAlchemyModelSchema", "ModelSchema"})
_PACKAGES = ("marshmallow", "flask_marshmallow", "marshmallow_sqlalchemy", "apiflask", "webargs", "umongo")
_AUTOMATIC = frozenset({"SQLAlchemyAutoSchema", "ModelSchema", "SQLAlchemyModelSchema"})
_PLAIN = frozenset(
    {
        "Bool", "Boolean", "Int", "Integer", "Float", "Decimal", "Number", "Date", "DateTime", "AwareDateTime", "Time",
        "TimeDelta", "Enum", "Email", "Url", "URL", "URLFor", "AbsoluteURLFor", "Hyperlinks", "UUID",
    }
)  # fmt: skip
_COMPUTED = frozenset({"Method", "Function"})
_MADE = frozenset({"model", "Model", "clone", "inherit", "OrderedModel"})


def is_schema(names: frozenset[str]) -> bool:
    """Whether library bases of these names make a marshmallow schema."""
    return any(name.startswith(_PACKAGES) and last_part(name) in _SCHEMAS for name in names)


def marshmallow_schema(cls: ClassSymbol, tables: Tables, project: Project) -> Schema:
    """The fields of the class and its bases, and those that it takes from a mapped class."""
    fields: dict[str, SchemaField] = {}
    for base in reversed(project.mro(cls)):
        if isinstance(base, ClassSymbol):
            fields.update(_declared(base, project))
    found = Schema(cls.name, Library.MARSHMALLOW, cls.location, cls.module.role, fields, cls)
    bindings = project.class_member(cls, "Meta")
    meta = bindings[-1].cls if bindings else None
    found = _with_meta(found, cls, meta, tables, project) if meta is not None else found
    return _without_post_dump(found, cls)


def _declared(cls: ClassSymbol, project: Project) -> Iterator[tuple[str, SchemaField]]:
    for name, bindings in cls.scope.bindings.items():
        value = bindings[-1].value if bindings[-1].how is How.ASSIGN else None
        if isinstance(value, form.Call):
            yield name, _field(name, value, bindings[-1].scope, project)


def _field(name: str, call: form.Call, scope: Scope, project: Project) -> SchemaField:
    kind = last_name(call.func) or ""
    shown_as = call.keyword("data_key")
    text = string_value(shown_as, scope, project) if shown_as is not None else None
    return SchemaField(
        text or name,
        scope.module.location(call),
        is_taken=not _says(call, "dump_only", scope, project),
        is_shown=not _says(call, "load_only", scope, project),
        is_masked=kind in _COMPUTED,
        is_text=kind not in _PLAIN,
        nested=tuple(_nested(call, scope, project)),
    )


def _says(call: form.Call, word: str, scope: Scope, project: Project) -> bool:
    said = call.keyword(word)
    known = constant(said, scope, project) if said is not None else None
    return known is not None and known.value is True


def _nested(call: form.Call, scope: Scope, project: Project) -> Iterator[ClassSymbol]:
    """`Nested(UserSchema)`, `List(Nested("UserSchema"))`, where all of its fields are meant."""
    if last_name(call.func) in ("List", "Nested", "Pluck"):
        inner = call.argument(0, "nested")
        if isinstance(inner, form.Call) and last_name(inner.func) == "Nested":
            yield from _nested(inner, scope, project)
        elif inner is not None and not any(a.name in ("only", "exclude") for a in call.args):
            narrowed = isinstance(inner, form.Call) and any(a.name in ("only", "exclude") for a in inner.args)
            text = inner.value if isinstance(inner, form.Const) else None
            named = project.classes_named(text) if isinstance(text, str) else ()
            value = project.infer(inner, scope)
            cls = value.cls if isinstance(value, Instance) else value
            if isinstance(cls, ClassSymbol) and not narrowed:
                yield cls
            elif len(named) == 1:
                yield named[0]


def _with_meta(found: Schema, cls: ClassSymbol, meta: ClassSymbol, tables: Tables, project: Project) -> Schema:
    model = project.class_attribute(meta, "model")
    table = tables.of_expression(*model) if model is not None else None
    loads = project.class_attribute(meta, "load_instance")
    makes_rows = loads is not None and isinstance(loads[0], form.Const) and loads[0].value is True
    found = replace(found, table=table, makes_rows=makes_rows)
    is_automatic = any(last_part(name) in _AUTOMATIC for name in project.base_names(cls))
    place = model[1].module.evidence(model[0], "every column of the model is in it") if model is not None else None

    def names(option: str) -> list[str] | None:
        stated = project.class_attribute(meta, option)
        return names_in(*stated, project, tables.columns) if stated is not None else None

    fields = dict(found.fields)
    if is_automatic and model is not None and names("fields") is None:
        taken_over = _columns(table, place) if place is not None else {}
        fields = {**taken_over, **fields}
        unknown = None if table is not None else place
        found = replace(found, everything=place, unknown=unknown)
    listed = [*(names("fields") or ()), *(names("additional") or ())]
    option = project.class_attribute(meta, "fields") or project.class_attribute(meta, "additional")
    for name in listed:
        if option is not None and name not in fields:
            fields[name] = SchemaField(name, option[1].module.location(option[0]))
    if names("fields") is not None:
        fields = {name: field for name, field in fields.items() if name in listed}
    for name in names("exclude") or ():
        fields.pop(name, None)
    loaded, dumped = frozenset(names("load_only") or ()), frozenset(names("dump_only") or ())
    fields = {
        n: replace(f, is_shown=f.is_shown and n not in loaded, is_taken=f.is_taken and n not in dumped)
        for n, f in fields.items()
    }
    return replace(found, fields=fields)


def _columns(table: Table | None, place: Evidence) -> dict[str, SchemaField]:
    columns = table.columns if table is not None else ()
    return {c.name: SchemaField(c.name, place.location, is_text=holds_text(c)) for c in columns if c.fk_to is None}


def _without_post_dump(found: Schema, cls: ClassSymbol) -> Schema:
    """Names in `@post_dump` methods are taken out, or shown otherwise."""
    spoken = {
        node.value
        for method in cls.methods.values()
        if any(last_name(d.func if isinstance(d, form.Call) else d) == "post_dump" for d in method.decorators)
        for node in method.walk()
        if isinstance(node, form.Const)
    }
    fields = {n: replace(f, is_masked=True) if n in spoken else f for n, f in found.fields.items()}
    return replace(found, fields=fields) if spoken else found


# --- dicts of fields ---


def fields_dict(literal: Literal, name: str) -> Schema | None:
    """`{"name": fields.String}` of Flask-RESTful, and what `api.model("User", {...})` of Flask-RESTX is made of."""
    node, scope = literal.node, literal.scope
    if not isinstance(node, form.Dict) or not node.keys:
        return None
    fields: dict[str, SchemaField] = {}
    for key, value in zip(node.keys, node.values, strict=True):
        kind = last_name(value.func if isinstance(value, form.Call) else value)
        if isinstance(key, form.Const) and isinstance(key.value, str) and kind is not None:
            fields[key.value] = SchemaField(key.value, scope.module.location(key), is_text=kind not in _PLAIN)
    return Schema(name, Library.RESTX, scope.module.location(node), scope.module.role, fields)


def made_of(value: Instance, project: Project) -> Schema | None:
    """What a call such as `api.model("User", {...})` gives."""
    call, scope = value.origin, value.scope
    if call is None or scope is None or last_name(call.func) not in _MADE or not call.positional:
        return None
    given = project.infer(call.positional[-1], scope)
    named = string_value(call.positional[0], scope, project)
    found = fields_dict(given, named or "model") if isinstance(given, Literal) else None
    return replace(found, location=scope.module.location(call)) if found is not None else None
