"""Relations of Django models, and how they are seen from the other side."""

from __future__ import annotations

from collections.abc import Iterator

from assay.scanner.frameworks.django.fields import ModelField, all_fields, fields_of, target_class
from assay.scanner.frameworks.django.models import is_abstract, is_model
from assay.scanner.linker.project import Project, last_name
from assay.scanner.linker.remembered import remembered
from assay.scanner.linker.scopes import ClassSymbol
from assay.scanner.model.table import Loading, Relation
from assay.scanner.readers.python import form

_GENERIC = {"GenericForeignKey": False, "GenericRelation": True}
"""Relations that are no columns, and whether they lead to many."""


def relations_of(cls: ClassSymbol, project: Project) -> Iterator[Relation]:
    """Its own and inherited ones, and the reverse accessors of other models' relations."""
    for field in all_fields(cls, project).values():
        if field.is_to_one or field.is_to_many:
            location = field.binding.scope.module.location(field.call)
            target = target_class(field, cls, project) or ""
            yield Relation(field.name, target, field.is_to_many, Loading.ON_ACCESS, location)
    for base in project.mro(cls):
        if isinstance(base, ClassSymbol):
            yield from _generic(base)
            for accessor, owner, field in _accessors(project).get(base.name, ()):
                to_many = field.kind != "OneToOneField"
                location = field.binding.scope.module.location(field.call)
                yield Relation(accessor, owner.name, to_many, Loading.ON_ACCESS, location, is_derived=True)


def _generic(cls: ClassSymbol) -> Iterator[Relation]:
    for name, bindings in cls.scope.bindings.items():
        call = bindings[-1].value
        kind = last_name(call.func) if isinstance(call, form.Call) else None
        if isinstance(call, form.Call) and kind in _GENERIC:
            to = call.argument(0, "to") if _GENERIC[kind] else None
            target = to.value if isinstance(to, form.Const) else last_name(to) if to is not None else None
            named = target.rsplit(".", 1)[-1] if isinstance(target, str) else ""
            yield Relation(name, named, _GENERIC[kind], Loading.ON_ACCESS, cls.module.location(call))


@remembered
def related(project: Project) -> dict[tuple[str, str], ClassSymbol]:
    """For each model's name and reverse accessor (`comment_set`, a `related_name`) the model whose rows it gives."""
    return {
        (target, accessor): owner
        for target, found in _accessors(project).items()
        for accessor, owner, field in found
        if field.kind != "OneToOneField"
    }


@remembered
def _accessors(project: Project) -> dict[str, list[tuple[str, ClassSymbol, ModelField]]]:
    """By the model's name, the reverse accessors of it: each with the model and the field that make it."""
    found: dict[str, list[tuple[str, ClassSymbol, ModelField]]] = {}
    for cls in project.classes:
        if not is_model(cls, project) or is_abstract(cls, project):
            continue
        for field in fields_of(cls, project).values():
            target = target_class(field, cls, project) if field.is_to_one or field.is_to_many else None
            accessor = _accessor(field, cls)
            if target is not None and not accessor.endswith("+"):
                found.setdefault(target, []).append((accessor, cls, field))
    return found


def _accessor(field: ModelField, cls: ClassSymbol) -> str:
    stated = field.call.keyword("related_name")
    name = stated.value if isinstance(stated, form.Const) else None
    default = cls.name.lower() if field.kind == "OneToOneField" else f"{cls.name.lower()}_set"
    accessor = name if isinstance(name, str) else default
    return accessor.replace("%(class)s", cls.name.lower())
