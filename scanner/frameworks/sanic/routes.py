"""Sanic: what is registered on apps and blueprints, and the routes that come of it
(https://sanic.dev/en/guide/basics/routing.html).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from assay.scanner.dataflow.constants import Given, string_items
from assay.scanner.dataflow.expansion import expansions
from assay.scanner.framework import Context, Framework, Guard, Route
from assay.scanner.frameworks.sanic.apps import APPS, Options, SanicApps
from assay.scanner.frameworks.sanic.documentation import documentation_of
from assay.scanner.frameworks.sanic.views import METHODS, View, Views
from assay.scanner.linker.project import last_name
from assay.scanner.linker.scopes import ClassSymbol, FunctionSymbol, Scope
from assay.scanner.model.endpoint import EndpointKind
from assay.scanner.readers.python import form
from assay.scanner.web.answers import kind_of_answers, returned_by
from assay.scanner.web.registrations import Registration, registrations

_DECORATORS = ("route", "websocket", *METHODS)
_DIRECT = ("add_route", "add_websocket_route")
_ATTACH = form.Name(start=0, end=0, id="attach")
_ALL_METHODS = "HTTP_METHODS"
"""What `sanic.constants` calls them."""
_PARAMETER_TYPES = ("str", "int", "float", "UUID")
_KINDS = {
    "json": EndpointKind.JSON,
    "html": EndpointKind.HTML,
    "render": EndpointKind.HTML,
    "file": EndpointKind.FILE,
    "file_stream": EndpointKind.FILE,
    "ResponseStream": EndpointKind.STREAM,
    "respond": EndpointKind.STREAM,
}


@dataclass(frozen=True, slots=True, eq=False)
class _Adding:
    """A handler that is put on `owner`, below `uri`."""

    registration: Registration
    owner: form.Expr
    uri: form.Expr | None

    @property
    def call(self) -> form.Call:
        return self.registration.call

    @property
    def scope(self) -> Scope:
        return self.registration.scope

    @property
    def verb(self) -> str:
        return last_name(self.call.func) or ""

    @property
    def is_websocket(self) -> bool:
        return "websocket" in self.verb


class _Routes:
    """The routes of one project."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._project = context.project
        self._views = Views(self._project)
        self._apps = SanicApps(context)

    def all(self) -> Iterator[Route]:
        for adding in (*self._called(), *self._attached()):
            yield from self._added(adding)

    def _called(self) -> Iterator[_Adding]:
        """`@app.get(path)`, `app.get(path)(handler)`, `app.add_route(handler, path)`."""
        for place_of_uri, found in (
            *((0, each) for each in registrations(self._project, _DECORATORS, None, "handler")),
            *((1, each) for each in registrations(self._project, _DIRECT, 0, "handler")),
        ):
            if isinstance(found.call.func, form.Attr):
                yield _Adding(found, found.call.func.value, found.call.argument(place_of_uri, "uri"))

    def _attached(self) -> Iterator[_Adding]:
        """`View.attach(app, path)` and `class View(HTTPMethodView, attach=app, uri=path)`."""
        for call, scope in self._project.calls_named("attach"):
            owner = call.argument(0, "to")
            cls = self._project.infer(call.func.value, scope) if isinstance(call.func, form.Attr) else None
            if isinstance(cls, ClassSymbol) and owner is not None:
                yield _Adding(Registration(call, scope, cls), owner, call.argument(1, "uri"))
        for cls in self._project.classes:
            said = form.Call(start=cls.node.start, end=cls.node.end, func=_ATTACH, args=cls.node.bases)
            owner = said.keyword("attach")
            if owner is not None:
                yield _Adding(Registration(said, cls.outer, cls), owner, said.keyword("uri"))

    def _added(self, adding: _Adding) -> Iterator[Route]:
        seen = set[tuple[tuple[str, ...], str, str]]()
        for given in expansions(adding.call, adding.scope, self._project):
            holder = self._apps.holder(adding.owner, adding.scope, given)
            uri = self._apps.text(adding.uri, adding.scope, given) if holder is not None else None
            for route in self._placed(adding, holder, uri or "", given) if holder is not None else ():
                key = (route.methods, route.path, route.handler_name)
                if key not in seen:
                    seen.add(key)
                    yield route

    def _answering(self, found: Registration, given: Given) -> list[View]:
        match found.handler:
            case FunctionSymbol() as function:
                acting = [d for d in found.decorators_of(function) if _callee(d) not in _DECORATORS]
                return [self._views.of_function(function, acting)]
            case ClassSymbol() as cls:
                return self._views.of_class(cls)
            case handler:
                return self._views.of_expression(handler, found.scope, given)

    def _placed(self, found: _Adding, holder: form.Call, uri: str, given: Given) -> Iterator[Route]:
        options = self._apps.options(found.call, found.scope, given)
        placements = list(self._apps.placements(holder, found.call))
        if not placements:
            place = found.scope.module.location(found.call)
            self._context.unresolved(place, "no app registers this route's blueprint")
        for placement in placements:
            path = placement.path(uri, Options(None, options.version, options.version_prefix, options.strict_slashes))
            for view in self._answering(found.registration, given):
                methods = view.methods or self._methods(found, given)
                yield self._route(methods, _typed(path, view.function), view, found, placement.guards)

    def _methods(self, found: _Adding, given: Given) -> tuple[str, ...]:
        if found.verb in METHODS:
            return (found.verb.upper(),)
        index = 2 if found.verb == "add_route" else 1
        listed = found.call.argument(index, "methods") if not found.is_websocket else None
        if listed is not None and last_name(listed) == _ALL_METHODS:
            return tuple(method.upper() for method in METHODS)
        stated = string_items(listed, found.scope, self._project, given) if listed is not None else []
        if None in stated or (listed is not None and not stated):
            place = found.scope.module.location(found.call)
            self._context.unresolved(place, "the methods of this route can't be told")
        return tuple(dict.fromkeys(method.upper() for method in stated if method is not None)) or ("GET",)

    def _route(
        self, methods: tuple[str, ...], path: str, view: View, found: _Adding, inherited: tuple[Guard, ...]
    ) -> Route:
        function, module = view.function, found.scope.module
        said = documentation_of(function, self._project)
        kind = EndpointKind.WEBSOCKET if found.is_websocket else None
        if function is not None and kind is None:
            kind = kind_of_answers(returned_by(function), self._project, _KINDS)
        return Route(
            methods=methods,
            path=path,
            handler=function,
            handler_name=view.name,
            location=function.location if function is not None else module.location(found.call),
            framework="sanic",
            role=module.role,
            kind=kind,
            guards=(*inherited, *view.guards),
            rate_limits=view.rate_limits,
            tags=said.tags,
            summary=said.summary,
            is_deprecated=said.is_deprecated,
            request_model=said.request_model,
            response_model=said.response_model,
            request_types=said.request_types,
            status_codes=said.status_codes,
            view_class=view.cls,
            mounted=view.made,
        )


def _callee(decorator: form.Expr) -> str | None:
    return last_name(decorator.func if isinstance(decorator, form.Call) else decorator)


def _typed(path: str, handler: FunctionSymbol | None) -> str:
    """The path as Sanic lists it: a parameter without a type has the annotation's, or is a string."""
    annotated = {p.name: form.dotted(p.annotation) for p in handler.parameters if p.annotation} if handler else {}
    parts = []
    for part in path.split("/"):
        if part.startswith("<") and ":" not in part:
            stated = annotated.get(part[1:-1]) or "str"
            part = f"<{part[1:-1]}:{stated.lower() if stated in _PARAMETER_TYPES else 'str'}>"
        parts.append(part)
    return "/".join(parts)


def _routes(context: Context) -> Iterable[Route]:
    return _Routes(context).all()


SANIC = Framework("Sanic", ("sanic",), routes=_routes, applications=APPS)
