"""aiohttp: routes of applications, route tables and sub-applications
(https://docs.aiohttp.org/en/stable/web_reference.html).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from assay.scanner.dataflow.constants import Given, definitions, list_items, string_value
from assay.scanner.dataflow.expansion import expansions, resolved
from assay.scanner.dataflow.refusals import refuses_by_decorator, refuses_in_body
from assay.scanner.framework import Context, Framework, Guard, Route, Sited
from assay.scanner.linker.project import last_name, last_part
from assay.scanner.linker.scopes import ClassSymbol, FunctionSymbol, Scope
from assay.scanner.linker.values import BoundMethod, External, Instance, Value
from assay.scanner.model.endpoint import EndpointKind
from assay.scanner.readers.python import form
from assay.scanner.web.mounting import Mount, Mounts

_APPS = frozenset({"aiohttp.web.Application", "aiohttp.web_app.Application"})
_TABLES = frozenset({"aiohttp.web.RouteTableDef", "aiohttp.web_routedef.RouteTableDef"})
_VERBS = ("get", "post", "put", "patch", "delete")
_LIBRARY_GUARDS = frozenset({"login_required", "has_permission", "check_authorized", "check_permission"})
_KINDS = {
    "json_response": EndpointKind.JSON,
    "FileResponse": EndpointKind.FILE,
    "StreamResponse": EndpointKind.STREAM,
    "WebSocketResponse": EndpointKind.WEBSOCKET,
    "render_template": EndpointKind.HTML,
}


class _Routes:
    """The applications of one project and what is added to them."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._project = context.project
        self._mounts = Mounts()
        self._holders: dict[form.Call, Instance] = {}

    def all(self) -> Iterator[Route]:
        for call, scope in self._project.calls_named("Application", "RouteTableDef"):
            self._holder(call, scope, {})
        self._find_subapps()
        yield from self._added()
        yield from self._listed()
        yield from self._decorated()

    def _holder(self, node: form.Expr, scope: Scope, given: Given) -> form.Call | None:
        """The application or route table that an expression (`app`, `app.router`) stands for."""
        node, scope = self._spelled_out(node, scope)
        value = resolved(node, scope, self._project, given)
        if isinstance(node, form.Attr) and node.attr == "router":
            value = resolved(node.value, scope, self._project, given)
        if not isinstance(value, Instance) or value.type_name not in _APPS | _TABLES:
            return None
        if value.origin is not None:
            self._holders.setdefault(value.origin, value)
            return value.origin
        apps = [origin for origin, app in self._holders.items() if app.type_name in _APPS]
        return apps[0] if len(apps) == 1 else None

    def _spelled_out(self, node: form.Expr, scope: Scope) -> tuple[form.Expr, Scope]:
        """`app.router` for a `router` that was assigned so, and `app.router.add_get` for an `add_get`."""
        if isinstance(node, form.Name):
            found = definitions(node, scope, self._project)
            if len(found) == 1 and isinstance(found[0][0], form.Attr):
                return found[0]
        return node, scope

    def _find_subapps(self) -> None:
        for call, scope in self._project.calls_named("add_subapp", "add_routes"):
            is_subapp = last_name(call.func) == "add_subapp"
            added = call.argument(1, "subapp") if is_subapp else call.argument(0, "routes")
            for given in expansions(call, scope, self._project) if isinstance(call.func, form.Attr) else ():
                parent = self._holder(call.func.value, scope, given) if isinstance(call.func, form.Attr) else None
                child = self._holder(added, scope, given) if added is not None else None
                if parent is not None and child is not None:
                    prefix = self._path(call.argument(0, "prefix"), scope, given).rstrip("/") if is_subapp else ""
                    self._mounts.add(Mount(parent, child, prefix, Sited(call, scope), given, is_separate=is_subapp))

    def _path(self, node: form.Expr | None, scope: Scope, given: Given) -> str:
        found = string_value(node, scope, self._project, given) if node is not None else None
        if found is None and node is not None:
            self._context.unresolved(scope.module.location(node), "this path can't be told")
        return found or ""

    def _added(self) -> Iterator[Route]:
        """`router.add_get(path, handler)`, `router.add_route(method, path, handler)`, `router.add_view(path, View)`."""
        for call, scope in self._project.calls_named("add_route", "add_view", *(f"add_{verb}" for verb in _VERBS)):
            method, around = self._spelled_out(call.func, scope)
            if not isinstance(method, form.Attr):
                continue
            seen = set[tuple[form.Call, str]]()
            spelled_out = form.Call(start=call.start, end=call.end, func=method, args=call.args)
            for given in expansions(spelled_out, scope, self._project):
                holder = self._holder(method.value, around, given)
                if holder is None:
                    continue
                verb, path, handler = self._parts(call, method.attr.removeprefix("add_"), scope, given)
                if handler is not None and (holder, path) not in seen:
                    seen.add((holder, path))
                    yield from self._placed(holder, verb, path, handler, Sited(call, scope), given)

    def _listed(self) -> Iterator[Route]:
        """`app.add_routes([web.get(path, handler), ...])`."""
        for call, scope in self._project.calls_named("add_routes"):
            listed = call.argument(0, "routes")
            if not isinstance(call.func, form.Attr) or listed is None:
                continue
            for given in expansions(call, scope, self._project):
                holder = self._holder(call.func.value, scope, given)
                for item, item_scope in list_items(listed, scope, self._project, given) if holder is not None else ():
                    name = last_name(item.func) if isinstance(item, form.Call) else None
                    if isinstance(item, form.Call) and name in (*_VERBS, "route", "view") and holder is not None:
                        verb, path, handler = self._parts(item, name or "", item_scope, given)
                        if handler is not None:
                            yield from self._placed(holder, verb, path, handler, Sited(item, item_scope), given)

    def _parts(
        self, call: form.Call, name: str, scope: Scope, given: Given
    ) -> tuple[str | None, str, form.Expr | None]:
        """Method (None where the handler's class says), path and handler of a registration."""
        if name == "route":
            verb = call.argument(0, "method")
            shown = string_value(verb, scope, self._project, given) if verb is not None else None
            method = "ANY" if shown in (None, "*") else (shown or "").upper()
            return method, self._path(call.argument(1, "path"), scope, given), call.argument(2, "handler")
        method_or_class = None if name == "view" else name.upper()
        return method_or_class, self._path(call.argument(0, "path"), scope, given), call.argument(1, "handler")

    def _decorated(self) -> Iterator[Route]:
        """`@routes.get(path)` of a route table."""
        symbols: list[FunctionSymbol | ClassSymbol] = [*self._project.functions, *self._project.classes]
        for symbol in symbols:
            for decorator in symbol.node.decorators:
                if not isinstance(decorator, form.Call) or not isinstance(decorator.func, form.Attr):
                    continue
                name = decorator.func.attr
                if name not in (*_VERBS, "route", "view"):
                    continue
                holder = self._holder(decorator.func.value, symbol.outer, {})
                if holder is not None:
                    verb, path, _ = self._parts(decorator, name, symbol.outer, {})
                    yield from self._placed(holder, verb, path, symbol, Sited(decorator, symbol.outer), {})

    def _placed(
        self,
        holder: form.Call,
        verb: str | None,
        path: str,
        handler: form.Expr | FunctionSymbol | ClassSymbol,
        site: Sited,
        given: Given,
    ) -> Iterator[Route]:
        symbol: Value | None
        if isinstance(handler, FunctionSymbol | ClassSymbol):
            symbol = handler
        else:
            symbol = resolved(handler, site.scope, self._project, given)
        if isinstance(symbol, BoundMethod):
            symbol = symbol.function
        for chain in self._mounts.chains(holder):
            holders = [chain[0].parent, *(m.child for m in chain)] if chain else [holder]
            if self._holders[holders[0]].type_name in _TABLES:
                self._context.unresolved(site.module.location(site.node), "no application takes this route table")
            full = "".join(m.prefix for m in chain) + path
            inherited = [g for key in holders for g in self._middleware_guards(key)]
            if isinstance(symbol, ClassSymbol):
                for name in _VERBS:
                    method = self._project.method(symbol, name)
                    if method is not None and verb in (None, "ANY", name.upper()):
                        yield self._route(name.upper(), full, method, f"{symbol.id}.{name}", site, inherited)
            elif isinstance(symbol, FunctionSymbol):
                yield self._route(verb or "ANY", full, symbol, symbol.id, site, inherited)
            else:
                name = symbol.name if isinstance(symbol, External) else "unknown"
                yield self._route(verb or "ANY", full, None, name, site, inherited)

    def _route(
        self, verb: str, path: str, function: FunctionSymbol | None, name: str, site: Sited, inherited: list[Guard]
    ) -> Route:
        return Route(
            methods=(verb,),
            path=path or "/",
            handler=function,
            handler_name=name,
            location=function.location if function is not None else site.module.location(site.node),
            framework="aiohttp",
            role=site.module.role,
            kind=self._kind(function),
            guards=(*inherited, *(self._guards(function) if function is not None else ())),
            view_class=function.owner if function is not None else None,
        )

    def _middleware_guards(self, holder: form.Call) -> list[Guard]:
        """Middlewares of the application that turn callers without credentials away."""
        listed, scope = holder.keyword("middlewares"), self._holders[holder].scope
        found = []
        for node, item_scope in list_items(listed, scope, self._project) if listed is not None and scope else ():
            value = self._project.infer(node, item_scope)
            refused = refuses_in_body(value, self._project) if isinstance(value, FunctionSymbol) else None
            if refused is not None and isinstance(value, FunctionSymbol):
                found.append(Guard(value.name, refused))
        return found

    def _guards(self, function: FunctionSymbol) -> list[Guard]:
        found = []
        for decorator in function.decorators:
            name = form.dotted(decorator.func if isinstance(decorator, form.Call) else decorator) or "decorator"
            callee = decorator.func if isinstance(decorator, form.Call) else decorator
            library = self._project.infer(callee, function.outer)
            known = isinstance(library, External) and last_part(library.name) in _LIBRARY_GUARDS
            if known or refuses_by_decorator(decorator, function.outer, self._project) is not None:
                found.append(Guard(name, function.module.evidence(decorator, f"{name} turns callers away")))
        for node in function.walk():
            if isinstance(node, form.Call):
                called = self._project.callee_name(node, function.scope) or ""
                if called.startswith("aiohttp_security.") and last_part(called) in _LIBRARY_GUARDS:
                    found.append(Guard(last_part(called), function.module.evidence(node, "asks who is calling")))
        refused = refuses_in_body(function, self._project)
        return [*found, Guard("check in the handler", refused)] if refused is not None else found

    def _kind(self, function: FunctionSymbol | None) -> EndpointKind | None:
        if function is None:
            return None
        for decorator in function.decorators:
            if (self._project.qualified_name(decorator, function.outer) or "").startswith("aiohttp_jinja2.template"):
                return EndpointKind.HTML
        found = set()
        for node in function.returns():
            value = node.value.value if isinstance(node.value, form.Await) else node.value
            called = last_name(value.func) if isinstance(value, form.Call) else None
            if isinstance(value, form.Name):
                bound = self._project.infer(value, function.scope)
                called = last_part(bound.type_name) if isinstance(bound, Instance) else None
            if called in _KINDS:
                found.add(_KINDS[called])
        return found.pop() if len(found) == 1 else None


def _routes(context: Context) -> Iterable[Route]:
    return _Routes(context).all()


AIOHTTP = Framework("aiohttp", ("aiohttp",), routes=_routes, applications=_APPS)
