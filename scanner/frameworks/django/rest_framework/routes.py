"""Django REST framework: the routes of its routers, viewsets, generic views and `@api_view` functions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from assay.scanner.dataflow.constants import Given
from assay.scanner.framework import Context, Framework, Guard, Route, Sited
from assay.scanner.frameworks.django.constants import Evaluator, definition
from assay.scanner.frameworks.django.guards import class_guards, function_guards, unfollowed_wrappers, wrapper_guards
from assay.scanner.frameworks.django.middleware import middleware_guards, unfollowed_middleware
from assay.scanner.frameworks.django.models import model_of
from assay.scanner.frameworks.django.rate_limits import decorator_limits, view_limits
from assay.scanner.frameworks.django.rest_framework.documentation import (
    answers_by_serializer,
    body_types,
    documentation,
)
from assay.scanner.frameworks.django.rest_framework.pagination import (
    PageOrder,
    page_order,
    page_sizes,
    pages_through,
    paginator_of,
)
from assay.scanner.frameworks.django.rest_framework.permissions import above, permission_guards, why_open
from assay.scanner.frameworks.django.rest_framework.routers import Router, is_router
from assay.scanner.frameworks.django.rest_framework.throttling import throttle_limits
from assay.scanner.frameworks.django.rest_framework.views import is_rest_view
from assay.scanner.frameworks.django.rest_framework.viewsets import Action, action_named
from assay.scanner.frameworks.django.settings import Settings
from assay.scanner.frameworks.django.urls import Mount, urlconf
from assay.scanner.frameworks.django.views import (
    METHODS,
    View,
    class_methods,
    constant_strings,
    kind_of,
    only_renders,
    view_of,
)
from assay.scanner.linker.project import Project, last_name, last_part
from assay.scanner.linker.scopes import ClassSymbol, FunctionSymbol
from assay.scanner.linker.values import Instance
from assay.scanner.model.endpoint import EndpointKind
from assay.scanner.model.place import Evidence, Location
from assay.scanner.readers.python import form

_NAME = "Django REST framework"
_SINGLE = frozenset({"retrieve", "create", "update", "partial_update", "destroy"})
_LISTING = frozenset({"ListAPIView", "ListCreateAPIView", "ListModelMixin"})


@dataclass(frozen=True, slots=True, eq=False)
class _Site:
    """Where a view is mounted: what all its routes have in common."""

    path: str
    view: View
    location: Location
    wrappers: tuple[Sited, ...]
    settings: Settings | None
    root: Sited | None
    steps: tuple[Sited, ...]
    url_name: str | None = None


def routes(context: Context) -> Iterable[Route]:
    """The routes of every pattern that REST framework answers, and of every router that a URLconf includes."""
    found = urlconf(context.project)
    for pattern in found.patterns:
        view = view_of(pattern.view, context.project, pattern.given)
        if isinstance(view, View) and is_rest_view(view, context.project):
            wrappers = (*pattern.wrappers, *view.wrappers)
            around = (wrappers, pattern.settings, pattern.root, pattern.steps, pattern.name)
            site = _Site(pattern.path, view, pattern.location, *around)
            yield from _routes_of(site, pattern.given, context)
    for mount in found.mounts:
        if is_router(mount.value, context.project):
            assert isinstance(mount.value, Instance)
            yield from _routes_of_router(mount, mount.value, context)


# --- what a pattern leads to ---


def _routes_of(site: _Site, given: Given, context: Context) -> Iterator[Route]:
    project = context.project
    if site.view.cls is None:
        yield from _function_routes(site, context)
        return
    mapping = _stated_mapping(site.view, given, project)
    if mapping is None:
        handlers = class_methods(site.view, project)
        for verb, handler in handlers.items():
            yield _route(site, verb, Action(verb.lower(), handler), context)
        if not handlers:
            context.unresolved(site.location, f"the methods that {site.view.name} answers can't be told")
        return
    for verb, name in mapping.items():
        action = action_named(site.view.cls, name, project)
        if not _is_allowed(site.view.cls, verb, project):
            continue
        if action is not None:
            yield _route(site, verb.upper(), action, context)
        else:
            context.unresolved(site.location, f"{site.view.name} has no action {name!r}")


def _stated_mapping(view: View, given: Given, project: Project) -> Mapping[str, str] | None:
    """`as_view({"get": "list"})`; None for a view without actions."""
    if view.as_view is None or not isinstance(view.as_view.node, form.Call):
        return None
    actions = view.as_view.node.argument(0, "actions")
    node = definition(Sited(actions, view.as_view.scope), project, given).node if actions is not None else None
    if not isinstance(node, form.Dict):
        return None
    return {
        key.value: value.value
        for key, value in zip(node.keys, node.values, strict=True)
        if isinstance(key, form.Const) and isinstance(key.value, str) and key.value.upper() in METHODS
        and isinstance(value, form.Const) and isinstance(value.value, str)
    }  # fmt: skip


def _routes_of_router(mount: Mount, value: Instance, context: Context) -> Iterator[Route]:
    project = context.project
    router = Router(value, project, Evaluator(project, mount.settings))
    for made in router.patterns(mount.prefix):
        if not _is_allowed(made.viewset, made.verb, project):
            continue
        steps = (*mount.steps, made.registered)
        site = _Site(
            made.path, View(cls=made.viewset), made.location, mount.wrappers, mount.settings, mount.root, steps
        )
        yield _route(site, made.verb, made.action, context)
    root = router.root_view(mount)
    if root is not None:
        around = (mount.wrappers, mount.settings, mount.root, mount.steps)
        site = _Site(f"{mount.prefix}^$", View(cls=root), root.location, *around)
        handler = project.method(root, "get")
        yield _route(site, "GET", Action("get", handler), context)
    for location in dict.fromkeys(router.unresolved):
        context.unresolved(location, "what a router serves because of this is only known at run time")


def _is_allowed(cls: ClassSymbol, verb: str, project: Project) -> bool:
    stated = project.class_attribute(cls, "http_method_names")
    if stated is None:
        return True
    node = definition(Sited(*stated), project).node
    return not isinstance(node, form.Display) or verb.lower() in constant_strings(node.items)


# --- one route ---


def _function_routes(site: _Site, context: Context) -> Iterator[Route]:
    project, function = context.project, site.view.function
    assert function is not None
    around = [
        *middleware_guards(site.view, site.settings, project, site.path),
        *wrapper_guards(site.wrappers, project),
        *function_guards(function, project),
    ]
    for verb in _api_view_methods(site.view):
        action = Action(verb.lower(), function)
        guards = [*around, *permission_guards(site.view, action, verb, site.settings, project)]
        said = documentation(site.view, action, verb, project)
        yield Route(
            methods=(verb,),
            path=site.path,
            handler=function,
            handler_name=function.id,
            location=function.location,
            framework=_NAME,
            role=function.module.role,
            kind=_kind(site.view, action, project),
            guards=tuple(dict.fromkeys(guards)),
            unresolved_guards=_unresolved(site, action, verb, project) if not guards else (),
            opened=why_open(site.view, action, verb, site.settings, project).stated if not guards else (),
            above=above(site.settings, project),
            rate_limits=_rate_limits(site, action, verb, project),
            request_model=said.request_model,
            response_model=said.response_model,
            status_codes=said.status_codes,
            tags=said.tags,
            summary=said.summary,
            is_deprecated=said.is_deprecated,
            application=site.root,
            steps=site.steps,
            url_name=site.url_name,
        )


def _unresolved(site: _Site, action: Action, verb: str, project: Project) -> tuple[Evidence, ...]:
    return (
        *unfollowed_middleware(site.view, site.settings, project),
        *unfollowed_wrappers(site.wrappers, project),
        *why_open(site.view, action, verb, site.settings, project).unresolved,
    )


def _rate_limits(site: _Site, action: Action, verb: str, project: Project) -> tuple[Guard, ...]:
    return (
        *decorator_limits(site.wrappers, project),
        *view_limits(site.view.cls, action.handler, verb, project),
        *throttle_limits(site.view, action, verb, site.settings, project),
    )


def _api_view_methods(view: View) -> tuple[str, ...]:
    """Of `@api_view(["GET"])`; GET when it names none."""
    assert view.function is not None
    for decorator in view.function.decorators:
        if isinstance(decorator, form.Call) and last_name(decorator.func) == "api_view":
            given = decorator.argument(0, "http_method_names")
            if isinstance(given, form.Display):
                named = {s.upper() for s in constant_strings(given.items)}
                return tuple(m for m in METHODS if m in named)
    return ("GET",)


def _route(site: _Site, verb: str, action: Action, context: Context) -> Route:
    project, view, handler = context.project, site.view, action.handler
    assert view.cls is not None
    guards: list[Guard] = [
        *middleware_guards(view, site.settings, project, site.path),
        *wrapper_guards(site.wrappers, project),
        *class_guards(view.cls, verb, project),
        *permission_guards(view, action, verb, site.settings, project),
        *(function_guards(handler, project) if handler is not None else ()),
    ]
    said = documentation(view, action, verb, project)
    serializers = body_types(view, action, verb, project)
    returns_collection = _returns_collection(view.cls, verb, action, project)
    may_page = returns_collection or (verb == "GET" and handler is not None and returns_collection is None)
    paginator = paginator_of(view, site.settings, project, action) if may_page else None
    pages = paginator is not None and pages_through(view.cls, handler, project)
    rows = _rows(view, project) if returns_collection or (pages and _pages_its_own(handler)) else None
    ordering = page_order(view, paginator, site.settings, project) if paginator is not None and pages else PageOrder()
    return Route(
        methods=(verb,),
        path=site.path,
        handler=handler,
        handler_name=f"{view.name}.{action.name}",
        location=handler.location if handler is not None else view.cls.location,
        framework=_NAME,
        role=view.cls.module.role,
        kind=_kind(view, action, project),
        guards=tuple(dict.fromkeys(guards)),
        unresolved_guards=_unresolved(site, action, verb, project) if not guards else (),
        opened=why_open(view, action, verb, site.settings, project).stated if not guards else (),
        above=above(site.settings, project),
        rate_limits=_rate_limits(site, action, verb, project),
        request_model=said.request_model,
        response_model=said.response_model,
        request_types=serializers if verb in ("POST", "PUT", "PATCH") else (),
        response_types=serializers if verb != "DELETE" and answers_by_serializer(view, action, project) else (),
        status_codes=said.status_codes,
        tags=said.tags,
        summary=said.summary,
        is_deprecated=said.is_deprecated,
        returns_collection=True if pages else returns_collection,
        collection=_collection(view, rows, project) if rows is not None else None,
        paginators=(paginator.evidence,) if paginator is not None and pages else (),
        page_order=ordering.order,
        page_order_evidence=ordering.evidence,
        page_sizes=page_sizes(paginator, site.settings, project) if paginator is not None and pages else (),
        rows=rows,
        view_class=view.cls,
        application=site.root,
        steps=site.steps,
        url_name=site.url_name,
    )


def _returns_collection(cls: ClassSymbol, verb: str, action: Action, project: Project) -> bool | None:
    if action.name == "list":
        return True
    if action.name in _SINGLE or verb != "GET":
        return False
    bases = {last_part(name) for name in project.base_names(cls)}
    if action.name == "get" and action.handler is None:
        return not bases.isdisjoint(_LISTING)
    return None


def _kind(view: View, action: Action, project: Project) -> EndpointKind:
    if view.cls is not None:
        renderers = project.class_attribute(view.cls, "renderer_classes")
        if renderers is not None and isinstance(renderers[0], form.Display):
            names = {last_name(item) or "" for item in renderers[0].items}
            if "TemplateHTMLRenderer" in names and not any("JSON" in name for name in names):
                return EndpointKind.HTML
    answer = kind_of(view, action.handler, project) if action.handler is not None else None
    if answer is EndpointKind.HTML and action.handler is not None and not only_renders(action.handler):
        return EndpointKind.JSON
    return answer if answer is not None else EndpointKind.JSON


def _rows(view: View, project: Project) -> Sited | None:
    """The query of a generic view: what `get_queryset` returns, else `queryset`.

    A mixin's `get_queryset` that builds on `super()` narrows the class's `queryset`, which is then the one to look at.
    """
    assert view.cls is not None
    given = view.initkwarg("queryset")
    if given is not None:
        return given
    method = project.method(view.cls, "get_queryset")
    attribute = project.class_attribute(view.cls, "queryset")
    if method is not None and (attribute is None or not _asks_super(method.walk()) or _narrows(method, project)):
        for node in reversed(method.returns):
            if node.value is not None:
                return Sited(node.value, method.scope)
    return Sited(*attribute) if attribute is not None else None


def _pages_its_own(handler: FunctionSymbol | None) -> bool:
    """Whether it is the view's own query that the handler pages, and not some other rows."""
    return handler is None or any(
        isinstance(n, form.Attr) and n.attr in ("get_queryset", "queryset", "list") for n in handler.walk()
    )


def _narrows(method: FunctionSymbol, project: Project) -> bool:
    """Whether it stands beside the `queryset` that it narrows, with no other project method between."""
    cls = method.owner
    if cls is None or project.class_attribute(cls, "queryset") is None:
        return False
    return not any(b.function is not None for b in project.class_member(cls, "get_queryset", cls) or ())


def _collection(view: View, rows: Sited, project: Project) -> str | None:
    """The model's name: of the query, or of the class's `model` where a shared `get_queryset` reads `self.model`."""
    assert view.cls is not None
    stated = project.class_attribute(view.cls, "model")
    model = project.infer(*stated) if stated is not None else None
    return model_of(rows, project) or (model.name if isinstance(model, ClassSymbol) else None)


def _asks_super(nodes: Iterable[form.Expr | form.Stmt]) -> bool:
    return any(
        isinstance(n, form.Call) and isinstance(n.func, form.Attr) and n.func.attr == "get_queryset"
        and isinstance(n.func.value, form.Call) and last_name(n.func.value.func) == "super"
        for n in nodes
    )  # fmt: skip


DJANGO_REST_FRAMEWORK = Framework(_NAME, ("rest_framework",), routes=routes)
