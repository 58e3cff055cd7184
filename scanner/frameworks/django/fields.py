"""Fields of Django models: what a class attribute is as a column, and which columns a model's table has.

https://docs.djangoproject.com/en/stable/ref/models/fields/
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from assay.scanner.framework import Sited
from assay.scanner.frameworks.django.constants import Evaluator, is_settings
from assay.scanner.frameworks.django.keys import INDEX_TOGETHER, UNIQUE_TOGETHER, keys_in, together
from assay.scanner.frameworks.django.models import is_abstract, is_model, is_model_name, meta_value
from assay.scanner.frameworks.django.settings import settings_for
from assay.scanner.frameworks.django.views import constant_strings
from assay.scanner.linker.project import Project, last_name, last_part
from assay.scanner.linker.remembered import remembered
from assay.scanner.linker.scopes import Binding, ClassSymbol, How, Module
from assay.scanner.linker.values import External
from assay.scanner.model.place import Location
from assay.scanner.model.schema import Key, KeyKind
from assay.scanner.model.table import Column
from assay.scanner.readers.python import form

_NO_COLUMN = frozenset({"GenericForeignKey", "GenericRelation", "CompositePrimaryKey"})
_TO_ONE = ("ForeignKey", "OneToOneField", "ParentalKey")
_TO_MANY = ("ManyToManyField", "TaggableManager", "ParentalManyToManyField")
_NOT_MODEL_MODULES = ("forms", "serializers", "filters", "fields.forms", "wtforms", "marshmallow")
_LIBRARY_COLUMNS: dict[str, tuple[tuple[str, str], ...]] = {
    # Abstract models of libraries whose columns the source of the project doesn't show.
    "AbstractBaseUser": (("password", "CharField"), ("last_login", "DateTimeField")),
    "PermissionsMixin": (
        ("is_superuser", "BooleanField"), ("groups", "ManyToManyField"), ("user_permissions", "ManyToManyField"),
    ),
    "AbstractUser": (
        ("password", "CharField"), ("last_login", "DateTimeField"), ("is_superuser", "BooleanField"),
        ("groups", "ManyToManyField"), ("user_permissions", "ManyToManyField"), ("username", "CharField"),
        ("first_name", "CharField"), ("last_name", "CharField"), ("email", "EmailField"),
        ("is_staff", "BooleanField"), ("is_active", "BooleanField"), ("date_joined", "DateTimeField"),
    ),
    "AbstractBaseSession": (
        ("session_key", "CharField"), ("session_data", "TextField"), ("expire_date", "DateTimeField"),
    ),
    "MPTTModel": (
        ("lft", "PositiveIntegerField"), ("rght", "PositiveIntegerField"), ("tree_id", "PositiveIntegerField"),
        ("level", "PositiveIntegerField"),
    ),
    "MP_Node": (
        ("path", "CharField"), ("depth", "PositiveIntegerField"), ("numchild", "PositiveIntegerField"),
    ),
    "NS_Node": (
        ("lft", "PositiveIntegerField"), ("rgt", "PositiveIntegerField"), ("tree_id", "PositiveIntegerField"),
        ("depth", "PositiveIntegerField"),
    ),
    "TreeNodeModel": (
        ("tn_ancestors_pks", "TextField"), ("tn_ancestors_count", "PositiveSmallIntegerField"),
        ("tn_children_pks", "TextField"), ("tn_children_count", "PositiveSmallIntegerField"),
        ("tn_depth", "PositiveSmallIntegerField"), ("tn_descendants_pks", "TextField"),
        ("tn_descendants_count", "PositiveSmallIntegerField"), ("tn_index", "PositiveSmallIntegerField"),
        ("tn_level", "PositiveSmallIntegerField"), ("tn_parent", "ForeignKey"),
        ("tn_priority", "PositiveSmallIntegerField"), ("tn_order", "PositiveSmallIntegerField"),
        ("tn_siblings_pks", "TextField"), ("tn_siblings_count", "PositiveSmallIntegerField"),
    ),
    "PolymorphicModel": (("polymorphic_ctype", "ForeignKey"),),
    "SoftDeletableModel": (("is_removed", "BooleanField"),),
    "SoftDeleteModel": (
        ("deleted_at", "DateTimeField"), ("restored_at", "DateTimeField"), ("transaction_id", "UUIDField"),
    ),
    "StatusModel": (("status", "StatusField"), ("status_changed", "MonitorField")),
    "TimeFramedModel": (("start", "DateTimeField"), ("end", "DateTimeField")),
    "UUIDModel": (("id", "UUIDField"),),
    "TitleDescriptionModel": (("title", "CharField"), ("description", "TextField")),
    "ActivatorModel": (
        ("status", "IntegerField"), ("activate_date", "DateTimeField"), ("deactivate_date", "DateTimeField"),
    ),
    "UserObjectPermissionBase": (("permission", "ForeignKey"), ("user", "ForeignKey")),
    "GroupObjectPermissionBase": (("permission", "ForeignKey"), ("group", "ForeignKey")),
    "TaggedItemBase": (("tag", "ForeignKey"),),
    "TagBase": (("name", "CharField"), ("slug", "SlugField")),
    "GenericTaggedItemBase": (("content_type", "ForeignKey"), ("object_id", "IntegerField")),
    "TimeStampedModel": (("created", "DateTimeField"), ("modified", "DateTimeField")),
}  # fmt: skip
_LIBRARY_UNIQUE = frozenset(
    {("AbstractUser", "username"), ("TagBase", "name"), ("TagBase", "slug"), ("MP_Node", "path")}
)
_LIBRARY_KEYS = frozenset({("AbstractBaseSession", "session_key"), ("UUIDModel", "id")})
_FIELDLESS = ("django.", "typing.", "builtins.", "rest_framework.", "enum.", "abc.")
"""Where bases without fields come from, besides the listed ones."""
_LIBRARY_TABLES = frozenset(
    {"ContentType", "User", "Group", "Permission", "Site", "Session", "FlatPage", "Page", "LogEntry", "Tag", "Token"}
)
"""Library models with a table of their own: a subclass gets a link to it instead of its columns."""


@dataclass(frozen=True, slots=True, eq=False)
class ModelField:
    """One field as a model's class body states it."""

    name: str
    type: str
    kind: str
    """The library's field class it is or derives from, where that matters: `ForeignKey`, `ManyToManyField` ..."""
    call: form.Call
    binding: Binding
    owner: ClassSymbol

    @property
    def is_to_one(self) -> bool:
        return self.kind.endswith(_TO_ONE)

    @property
    def is_to_many(self) -> bool:
        return self.kind.endswith(_TO_MANY)

    def flag(self, name: str) -> bool | None:
        value = self.call.keyword(name)
        return bool(value.value) if isinstance(value, form.Const) else None


def own_fields(cls: ClassSymbol, project: Project) -> Iterator[ModelField]:
    """The fields of the class's own body."""
    for name, bindings in cls.scope.bindings.items():
        binding = bindings[-1]
        if binding.how is How.ASSIGN and isinstance(binding.value, form.Call):
            found = _field_class(binding.value, binding, project)
            if found is not None:
                yield ModelField(name, found[0], found[1], binding.value, binding, cls)


def _field_class(call: form.Call, binding: Binding, project: Project) -> tuple[str, str] | None:
    """A field's class and the library class it goes back to; None for what is no column."""
    value = project.infer(call.func, binding.scope)
    name = last_name(call.func) or ""
    if isinstance(value, ClassSymbol):
        bases = [b.name for b in project.mro(value) if isinstance(b, External)]
        known = next((last_part(b) for b in bases if _is_column_class(b)), None)
        unlisted = value.name if not bases and _is_column_class(value.name) else None
        excluded = _is_generic_relation(value.name) or any(last_part(b) in _NO_COLUMN for b in bases)
        kind = known or unlisted
        return (value.name, kind) if kind is not None and not excluded else None
    dotted_name = value.name if isinstance(value, External) else name if value is None else ""
    return (last_part(dotted_name), last_part(dotted_name)) if _is_column_class(dotted_name) else None


def _is_column_class(dotted_name: str) -> bool:
    name = last_part(dotted_name)
    if name in _NO_COLUMN or any(part in _NOT_MODEL_MODULES for part in dotted_name.split(".")[:-1]):
        return False
    return name.endswith(("Field", *_TO_ONE, *_TO_MANY)) and not _is_generic_relation(name)


def _is_generic_relation(name: str) -> bool:
    """A `GenericForeignKey` by any name: two other columns hold what it stands for."""
    return name.startswith("Generic") and name.endswith("ForeignKey")


def fields_of(cls: ClassSymbol, project: Project) -> dict[str, ModelField]:
    """The fields of the table: own ones and those of abstract bases, not those of parents with their own table."""
    found: dict[str, ModelField] = {}
    for base in reversed(_same_table(cls, project)):
        for field in own_fields(base, project):
            found[field.name] = field
        for name, bindings in base.scope.bindings.items():
            value = bindings[-1].value
            if name in found and isinstance(value, form.Const) and value.value is None:
                del found[name]
    return found


@remembered
def all_fields(cls: ClassSymbol, project: Project) -> dict[str, ModelField]:
    """The fields an object has, those of parents' tables included."""
    found: dict[str, ModelField] = {}
    for base in reversed(project.mro(cls)):
        if isinstance(base, ClassSymbol):
            found.update((f.name, f) for f in own_fields(base, project))
    return found


def _same_table(cls: ClassSymbol, project: Project) -> list[ClassSymbol]:
    hidden: set[ClassSymbol] = set()
    for base in project.mro(cls)[1:]:
        if isinstance(base, ClassSymbol) and is_model(base, project) and not is_abstract(base, project):
            hidden.update(b for b in project.mro(base) if isinstance(b, ClassSymbol))
    return [
        base
        for base in project.mro(cls)
        if isinstance(base, ClassSymbol) and base not in hidden and (base is cls or is_model(base, project))
    ]


def _parents(cls: ClassSymbol, project: Project) -> Iterator[tuple[str, str]]:
    """Concrete models it derives from directly (through abstract ones): name, and `app.Model`."""
    seen: set[ClassSymbol] = set()
    for base in project.mro(cls)[1:]:
        if isinstance(base, ClassSymbol):
            if base not in seen and is_model(base, project) and not is_abstract(base, project):
                seen.update(b for b in project.mro(base) if isinstance(b, ClassSymbol))
                yield base.name, f"{app_label(base, project)}.{base.name}"
        elif last_part(base.name) in _LIBRARY_TABLES and is_model_name(base.name) and not seen:
            yield last_part(base.name), _label_of_library(base.name)


def columns_of(cls: ClassSymbol, project: Project) -> tuple[Column, ...]:
    """The table's columns as the model declares them; many-to-many fields count, by their field's name."""
    fields = fields_of(cls, project)
    indexed, unique = _indexed_by_meta(cls, project)
    columns = [_column(field, cls, project) for field in fields.values()]
    names = {c.name for c in columns}
    columns = [c for c in _library_columns(cls, project) if c.name not in names] + columns
    is_linked = any(f.flag("parent_link") for f in fields.values())
    parents = [] if is_linked else list(_parents(cls, project))
    for name, target in parents:
        columns.insert(0, Column(f"{name.lower()}_ptr", "OneToOneField", cls.location, True, True, target))
    composite = _composite_key(cls, project)
    indexed.update(composite[:1])
    has_key = is_linked or bool(parents) or bool(composite) or any(f.flag("primary_key") for f in fields.values())
    if not has_key and not _has_library_key(cls, project):
        columns.insert(0, Column("id", _auto_field(cls, project), cls.location, True, True))
    return tuple(
        replace(c, indexed=c.indexed or c.name in indexed, unique=c.unique or c.name in unique) for c in columns
    )


def _column(field: ModelField, cls: ClassSymbol, project: Project) -> Column:
    module = field.binding.scope.module
    location: Location = module.span(field.binding.offset, field.call.end)
    unique = bool(field.flag("unique") or field.flag("primary_key")) or field.kind == "OneToOneField"
    by_default = field.is_to_one or field.kind == "SlugField"
    stated = field.flag("db_index")
    indexed = unique or (stated if stated is not None else by_default)
    target = _target(field, cls, project) if field.is_to_one else None
    return Column(field.name, field.type, location, bool(indexed), unique, target)


def _library_columns(cls: ClassSymbol, project: Project) -> list[Column]:
    found: dict[str, Column] = {}
    hidden = {
        name
        for base in project.mro(cls)[1:]
        if isinstance(base, ClassSymbol) and is_model(base, project) and not is_abstract(base, project)
        for name in project.base_names(base)
    }
    for base in project.mro(cls):
        if not isinstance(base, External) or base.name in hidden:
            continue
        name = last_part(base.name)
        for column, type_ in _LIBRARY_COLUMNS.get(name, ()):
            key = (name, column) in _LIBRARY_KEYS
            unique = key or (name, column) in _LIBRARY_UNIQUE
            indexed = unique or type_ in ("ForeignKey", "SlugField")
            found.setdefault(column, Column(column, type_, cls.location, indexed, unique))
    for name, column_ in list(found.items()):
        attribute = project.class_attribute(cls, name)
        if attribute is not None and isinstance(attribute[0], form.Const) and attribute[0].value is None:
            del found[column_.name]
    return list(found.values())


def _composite_key(cls: ClassSymbol, project: Project) -> list[str]:
    """The fields of `pk = models.CompositePrimaryKey("order_id", "number")`."""
    found = project.class_attribute(cls, "pk")
    call = found[0] if found is not None else None
    if not isinstance(call, form.Call) or last_name(call.func) != "CompositePrimaryKey":
        return []
    fields = fields_of(cls, project)
    names = constant_strings(call.positional)
    return [name if name in fields else name.removesuffix("_id") for name in names]


def _has_library_key(cls: ClassSymbol, project: Project) -> bool:
    names = {last_part(n) for n in project.base_names(cls)}
    return any(name in names for name, _ in _LIBRARY_KEYS)


def keys_of(cls: ClassSymbol, columns: Iterable[Column], project: Project) -> tuple[Key, ...]:
    """The primary key, indexes and unique constraints, by the fields' names."""
    fields = fields_of(cls, project)
    composite = _composite_key(cls, project)
    found = [Key(tuple(composite), KeyKind.PRIMARY)] if composite else []
    for column in columns:
        field = fields.get(column.name)
        is_key = column.name == "id" if field is None else bool(field.flag("primary_key"))
        by_itself = field is None or _column(field, cls, project).indexed
        if column.indexed and by_itself:
            kind = KeyKind.PRIMARY if is_key else KeyKind.UNIQUE if column.unique else KeyKind.INDEX
            found.append(Key((column.name,), kind, location=column.location))
    for option in ("indexes", "constraints"):
        stated = meta_value(cls, option, project)
        if stated is not None:
            found += keys_in(stated.node, stated.scope, project)
    for option in (UNIQUE_TOGETHER, INDEX_TOGETHER):
        stated = meta_value(cls, option, project)
        if stated is not None:
            found += together(option, stated.node, stated.scope, project)
    return tuple(found)


def has_unseen_base(cls: ClassSymbol, project: Project) -> bool:
    """Whether a base may bring fields that the tree doesn't show."""
    for base in project.mro(cls):
        if isinstance(base, External):
            name = last_part(base.name)
            known = name in _LIBRARY_COLUMNS or name in _LIBRARY_TABLES or base.name.startswith(_FIELDLESS)
            if not known and name not in ("object", "Generic", "ABC", "Protocol"):
                return True
        elif any(b.name is None and project.infer(b.value, base.outer) is None for b in base.node.bases):
            return True
    return False


def _indexed_by_meta(cls: ClassSymbol, project: Project) -> tuple[set[str], set[str]]:
    """Columns that lead an index of `Meta`, and those that are unique by themselves."""
    leading: set[str] = set()
    unique: set[str] = set()
    for option in ("indexes", "constraints"):
        stated = meta_value(cls, option, project)
        for node in form.walk(stated.node) if stated is not None else ():
            if not isinstance(node, form.Call) or node.keyword("condition") is not None:
                continue
            fields = node.keyword("fields")
            names = constant_strings(fields.items) if isinstance(fields, form.Display) else []
            if names and (option == "indexes" or last_name(node.func) == "UniqueConstraint"):
                leading.add(names[0].removeprefix("-"))
                if option == "constraints" and len(names) == 1:
                    unique.add(names[0])
    for option in ("unique_together", "index_together"):
        stated = meta_value(cls, option, project)
        groups = stated.node.items if stated is not None and isinstance(stated.node, form.Display) else []
        lists = [g.items for g in groups if isinstance(g, form.Display)] or [groups]
        leading.update(names[0] for group in lists if (names := constant_strings(group)))
    return leading, unique


# --- names ---


def app_label(cls: ClassSymbol, project: Project) -> str:
    """`Meta.app_label`, else the label of the app that the module belongs to."""
    stated = meta_value(cls, "app_label", project)
    if stated is not None and (text := Evaluator(project).text(stated)) is not None:
        return text
    return label_of(_app_package(cls.module, project), cls.module, project)


def label_of(package: str, module: Module, project: Project) -> str:
    """The label of the app in a package: what its configuration says, else the last part of the package's name."""
    config = _app_config(package, module, project)
    label = project.class_attribute(config, "label") if config is not None else None
    text = Evaluator(project).text(Sited(*label)) if label is not None else None
    return text or package.rsplit(".", 1)[-1]


def _app_package(module: Module, project: Project) -> str:
    parts = module.name.split(".")
    if "models" in parts[1:]:
        return ".".join(parts[: parts.index("models", 1)])
    settings = settings_for(project, module.path)
    installed = settings.strings("INSTALLED_APPS") if settings is not None else []
    within = [app for app in installed if module.name == app or module.name.startswith(f"{app}.")]
    return max(within, key=len) if within else ".".join(parts[:-1]) or parts[0]


def _app_config(package: str, module: Module, project: Project) -> ClassSymbol | None:
    apps = project.module_named(f"{package}.apps", module.path)
    if not isinstance(apps, Module):
        return None
    configs = [c for c in apps.classes if any(last_part(n) == "AppConfig" for n in project.base_names(c))]
    return configs[0] if configs else None


def _auto_field(cls: ClassSymbol, project: Project) -> str:
    evaluator = Evaluator(project)
    config = _app_config(_app_package(cls.module, project), cls.module, project)
    stated = project.class_attribute(config, "default_auto_field") if config is not None else None
    settings = settings_for(project, cls.module.path)
    sited = settings.get("DEFAULT_AUTO_FIELD") if settings is not None else None
    if stated is not None:
        sited = Sited(*stated)
    text = evaluator.text(sited) if sited is not None else None
    return last_part(text) if text is not None else "AutoField"


def _label_of_library(dotted_name: str) -> str:
    parts = dotted_name.split(".")
    return f"{parts[parts.index('models') - 1] if 'models' in parts[1:] else parts[0]}.{parts[-1]}"


def _target(field: ModelField, cls: ClassSymbol, project: Project) -> str | None:
    """What a relation points to, as `app.Model`."""
    to, scope = field.call.argument(0, "to"), field.binding.scope
    if to is None:
        own = _target_of_class(field, project)
        if own is None:
            return None
        to, scope = own.node, own.scope
    if isinstance(to, form.Attr) and is_settings(to.value, scope, project):
        settings = settings_for(project, cls.module.path)
        stated = settings.get(to.attr) if settings is not None else None
        return (Evaluator(project).text(stated) if stated is not None else None) or "auth.User"
    value = project.infer(to, scope)
    if isinstance(value, ClassSymbol):
        return f"{app_label(value, project)}.{value.name}"
    if isinstance(value, External):
        return _label_of_library(value.name)
    text = Evaluator(project).text(Sited(to, scope))
    if text == "self":
        return f"{app_label(cls, project)}.{cls.name}"
    if text is None:
        return "auth.User" if isinstance(to, form.Call) and last_name(to.func) == "get_user_model" else None
    owner = cls if is_abstract(field.owner, project) else field.owner
    return text if "." in text else f"{app_label(owner, project)}.{text}"


def _target_of_class(field: ModelField, project: Project) -> Sited | None:
    """What a relation class of the project always points to: its `__init__` passes it on, or puts it into `kwargs`."""
    cls = project.infer(field.call.func, field.binding.scope)
    init = project.method(cls, "__init__") if isinstance(cls, ClassSymbol) else None
    for node in init.walk() if init is not None else ():
        if isinstance(node, form.Call) and init is not None:
            name = last_name(node.func)
            to = node.argument(0, "to") if name == "__init__" else None
            if name in ("setdefault", "__setitem__") and len(node.positional) == 2:
                key, value = node.positional
                to = value if isinstance(key, form.Const) and key.value == "to" else None
            if to is not None:
                return Sited(to, init.scope)
        if isinstance(node, form.Assign) and node.value is not None and init is not None:
            keys = [t.index for t in node.targets if isinstance(t, form.Subscript)]
            if any(isinstance(key, form.Const) and key.value == "to" for key in keys):
                return Sited(node.value, init.scope)
    return None


def target_class(field: ModelField, cls: ClassSymbol, project: Project) -> str | None:
    """The bare name of the model that a relation points to."""
    if field.is_to_one:
        target = _target(field, cls, project)
        return last_part(target) if target is not None else None
    to = field.call.argument(0, "to")
    value = project.infer(to, field.binding.scope) if to is not None else None
    if isinstance(value, ClassSymbol):
        return value.name
    text = to.value if isinstance(to, form.Const) else None
    return cls.name if text == "self" else last_part(text) if isinstance(text, str) else None


@remembered
def parent_names(cls: ClassSymbol, project: Project) -> frozenset[str]:
    """The names by which a filter asks for the rows of one parent: `post` and `post_id` for a foreign key `post`."""
    names = set()
    for field in all_fields(cls, project).values():
        if field.is_to_one:
            names |= {field.name, f"{field.name}_id", f"{field.name}__id", f"{field.name}__pk"}
    return frozenset(names)
