"""Viewsets of Django REST framework: which actions a class has, and which its `@action` decorators add.

https://www.django-rest-framework.org/api-guide/viewsets/
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from assay.scanner.framework import Sited
from assay.scanner.frameworks.django.constants import Evaluator, definition
from assay.scanner.frameworks.django.views import constant_strings, method_or_alias
from assay.scanner.linker.project import Project, last_name, last_part
from assay.scanner.linker.scopes import ClassSymbol, FunctionSymbol
from assay.scanner.readers.python import form

_READ = ("list", "retrieve")
_WRITE = ("create", "update", "partial_update", "destroy")
_LIBRARY_ACTIONS: dict[str, tuple[str, ...]] = {
    "ListModelMixin": ("list",),
    "CreateModelMixin": ("create",),
    "RetrieveModelMixin": ("retrieve",),
    "UpdateModelMixin": ("update", "partial_update"),
    "DestroyModelMixin": ("destroy",),
    "ReadOnlyModelViewSet": _READ,
    "ModelViewSet": _READ + _WRITE,
    "BulkModelViewSet": (*_READ, *_WRITE, "bulk_update", "partial_bulk_update", "bulk_destroy"),
    "BulkCreateModelMixin": ("create",),
    "BulkUpdateModelMixin": ("bulk_update", "partial_bulk_update"),
    "BulkDestroyModelMixin": ("bulk_destroy",),
}
STANDARD_ACTIONS = frozenset(_READ + _WRITE)
_VERBS = ("get", "post", "put", "patch", "delete")
_DECORATORS = {"action": None, "list_route": False, "detail_route": True}


@dataclass(frozen=True, slots=True, eq=False)
class Action:
    """A method that an HTTP verb is mapped to.

    `handler` is None where the library provides it; `options` is the `@action(...)` call whose keywords override the
    class's attributes.
    """

    name: str
    handler: FunctionSymbol | None
    options: Sited | None = None


@dataclass(frozen=True, slots=True, eq=False)
class ExtraAction:
    """What one `@action` adds to the routes of a viewset: verbs mapped to actions under `url_path`."""

    url_path: str
    detail: bool
    mapping: dict[str, Action]


def action_named(cls: ClassSymbol, name: str, project: Project) -> Action | None:
    """The viewset's action of that name; None when it has none."""
    handler = method_or_alias(cls, name, project)
    if handler is not None:
        decorator = _action_decorator(handler)
        options = Sited(decorator, handler.outer) if decorator is not None else None
        return Action(name, handler, options)
    provided = {a for base in project.base_names(cls) for a in _LIBRARY_ACTIONS.get(last_part(base), ())}
    return Action(name, None) if name in provided else None


def extra_actions(cls: ClassSymbol, project: Project) -> Iterator[ExtraAction]:
    """The `@action` methods of the class and its bases, nearest definition first."""
    seen: set[str] = set()
    evaluator = Evaluator(project)
    for base in project.mro(cls):
        if not isinstance(base, ClassSymbol):
            continue
        for name, method in base.methods.items():
            if name in seen:
                continue
            seen.add(name)
            decorator = _action_decorator(method)
            if decorator is not None:
                yield _extra_action(base, method, decorator, evaluator, project)


def _extra_action(
    cls: ClassSymbol, method: FunctionSymbol, decorator: form.Expr, evaluator: Evaluator, project: Project
) -> ExtraAction:
    options = Sited(decorator, method.outer)
    verbs = ["get"]
    detail = _DECORATORS[_decorator_name(decorator)]
    url_path = method.name
    if isinstance(decorator, form.Call):
        stated = decorator.argument(0, "methods")
        if stated is not None:
            display = definition(Sited(stated, method.outer), project).node
            if isinstance(display, form.Display):
                verbs = [v.lower() for v in constant_strings(display.items)]
        flag = decorator.argument(1, "detail")
        if detail is None:
            detail = isinstance(flag, form.Const) and bool(flag.value)
        path = decorator.keyword("url_path")
        if path is not None:
            url_path = evaluator.text(Sited(path, method.outer)) or url_path
    own = Action(method.name, method, options)
    mapping = {verb: own for verb in _VERBS if verb in verbs}
    for verb, other in _mapped_to(cls, method.name):
        mapping[verb] = Action(other.name, other, options)
    return ExtraAction(url_path, bool(detail), mapping)


def _mapped_to(cls: ClassSymbol, name: str) -> Iterator[tuple[str, FunctionSymbol]]:
    """`@name.mapping.delete` methods."""
    for method in cls.methods.values():
        for decorator in method.decorators:
            parts = (form.dotted(decorator) or "").split(".")
            if len(parts) == 3 and parts[0] == name and parts[1] == "mapping" and parts[2] in _VERBS:
                yield parts[2], method


def _action_decorator(method: FunctionSymbol) -> form.Expr | None:
    return next((d for d in method.decorators if _decorator_name(d) in _DECORATORS), None)


def _decorator_name(decorator: form.Expr) -> str:
    return last_name(decorator.func if isinstance(decorator, form.Call) else decorator) or ""
