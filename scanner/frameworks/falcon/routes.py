"""Falcon: routes of applications, the resources that answer them, and sinks
(https://falcon.readthedocs.io/en/stable/api/routing.html).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from assay.scanner.dataflow.asked import Asked
from assay.scanner.dataflow.constants import Given, string_value
from assay.scanner.dataflow.expansion import expansions, resolved
from assay.scanner.framework import Context, Framework, Route, Sited
from assay.scanner.frameworks.falcon.guards import RESOURCE_STEPS, SOCKET_STEPS, STEPS, gates_of, hooks_of
from assay.scanner.frameworks.falcon.responders import Answer
from assay.scanner.linker.project import last_name
from assay.scanner.linker.scopes import ClassSymbol, FunctionSymbol, Module, Scope
from assay.scanner.linker.values import BoundMethod, Instance, Value
from assay.scanner.model.endpoint import EndpointKind
from assay.scanner.model.place import Location
from assay.scanner.readers.python import form
from assay.scanner.web.applications import Applications
from assay.scanner.web.guards import own_check
from assay.scanner.web.lists import ListReader

_APPS = frozenset({"falcon.App", "falcon.API", "falcon.asgi.App", "falcon.app.App", "falcon.api.API"})
_VERBS = ("get", "post", "put", "patch", "delete", "head", "options")
_METHODS = {**{verb: verb.upper() for verb in _VERBS}, "websocket": "GET", "request": "ANY"}
"""Responders by what follows `on_`; `on_request` takes what has none of its own."""


@dataclass(frozen=True, slots=True, eq=False)
class _Adding:
    """A call that adds something to an application, with one meaning of the names in it."""

    app: form.Call
    call: form.Call
    scope: Scope
    given: Given

    @property
    def location(self) -> Location:
        return self.scope.module.location(self.call)


class _Routes:
    """The routes of one project."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._project = context.project
        self._apps = Applications(context.project, _APPS)
        self._middleware: dict[form.Call, list[Sited]] = {}
        for app in self._apps:
            self._add_middleware(app, app.keyword("middleware"), self._apps[app].scope)
        for call, scope in self._project.calls_named("__init__"):
            for app in self._made_by(call, scope):
                self._add_middleware(app, call.keyword("middleware"), scope)
        for adding in self._additions("add_middleware"):
            self._add_middleware(adding.app, adding.call.argument(0, "middleware"), adding.scope)

    def all(self) -> Iterator[Route]:
        seen = set[tuple[form.Call, Location, str, tuple[str, ...]]]()
        for adding in (*self._additions("add_route"), *self._additions("add_sink")):
            is_sink = last_name(adding.call.func) == "add_sink"
            for route in self._sink(adding) if is_sink else self._resource(adding):
                # Several callers of the function around it may say the same.
                key = (adding.app, adding.location, route.path, route.methods)
                if key not in seen:
                    seen.add(key)
                    yield route

    def _made_by(self, call: form.Call, scope: Scope) -> Iterator[form.Call]:
        """The applications of a class of the project, whose constructor calls `super().__init__(...)`."""
        owner = scope.function.owner if scope.function is not None else None
        name = self._project.qualified_name(call.func, scope) or ""
        for app in self._apps if owner is not None and name.removesuffix(".__init__") in _APPS else ():
            cls = self._apps[app].cls
            if cls is not None and owner in self._project.mro(cls):
                yield app

    def _additions(self, name: str) -> Iterator[_Adding]:
        for call, scope in self._project.calls_named(name):
            for given in expansions(call, scope, self._project) if isinstance(call.func, form.Attr) else ():
                app = self._apps.of(call.func.value, scope, given) if isinstance(call.func, form.Attr) else None
                if app is not None:
                    yield _Adding(app, call, scope, given)
                elif (self._project.qualified_name(call.func, scope) or "").rpartition(".")[0] in _APPS:
                    place = scope.module.location(call)
                    self._context.unresolved(place, "which application this acts on can't be told")

    def _add_middleware(self, app: form.Call, listed: form.Expr | None, scope: Scope | None) -> None:
        if listed is not None and scope is not None:
            components = self._middleware.setdefault(app, [])
            # A list of components, or the only one.
            reader = ListReader(self._project, lambda node, inner: components.append(Sited(node, inner)))
            components.extend(Sited(item.node, item.scope) for item in reader.items(listed, scope, {}))

    # --- resources and sinks ---

    def _resource(self, adding: _Adding) -> Iterator[Route]:
        path, resource = self._path(adding, 0, "uri_template"), adding.call.argument(1, "resource")
        value = self._value(resource, adding)
        answering = value.cls if isinstance(value, Instance) else value
        if not isinstance(answering, ClassSymbol | Module):
            self._context.unresolved(adding.location, "what this resource is can't be told")
            return
        stated = adding.call.keyword("suffix")
        suffix = string_value(stated, adding.scope, self._project, adding.given) if stated is not None else ""
        if suffix is None:
            self._context.unresolved(adding.location, "which responders of the resource answer can't be told")
        for verb, method in _METHODS.items() if path is not None and suffix is not None else ():
            responder = self._responder(answering, f"on_{verb}_{suffix}" if suffix else f"on_{verb}")
            if responder is not None and path is not None:
                steps = SOCKET_STEPS if verb == "websocket" else RESOURCE_STEPS
                yield self._route(adding, method, path, responder, answering, steps)

    def _responder(self, resource: ClassSymbol | Module, name: str) -> FunctionSymbol | None:
        """A method of the resource's class, or a function of the module that is the resource."""
        if isinstance(resource, ClassSymbol):
            return self._project.method(resource, name)
        found = self._project.member(resource, name)
        return found if isinstance(found, FunctionSymbol) else None

    def _sink(self, adding: _Adding) -> Iterator[Route]:
        """A function that takes whatever begins with a prefix and has no route."""
        has_prefix = adding.call.argument(1, "prefix") is not None
        prefix = self._path(adding, 1, "prefix") if has_prefix else "/"
        sink = self._value(adding.call.argument(0, "sink"), adding)
        function = sink.function if isinstance(sink, BoundMethod) else sink
        if prefix is not None and isinstance(function, FunctionSymbol):
            yield self._route(adding, "ANY", prefix, function)
        else:
            self._context.unresolved(adding.location, "what this sink takes can't be told")

    def _value(self, node: form.Expr | None, adding: _Adding) -> Value | None:
        return resolved(node, adding.scope, self._project, adding.given) if node is not None else None

    def _path(self, adding: _Adding, index: int, keyword: str) -> str | None:
        node = adding.call.argument(index, keyword)
        found = string_value(node, adding.scope, self._project, adding.given) if node is not None else None
        if found is None:
            self._context.unresolved(adding.location, "this path can't be told")
        return found

    def _route(
        self,
        adding: _Adding,
        method: str,
        path: str,
        handler: FunctionSymbol,
        resource: ClassSymbol | Module | None = None,
        steps: tuple[str, ...] = STEPS,
    ) -> Route:
        cls = resource if isinstance(resource, ClassSymbol) else None
        answer = Answer(handler, self._project)
        gates = gates_of(self._middleware.get(adding.app, ()), Asked(path, method, resource), steps, self._project)
        hooks = hooks_of(handler, cls, self._project)
        return Route(
            methods=(method,),
            path=path,
            handler=handler,
            handler_name=f"{cls.id}.{handler.name}" if cls is not None else handler.id,
            location=handler.location,
            framework="falcon",
            role=adding.scope.module.role,
            kind=EndpointKind.WEBSOCKET if steps is SOCKET_STEPS else answer.kind,
            guards=(*gates, *hooks, *own_check(handler, self._project)),
            answers=tuple(answer.bodies),
            view_class=cls,
        )


def _routes(context: Context) -> Iterable[Route]:
    return _Routes(context).all()


FALCON = Framework("Falcon", ("falcon",), routes=_routes, applications=_APPS)
