"""Flask-RESTful and Flask-RESTX: resources, the API objects and namespaces that they are added to
(https://flask-restful.readthedocs.io, https://flask-restx.readthedocs.io).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from assay.scanner.dataflow.constants import Given, list_items, string_items, string_value
from assay.scanner.dataflow.expansion import expansions, resolved
from assay.scanner.framework import Context, Framework, Guard, Route, Sited
from assay.scanner.frameworks.flask.answers import lists_by_schema
from assay.scanner.frameworks.flask.apps import FlaskApps, Placement, joined
from assay.scanner.frameworks.flask.documentation import Documentation
from assay.scanner.frameworks.flask.guards import guards_of
from assay.scanner.frameworks.flask.levels import above
from assay.scanner.frameworks.flask.views import View, Views
from assay.scanner.linker.scopes import ClassSymbol, Scope
from assay.scanner.linker.values import Instance
from assay.scanner.model.endpoint import EndpointKind
from assay.scanner.model.place import Location
from assay.scanner.readers.python import form
from assay.scanner.web.mounting import Mount, Mounts
from assay.scanner.web.paths import path_part

_APIS = frozenset({"flask_restful.Api", "flask_restx.Api", "flask_restplus.Api"})
_NAMESPACES = frozenset(
    {"flask_restx.Namespace", "flask_restplus.Namespace", "flask_restx.Api.namespace", "flask_restplus.Api.namespace"}
)
_ROUTES = ("route", "resource")
"""Decorators of a resource: RESTX's and Flask-RESTful's."""


class _Resources:
    """The API objects of one project, and the resources added to them."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._project = context.project
        self._apps = FlaskApps(context)
        self._apis: dict[form.Call, Instance] = {}
        self._mounts = Mounts()
        self._views = Views(context.project, self._apps.rate_limits)
        self._documentation = Documentation(context.project)
        self._find_namespaces()
        self._find_homes()

    def _api(self, node: form.Expr, scope: Scope, given: Given) -> form.Call | None:
        """The API object or namespace that an expression stands for, by the call that made it."""
        value = resolved(node, scope, self._project, given)
        if not isinstance(value, Instance) or value.origin is None:
            return None
        names = _APIS | _NAMESPACES
        if value.type_name in names or (value.cls is not None and self._project.is_subclass(value.cls, *names)):
            self._apis.setdefault(value.origin, value)
            return value.origin
        return None

    def _find_namespaces(self) -> None:
        """`api.add_namespace(namespace, path=...)` and `api.namespace(...)`."""
        for call, scope in self._project.calls_named("add_namespace", "namespace"):
            if not isinstance(call.func, form.Attr):
                continue
            for given in expansions(call, scope, self._project):
                parent = self._api(call.func.value, scope, given)
                added = call.argument(0, "ns") if call.func.attr == "add_namespace" else call
                child = self._api(added, scope, given) if added is not None else None
                if parent is None or child is None:
                    continue
                stated = call.argument(1, "path") if call.func.attr == "add_namespace" else None
                prefix = self._text(stated, scope, given) if stated is not None else self._namespace_path(child)
                self._mounts.add(Mount(parent, child, prefix, Sited(call, scope), given))

    def _namespace_path(self, namespace: form.Call) -> str:
        scope = self._apis[namespace].scope
        path, name = namespace.keyword("path"), namespace.argument(0, "name")
        if scope is None or (path is None and name is None):
            return ""
        if path is not None:
            return self._text(path, scope, {})
        return "/" + (self._text(name, scope, {}) if name is not None else "")

    def _find_homes(self) -> None:
        """`Api(app)` and `api.init_app(app)`: the app or blueprint that an API object lives in."""
        subclasses = [cls.name for cls in self._project.classes if self._project.is_subclass(cls, *_APIS)]
        for call, scope in self._project.calls_named("Api", *subclasses):
            if self._api(call, scope, {}) is not call:
                continue
            for given in expansions(call, scope, self._project):
                self._settle(call, call.argument(0, "app"), Sited(call, scope), given)
        for call, scope in self._project.calls_named("init_app"):
            for given in expansions(call, scope, self._project) if isinstance(call.func, form.Attr) else ():
                api = self._api(call.func.value, scope, given) if isinstance(call.func, form.Attr) else None
                if api is not None:
                    self._settle(api, call.argument(0, "app"), Sited(call, scope), given)

    def _settle(self, api: form.Call, home: form.Expr | None, site: Sited, given: Given) -> None:
        scope = site.scope
        parent = self._apps.holder(home, scope, given) or self._apps.fallback(home, scope) if home is not None else None
        made_in = self._apis[api].scope
        prefix = api.keyword("prefix")
        text = self._text(prefix, made_in, {}) if prefix is not None and made_in is not None else ""
        if parent is not None:
            self._mounts.add(Mount(parent, api, text, site, given))

    def _text(self, node: form.Expr, scope: Scope, given: Given) -> str:
        return path_part(node, scope, self._context, given)

    # --- resources ---

    def all(self) -> Iterator[Route]:
        for call, scope in self._project.calls_named("add_resource"):
            if not isinstance(call.func, form.Attr):
                continue
            for given in expansions(call, scope, self._project):
                api = self._api(call.func.value, scope, given)
                resource = call.argument(0, "resource")
                cls = resolved(resource, scope, self._project, given) if resource is not None else None
                if api is not None and isinstance(cls, ClassSymbol):
                    yield from self._resource(api, cls, self._urls(call, scope, given), Sited(call, scope))
                elif api is not None:
                    self._context.unresolved(scope.module.location(call), "which resource is added can't be told")
        for cls in self._project.classes:
            for decorator in cls.node.decorators:
                if isinstance(decorator, form.Call) and isinstance(decorator.func, form.Attr):
                    named = decorator.func.attr in _ROUTES
                    api = self._api(decorator.func.value, cls.outer, {}) if named else None
                    if api is not None:
                        site = Sited(decorator, cls.outer)
                        urls = [self._text(url, cls.outer, {}) for url in decorator.positional]
                        yield from self._resource(api, cls, urls, site)

    def _urls(self, call: form.Call, scope: Scope, given: Given) -> list[str]:
        """All positional arguments after the resource, `*urls` included."""
        found: list[str | None] = []
        for argument in call.args[1:]:
            if argument.star == 1:
                found += string_items(argument.value, scope, self._project, given)
            elif argument.name is None and not argument.star:
                found.append(string_value(argument.value, scope, self._project, given))
        if None in found:
            self._context.unresolved(scope.module.location(call), "a path of this resource can't be told")
        return [url for url in found if url is not None]

    def _resource(self, api: form.Call, cls: ClassSymbol, urls: list[str], site: Sited) -> Iterator[Route]:
        views = self._views.of_class(cls)
        for prefix, placement in self._places(api):
            for url in urls:
                yield from (self._route(joined(prefix, url) or "/", view, site, placement, api) for view in views)

    def _route(self, path: str, view: View, site: Sited, placement: Placement, api: form.Call) -> Route:
        said = self._documentation.completed(view, site, self._apis[api])
        return Route(
            methods=view.methods or ("GET",),
            path=path,
            handler=view.function,
            handler_name=view.name,
            location=view.function.location if view.function is not None else site.module.location(site.node),
            framework="flask_restful",
            role=site.module.role,
            kind=EndpointKind.JSON,
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
            returns_collection=said.returns_collection or lists_by_schema(view.function, self._project),
            paginators=view.paginators,
            view_class=view.cls,
            application=placement.application,
            steps=(*placement.steps, site),
        )

    def _places(self, api: form.Call) -> Iterator[tuple[str, Placement]]:
        """The path in front of an API object's resources, and what is around them, for every way to reach it."""
        for chain in self._mounts.chains(api):
            top = chain[0].parent if chain else api
            own = "".join(mount.prefix for mount in chain)
            guards = tuple(guard for holder in (top, *(m.child for m in chain)) for guard in self._api_guards(holder))
            if top in self._apis:  # where it lives can't be told: what is known of its path is kept
                self._context.unresolved(self._place(top), "which app this API object belongs to can't be told")
                yield own, Placement(own, guards)
                continue
            for placement in self._apps.placements(top):
                steps = (*placement.steps, *(mount.site for mount in chain))
                yield (
                    joined(placement.prefix, own),
                    replace(placement, guards=(*placement.guards, *guards), steps=steps),
                )

    def _place(self, api: form.Call) -> Location:
        scope = self._apis[api].scope
        assert scope is not None
        return scope.module.location(api)

    def _api_guards(self, api: form.Call) -> list[Guard]:
        instance = self._apis.get(api)
        listed = api.keyword("decorators")
        if instance is None or instance.scope is None or listed is None:
            return []
        items = list_items(listed, instance.scope, self._project)
        return [guard for node, scope in items for guard in guards_of([node], scope, self._project)]


def _routes(context: Context) -> Iterable[Route]:
    return _Resources(context).all()


FLASK_RESTFUL = Framework("Flask-RESTful", ("flask_restful", "flask_restx", "flask_restplus"), routes=_routes)
