"""List views of Django: what `ListView` and its kind list, and by how many rows a page.

https://docs.djangoproject.com/en/stable/ref/class-based-views/mixins-multiple-object/
"""

from __future__ import annotations

from dataclasses import dataclass

from assay.scanner.framework import Sited
from assay.scanner.frameworks.django.constants import UNKNOWN, Evaluator
from assay.scanner.frameworks.django.settings import Settings
from assay.scanner.frameworks.django.views import View
from assay.scanner.linker.project import Project, last_name, last_part
from assay.scanner.linker.scopes import ClassSymbol, FunctionSymbol
from assay.scanner.model.place import Evidence
from assay.scanner.readers.python import form

_LISTING = frozenset(
    {"ListView", "BaseListView", "MultipleObjectMixin", "ArchiveIndexView", "BaseArchiveIndexView", "YearArchiveView",
     "MonthArchiveView", "WeekArchiveView", "DayArchiveView", "TodayArchiveView"}
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Listing:
    """The model whose rows a view lists, and what cuts them into pages."""

    model: str | None
    paginators: tuple[Evidence, ...]


def listing(
    view: View, handler: FunctionSymbol | None, verb: str, settings: Settings | None, project: Project
) -> Listing | None:
    """None for a view that lists nothing, or whose own `get` doesn't leave it to the library."""
    if view.cls is None or verb != "GET":
        return None
    if {last_part(name) for name in project.base_names(view.cls)}.isdisjoint(_LISTING):
        return None
    if handler is not None and not any(isinstance(n, form.Attr) and n.attr == "get" for n in _asked_of_super(handler)):
        return None
    stated = view.initkwarg("model") or _attribute(view.cls, "model", project)
    model = project.infer(stated.node, stated.scope) if stated is not None else None
    return Listing(model.name if isinstance(model, ClassSymbol) else None, _paginators(view, settings, project))


def _paginators(view: View, settings: Settings | None, project: Project) -> tuple[Evidence, ...]:
    assert view.cls is not None
    own = project.method(view.cls, "get_paginate_by")
    if own is not None:
        return (Evidence(own.location, "get_paginate_by says how many rows a page has"),)
    stated = view.initkwarg("paginate_by") or _attribute(view.cls, "paginate_by", project)
    if stated is None:
        return ()
    size = Evaluator(project, settings).constant(stated)
    if size is not UNKNOWN and not size:
        return ()
    return (stated.module.evidence(stated.node, "paginate_by cuts it into pages"),)


def _attribute(cls: ClassSymbol, name: str, project: Project) -> Sited | None:
    found = project.class_attribute(cls, name)
    return Sited(*found) if found is not None else None


def _asked_of_super(handler: FunctionSymbol) -> list[form.Attr]:
    return [
        node
        for node in handler.walk()
        if isinstance(node, form.Attr) and isinstance(node.value, form.Call) and last_name(node.value.func) == "super"
    ]
