"""What is registered on FastAPI's and Starlette's apps and routers, in every way that they have
(https://fastapi.tiangolo.com/tutorial/bigger-applications/, https://www.starlette.io/routing/).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

from assay.scanner.dataflow.constants import Given, string_items
from assay.scanner.dataflow.expansion import expansions, named_argument, resolved
from assay.scanner.framework import Context, Sited
from assay.scanner.frameworks.fastapi.apps import FastApiApps
from assay.scanner.frameworks.fastapi.passed_on import PassedMethods
from assay.scanner.frameworks.fastapi.views import ClassViews
from assay.scanner.linker.project import last_name
from assay.scanner.linker.scopes import ClassSymbol, FunctionSymbol, Scope, nested_name
from assay.scanner.linker.values import BoundMethod, External, Instance, Value
from assay.scanner.readers.python import form
from assay.scanner.web.lists import Item, ListReader
from assay.scanner.web.ready_made import ready_made_view
from assay.scanner.web.registrations import registrations

_VERBS = frozenset({"get", "post", "put", "patch", "delete", "head", "options", "trace"})
_SEVERAL = frozenset({"api_route", "route"})
_SOCKETS = frozenset({"websocket", "websocket_route", "add_api_websocket_route", "add_websocket_route"})
_DIRECT = frozenset({"add_api_route", "add_route", "add_api_websocket_route", "add_websocket_route"})
_OF_STARLETTE = frozenset({"route", "add_route", "websocket_route", "add_websocket_route", "Route", "WebSocketRoute",
    "mount", "Mount"})  # fmt: skip
_ROUTE_OBJECTS = frozenset({"Route", "WebSocketRoute", "APIRoute", "APIWebSocketRoute"})
_NESTED = frozenset({"Mount", "Host"})
_ADDING = {"append": 0, "insert": 1}
_ENDPOINT_METHODS = ("get", "post", "put", "patch", "delete")

Target: TypeAlias = form.Expr | FunctionSymbol | ClassSymbol
"""What a route is registered for: an expression, or the definition that a decorator stands on."""


@dataclass(frozen=True, slots=True, eq=False)
class Registration:
    """A handler given to an app or router, before what holds that one is known.

    `decorators` are the handler's that act on what is registered. `mounted` is the expression given, where it isn't a
    function or class of the project.
    """

    holder: form.Call
    methods: tuple[str, ...]
    path: str
    handler: FunctionSymbol | None
    handler_name: str
    call: form.Call
    scope: Scope
    given: Given
    decorators: tuple[form.Expr, ...] = ()
    mounted: Sited | None = None

    @property
    def site(self) -> Sited:
        return Sited(self.call, self.scope)

    @property
    def item(self) -> Item:
        """The call, with what the names in it mean."""
        return Item(self.call, self.scope, self.given)

    @property
    def kind_of_call(self) -> str:
        """`get`, `websocket`, `Route` ..."""
        return last_name(self.call.func) or ""

    @property
    def is_fastapi(self) -> bool:
        """Starlette's own registrations know neither dependencies nor response models."""
        return self.kind_of_call not in _OF_STARLETTE

    @property
    def is_websocket(self) -> bool:
        return self.kind_of_call in _SOCKETS or self.kind_of_call.endswith("WebSocketRoute")


@dataclass(frozen=True, slots=True, eq=False)
class _Place:
    """Where a handler is put: on what, by which call, and what the names in it mean."""

    holder: form.Call
    path: str
    call: form.Call
    scope: Scope
    given: Given
    position: int = 0


class Registrations:
    """The registrations of one project."""

    def __init__(self, context: Context, apps: FastApiApps) -> None:
        self._context = context
        self._project = context.project
        self._apps = apps
        self._views = ClassViews(context.project)
        self._lists = ListReader(context.project, self._unread)

    def all(self) -> Iterator[Registration]:
        """Route lists first: what they mount has to be known before the rest is placed."""
        found = [*self._listed(), *self._added_to_lists(), *self._called(), *self._of_class_views()]
        found += self._passed_on()
        seen = set[tuple[object, ...]]()
        for each in [*found, *self._ready_made()]:
            key = (each.holder, each.methods, each.path, each.handler_name, each.call)
            if key not in seen:  # several callers of one function may say the same
                seen.add(key)
                yield each

    def _unread(self, node: form.Expr, scope: Scope) -> None:
        self._context.unresolved(scope.module.location(node), "this part of a route list can't be told")

    # --- decorators and calls ---

    def _passed_on(self) -> Iterator[Registration]:
        """`@protected(router.get, "/items")`: a function of the project registers by the method that it is handed."""
        passed = PassedMethods(self._project)
        for call, scope in self._project.calls:
            for argument in call.args:
                method = argument.value
                if not isinstance(method, form.Attr) or method.attr not in _VERBS:
                    continue
                holder = self._apps.holder(method.value, scope, {})
                found = list(passed.of(call, scope, method)) if holder is not None else []
                if holder is None:
                    continue
                for each in found:
                    path = self._apps.text(each.call.argument(0, "path"), each.inner, each.given)
                    place = _Place(holder, path, each.call, each.inner, each.given, each.position)
                    yield from self._for_target(place, each.handler)
                if not found:
                    message = f"what is registered by the {form.dotted(method)} given here can't be told"
                    self._context.unresolved(scope.module.location(method), message)

    def _called(self) -> Iterator[Registration]:
        """`@app.get(path)`, `app.get(path)(handler)`, `app.add_api_route(path, handler)` ..."""
        decorating = _VERBS | _SEVERAL | (_SOCKETS - _DIRECT)
        for each in [
            *registrations(self._project, decorating, None, "endpoint"),
            *registrations(self._project, _DIRECT, 1, "endpoint"),
            *registrations(self._project, _DIRECT & _OF_STARLETTE, None, "route"),
        ]:
            if isinstance(each.call.func, form.Attr):
                for place in self._places(each.call, each.scope, each.call.func.value, each.position):
                    yield from self._for_target(place, each.handler)

    def _places(self, call: form.Call, scope: Scope, owner: form.Expr, position: int = 0) -> Iterator[_Place]:
        for given in expansions(call, scope, self._project):
            holder = self._apps.holder(owner, scope, given)
            if holder is not None:
                path = self._apps.text(call.argument(0, "path"), scope, given)
                yield _Place(holder, path, call, scope, given, position)

    def _for_target(self, place: _Place, target: Target) -> Iterator[Registration]:
        value: Value | None
        if isinstance(target, FunctionSymbol | ClassSymbol):
            value, written = target, None
        else:
            value, written = resolved(target, place.scope, self._project, place.given), form.dotted(target)
        handler, is_object = self._unwrapped(value)
        if isinstance(handler, ClassSymbol):
            yield from self._for_class(place, handler)
            return
        made = ready_made_view(handler, self._project)
        function = handler if isinstance(handler, FunctionSymbol) else None
        mounted = Sited(target, place.scope) if not isinstance(target, FunctionSymbol | ClassSymbol) else None
        library = made.name if made is not None else handler.name if isinstance(handler, External) else written
        if isinstance(target, form.Lambda):
            library = f"{place.scope.module.name}:{nested_name(place.scope, '<lambda>')}"
        methods = self._methods(place, any_method=is_object)
        if made is not None and place.call.keyword("methods") is None:
            methods = made.methods
        yield Registration(
            holder=place.holder,
            methods=methods,
            path=place.path,
            handler=function,
            handler_name=function.id if function is not None else library or "unknown",
            call=place.call,
            scope=place.scope,
            given=place.given,
            decorators=tuple(function.decorators[place.position :]) if function is not None else (),
            mounted=mounted,
        )

    def _unwrapped(self, value: Value | None) -> tuple[Value | None, bool]:
        """The function behind a bound method, a partial or a callable object; and whether it was an object."""
        if isinstance(value, BoundMethod):
            return value.function, False
        if isinstance(value, Instance) and value.type_name == "functools.partial" and value.origin and value.scope:
            inner = value.origin.argument(0, "func")
            return (self._project.infer(inner, value.scope) if inner is not None else None), False
        if isinstance(value, Instance) and value.cls is not None:
            call = self._project.method(value.cls, "__call__")
            return (call, True) if call is not None else (value, True)
        return value, False

    def _for_class(self, place: _Place, cls: ClassSymbol) -> Iterator[Registration]:
        """Starlette's HTTPEndpoint: a method per verb. A WebSocketEndpoint, or another ASGI app, is one handler."""
        verbs = {verb: method for verb in _ENDPOINT_METHODS if (method := self._project.method(cls, verb)) is not None}
        for verb, method in verbs.items():
            name = f"{cls.id}.{verb}"
            decorators = (*cls.node.decorators, *method.decorators)
            yield self._of_method(place, (verb.upper(),), method, name, decorators)
        if not verbs:
            methods = self._methods(place, any_method="WebSocket" not in (last_name(place.call.func) or ""))
            received = self._project.method(cls, "on_receive") or self._project.method(cls, "__call__")
            yield self._of_method(place, methods, received, cls.id, tuple(cls.node.decorators))

    def _of_method(
        self,
        place: _Place,
        methods: tuple[str, ...],
        function: FunctionSymbol | None,
        name: str,
        decorators: tuple[form.Expr, ...],
    ) -> Registration:
        return Registration(
            place.holder, methods, place.path, function, name, place.call, place.scope, place.given, decorators
        )

    def _methods(self, place: _Place, *, any_method: bool = False) -> tuple[str, ...]:
        """Those of the call. Starlette hands every method to an object that is no function."""
        name = last_name(place.call.func) or ""
        if name in _VERBS:
            return (name.upper(),)
        stated = named_argument(place.call, "methods", place.scope, self._project, place.given)
        found = string_items(*stated, self._project, place.given) if stated is not None else []
        methods = [method.upper() for method in found if method is not None]
        if stated is not None and len(methods) < max(len(found), 1):
            self._context.unresolved(stated[1].module.location(stated[0]), "these methods can't be told")
        if not methods and any_method and name in _OF_STARLETTE:
            return ("ANY",)
        return tuple(m for m in methods if m not in ("HEAD", "OPTIONS") or len(methods) == 1) or ("GET",)

    # --- lists ---

    def _listed(self) -> Iterator[Registration]:
        for holder, routes in self._apps.route_lists():
            yield from self._in_list(routes.node, routes.scope, holder, {})

    def _in_list(self, node: form.Expr, scope: Scope, holder: form.Call, given: Given) -> Iterator[Registration]:
        """`routes=[Route(...), Mount(..., routes=[...])]`."""
        for item in self._lists.items(node, scope, given):
            yield from self._entry(item, holder)

    def _entry(self, item: Item, holder: form.Call) -> Iterator[Registration]:
        call, scope = self._made_beforehand(item)
        name = last_name(call.func) if isinstance(call, form.Call) else None
        endpoint = call.argument(1, "endpoint") if isinstance(call, form.Call) else None
        if not isinstance(call, form.Call) or name not in _NESTED | _ROUTE_OBJECTS:
            self._context.unresolved(scope.module.location(call), "this entry of a route list isn't read")
        elif name in _NESTED:
            yield from self._nested(call, scope, holder, item.given)
        elif endpoint is not None:
            path = self._apps.text(call.argument(0, "path"), scope, item.given)
            yield from self._for_target(_Place(holder, path, call, scope, item.given), endpoint)

    def _made_beforehand(self, item: Item) -> tuple[form.Expr, Scope]:
        """The call behind the name of a route object; a call itself."""
        value = resolved(item.node, item.scope, self._project, item.given)
        if isinstance(item.node, form.Call) or not isinstance(value, Instance) or not value.origin or not value.scope:
            return item.node, item.scope
        return value.origin, value.scope

    def _nested(self, call: form.Call, scope: Scope, holder: form.Call, given: Given) -> Iterator[Registration]:
        """`Mount(path, app)`, `Mount(path, routes=[...])`, `Host(host, app)`, which says nothing about the path."""
        site, routes = Sited(call, scope), call.keyword("routes")
        path = self._apps.text(call.argument(0, "path"), scope, given) if last_name(call.func) == "Mount" else ""
        inner = self._apps.mount_list(path, holder, site, given) if routes is not None else None
        if inner is not None and routes is not None:
            yield from self._in_list(routes, scope, inner, given)
        else:
            self._apps.mount_app(path, call.argument(1, "app"), holder, site, given)

    def _added_to_lists(self) -> Iterator[Registration]:
        """`app.routes.append(Route(...))`, `app.router.routes.extend([...])`."""
        for call, scope in self._project.calls_named(*_ADDING, "extend"):
            owner = call.func.value if isinstance(call.func, form.Attr) else None
            if not isinstance(owner, form.Attr) or owner.attr != "routes" or not call.positional:
                continue
            for given in expansions(call, scope, self._project):
                holder = self._apps.holder(owner.value, scope, given)
                if holder is not None and last_name(call.func) == "extend":
                    yield from self._in_list(call.positional[0], scope, holder, given)
                elif holder is not None:
                    yield from self._entry(Item(call.positional[-1], scope, given), holder)

    # --- classes and libraries ---

    def _of_class_views(self) -> Iterator[Registration]:
        for view in self._views.all():
            for given in expansions(view.call, view.scope, self._project):
                holder = self._apps.holder(view.router, view.scope, given)
                if holder is not None:
                    path = self._apps.text(view.path, view.path_scope, given) if view.path is not None else "/"
                    place = _Place(holder, path, view.options, view.path_scope, given)
                    name = f"{view.cls.id}.{view.method.name}"
                    yield self._of_method(place, view.methods, view.method, name, tuple(view.method.decorators))

    def _ready_made(self) -> Iterator[Registration]:
        """The routes of routers that libraries bring, which answer at their `path`, and libraries' apps as mounted."""
        for router, made in self._apps.ready_made_routers():
            call, scope = router.origin, router.scope
            if call is not None and scope is not None:
                path = self._apps.text(call.argument(1, "path"), scope, {})
                mounted = Sited(call, scope)
                yield Registration(call, made.methods, path, None, made.name, call, scope, {}, mounted=mounted)
        for parent, path, site in self._apps.mounted_views:
            app = site.node.argument(1, "app") if isinstance(site.node, form.Call) else None
            if app is not None and isinstance(site.node, form.Call):
                yield from self._for_target(_Place(parent, path, site.node, site.scope, {}), app)
