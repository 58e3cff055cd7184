"""aiohttp: the routes of applications, route tables and resources
(https://docs.aiohttp.org/en/stable/web_quickstart.html#handler).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from assay.scanner.dataflow.asked import Asked
from assay.scanner.dataflow.constants import Given, definitions, string_value
from assay.scanner.dataflow.expansion import expansions
from assay.scanner.framework import Context, Framework, Guard, Route, Sited
from assay.scanner.frameworks.aiohttp.apps import APPS, AiohttpApps
from assay.scanner.frameworks.aiohttp.documentation import documented
from assay.scanner.frameworks.aiohttp.handlers import guards_of, kind_of
from assay.scanner.linker.project import last_name
from assay.scanner.linker.scopes import ClassSymbol, FunctionSymbol, Scope
from assay.scanner.linker.values import Value
from assay.scanner.model.place import Location
from assay.scanner.readers.python import form
from assay.scanner.web.guards import decorator_guards
from assay.scanner.web.lists import Item, spelled_out
from assay.scanner.web.ready_made import ready_made_view
from assay.scanner.web.registrations import decorated, handler_of, name_without_symbol, wrappers_of

_VERBS = ("get", "post", "put", "patch", "delete", "head", "options")
_DEFINITIONS = frozenset({*_VERBS, "route", "view"})
_ADDING = {f"add_{name}": name for name in _DEFINITIONS}


@dataclass(frozen=True, slots=True, eq=False)
class _Adding:
    """One registration: `name` is that of aiohttp's function (`get`, `route`, `view`) without `add_`."""

    name: str
    call: form.Call
    scope: Scope
    given: Given
    handler: form.Expr | FunctionSymbol | ClassSymbol | None
    path: form.Expr | None
    method: form.Expr | None = None

    @property
    def location(self) -> Location:
        return self.scope.module.location(self.call)


class _Routes:
    """The routes of one project."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._project = context.project
        self._apps = AiohttpApps(context)

    def all(self) -> Iterator[Route]:
        for holder, adding in (*self._added(), *self._listed(), *self._decorated()):
            yield from self._placed(holder, adding)

    def _added(self) -> Iterator[tuple[form.Call, _Adding]]:
        """`router.add_get(path, handler)`, `resource.add_route(method, handler)`."""
        for call, scope in self._project.calls_named(*_ADDING):
            method, around = self._method(call.func, scope)
            seen = set[tuple[form.Call, str]]()
            shown = form.Call(start=call.start, end=call.end, func=method or call.func, args=call.args)
            for given in expansions(shown, scope, self._project) if method is not None else ():
                if method is None:
                    continue
                unpacked = self._unpacked(call, scope, given)
                found = self._on_resource(unpacked, method, Item(method.value, around, given))
                holder = self._apps.holder(method.value, around, given) if found is None else found[0]
                if holder is None:
                    continue
                adding = found[1] if found is not None else self._adding(_ADDING[method.attr], unpacked, scope, given)
                key = (holder, f"{self._text(adding.path, adding)} {self._text(adding.method, adding)}")
                if key not in seen:
                    seen.add(key)
                    yield holder, adding

    def _method(self, func: form.Expr, scope: Scope) -> tuple[form.Attr | None, Scope]:
        """`app.router.add_get`, also for an `add_get` that was assigned so."""
        if isinstance(func, form.Name):
            found = definitions(func, scope, self._project)
            if len(found) == 1 and isinstance(found[0][0], form.Attr) and found[0][0].attr in _ADDING:
                return found[0][0], found[0][1]
        return (func, scope) if isinstance(func, form.Attr) else (None, scope)

    def _unpacked(self, call: form.Call, scope: Scope, given: Given) -> form.Call:
        """`add_route(*route)` with the items of `route` as arguments."""
        first = call.args[0] if call.args else None
        if first is None or first.star != 1:
            return call
        for item in spelled_out(Item(first.value, scope, given), self._project):
            if isinstance(item.node, form.Display):
                args = [form.Arg(value=node) for node in item.node.items]
                return form.Call(start=call.start, end=call.end, func=call.func, args=[*args, *call.args[1:]])
        return call

    def _on_resource(self, call: form.Call, method: form.Attr, receiver: Item) -> tuple[form.Call, _Adding] | None:
        """`app.router.add_resource(path).add_route(method, handler)`, where the receiver is such a resource."""
        items = [receiver] if isinstance(receiver.node, form.Call) else spelled_out(receiver, self._project)
        for item in items if method.attr == "add_route" else ():
            made = item.node
            if isinstance(made, form.Call) and isinstance(made.func, form.Attr) and made.func.attr == "add_resource":
                holder = self._apps.holder(made.func.value, item.scope, item.given)
                path, verb, handler = made.argument(0, "path"), call.argument(0, "method"), call.argument(1, "handler")
                if holder is not None:
                    return holder, _Adding("route", call, receiver.scope, receiver.given, handler, path, verb)
        return None

    def _adding(
        self,
        name: str,
        call: form.Call,
        scope: Scope,
        given: Given,
        decorated_symbol: FunctionSymbol | ClassSymbol | None = None,
    ) -> _Adding:
        index = 1 if name == "route" else 0
        method = call.argument(0, "method") if name == "route" else None
        handler = decorated_symbol or call.argument(index + 1, "handler")
        return _Adding(name, call, scope, given, handler, call.argument(index, "path"), method)

    def _listed(self) -> Iterator[tuple[form.Call, _Adding]]:
        """`app.add_routes([web.get(path, handler), ...])`."""
        for holder, item in self._apps.listed:
            items = [item] if isinstance(item.node, form.Call) else spelled_out(item, self._project)
            for call, scope, given in ((i.node, i.scope, i.given) for i in items):
                name = last_name(call.func) if isinstance(call, form.Call) else None
                if isinstance(call, form.Call) and name in _DEFINITIONS and name is not None:
                    yield holder, self._adding(name, call, scope, given)
                elif name != "static":
                    self._context.unresolved(scope.module.location(call), "which route is added here can't be told")

    def _decorated(self) -> Iterator[tuple[form.Call, _Adding]]:
        """`@routes.get(path)` of a route table."""
        for found in decorated(self._project, _DEFINITIONS):
            func, symbol = found.call.func, found.handler
            if not isinstance(func, form.Attr) or not isinstance(symbol, FunctionSymbol | ClassSymbol):
                continue
            for given in expansions(found.call, found.scope, self._project):
                holder = self._apps.holder(func.value, found.scope, given)
                if holder is not None:
                    yield holder, self._adding(func.attr, found.call, found.scope, given, symbol)

    # --- one registration ---

    def _text(self, node: form.Expr | None, adding: _Adding) -> str | None:
        return string_value(node, adding.scope, self._project, adding.given) if node is not None else None

    def _placed(self, holder: form.Call, adding: _Adding) -> Iterator[Route]:
        path, verb = self._text(adding.path, adding), self._verb(adding)
        if path is None or verb is None:
            self._context.unresolved(adding.location, "the path or method of this route can't be told")
            return
        for prefix, apps in self._apps.placements(holder, Sited(adding.call, adding.scope)):
            for method, function, name, cls in self._handlers(verb, adding):
                route = self._route(method, (prefix + path) or "/", function, name, cls, adding)
                gates = self._apps.gates(apps, Asked(route.path, method))
                yield replace(route, guards=(*gates, *route.guards))

    def _verb(self, adding: _Adding) -> str | None:
        """The method; empty where the handler's class says, None where it can't be told."""
        if adding.name != "route":
            return "" if adding.name == "view" else adding.name.upper()
        stated = self._text(adding.method, adding)
        return "ANY" if stated == "*" else stated.upper() if stated is not None else None

    def _handlers(
        self, verb: str, adding: _Adding
    ) -> Iterator[tuple[str, FunctionSymbol | None, str, ClassSymbol | None]]:
        """Method, function, name and class: of a function, or of each method that a class has."""
        value = self._handler(adding)
        if isinstance(value, ClassSymbol):
            for name in _VERBS:
                method = self._project.method(value, name)
                if method is not None and verb in ("", "ANY", name.upper()):
                    yield name.upper(), method, f"{value.id}.{name}", value
        elif isinstance(value, FunctionSymbol):
            yield verb or "ANY", value, value.id, value.owner
        else:
            made = ready_made_view(value, self._project)
            name = made.name if made is not None else name_without_symbol(adding.handler, value, adding.scope)
            yield verb or "ANY", None, name, None

    def _handler(self, adding: _Adding) -> Value | None:
        if adding.handler is None or isinstance(adding.handler, FunctionSymbol | ClassSymbol):
            return adding.handler
        return handler_of(Item(adding.handler, adding.scope, adding.given), self._project)

    def _route(
        self,
        method: str,
        path: str,
        function: FunctionSymbol | None,
        name: str,
        cls: ClassSymbol | None,
        adding: _Adding,
    ) -> Route:
        route = Route(
            methods=(method,),
            path=path,
            handler=function,
            handler_name=name,
            location=(function or adding).location,
            framework="aiohttp",
            role=adding.scope.module.role,
            view_class=cls,
        )
        if function is None:
            if adding.handler is None or isinstance(adding.handler, FunctionSymbol | ClassSymbol):
                return route
            return replace(route, mounted=Sited(adding.handler, adding.scope))
        guards = [*self._wrapping(adding), *guards_of(function, self._project)]
        return documented(
            replace(route, kind=kind_of(function, self._project), guards=tuple(guards)), function, self._project
        )

    def _wrapping(self, adding: _Adding) -> list[Guard]:
        """The guards around a handler as it is registered: `signed_in(handler)`."""
        if adding.handler is None or isinstance(adding.handler, FunctionSymbol | ClassSymbol):
            return []
        return decorator_guards(wrappers_of(adding.handler), adding.scope, self._project)


def _routes(context: Context) -> Iterable[Route]:
    return _Routes(context).all()


AIOHTTP = Framework("aiohttp", ("aiohttp",), routes=_routes, applications=APPS)
