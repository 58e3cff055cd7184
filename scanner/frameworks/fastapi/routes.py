"""FastAPI and Starlette: what is registered on apps and routers, and the routes that come of it
(https://fastapi.tiangolo.com/tutorial/bigger-applications/, https://www.starlette.io/routing/).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

from assay.scanner.dataflow.constants import Given, list_items, string_items, string_value
from assay.scanner.dataflow.expansion import expansions, resolved
from assay.scanner.dataflow.refusals import refuses_by_decorator, refuses_in_body
from assay.scanner.framework import Context, Framework, Guard, Route, Sited
from assay.scanner.frameworks.fastapi.apps import FastApiApps
from assay.scanner.frameworks.fastapi.dependencies import Closure, Dependencies
from assay.scanner.frameworks.fastapi.page_sizes import PageSizes
from assay.scanner.frameworks.fastapi.responses import Body, Responses, spelled
from assay.scanner.linker.project import last_name
from assay.scanner.linker.scopes import ClassSymbol, FunctionSymbol, Scope
from assay.scanner.linker.values import BoundMethod, External, Value
from assay.scanner.model.endpoint import EndpointKind
from assay.scanner.model.place import Evidence
from assay.scanner.readers.python import form
from assay.scanner.web.mounting import Mount

_VERBS = frozenset({"get", "post", "put", "patch", "delete", "head", "options", "trace"})
_SEVERAL = frozenset({"api_route", "route", "add_api_route", "add_route"})
_SOCKETS = frozenset({"websocket", "websocket_route", "add_api_websocket_route", "add_websocket_route"})
_DIRECT = frozenset({"add_api_route", "add_route", "add_api_websocket_route", "add_websocket_route"})
_OF_STARLETTE = frozenset({"route", "add_route", "websocket_route", "add_websocket_route", "Route", "WebSocketRoute"})
_ROUTE_OBJECTS = frozenset({"Route", "WebSocketRoute", "APIRoute", "APIWebSocketRoute"})
_ENDPOINT_METHODS = ("get", "post", "put", "patch", "delete")

_Target: TypeAlias = form.Expr | FunctionSymbol | ClassSymbol
"""What a route is registered for: an expression, or the definition that a decorator stands on."""


@dataclass(frozen=True, slots=True, eq=False)
class _Registration:
    """A handler given to an app or router, before what holds that one is known."""

    holder: form.Call
    methods: tuple[str, ...]
    path: str
    handler: FunctionSymbol | None
    handler_name: str
    call: form.Call
    scope: Scope

    @property
    def kind_of_call(self) -> str:
        """`get`, `websocket`, `Route` ..."""
        return last_name(self.call.func) or ""

    @property
    def is_fastapi(self) -> bool:
        """Starlette's own registrations know neither dependencies nor response models."""
        return self.kind_of_call not in _OF_STARLETTE


class _Routes:
    """The routes of one project."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._project = context.project
        self._dependencies = Dependencies(self._project)
        self._responses = Responses(self._project)
        self._page_sizes = PageSizes(self._project, self._dependencies)
        self._apps = FastApiApps(context, self._dependencies)

    def all(self) -> Iterator[Route]:
        for registration in [*self._listed(), *self._called()]:
            chains = self._apps.chains(registration.holder)
            if not chains:
                place = registration.scope.module.location(registration.call)
                self._context.unresolved(place, "no app includes this route's router")
            for chain in chains:
                yield self._route(registration, chain)

    # --- registrations ---

    def _called(self) -> Iterator[_Registration]:
        """`@app.get(path)`, `app.get(path)(handler)`, `app.add_api_route(path, handler)` ..."""
        decorated: dict[form.Expr, FunctionSymbol | ClassSymbol] = {
            **{d: f for f in self._project.functions for d in f.decorators},
            **{d: c for c in self._project.classes for d in c.node.decorators},
        }
        applied = {c.func: c for c, _ in self._project.calls if isinstance(c.func, form.Call)}
        for call, scope in self._project.calls_named(*_VERBS, *_SEVERAL, *_SOCKETS):
            target: _Target | None = decorated.get(call)
            if target is None and call in applied:
                target = next(iter(applied[call].positional), None)
            elif last_name(call.func) in _DIRECT:
                target = call.argument(1, "endpoint") or call.keyword("route")
            if target is not None and isinstance(call.func, form.Attr):
                yield from self._registered(call, scope, call.func.value, target)

    def _registered(self, call: form.Call, scope: Scope, owner: form.Expr, target: _Target) -> Iterator[_Registration]:
        seen = set[tuple[form.Call, str]]()
        for given in expansions(call, scope, self._project):
            holder = self._apps.holder(owner, scope, given)
            if holder is None:
                continue
            path = self._apps.text(call.argument(0, "path"), scope, given)
            if (holder, path) not in seen:
                seen.add((holder, path))
                yield from self._for_target(holder, path, call, scope, target, given)

    def _for_target(
        self, holder: form.Call, path: str, call: form.Call, scope: Scope, target: _Target, given: Given
    ) -> Iterator[_Registration]:
        handler: Value | None
        if isinstance(target, FunctionSymbol | ClassSymbol):
            handler, written = target, None
        else:
            handler, written = resolved(target, scope, self._project, given), form.dotted(target)
        if isinstance(handler, BoundMethod):
            handler = handler.function
        if isinstance(handler, ClassSymbol):  # Starlette's HTTPEndpoint: a method per verb
            for verb in _ENDPOINT_METHODS:
                method = self._project.method(handler, verb)
                if method is not None:
                    name = f"{handler.id}.{verb}"
                    yield _Registration(holder, (verb.upper(),), path, method, name, call, scope)
            return
        function = handler if isinstance(handler, FunctionSymbol) else None
        library = handler.name if isinstance(handler, External) else written
        name = function.id if function is not None else library or "unknown"
        yield _Registration(holder, self._methods(call, scope, given), path, function, name, call, scope)

    def _methods(self, call: form.Call, scope: Scope, given: Given) -> tuple[str, ...]:
        name = last_name(call.func) or ""
        if name in _VERBS:
            return (name.upper(),)
        listed = call.keyword("methods")
        found = string_items(listed, scope, self._project, given) if listed is not None else []
        methods = [method.upper() for method in found if method is not None]
        return tuple(m for m in methods if m not in ("HEAD", "OPTIONS") or len(methods) == 1) or ("GET",)

    def _listed(self) -> Iterator[_Registration]:
        for holder, routes in self._apps.route_lists():
            yield from self._in_list(routes.node, routes.scope, holder, "")

    def _in_list(self, node: form.Expr, scope: Scope, holder: form.Call, prefix: str) -> Iterator[_Registration]:
        """`routes=[Route(...), Mount(..., routes=[...])]`."""
        for item, item_scope in list_items(node, scope, self._project):
            name = last_name(item.func) if isinstance(item, form.Call) else None
            if not isinstance(item, form.Call):
                self._context.unresolved(item_scope.module.location(item), "this entry of a route list isn't read")
                continue
            endpoint, nested = item.argument(1, "endpoint"), item.keyword("routes")
            path = prefix + self._apps.text(item.argument(0, "path"), item_scope, {})
            if name == "Mount" and nested is not None:
                yield from self._in_list(nested, item_scope, holder, path.rstrip("/"))
            elif name == "Mount":
                self._apps.mount_app(path, item.argument(1, "app"), holder, Sited(item, item_scope), {})
            elif name in _ROUTE_OBJECTS and endpoint is not None:
                yield from self._for_target(holder, path, item, item_scope, endpoint, {})
            else:
                self._context.unresolved(item_scope.module.location(item), "this entry of a route list isn't read")

    # --- routes ---

    def _route(self, found: _Registration, chain: tuple[Mount, ...]) -> Route:
        holders = [chain[0].parent, *(mount.child for mount in chain)] if chain else [found.holder]
        path = self._apps.path(holders, chain) + found.path
        function, module = found.handler, found.scope.module
        closure, body, declared = self._apps.inherited(holders, chain), Body(), None
        if found.is_fastapi:
            closure |= self._apps.closure_of(found.call, found.scope)
            closure |= self._dependencies.of_handler(function) if function is not None else Closure()
            declared = self._declared_response(found)
            body = self._responses.body(declared)
        return Route(
            methods=found.methods,
            path=path or "/",
            handler=function,
            handler_name=found.handler_name,
            location=function.location if function is not None else module.location(found.call),
            framework="fastapi" if found.is_fastapi else "starlette",
            role=module.role,
            kind=self._kind(found, declared),
            guards=(*closure.guards, *(self._guards(function) if function is not None else ())),
            tags=self._tags(found, holders, chain),
            response_model=spelled(declared.node) if declared is not None else None,
            returns_collection=body.returns_collection,
            collection=body.collection,
            paginators=(*body.paginators, *(self._paginate_calls(function) if function is not None else ())),
            page_sizes=self._page_sizes.among(closure.parameters, path),
            view_class=function.owner if function is not None else None,
        )

    def _guards(self, function: FunctionSymbol) -> Iterator[Guard]:
        """`@requires`, decorators of the project that turn callers away, and the check in the handler itself."""
        for decorator in function.decorators:
            callee = decorator.func if isinstance(decorator, form.Call) else decorator
            shown = form.dotted(callee) or "decorator"
            library = self._project.infer(callee, function.outer)
            is_library = isinstance(library, External) and library.name.endswith("authentication.requires")
            if is_library or refuses_by_decorator(decorator, function.outer, self._project) is not None:
                yield Guard(shown, function.module.evidence(decorator, f"{shown} turns callers away"))
        in_body = refuses_in_body(function, self._project)
        if in_body is not None:
            yield Guard("check in the handler", in_body)

    def _tags(self, found: _Registration, holders: list[form.Call], chain: tuple[Mount, ...]) -> tuple[str, ...]:
        sources = [(node, scope) for node, scope, _ in self._apps.options(holders[0], "tags")]
        for mount in chain:
            site = mount.site
            stated = site.node.keyword("tags") if isinstance(site.node, form.Call) else None
            sources += [(stated, site.scope)] if stated is not None else []
            sources += [(node, scope) for node, scope, _ in self._apps.options(mount.child, "tags")]
        own = found.call.keyword("tags")
        sources += [(own, found.scope)] if own is not None else []
        tags = [string_value(*item, self._project) for source in sources for item in list_items(*source, self._project)]
        return tuple(dict.fromkeys(tag for tag in tags if tag is not None))

    def _declared_response(self, found: _Registration) -> Sited | None:
        model = found.call.keyword("response_model")
        if model is not None:
            return None if isinstance(model, form.Const) and model.value is None else Sited(model, found.scope)
        if found.handler is not None and found.handler.node.returns is not None:
            return Sited(found.handler.node.returns, found.handler.outer)
        return None

    def _kind(self, found: _Registration, declared: Sited | None) -> EndpointKind | None:
        if found.kind_of_call in _SOCKETS or found.kind_of_call.endswith("WebSocketRoute"):
            return EndpointKind.WEBSOCKET
        response_class = found.call.keyword("response_class")
        shown = Sited(response_class, found.scope) if response_class is not None else declared
        return self._responses.kind(found.handler, shown, json_default=found.is_fastapi)

    def _paginate_calls(self, function: FunctionSymbol) -> Iterator[Evidence]:
        for node in function.walk():
            if isinstance(node, form.Call) and last_name(node.func) in ("paginate", "apaginate"):
                name = self._project.callee_name(node, function.scope) or ""
                if name.startswith("fastapi_pagination."):
                    yield function.module.evidence(node, "fastapi-pagination cuts it into pages")


def _routes(context: Context) -> Iterable[Route]:
    return _Routes(context).all()


FASTAPI = Framework(
    "FastAPI",
    ("fastapi", "starlette"),
    routes=_routes,
    applications=frozenset({"fastapi.FastAPI", "starlette.applications.Starlette"}),
)
