"""The model that a query, a view or a repository is about."""

from __future__ import annotations

from assay.scanner.dataflow.lookups.chains import made_of
from assay.scanner.linker.project import Project
from assay.scanner.linker.scopes import ClassSymbol, Scope
from assay.scanner.linker.values import Instance
from assay.scanner.readers.python import form

_NO_MODELS = ("builtins.Exception", "enum.Enum", "enum.StrEnum", "pydantic.BaseModel", "builtins.BaseException")


def model_in(
    parts: tuple[form.Expr, ...], scope: Scope, project: Project, view: ClassSymbol | None
) -> ClassSymbol | None:
    """The first class of the project that the query names, attributes of the view included."""
    for part in parts:
        for node in form.walk(part):
            found: object = None
            if isinstance(node, form.Attr) and form.dotted(node.value) == "self" and view is not None:
                if node.attr in ("get_queryset", "queryset"):
                    return model_of_view(view, project)
                stated = project.class_attribute(view, node.attr)
                found = project.infer(*stated) if stated is not None else project.infer(node, scope)
            elif isinstance(node, form.Name | form.Attr):
                found = project.infer(node, scope)
            if isinstance(found, ClassSymbol) and _is_model(found, project):
                return found
    return None


def model_of_view(view: ClassSymbol | None, project: Project) -> ClassSymbol | None:
    """The model of a class-based view: by its `queryset` or `model`, or by what its `get_queryset` names."""
    if view is None:
        return None
    for attribute in ("queryset", "model"):
        stated = project.class_attribute(view, attribute)
        found = model_in((stated[0],), stated[1], project, None) if stated is not None else None
        if found is not None:
            return found
    method = project.method(view, "get_queryset")
    values = [r.value for r in method.returns if r.value is not None] if method is not None else []
    parts = tuple(part for value in values if method is not None for part in made_of(value, method.scope))
    return model_in(parts, method.scope, project, None) if method is not None else None


def model_called_on(call: form.Call, scope: Scope, project: Project) -> str:
    """`Order.by_number(...)`: the model that a class method was called on."""
    owner = project.infer(call.func.value, scope) if isinstance(call.func, form.Attr) else None
    return owner.name if isinstance(owner, ClassSymbol) and _is_model(owner, project) else ""


def model_of_repository(call: form.Call, scope: Scope, project: Project) -> str:
    """`Users(Repository[User])`, `Repository(User)`: the model that a generic repository is made for."""
    owner = project.infer(call.func.value, scope) if isinstance(call.func, form.Attr) else None
    if not isinstance(owner, Instance) or owner.cls is None:
        return ""
    named: list[tuple[form.Expr, Scope]] = []
    attribute = project.class_attribute(owner.cls, "model")
    if attribute is not None:
        named.append(attribute)
    for base in owner.cls.node.bases:
        if isinstance(base.value, form.Subscript):
            index = base.value.index
            named.append((index.items[0] if isinstance(index, form.Display) else index, owner.cls.outer))
    if owner.origin is not None and owner.scope is not None:
        named += [(argument.value, owner.scope) for argument in owner.origin.args]
    models = (project.infer(*item) for item in named)
    return next((model.name for model in models if isinstance(model, ClassSymbol)), "")


def _is_model(cls: ClassSymbol, project: Project) -> bool:
    bases = project.base_names(cls)
    if "pydantic.BaseModel" in bases:
        return any(base.startswith(("sqlmodel", "beanie", "odmantic")) for base in bases)
    return bool(bases) and bases.isdisjoint(_NO_MODELS)
