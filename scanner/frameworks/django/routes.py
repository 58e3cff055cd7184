"""Django: the routes of its URLconfs, apart from the views that Django REST framework answers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from assay.scanner.framework import AboveRoute, Context, Framework, Guard, Route
from assay.scanner.frameworks.django.guards import class_guards, function_guards, unfollowed_wrappers, wrapper_guards
from assay.scanner.frameworks.django.list_views import listing
from assay.scanner.frameworks.django.middleware import middleware_guards, unfollowed_middleware
from assay.scanner.frameworks.django.rate_limits import decorator_limits, view_limits
from assay.scanner.frameworks.django.rest_framework.views import is_rest_view
from assay.scanner.frameworks.django.urls import COMPUTED_PATH, Pattern, Unresolved, run_time_message, urlconf
from assay.scanner.frameworks.django.views import View, class_methods, function_methods, kind_of, view_of
from assay.scanner.linker.scopes import FunctionSymbol
from assay.scanner.model.access import Access

_NAME = "Django"


def routes(context: Context) -> Iterable[Route]:
    """One route for every pattern that leads to a view of the project; a library's own views are left out."""
    found = urlconf(context.project)
    unresolved = list(found.unresolved)
    for pattern in found.patterns:
        view = view_of(pattern.view, context.project, pattern.given)
        if view is None:
            unknown = f"the view of {pattern.path!r} can't be told"
            message = run_time_message(pattern.made_by) if pattern.made_by else unknown
            unresolved.append(Unresolved(pattern.location, message))
        elif isinstance(view, View):
            if pattern.computed_at is not None:
                unresolved.append(Unresolved(pattern.computed_at, COMPUTED_PATH))
            if not is_rest_view(view, context.project):
                yield from _routes_of(pattern, view, context)
    _report(unresolved, context)


def _report(unresolved: Iterable[Unresolved], context: Context) -> None:
    """One diagnostic for each file and reason, where it first occurs."""
    first: dict[tuple[str, str], Unresolved] = {}
    times: Counter[tuple[str, str]] = Counter()
    for item in dict.fromkeys(unresolved):
        key = (item.location.path, item.message)
        first.setdefault(key, item)
        times[key] += 1
    for key, item in first.items():
        again = f" (and at {times[key] - 1} more places in this file)" if times[key] > 1 else ""
        context.unresolved(item.location, item.message + again)


def _routes_of(pattern: Pattern, view: View, context: Context) -> Iterator[Route]:
    project = context.project
    around = [
        *middleware_guards(view, pattern.settings, project, pattern.path, pattern.name),
        *wrapper_guards((*pattern.wrappers, *view.wrappers), project),
    ]
    if view.cls is None:
        own = function_guards(view.function, project) if view.function is not None else []
        yield _route(pattern, view, function_methods(view, project), view.function, view.name, [*around, *own], context)
        return
    handlers = class_methods(view, project)
    for verb, handler in handlers.items():
        guards = [*around, *class_guards(view.cls, verb, project)]
        guards += function_guards(handler, project) if handler is not None else []
        yield _route(pattern, view, (verb,), handler, f"{view.name}.{verb.lower()}", guards, context)
    if not handlers:
        handler = project.method(view.cls, "dispatch") or project.method(view.cls, "__call__")
        guards = [*around, *class_guards(view.cls, "ANY", project)]
        yield _route(pattern, view, ("ANY",), handler, f"{view.name}.dispatch", guards, context)


def _route(
    pattern: Pattern,
    view: View,
    methods: tuple[str, ...],
    handler: FunctionSymbol | None,
    name: str,
    guards: list[Guard],
    context: Context,
) -> Route:
    project, verb = context.project, methods[0]
    listed = listing(view, handler, verb, pattern.settings, project)
    limits = [*decorator_limits((*pattern.wrappers, *view.wrappers), project)]
    limits += view_limits(view.cls, handler, verb, project)
    target = handler or view.cls or view.function or view.made_of
    return Route(
        methods=methods,
        path=pattern.path,
        handler=handler,
        handler_name=name,
        location=target.location if target is not None else pattern.location,
        framework=_NAME,
        role=(target.module if target is not None else pattern.view.module).role,
        kind=kind_of(view, handler, project),
        guards=tuple(dict.fromkeys(guards)),
        above=_above(view, pattern, context),
        unresolved_guards=(
            *unfollowed_middleware(view, pattern.settings, project),
            *unfollowed_wrappers((*pattern.wrappers, *view.wrappers), project),
        ),
        rate_limits=tuple(limits),
        returns_collection=True if listed is not None else None,
        collection=listed.model if listed is not None else None,
        paginators=listed.paginators if listed is not None else (),
        view_class=view.cls,
        mounted=view.as_view,
        application=pattern.root,
        steps=pattern.steps,
        url_name=pattern.name,
    )


def _above(view: View, pattern: Pattern, context: Context) -> AboveRoute | None:
    """What the site's middleware asks of callers."""
    settings = pattern.settings
    if settings is None or "MIDDLEWARE" not in settings:
        return None
    is_closed = bool(middleware_guards(view, settings, context.project, pattern.path, pattern.name))
    place = settings["MIDDLEWARE"]
    evidence = place.module.evidence(place.node, "runs before every view")
    return AboveRoute(_NAME, Access.CLOSED if is_closed else Access.OPEN, evidence)


_APPLICATIONS = frozenset(
    {
        "django.core.wsgi.get_wsgi_application",
        "django.core.asgi.get_asgi_application",
        "django.core.handlers.wsgi.WSGIHandler",
        "django.core.handlers.asgi.ASGIHandler",
    }
)

DJANGO = Framework(_NAME, ("django",), routes=routes, applications=_APPLICATIONS)
