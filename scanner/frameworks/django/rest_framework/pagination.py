"""Pagination of Django REST framework: which paginator a view uses, whether it is on, and how large a page may be.

https://www.django-rest-framework.org/api-guide/pagination/
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from assay.scanner.framework import Sited
from assay.scanner.frameworks.django.constants import UNKNOWN, Evaluator, definition, is_settings
from assay.scanner.frameworks.django.rest_framework.policies import stated
from assay.scanner.frameworks.django.rest_framework.viewsets import Action
from assay.scanner.frameworks.django.settings import Settings
from assay.scanner.frameworks.django.views import View
from assay.scanner.linker.project import Project, last_name, last_part
from assay.scanner.linker.scopes import ClassSymbol, FunctionSymbol, Module
from assay.scanner.linker.values import External
from assay.scanner.model.place import Evidence, Location
from assay.scanner.model.query import Cap, Order, PageSize
from assay.scanner.readers.python import form

_GENERIC = ("rest_framework.generics.", "rest_framework.viewsets.", "rest_framework.mixins.")
_GENERIC_NAMES = ("ModelViewSet", "GenericViewSet", "GenericAPIView")
_NOT_GENERIC = frozenset({"ViewSet", "ViewSetMixin"})
_SIZE_ATTRIBUTES = ("page_size", "default_limit")
_OVERRIDES = ("get_limit", "get_page_size", "paginate_queryset")
_DEEPEST = 6


@dataclass(frozen=True, slots=True, eq=False)
class Paginator:
    """A paginator class of the project or of a library, and where the view or the settings name it."""

    name: str
    cls: ClassSymbol | None
    stated: Sited

    @property
    def evidence(self) -> Evidence:
        return self.stated.module.evidence(self.stated.node, f"pages by {last_part(self.name).rsplit(':', 1)[-1]}")


@dataclass(frozen=True, slots=True)
class PageOrder:
    """The order that a view or its paginator gives to a page's rows, and what shows it."""

    order: Order = Order.NONE
    evidence: Evidence | None = None


def is_generic(cls: ClassSymbol, project: Project) -> bool:
    """Whether the view has a paginator at all: `GenericAPIView` and what derives from it, in other libraries too."""
    return any(
        name.endswith(_GENERIC_NAMES) or (name.startswith(_GENERIC) and last_part(name) not in _NOT_GENERIC)
        for name in project.base_names(cls)
    )


def paginator_of(
    view: View, settings: Settings | None, project: Project, action: Action | None = None
) -> Paginator | None:
    """The paginator of a generic view where it is on; None for `pagination_class = None`, or without a page size."""
    if view.cls is None or not is_generic(view.cls, project):
        return None
    named = stated("pagination_class", view, action, project)
    if named is None and settings is not None:
        named = settings.entry("REST_FRAMEWORK", "DEFAULT_PAGINATION_CLASS")
    found = _paginator(named, project) if named is not None else None
    return found if found is not None and _is_on(found, settings, project) else None


def _paginator(stated: Sited, project: Project) -> Paginator | None:
    followed = definition(stated, project)
    node = followed.node
    if isinstance(node, form.Const):
        if not isinstance(node.value, str):
            return None
        module_name, _, name = node.value.rpartition(".")
        module = project.module_named(module_name, stated.module.path)
        value = project.member(module, name) if isinstance(module, Module) else External(node.value)
    else:
        value = project.infer(node, followed.scope)
    if isinstance(value, ClassSymbol):
        return Paginator(value.id, value, stated)
    return Paginator(value.name, None, stated) if isinstance(value, External) else None


def _is_on(paginator: Paginator, settings: Settings | None, project: Project) -> bool:
    cls = paginator.cls
    if cls is not None:
        for name in _SIZE_ATTRIBUTES:
            attribute = project.class_attribute(cls, name)
            if attribute is not None and not (isinstance(attribute[0], form.Const) and attribute[0].value is None):
                return True
            if project.instance_attributes(cls, name):
                return True
        if any(project.method(cls, override) is not None for override in _OVERRIDES):
            return True
    size = settings.entry("REST_FRAMEWORK", "PAGE_SIZE") if settings is not None else None
    return size is not None and not (isinstance(size.node, form.Const) and size.node.value is None)


def pages_through(cls: ClassSymbol, handler: FunctionSymbol | None, project: Project, depth: int = 0) -> bool:
    """Whether an action runs the view's paginator: the library's `list` does, the project's where it calls it."""
    if handler is None:
        return True
    for node in handler.walk():
        if not isinstance(node, form.Call) or not isinstance(node.func, form.Attr):
            continue
        if node.func.attr in ("paginate_queryset", "get_paginated_response"):
            return True
        owner = node.func.value
        is_super = isinstance(owner, form.Call) and last_name(owner.func) == "super"
        if is_super and node.func.attr == handler.name and depth < _DEEPEST:
            bindings = project.class_member(cls, handler.name, handler.owner)
            following = bindings[-1].function if bindings else None
            if pages_through(cls, following, project, depth + 1):
                return True
        elif isinstance(owner, form.Name) and owner.id == "self" and depth < _DEEPEST:
            own = project.method(cls, node.func.attr)
            if own is not None and own is not handler and pages_through(cls, own, project, depth + 1):
                return True
            if own is None and node.func.attr == "list":
                return True
    return False


# --- order ---


def page_order(view: View, paginator: Paginator, settings: Settings | None, project: Project) -> PageOrder:
    """How the rows of a page are ordered where the query itself says nothing."""
    assert view.cls is not None
    if _is_cursor(paginator, project):
        return PageOrder(Order.EXPLICIT, Evidence(paginator.evidence.location, "a cursor orders what it pages"))
    own = project.method(paginator.cls, "paginate_queryset") if paginator.cls is not None else None
    if own is not None:
        for node in own.walk():
            if isinstance(node, form.Attr) and node.attr in ("ordered", "order_by"):
                return PageOrder(Order.EXPLICIT, own.module.evidence(node, "the paginator sees to the order"))
        return PageOrder(Order.UNKNOWN)
    if not _filters_by_order(view, settings, project):
        return PageOrder(Order.NONE)
    ordering = project.class_attribute(view.cls, "ordering")
    if ordering is not None:
        return PageOrder(Order.EXPLICIT, ordering[1].module.evidence(ordering[0], "the order without a client's wish"))
    return PageOrder(Order.UNKNOWN)


def _is_cursor(paginator: Paginator, project: Project) -> bool:
    names = {paginator.name} | (project.base_names(paginator.cls) if paginator.cls is not None else set())
    return any(last_part(name) == "CursorPagination" for name in names)


def _filters_by_order(view: View, settings: Settings | None, project: Project) -> bool:
    """Whether an `OrderingFilter` runs: `ordering` on a view means nothing without one."""
    assert view.cls is not None
    attribute = project.class_attribute(view.cls, "filter_backends")
    stated = Sited(*attribute) if attribute is not None else None
    if stated is None and settings is not None:
        stated = settings.entry("REST_FRAMEWORK", "DEFAULT_FILTER_BACKENDS")
    if stated is None:
        return False
    named = [
        n for n in form.walk(definition(stated, project).node) if isinstance(n, form.Name | form.Attr | form.Const)
    ]
    texts = (n.value if isinstance(n, form.Const) else last_name(n) for n in named)
    return any(isinstance(t, str) and "Ordering" in t for t in texts)


# --- page sizes ---


def page_sizes(paginator: Paginator, settings: Settings | None, project: Project) -> tuple[PageSize, ...]:
    """The input by which a client chooses the page size, if there is one."""
    return tuple(_page_sizes(paginator, settings, project))


def _page_sizes(paginator: Paginator, settings: Settings | None, project: Project) -> Iterator[PageSize]:
    cls = paginator.cls
    bases = project.base_names(cls) if cls is not None else {paginator.name}
    is_offset = any(last_part(b) == "LimitOffsetPagination" for b in bases)
    parameter, maximum = ("limit_query_param", "max_limit") if is_offset else ("page_size_query_param", "max_page_size")
    stated = project.class_attribute(cls, parameter) if cls is not None else None
    evaluator = Evaluator(project, settings)
    name: object = "limit" if is_offset else None
    location = paginator.stated.module.location(paginator.stated.node)
    if cls is not None:
        location = cls.location
    if stated is not None:
        name = evaluator.constant(Sited(*stated))
        location = stated[1].module.location(stated[0])
    if name is None:
        return
    cap, rows, evidence = _cap(paginator, maximum, evaluator, project)
    role = cls.module.role if cls is not None else paginator.stated.module.role
    yield PageSize(paginator.name, name if isinstance(name, str) else parameter, location, role, cap, rows, evidence)


def _cap(
    paginator: Paginator, attribute: str, evaluator: Evaluator, project: Project
) -> tuple[Cap, int | None, tuple[Evidence, ...]]:
    cls = paginator.cls
    stated = project.class_attribute(cls, attribute) if cls is not None else None
    if stated is not None:
        evidence = stated[1].module.evidence(stated[0], f"{attribute} bounds it")
        value = evaluator.constant(Sited(*stated))
        if isinstance(value, int) and not isinstance(value, bool):
            return _stated_cap(Sited(*stated), project), value, (evidence,)
        if value is UNKNOWN:
            return Cap.CONFIGURED, None, (evidence,)
    for name in _OVERRIDES if cls is not None else ():
        method = project.method(cls, name) if cls is not None else None
        if method is not None and (found := _clamp(method, evaluator, project)) is not None:
            return found
    if stated is not None:
        return Cap.UNCAPPED, None, (stated[1].module.evidence(stated[0], f"{attribute} = None: no bound"),)
    place: Location = cls.location if cls is not None else paginator.stated.module.location(paginator.stated.node)
    return Cap.UNCAPPED, None, (Evidence(place, f"no {attribute}: the client may ask for any number of rows"),)


def _stated_cap(sited: Sited, project: Project) -> Cap:
    """CONFIGURED where the number comes from the environment, CAPPED where the source holds it."""
    followed = definition(sited, project)
    reads = any(isinstance(n, form.Call) for n in form.walk(followed.node))
    return Cap.CONFIGURED if reads else Cap.CAPPED


def _clamp(
    method: FunctionSymbol, evaluator: Evaluator, project: Project
) -> tuple[Cap, int | None, tuple[Evidence, ...]] | None:
    """A `min(...)` or an `if size > MAX` in a method that works out the page size."""
    for node in method.walk():
        bounds: list[form.Expr] = []
        if isinstance(node, form.Call) and last_name(node.func) == "min":
            bounds = node.positional
        elif isinstance(node, form.If) and isinstance(node.test, form.Compare) and node.test.ops[0] in (">", ">="):
            bounds = [node.test.rights[0]]
        for bound in bounds:
            evidence = (method.module.evidence(node, "clamps the page size"),)
            value = evaluator.constant(Sited(bound, method.scope))
            if isinstance(value, int) and not isinstance(value, bool) and value > 0:
                return Cap.CAPPED, value, evidence
            if _is_configuration(Sited(bound, method.scope), project):
                return Cap.CONFIGURED, None, evidence
    return None


def _is_configuration(sited: Sited, project: Project) -> bool:
    followed = definition(sited, project)
    for node in form.walk(followed.node):
        if isinstance(node, form.Attr) and (is_settings(node.value, followed.scope, project) or node.attr.isupper()):
            return True
        if isinstance(node, form.Name) and node.id.isupper():
            return True
    return False
