"""What generic views of Django and of Django REST framework answer a read with, beside the method that is kept."""

from __future__ import annotations

from collections.abc import Iterator

from assay.scanner.caching.kept import Kept
from assay.scanner.caching.results import Result, Results, is_of_serializer, joined
from assay.scanner.dataflow.constants import list_items
from assay.scanner.linker.project import Project
from assay.scanner.linker.scopes import ClassSymbol, FunctionSymbol
from assay.scanner.linker.values import SuperProxy
from assay.scanner.readers.python import form

_HOOKS = frozenset(
    """get_queryset get_object get_context_data get_serializer_context get_serializer_class
    filter_queryset get_serializer paginate_queryset render_to_response""".split()
)
_ANSWERS = frozenset({"get", "list", "retrieve", "head"})
_VIEWS = ("django.views.", "rest_framework.")
_MOST_VIEWS = 20
"""Views that are looked at for one mixin."""


def result_of_view(entry: Kept, results: Results, project: Project) -> Result:
    """Nothing for what is no method of such a view, or leaves nothing to it. A mixin's is that of its views."""
    function = entry.function
    view = entry.view or (function.owner if function is not None else None)
    if view is None:
        return Result()
    if _is_generic(view, project):
        return _of_view(view, entry, results, project)
    if function is None or not _goes_up(function, project):
        return Result()
    mixed = [cls for cls in project.subclasses(view) if _is_generic(cls, project)]
    return joined(_of_view(cls, entry, results, project) for cls in mixed[:_MOST_VIEWS])


def _is_generic(view: ClassSymbol, project: Project) -> bool:
    return any(b.startswith(_VIEWS) for b in project.base_names(view))


def _of_view(view: ClassSymbol, entry: Kept, results: Results, project: Project) -> Result:
    function = entry.function
    parts: list[Result] = []
    if entry.is_whole_view or function is None or _goes_up(function, project):
        wanted = _HOOKS | _ANSWERS if entry.is_whole_view or function is None else _HOOKS - {function.name}
        parts.append(results.of_methods(view, wanted.__contains__))
        parts += _of_filters(view, results, project)
        for attribute in ("queryset", "model"):
            stated = project.class_attribute(view, attribute)
            parts += [results.of_key([stated[0]], stated[1])] if stated is not None else []
    serializer = project.class_attribute(view, "serializer_class")
    cls = project.infer(*serializer) if serializer is not None else None
    if isinstance(cls, ClassSymbol):
        parts.append(results.of_methods(cls, is_of_serializer))
    return joined(parts)


def _of_filters(view: ClassSymbol, results: Results, project: Project) -> Iterator[Result]:
    """Filters of the project that the view has its rows go through."""
    stated = project.class_attribute(view, "filter_backends")
    for node, scope in list_items(*stated, project) if stated is not None else ():
        cls = project.infer(node, scope)
        if isinstance(cls, ClassSymbol):
            yield results.of_methods(cls, lambda name: name == "filter_queryset")


def _goes_up(function: FunctionSymbol, project: Project) -> bool:
    """Whether it leaves an answer to the generic view that it overrides, or asks that for its rows."""
    if function.name not in _ANSWERS:
        return False
    calls = (n.func for n in function.nodes if isinstance(n, form.Call) and isinstance(n.func, form.Attr))
    owners = [(func.attr, func.value) for func in calls]
    return any(
        isinstance(project.infer(owner, function.scope), SuperProxy)
        or (attr in _HOOKS and isinstance(owner, form.Name) and owner.id == "self")
        for attr, owner in owners
    )
