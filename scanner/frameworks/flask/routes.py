"""Flask, Quart and their API frameworks: routes of apps and blueprints, function views and class-based ones
(https://flask.palletsprojects.com/api/#url-route-registrations).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from assay.scanner.dataflow.constants import Given, string_items, string_value
from assay.scanner.dataflow.expansion import expansions, named_argument
from assay.scanner.framework import Context, Framework, Route, Sited
from assay.scanner.frameworks.flask.answers import answer_kind, lists_by_schema
from assay.scanner.frameworks.flask.apps import APPS, FlaskApps, Placement, joined
from assay.scanner.frameworks.flask.documentation import Documentation
from assay.scanner.frameworks.flask.levels import above
from assay.scanner.frameworks.flask.views import View, Views
from assay.scanner.linker.scopes import Scope
from assay.scanner.model.endpoint import EndpointKind
from assay.scanner.readers.python import form

_VERBS = ("get", "post", "put", "patch", "delete")
_AUTOMATIC = ("HEAD", "OPTIONS")
_SOCKETS = ("websocket", "add_websocket")
_ROUTES = ("route", "websocket", *_VERBS)
_RULES = ("add_url_rule", "add_websocket")


class _Routes:
    """The routes of one project."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._project = context.project
        self._apps = FlaskApps(context)
        self._views = Views(context.project, self._apps.rate_limits)
        self._documentation = Documentation(context.project)

    def all(self) -> Iterator[Route]:
        functions = {d: f for f in self._project.functions for d in f.decorators}
        classes = {d: c for c in self._project.classes for d in c.node.decorators}
        applied = {c.func: c for c, _ in self._project.calls if isinstance(c.func, form.Call)}
        for call, scope in self._project.calls_named(*_ROUTES):
            if call in functions:
                function = functions[call]
                acting = function.decorators[function.decorators.index(call) + 1 :]
                yield from self._registered(call, scope, [self._views.of_function(function, acting)])
            elif call in classes:
                yield from self._registered(call, scope, self._views.of_class(classes[call]))
            elif call in applied and applied[call].positional:
                handler = applied[call].positional[0]
                yield from self._registered(call, scope, None, handler)
        for call, scope in self._project.calls_named(*_RULES):
            view = call.argument(2, "view_func")
            if view is not None:
                yield from self._registered(call, scope, None, view)

    def _registered(
        self, call: form.Call, scope: Scope, views: list[View] | None, handler: form.Expr | None = None
    ) -> Iterator[Route]:
        if not isinstance(call.func, form.Attr):
            return
        seen = set[tuple[form.Call, str]]()
        for given in expansions(call, scope, self._project):
            holder = self._apps.holder(call.func.value, scope, given)
            if holder is None and call.func.attr in ("route", "add_url_rule"):
                holder = self._apps.fallback(call.func.value, scope)
            if holder is None:
                continue
            rule = self._rule(call, scope, given)
            if (holder, rule) in seen:
                continue
            seen.add((holder, rule))
            known = views if views is not None else self._views.of_expression(handler, scope, given)
            yield from self._placed(holder, rule, call, Sited(call, scope), given, known)

    def _rule(self, call: form.Call, scope: Scope, given: Given) -> str:
        node = call.argument(0, "rule")
        found = string_value(node, scope, self._project, given) if node is not None else ""
        if found is None:
            self._context.unresolved(scope.module.location(call), "this route's path can't be told")
        return found or ""

    def _placed(
        self, holder: form.Call, rule: str, call: form.Call, site: Sited, given: Given, views: list[View]
    ) -> Iterator[Route]:
        placements = list(self._apps.placements(holder))
        if not placements:
            self._context.unresolved(site.module.location(call), "no app registers this route's blueprint")
        for placement in placements:
            for view in views:
                methods = self._methods(call, site.scope, given, view)
                if methods:
                    yield self._route(methods, joined(placement.prefix, rule) or "/", view, site, placement, holder)

    def _route(
        self, methods: tuple[str, ...], path: str, view: View, site: Sited, placement: Placement, holder: form.Call
    ) -> Route:
        function = view.function
        said = self._documentation.completed(view, site, self._apps.made(holder))
        is_socket = (
            isinstance(site.node, form.Call)
            and isinstance(site.node.func, form.Attr)
            and (site.node.func.attr in _SOCKETS)
        )
        return Route(
            methods=methods,
            path=path,
            handler=function,
            handler_name=view.name,
            location=function.location if function is not None else site.module.location(site.node),
            framework="flask",
            role=site.module.role,
            kind=EndpointKind.WEBSOCKET if is_socket else answer_kind(function, self._project),
            guards=(*placement.guards, *view.guards),
            unresolved_guards=placement.unresolved,
            above=above(placement, view),
            rate_limits=self._apps.rate_limits.applying(view.throttling, placement.limits),
            tags=said.tags,
            summary=said.summary,
            is_deprecated=said.is_deprecated,
            request_model=said.request_model,
            response_model=said.response_model,
            request_types=said.request_types,
            response_types=said.response_types,
            status_codes=said.status_codes,
            returns_collection=said.returns_collection
            or lists_by_schema(function, self._project)
            or (bool(view.paginators) or None),
            paginators=view.paginators,
            view_class=view.cls,
            application=placement.application,
            steps=(*placement.steps, site),
            mounted=view.made,
        )

    def _lists(self, view: View) -> bool | None:
        return True if view.paginators else lists_by_schema(view.function, self._project)

    def _methods(self, call: form.Call, scope: Scope, given: Given, view: View) -> tuple[str, ...]:
        name = call.func.attr if isinstance(call.func, form.Attr) else ""
        if name in _VERBS:
            return (name.upper(),)
        listed = named_argument(call, "methods", scope, self._project, given)
        found = string_items(*listed, self._project, given) if listed is not None else []
        stated = tuple(method.upper() for method in found if method is not None)
        if view.methods is not None:
            return tuple(m for m in view.methods if not stated or m in stated)
        return tuple(m for m in stated if m not in _AUTOMATIC or len(stated) == 1) or ("GET",)


def _routes(context: Context) -> Iterable[Route]:
    return _Routes(context).all()


FLASK = Framework("Flask", ("flask", "quart", "apiflask", "flask_smorest"), routes=_routes, applications=APPS)
