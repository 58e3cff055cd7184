"""FastAPI and Starlette: apps, routers, what is included where, and the routes that come of it
(https://fastapi.tiangolo.com/tutorial/bigger-applications/, https://www.starlette.io/routing/)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from assay.scanner.dataflow.constants import Given, list_items, string_value
from assay.scanner.dataflow.expansion import expansions, resolved
from assay.scanner.dataflow.refusals import refuses_by_decorator, refuses_in_body
from assay.scanner.framework import Context, Framework, Guard, Route, Sited
from assay.scanner.linker.project import last_name, last_part
from assay.scanner.linker.scopes import ClassSymbol, FunctionSymbol, Scope
from assay.scanner.linker.values import BoundMethod, External, Instance, Value
from assay.scanner.model.endpoint import EndpointKind
from assay.scanner.model.place import Evidence
from assay.scanner.readers.python import form
from assay.scanner.web.fastapi_dependencies import Closure, Dependencies
from assay.scanner.web.fastapi_page_sizes import PageSizes
from assay.scanner.web.fastapi_responses import Responses, spelled
from assay.scanner.web.mounting import Mount, Mounts

_APPS = frozenset({"fastapi.FastAPI", "starlette.applications.Starlette"})
_ROUTERS = frozenset({"fastapi.APIRouter", "starlette.routing.Router"})
_VERBS = frozenset({"get", "post", "put", "patch", "delete", "head", "options", "trace"})
_SEVERAL = frozenset({"api_route", "route", "add_api_route", "add_route"})
_SOCKETS = frozenset({"websocket", "websocket_route", "add_api_websocket_route", "add_websocket_route"})
_DIRECT = frozenset({"add_api_route", "add_route", "add_api_websocket_route", "add_websocket_route"})
_ROUTE_OBJECTS = frozenset({"Route", "WebSocketRoute", "APIRoute", "APIWebSocketRoute", "Mount", "Host"})
_FILES = ("StaticFiles",)


@dataclass(frozen=True, slots=True, eq=False)
class _Registration:
    """A handler given to an app or router, before what holds that one is known."""

    holder: form.Call
    methods: tuple[str, ...]
    path: str
    handler: Value | None
    target: form.Expr | FunctionSymbol
    call: Sited
    is_fastapi: bool = True


class _Composition:
    """All apps and routers of a project, what is mounted where, and the registrations."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self.project = context.project
        self.dependencies = Dependencies(self.project)
        self.responses = Responses(self.project)
        self.page_sizes = PageSizes(self.project, self.dependencies)
        self.mounts = Mounts()
        self.holders: dict[form.Call, Instance] = {}
        self.registrations: list[_Registration] = []
        self._closures: dict[form.Call, Closure] = {}

    # --- apps and routers ---

    def is_holder(self, value: Value | None, names: frozenset[str] = _APPS | _ROUTERS) -> bool:
        if not isinstance(value, Instance):
            return False
        return value.type_name in names or (value.cls is not None and self.project.is_subclass(value.cls, *names))

    def holder(self, node: form.Expr, scope: Scope, given: Given) -> form.Call | None:
        """The app or router that an expression stands for, by the call that made it."""
        value = resolved(node, scope, self.project, given)
        if not self.is_holder(value) and isinstance(node, form.Attr) and node.attr == "router":
            value = resolved(node.value, scope, self.project, given)
        if not isinstance(value, Instance) or not self.is_holder(value):
            return None
        if value.origin is not None:
            self.holders.setdefault(value.origin, value)
            return value.origin
        apps = [origin for origin, app in self.holders.items() if self.is_holder(app, _APPS)]
        return apps[0] if len(apps) == 1 else None  # a parameter that only its annotation describes

    def find_holders(self) -> None:
        names = {last_part(name) for name in _APPS | _ROUTERS}
        names |= {cls.name for cls in self.project.classes if self.project.is_subclass(cls, *_APPS, *_ROUTERS)}
        for call, scope in self.project.calls_named(*names):
            holder = self.holder(call, scope, {})
            routes = call.keyword("routes")
            if holder is call and routes is not None:
                self._route_list(routes, scope, holder, "")

    def find_mounts(self) -> None:
        for call, scope in self.project.calls_named("include_router", "mount"):
            if not isinstance(call.func, form.Attr):
                continue
            for given in expansions(call, scope, self.project):
                parent = self.holder(call.func.value, scope, given)
                if parent is not None and call.func.attr == "mount":
                    self._mount_app(call.argument(0, "path"), call.argument(1, "app"), parent, Sited(call, scope), given)
                elif parent is not None:
                    self._include(call, scope, parent, given)

    def _include(self, call: form.Call, scope: Scope, parent: form.Call, given: Given) -> None:
        router = call.argument(0, "router")
        if router is None:
            return
        children = [child] if (child := self.holder(router, scope, given)) is not None else self._by_attribute(router)
        if not children:
            self.context.unresolved(scope.module.location(call), "which router is included here can't be told")
        prefix = self._text(call.keyword("prefix"), Sited(call, scope), given)
        for child in children:
            self.mounts.add(Mount(parent, child, prefix, Sited(call, scope), given))

    def _by_attribute(self, node: form.Expr) -> list[form.Call]:
        """Of an object whose class can't be told: the routers that classes of the project have under that name."""
        found = []
        for cls in self.project.classes if isinstance(node, form.Attr) else ():
            attribute = [b for b in cls.own(node.attr) if b.value is not None] if isinstance(node, form.Attr) else []
            if attribute and attribute[-1].value is not None:
                holder = self.holder(attribute[-1].value, attribute[-1].scope, {})
                found += [holder] if holder is not None else []
        return found

    def _mount_app(
        self, path: form.Expr | None, app: form.Expr | None, parent: form.Call, site: Sited, given: Given
    ) -> None:
        child = self.holder(app, site.scope, given) if app is not None else None
        prefix = self._text(path, site, given).rstrip("/")
        if child is not None:
            self.mounts.add(Mount(parent, child, prefix, site, given, is_separate=True))
            return
        value = resolved(app, site.scope, self.project, given) if app is not None else None
        if not (isinstance(value, Instance) and value.type_name.endswith(_FILES)):
            self.context.unresolved(site.module.location(site.node), f"the app mounted at {prefix or '/'} isn't read")

    def _text(self, node: form.Expr | None, site: Sited, given: Given) -> str:
        """A path or prefix; what can't be computed is said and left out."""
        if node is None:
            return ""
        found = string_value(node, site.scope, self.project, given)
        if found is None:
            self.context.unresolved(site.module.location(node), "this part of the path can't be told")
        return found or ""

    # --- registrations ---

    def find_registrations(self) -> None:
        decorated = {d: f for f in self.project.functions for d in f.decorators if isinstance(d, form.Call)}
        decorated_classes = {d: c for c in self.project.classes for d in c.node.decorators}
        applied = {c.func: c for c, _ in self.project.calls if isinstance(c.func, form.Call)}
        for call, scope in self.project.calls_named(*_VERBS, *_SEVERAL, *_SOCKETS):
            if not isinstance(call.func, form.Attr):
                continue
            target: form.Expr | FunctionSymbol | ClassSymbol | None = decorated.get(call) or decorated_classes.get(call)
            if target is None and call in applied:
                target = applied[call].positional[0] if applied[call].positional else None
            elif call.func.attr in _DIRECT:
                target = call.argument(1, "endpoint") or call.keyword("route")
            if target is not None:
                self._register(call, scope, target)

    def _register(self, call: form.Call, scope: Scope, target: form.Expr | FunctionSymbol | ClassSymbol) -> None:
        assert isinstance(call.func, form.Attr)
        seen = set[tuple[form.Call, str]]()
        for given in expansions(call, scope, self.project):
            holder = self.holder(call.func.value, scope, given)
            if holder is None:
                continue
            path = self._text(call.argument(0, "path"), Sited(call, scope), given)
            if (holder, path) in seen:
                continue
            seen.add((holder, path))
            is_fastapi = call.func.attr not in ("route", "add_route", "websocket_route", "add_websocket_route")
            self._add(holder, path, call, scope, target, given, is_fastapi=is_fastapi)

    def _add(
        self,
        holder: form.Call,
        path: str,
        call: form.Call,
        scope: Scope,
        target: form.Expr | FunctionSymbol | ClassSymbol,
        given: Given,
        *,
        is_fastapi: bool,
    ) -> None:
        handler: Value | None
        if isinstance(target, FunctionSymbol | ClassSymbol):
            handler = target
        else:
            handler = resolved(target, scope, self.project, given)
        if isinstance(handler, ClassSymbol):  # Starlette's HTTPEndpoint: a method per verb
            for verb in sorted(_VERBS - {"head", "options"}):
                method = self.project.method(handler, verb)
                if method is not None:
                    self.registrations.append(
                        _Registration(holder, (verb.upper(),), path, method, method, Sited(call, scope), is_fastapi=False)
                    )
            return
        shown = target if not isinstance(target, ClassSymbol) else handler
        if shown is None:
            return
        methods = self._methods(call, scope, given)
        self.registrations.append(
            _Registration(holder, methods, path, handler, target, Sited(call, scope), is_fastapi)
        )

    def _methods(self, call: form.Call, scope: Scope, given: Given) -> tuple[str, ...]:
        name = last_name(call.func) or ""
        if name in _VERBS:
            return (name.upper(),)
        if name in _SOCKETS or name.startswith(("WebSocket", "APIWebSocket")):
            return ("GET",)
        listed = call.keyword("methods")
        found = [string_value(*item, self.project, given) for item in list_items(listed, scope, self.project)] if listed else []
        methods = [m.upper() for m in found if m is not None]
        return tuple(m for m in methods if m not in ("HEAD", "OPTIONS") or len(methods) == 1) or ("GET",)

    def _route_list(self, node: form.Expr, scope: Scope, holder: form.Call, prefix: str) -> None:
        """`routes=[Route(...), Mount(..., routes=[...])]`."""
        for item, item_scope in list_items(node, scope, self.project):
            name = last_name(item.func) if isinstance(item, form.Call) else None
            if not isinstance(item, form.Call) or name not in _ROUTE_OBJECTS:
                self.context.unresolved(item_scope.module.location(item), "this entry of a route list isn't read")
                continue
            path = prefix + self._text(item.argument(0, "path"), Sited(item, item_scope), {})
            nested = item.keyword("routes")
            if name in ("Mount", "Host") and nested is not None:
                self._route_list(nested, item_scope, holder, path.rstrip("/") if name == "Mount" else prefix)
            elif name in ("Mount", "Host"):
                self._mount_app(item.argument(0, "path"), item.argument(1, "app"), holder, Sited(item, item_scope), {})
            elif (endpoint := item.argument(1, "endpoint")) is not None:
                self._add(holder, path, item, item_scope, endpoint, {}, is_fastapi=name.startswith("API"))

    # --- routes ---

    def routes(self) -> Iterator[Route]:
        self.find_holders()
        self.find_mounts()
        self.find_registrations()
        has_app = any(self.is_holder(holder, _APPS) for holder in self.holders.values())
        for registration in self.registrations:
            for chain in self.mounts.chains(registration.holder):
                top = chain[0].parent if chain else registration.holder
                if has_app and not self.is_holder(self.holders[top], _APPS):
                    place = registration.call
                    self.context.unresolved(place.module.location(place.node), "no app includes this route's router")
                    continue
                yield self._route(registration, chain)

    def _route(self, found: _Registration, chain: tuple[Mount, ...]) -> Route:
        call, scope, module = found.call.node, found.call.scope, found.call.module
        assert isinstance(call, form.Call)
        holders = [chain[0].parent, *(m.child for m in chain)] if chain else [found.holder]
        path = self._own_prefix(holders[0]) + "".join(m.prefix + self._own_prefix(m.child) for m in chain) + found.path
        handler = found.handler.function if isinstance(found.handler, BoundMethod) else found.handler
        function = handler if isinstance(handler, FunctionSymbol) else None
        own = self._of_keyword(call, scope) | (self.dependencies.of_handler(function) if function else Closure())
        if not found.is_fastapi and function is not None:
            own = Closure()
        closure = self._inherited(holders, chain) | own
        guards = closure.guards + self._starlette_guards(function)
        declared = self._declared_response(call, scope, function)
        body = self.responses.body(declared) if found.is_fastapi else self.responses.body(None)
        return Route(
            methods=found.methods,
            path=path or "/",
            handler=function,
            handler_name=function.id if function else _shown(found.target, handler),
            location=function.location if function else module.location(call),
            framework="fastapi" if found.is_fastapi else "starlette",
            role=module.role,
            kind=self._kind(call, scope, function, declared, is_fastapi=found.is_fastapi),
            guards=guards,
            tags=self._tags(call, scope, holders, chain),
            response_model=spelled(declared.node) if declared is not None else None,
            returns_collection=body.returns_collection,
            collection=body.collection,
            paginators=body.paginators + self._paginate_calls(function),
            page_sizes=self.page_sizes.among(closure.parameters, path),
            view_class=function.owner if function else None,
        )

    def _options(self, holder: form.Call, name: str) -> Iterator[tuple[form.Expr, Scope, Given]]:
        """What an app or router was made with, by its own arguments and those its class passes to the base's."""
        instance = self.holders[holder]
        assert instance.scope is not None
        own = holder.keyword(name)
        if own is not None:
            yield own, instance.scope, {}
        init = self.project.method(instance.cls, "__init__") if instance.cls is not None else None
        for node in init.walk() if init is not None else ():
            if init is None or not isinstance(node, form.Call) or last_name(node.func) != "__init__":
                continue
            passed = node.keyword(name)
            if passed is not None and not (own is not None and isinstance(passed, form.Name)):
                given = {
                    (init.scope, p.name): (argument, instance.scope)
                    for p in init.parameters
                    if (argument := self.project.bound_argument(holder, init, p)) is not None
                }
                yield passed, init.scope, given

    def _own_prefix(self, holder: form.Call) -> str:
        if self.is_holder(self.holders[holder], _APPS):
            return ""
        for node, scope, given in self._options(holder, "prefix"):
            return self._text(node, Sited(node, scope), given)
        return ""

    def _of_keyword(self, call: form.Call, scope: Scope) -> Closure:
        listed = call.keyword("dependencies")
        return self.dependencies.of_list(list_items(listed, scope, self.project)) if listed is not None else Closure()

    def _of_holder(self, holder: form.Call) -> Closure:
        if holder not in self._closures:
            found = Closure()
            for node, scope, given in self._options(holder, "dependencies"):
                found |= self.dependencies.of_list(list_items(node, scope, self.project, given))
            self._closures[holder] = found
        return self._closures[holder]

    def _inherited(self, holders: list[form.Call], chain: tuple[Mount, ...]) -> Closure:
        """What apps, inclusions and routers ask of all their routes; a mounted app inherits nothing."""
        found = self._of_holder(holders[0])
        for mount in chain:
            if mount.is_separate:
                found = Closure()
            elif isinstance(mount.site.node, form.Call):
                found |= self._of_keyword(mount.site.node, mount.site.scope)
            found |= self._of_holder(mount.child)
        return found

    def _starlette_guards(self, function: FunctionSymbol | None) -> tuple[Guard, ...]:
        """`@requires` and decorators of the project that turn callers away; checks in the handler's own body."""
        found = []
        for decorator in function.decorators if function is not None else ():
            assert function is not None
            name = self.project.callee_name(decorator, function.outer) if isinstance(decorator, form.Call) else None
            if name is not None and name.endswith("authentication.requires"):
                found.append(Guard("requires", function.module.evidence(decorator, "requires a scope")))
            elif refuses_by_decorator(decorator, function.outer, self.project) is not None:
                shown = form.dotted(decorator.func if isinstance(decorator, form.Call) else decorator) or "decorator"
                found.append(Guard(shown, function.module.evidence(decorator, f"{shown} turns callers away")))
        in_body = refuses_in_body(function, self.project) if function is not None else None
        return (*found, *([Guard("check in the handler", in_body)] if in_body is not None else []))

    def _tags(
        self, call: form.Call, scope: Scope, holders: list[form.Call], chain: tuple[Mount, ...]
    ) -> tuple[str, ...]:
        sources: list[tuple[form.Expr, Scope]] = []
        for index, holder in enumerate(holders):
            mount = chain[index - 1].site if index else None
            if mount is not None and isinstance(mount.node, form.Call) and (given := mount.node.keyword("tags")):
                sources.append((given, mount.scope))
            sources += [(node, option_scope) for node, option_scope, _ in self._options(holder, "tags")]
        own = call.keyword("tags")
        sources += [(own, scope)] if own is not None else []
        found = [string_value(*item, self.project) for s in sources for item in list_items(*s, self.project)]
        return tuple(dict.fromkeys(tag for tag in found if tag is not None))

    def _declared_response(self, call: form.Call, scope: Scope, function: FunctionSymbol | None) -> Sited | None:
        model = call.keyword("response_model")
        if model is not None:
            return None if isinstance(model, form.Const) and model.value is None else Sited(model, scope)
        if function is not None and function.node.returns is not None:
            return Sited(function.node.returns, function.outer)
        return None

    def _kind(
        self, call: form.Call, scope: Scope, function: FunctionSymbol | None, declared: Sited | None, *, is_fastapi: bool
    ) -> EndpointKind | None:
        if (last_name(call.func) or "") in _SOCKETS or (last_name(call.func) or "").endswith("WebSocketRoute"):
            return EndpointKind.WEBSOCKET
        response_class = call.keyword("response_class")
        shown = Sited(response_class, scope) if response_class is not None else declared
        return self.responses.kind(function, shown, json_default=is_fastapi)

    def _paginate_calls(self, function: FunctionSymbol | None) -> tuple[Evidence, ...]:
        found = []
        for node in function.walk() if function is not None else ():
            if isinstance(node, form.Call) and last_name(node.func) in ("paginate", "apaginate") and function is not None:
                name = self.project.callee_name(node, function.scope) or ""
                if name.startswith("fastapi_pagination."):
                    found.append(function.module.evidence(node, "fastapi-pagination cuts it into pages"))
        return tuple(found)


def _shown(target: form.Expr | FunctionSymbol | ClassSymbol, value: Value | None) -> str:
    if isinstance(value, External):
        return value.name
    return (form.dotted(target) if not isinstance(target, FunctionSymbol | ClassSymbol) else None) or "unknown"


def _routes(context: Context) -> Iterable[Route]:
    return _Composition(context).routes()


FASTAPI = Framework("fastapi", ("fastapi", "starlette"), routes=_routes)
