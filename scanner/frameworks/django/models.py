"""Django's models: which classes are, their `Meta`, their managers, and what a query expression reads from."""

from __future__ import annotations

from collections.abc import Iterator

from assay.scanner.framework import Sited
from assay.scanner.frameworks.django.constants import definition
from assay.scanner.linker.project import Project, last_part
from assay.scanner.linker.scopes import ClassSymbol, How
from assay.scanner.linker.values import External, Instance
from assay.scanner.readers.python import form

_MODEL_PARTS = ("models", "base_user", "base_session")
_NOT_MODELS = ("Manager", "QuerySet", "Field", "Form", "Admin", "Mixin", "Serializer", "Choices", "Meta", "Metaclass")
_MODEL_CLASSES = frozenset({"MP_Node", "NS_Node", "AL_Node", "TimeStampedModel", "PermissionsMixin"})
_DJANGO_MODULES = ("django.db.models.", "django.contrib.gis.db.models.", "django.db.models.base.")
_DEEPEST = 12


def is_model_name(name: str) -> bool:
    """Whether a library class of that dotted name is a model: they live in `models` modules."""
    parts = name.split(".")
    if parts[-1] in _MODEL_CLASSES:
        return True
    if name.startswith(_DJANGO_MODULES):
        return parts[-1] == "Model"
    if not parts[-1][:1].isupper() or any(part.endswith(_NOT_MODELS) for part in parts):
        return False
    return any(part in _MODEL_PARTS for part in parts[:-1])


def is_model(cls: ClassSymbol, project: Project) -> bool:
    """Whether the class derives from `django.db.models.Model`."""
    return any(is_model_name(name) for name in project.base_names(cls) if not name.startswith("pydantic"))


def meta_value(cls: ClassSymbol, name: str, project: Project) -> Sited | None:
    """`Meta.name` of the class itself, or of the abstract base whose `Meta` it takes over.

    `abstract` is never taken over. A `Meta` of its own inherits only from the classes it names.
    """
    meta = own_meta(cls)
    if meta is not None:
        found = project.class_attribute(meta, name)
        if found is not None and (name != "abstract" or found[1] is meta.scope):
            return Sited(*found)
        return None
    if name == "abstract":
        return None
    for base in project.mro(cls)[1:]:
        if isinstance(base, ClassSymbol) and is_abstract(base, project) and own_meta(base) is not None:
            return meta_value(base, name, project)
    return None


def own_meta(cls: ClassSymbol) -> ClassSymbol | None:
    """The `Meta` class in the class's own body."""
    bindings = cls.own("Meta")
    return bindings[-1].cls if bindings else None


def is_abstract(cls: ClassSymbol, project: Project) -> bool:
    """Whether `Meta` says `abstract = True`: no table of its own."""
    value = meta_value(cls, "abstract", project)
    return value is not None and isinstance(value.node, form.Const) and value.node.value is True


def default_ordering(cls: ClassSymbol, project: Project) -> Sited | None:
    """`Meta.ordering` where it names at least one field."""
    found = meta_value(cls, "ordering", project)
    if found is None:
        for base in project.mro(cls)[1:]:
            # A child of a concrete parent takes the parent's ordering over (multi-table inheritance).
            if isinstance(base, ClassSymbol) and own_meta(base) is not None and own_meta(cls) is None:
                return default_ordering(base, project)
        return None
    node = definition(found, project).node
    return found if not isinstance(node, form.Display) or node.items else None


def manager_class(cls: ClassSymbol, name: str, project: Project) -> ClassSymbol | None:
    """The project's manager (or queryset) class behind `Model.name`.

    It is found in `Manager()`, `Rows.as_manager()` and `Manager.from_queryset(Rows)()`.
    """
    attribute = project.class_attribute(cls, name)
    if attribute is None:
        return None
    for candidate in _classes_in(Sited(*attribute), project, 0):
        return candidate
    return None


def _classes_in(sited: Sited, project: Project, depth: int) -> Iterator[ClassSymbol]:
    for node in form.walk(sited.node):
        if isinstance(node, form.Name | form.Attr):
            value = project.infer(node, sited.scope)
            if isinstance(value, ClassSymbol):
                yield value
            elif depth < 2:
                followed = definition(Sited(node, sited.scope), project)
                if isinstance(followed.node, form.Call):
                    yield from _classes_in(followed, project, depth + 1)


def is_manager(cls: ClassSymbol, name: str, project: Project) -> bool:
    """Whether the model attribute is a manager: `objects`, or what a `...Manager` or queryset class makes."""
    bindings = project.class_member(cls, name)
    if not bindings:
        return name in ("objects", "_default_manager", "_base_manager")
    if bindings[-1].how is not How.ASSIGN or bindings[-1].value is None:
        return False
    value = project.infer(bindings[-1].value, bindings[-1].scope)
    if isinstance(value, Instance):
        if value.cls is not None:
            return any(_manages(n) for n in project.base_names(value.cls)) or _manages(value.cls.name)
        return _manages(value.type_name) or value.type_name.endswith("as_manager")
    node = bindings[-1].value
    return isinstance(node, form.Call) and name == "objects"


def _manages(name: str) -> bool:
    return last_part(name).endswith(("Manager", "QuerySet")) or "Manager" in name


def model_of(sited: Sited, project: Project) -> str | None:
    """The name of the model that a query expression begins with: `Post` of `Post.objects.filter(...)`."""
    for _ in range(_DEEPEST):
        sited = definition(sited, project)
        node: form.Expr = sited.node
        while isinstance(node, form.Call | form.Attr | form.Subscript | form.Await):
            if isinstance(node, form.Attr):
                value = project.infer(node.value, sited.scope)
                if isinstance(value, ClassSymbol) and is_model(value, project):
                    return value.name
                if isinstance(value, External) and is_model_name(value.name):
                    return last_part(value.name)
            node = node.func if isinstance(node, form.Call) else node.value
        if not isinstance(node, form.Name) or node is sited.node:
            return None
        sited = Sited(node, sited.scope)
    return None
