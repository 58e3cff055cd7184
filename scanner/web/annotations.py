"""Annotations that declare what a request or a response holds: how they are written, and whether they promise many."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from assay.scanner.dataflow.constants import definitions
from assay.scanner.framework import Sited
from assay.scanner.linker.project import Project, last_name, last_part
from assay.scanner.linker.scopes import ClassSymbol
from assay.scanner.linker.values import External
from assay.scanner.readers.python import form

_TRANSPARENT = frozenset({"Optional", "Union", "Awaitable", "Response"})
_QUERY_SETS = frozenset({"django.db.models.QuerySet", "django.db.models.query.QuerySet"})
_SCALARS = frozenset({"builtins.str", "builtins.int", "builtins.bool", "builtins.float", "builtins.bytes"})
WRAPPER_FIELDS = frozenset(
    "items data results rows records objects entries content list values elements hits result payload".split()
)
_PAGE_WORDS = ("count", "total", "page", "limit", "offset", "next", "prev", "cursor")
"""What the fields beside the only list of a page speak of."""
IDENTITIES = frozenset({"id", "uuid", "pk", "slug"})
"""Fields of one thing: what has them isn't a page of things."""
_DEEPEST = 6


@dataclass(frozen=True, slots=True)
class Content:
    """What a body holds: many things or not (None where nothing is said), and many of what."""

    is_collection: bool | None = None
    of: str | None = None


UNKNOWN = Content()


def spelled(node: form.Expr) -> str | None:
    """An annotation as it is written."""
    match node:
        case form.Subscript(value=base, index=index):
            items = index.items if isinstance(index, form.Display) else [index]
            inside = ", ".join(spelled(item) or "..." for item in items)
            return f"{spelled(base)}[{inside}]"
        case form.Display(kind="list", items=items):
            return f"[{', '.join(spelled(item) or '...' for item in items)}]"
        case form.Binary(op="|", left=left, right=right):
            return f"{spelled(left)} | {spelled(right)}"
        case form.Const(value=value):
            return str(value)
    return form.dotted(node)


def content(annotation: Sited, project: Project, depth: int = _DEEPEST) -> Content:
    """What the annotation promises, through aliases, unions, generics and classes that wrap a list."""
    node, scope = annotation.node, annotation.scope
    if not depth:
        return UNKNOWN
    element = project.annotation_element(node, scope)
    if element is not None:
        return Content(True, spelled(element))
    match node:
        case form.Binary(op="|", left=left, right=right):
            return _first(annotation, [left, right], project, depth)
        case form.Subscript():
            return _of_generic(annotation, node, project, depth)
    value = project.infer(node, scope)
    if isinstance(value, ClassSymbol):
        return _of_class(value, project)
    if isinstance(value, External) and value.name in _SCALARS:
        return Content(is_collection=False)
    aliases = [d for d in definitions(node, scope, project) if isinstance(d[0], form.Subscript | form.Binary)]
    return content(Sited(*aliases[-1]), project, depth - 1) if aliases else UNKNOWN


def _first(annotation: Sited, options: Sequence[form.Expr], project: Project, depth: int) -> Content:
    """Of several types, the one that holds many, if any does."""
    found = [content(Sited(option, annotation.scope), project, depth - 1) for option in options]
    known = [each for each in found if each.is_collection is not None]
    return next((each for each in known if each.is_collection), known[0] if known else UNKNOWN)


def _of_generic(annotation: Sited, node: form.Subscript, project: Project, depth: int) -> Content:
    arguments = node.index.items if isinstance(node.index, form.Display) else [node.index]
    generic = project.infer(node.value, annotation.scope)
    if isinstance(generic, External):
        if generic.name in _QUERY_SETS:
            return Content(True, spelled(arguments[0]))
        if last_part(generic.name) == "Annotated":
            return _first(annotation, arguments[:1], project, depth)
        return _first(annotation, arguments, project, depth) if last_part(generic.name) in _TRANSPARENT else UNKNOWN
    if isinstance(generic, ClassSymbol):
        inner, own = _first(annotation, arguments, project, depth), _of_class(generic, project)
        return Content(True, spelled(arguments[0])) if own.is_collection and not inner.is_collection else inner
    return UNKNOWN


def _of_class(cls: ClassSymbol, project: Project) -> Content:
    """A class that wraps one list beside page numbers, as `Page` or `UsersPublic` does, is a collection too."""
    for base in cls.node.bases:
        if isinstance(base.value, form.Subscript) and (last_name(base.value.value) or "").endswith("RootModel"):
            return content(Sited(base.value.index, cls.outer), project)
    fields = {
        name: bindings[-1]
        for owner in reversed(project.mro(cls))
        if isinstance(owner, ClassSymbol)
        for name, bindings in owner.scope.bindings.items()
    }
    elements = {
        name: project.annotation_element(binding.annotation, binding.scope)
        for name, binding in fields.items()
        if binding.annotation is not None
    }
    lists = {name: element for name, element in elements.items() if element is not None}
    others = [name.lower() for name in elements if name not in lists]
    is_page = len(lists) == 1 and all(any(word in name for word in _PAGE_WORDS) for name in others)
    for name, element in lists.items() if IDENTITIES.isdisjoint(fields) else ():
        if is_page or name in WRAPPER_FIELDS:
            return Content(True, spelled(element))
    return Content(is_collection=False)
