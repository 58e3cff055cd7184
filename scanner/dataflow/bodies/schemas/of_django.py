"""REST framework's serializers and Django's model forms: what their `Meta` and their declared fields come to.

https://www.django-rest-framework.org/api-guide/serializers/, https://docs.djangoproject.com/en/stable/topics/forms/modelforms/
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from assay.scanner.dataflow.bodies.schemas.names import names_in
from assay.scanner.dataflow.bodies.schemas.schema import Library, Schema, SchemaField
from assay.scanner.dataflow.bodies.schemas.tables import Tables, holds_text, is_set_by_code
from assay.scanner.linker.project import Project, last_name, last_part, literal_item
from assay.scanner.linker.scopes import ClassSymbol, How, Scope
from assay.scanner.linker.values import Instance
from assay.scanner.model.place import Evidence, Location
from assay.scanner.model.table import Table
from assay.scanner.readers.python import form

_ALL = "__all__"
_ALL_NAMES = frozenset({"ALL_FIELDS"})
_COMPUTED = frozenset({"SerializerMethodField"})
_READ_ONLY = frozenset({"SerializerMethodField", "ReadOnlyField"})
_HIDDEN = frozenset({"HiddenField"})
_PLAIN = frozenset(
    {
        "BooleanField", "NullBooleanField", "IntegerField", "FloatField", "DecimalField", "DateField", "DateTimeField",
        "TimeField", "DurationField", "ChoiceField", "MultipleChoiceField", "ImageField", "FileField",
        "PrimaryKeyRelatedField", "SlugRelatedField", "HyperlinkedRelatedField", "HyperlinkedIdentityField",
        "StringRelatedField", "ModelChoiceField", "ModelMultipleChoiceField", "UUIDField", "EmailField", "URLField",
    }
)  # fmt: skip
_REWRITES = ("to_representation", "get_fields", "__init__", "to_internal_value")
"""Methods in which a serializer takes fields out by hand."""


def serializer(cls: ClassSymbol, tables: Tables, project: Project) -> Schema:
    """What a serializer of REST framework takes and shows."""
    return _Reader(cls, Library.REST_FRAMEWORK, tables, project).schema()


def model_form(cls: ClassSymbol, tables: Tables, project: Project) -> Schema:
    """What a form takes."""
    return _Reader(cls, Library.FORM, tables, project).schema()


class _Reader:
    """Reads one class."""

    def __init__(self, cls: ClassSymbol, library: Library, tables: Tables, project: Project) -> None:
        self._cls = cls
        self._library = library
        self._tables = tables
        self._project = project
        self._meta = self._find_meta()
        self._model: ClassSymbol | None = None
        self._table: Table | None = None
        model = self._option("model")
        if model is not None:
            value = project.infer(*model)
            self._model = value if isinstance(value, ClassSymbol) else None
            self._table = tables.of(value)

    def _find_meta(self) -> ClassSymbol | None:
        bindings = self._project.class_member(self._cls, "Meta")
        return bindings[-1].cls if bindings else None

    def _option(self, name: str) -> tuple[form.Expr, Scope] | None:
        return self._project.class_attribute(self._meta, name) if self._meta is not None else None

    def schema(self) -> Schema:
        declared = dict(self._declared())
        found = Schema(
            self._cls.name, self._library, self._cls.location, self._cls.module.role, declared, self._cls, self._table
        )
        return self._with_masks(self._with_model(found)) if self._meta is not None else self._with_masks(found)

    # --- declared fields ---

    def _declared(self) -> Iterator[tuple[str, SchemaField]]:
        for base in reversed(self._project.mro(self._cls)):
            for name, bindings in base.scope.bindings.items() if isinstance(base, ClassSymbol) else ():
                binding = bindings[-1]
                if binding.how is How.ASSIGN and isinstance(binding.value, form.Call):
                    field = self._field(name, binding.value, binding.scope)
                    if field is not None:
                        yield name, field

    def _field(self, name: str, call: form.Call, scope: Scope) -> SchemaField | None:
        value = self._project.infer(call, scope)
        if not isinstance(value, Instance):
            return None
        bases = self._project.base_names(value.cls) if value.cls is not None else frozenset({value.type_name})
        kinds = {last_part(base) for base in bases} | {last_part(value.type_name)}
        is_nested = value.cls is not None and any(kind.endswith("Serializer") for kind in kinds)
        if not is_nested and not any(kind.endswith(("Field", "Serializer", "Related")) for kind in kinds):
            return None
        nested = (value.cls,) if is_nested and value.cls is not None else self._children(call, scope)
        return SchemaField(
            name,
            scope.module.location(call),
            is_taken=not (_says(call, "read_only") or kinds & (_READ_ONLY | _HIDDEN) or _says(call, "disabled")),
            is_shown=not (_says(call, "write_only") or kinds & _HIDDEN),
            is_masked=bool(kinds & _COMPUTED),
            is_text=not (kinds & _PLAIN),
            nested=nested,
        )

    def _children(self, call: form.Call, scope: Scope) -> tuple[ClassSymbol, ...]:
        """`ListField(child=ItemSerializer())`."""
        child = call.keyword("child")
        value = self._project.infer(child, scope) if child is not None else None
        return (value.cls,) if isinstance(value, Instance) and value.cls is not None else ()

    # --- Meta ---

    def _with_model(self, found: Schema) -> Schema:
        fields, exclude = self._option("fields"), self._option("exclude")
        if fields is not None and self._is_all(fields[0]):
            return self._of_columns(found, fields, without=frozenset(), said="every field of the model is in it")
        if fields is None and exclude is not None:
            return self._excluding(found, exclude)
        if fields is None:
            return found
        names = names_in(*fields, self._project, self._tables.columns)
        if names is None:
            return replace(found, unknown=_at(fields, "its fields are worked out"))
        if isinstance(fields[0], form.Comprehension) or _iterates_columns(fields[0]):
            open_ended = _at(fields, "every field of the model but a few is in it")
            return replace(self._named(found, names, fields), everything=open_ended)
        return replace(self._named(found, names, fields), named=_at(fields, "its fields are named one by one"))

    def _is_all(self, node: form.Expr) -> bool:
        return (isinstance(node, form.Const) and node.value == _ALL) or last_name(node) in _ALL_NAMES

    def _excluding(self, found: Schema, exclude: tuple[form.Expr, Scope]) -> Schema:
        names = names_in(*exclude, self._project, self._tables.columns)
        if names is None:
            return replace(found, unknown=_at(exclude, "what it leaves out is worked out"))
        return self._of_columns(
            found, exclude, without=frozenset(names), said=f"every field of the model is in it but {', '.join(names)}"
        )

    def _of_columns(self, found: Schema, option: tuple[form.Expr, Scope], without: frozenset[str], said: str) -> Schema:
        place = _at(option, said)
        if self._table is None:
            return replace(found, everything=place, unknown=_at(option, "the model's fields can't be told"))
        names = [*found.fields, *(c.name for c in self._table.columns if c.name not in without)]
        return replace(self._named(found, names, option), everything=place)

    def _named(self, found: Schema, names: list[str], option: tuple[form.Expr, Scope]) -> Schema:
        """The fields of these names, as declared or as the model's columns make them."""
        read_only = self._names_of("read_only_fields")
        fields: dict[str, SchemaField] = {}
        for name in names:
            place = _place_of(name, option)
            field = found.fields.get(name) or self._of_column(name, place)
            if name in read_only or self._extra(name, "read_only"):
                field = replace(field, is_taken=field.is_taken and name in found.fields and name not in read_only)
            if self._extra(name, "write_only"):
                field = replace(field, is_shown=False)
            fields[name] = field
        unknown = found.unknown
        if self._option("read_only_fields") is not None and self._names("read_only_fields") is None:
            unknown = _at(self._option("read_only_fields"), "which of its fields are read-only is worked out")
        return replace(found, fields=fields, unknown=unknown)

    def _of_column(self, name: str, place: Location) -> SchemaField:
        column = next((c for c in self._table.columns if c.name == name), None) if self._table is not None else None
        is_own = self._model is not None and is_set_by_code(self._model, name, self._project)
        is_method = self._model is not None and self._project.method(self._model, name) is not None
        return SchemaField(
            name,
            place,
            is_taken=name not in ("id", "pk") and not is_own and not is_method,
            is_text=column is None or holds_text(column),
        )

    def _names(self, option: str) -> list[str] | None:
        stated = self._option(option)
        return names_in(*stated, self._project, self._tables.columns) if stated is not None else []

    def _names_of(self, option: str) -> frozenset[str]:
        stated = self._option(option)
        if stated is not None and isinstance(stated[0], form.Name) and stated[0].id == "fields":
            stated = self._option("fields")  # `read_only_fields = fields`
        names = names_in(*stated, self._project, self._tables.columns) if stated is not None else []
        return frozenset(names or ())

    def _extra(self, name: str, switch: str) -> bool:
        """`extra_kwargs = {"password": {"write_only": True}}`."""
        stated = self._option("extra_kwargs")
        entry = literal_item(stated[0], name) if stated is not None else None
        said = literal_item(entry, switch) if entry is not None else None
        if isinstance(entry, form.Call):
            said = entry.keyword(switch)
        return isinstance(said, form.Const) and said.value is True

    # --- what methods take out ---

    def _with_masks(self, found: Schema) -> Schema:
        spoken = frozenset(self._spoken_of())
        fields = {n: replace(f, is_masked=True) if n in spoken else f for n, f in found.fields.items()}
        return replace(found, fields=fields) if spoken else found

    def _spoken_of(self) -> Iterator[str]:
        """Names in the methods that may take a field out, or show it otherwise."""
        for method_name in _REWRITES:
            method = self._project.method(self._cls, method_name)
            for node in method.walk() if method is not None else ():
                if isinstance(node, form.Const) and isinstance(node.value, str):
                    yield node.value


def _says(call: form.Call, word: str) -> bool:
    said = call.keyword(word)
    return isinstance(said, form.Const) and said.value is True


def _at(option: tuple[form.Expr, Scope] | None, text: str) -> Evidence:
    assert option is not None
    return option[1].module.evidence(option[0], text)


def _place_of(name: str, option: tuple[form.Expr, Scope]) -> Location:
    """Where the name is listed, else the whole list."""
    node, scope = option
    items = (n for n in form.walk(node) if isinstance(n, form.Const) and n.value == name)
    is_listed = isinstance(node, form.Display)
    return scope.module.location(next(items, node) if is_listed else node)


def _iterates_columns(node: form.Expr) -> bool:
    return any(isinstance(n, form.Attr) and n.attr == "_meta" for n in form.walk(node))


def is_serializer(names: frozenset[str]) -> bool:
    """Whether library bases of these names make a serializer of REST framework."""
    return any(
        last_part(name).endswith("Serializer") and name.split(".", 1)[0] not in ("itsdangerous", "pickle", "django")
        for name in names
    )


def is_model_form(names: frozenset[str]) -> bool:
    """Whether library bases of these names make a form of a model's fields."""
    return any(last_part(name).endswith("ModelForm") for name in names)


def is_form(names: frozenset[str]) -> bool:
    """Whether library bases of these names make a form, of Django or of WTForms."""
    return any(last_part(name) in _FORMS for name in names)


_FORMS = frozenset(
    {
        "Form", "ModelForm", "BaseForm", "FlaskForm", "BaseModelForm", "AuthenticationForm", "UserCreationForm",
        "UserChangeForm", "PasswordChangeForm", "SetPasswordForm", "PasswordResetForm", "SecureForm", "QuartForm",
        "StarletteForm", "SanicForm",
    }
)  # fmt: skip
