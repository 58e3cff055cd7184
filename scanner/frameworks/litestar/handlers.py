"""Litestar's route handlers: functions behind `@get` and its kind, with their methods and paths
(https://docs.litestar.dev/2/usage/routing/handlers.html).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from assay.scanner.dataflow.constants import Given, list_items, string_value
from assay.scanner.framework import Context
from assay.scanner.linker.project import last_name, last_part
from assay.scanner.linker.scopes import FunctionSymbol, Scope
from assay.scanner.linker.values import External
from assay.scanner.model.endpoint import EndpointKind
from assay.scanner.readers.python import form

_VERBS = frozenset({"get", "post", "put", "patch", "delete", "head"})
_SOCKETS = frozenset({"websocket", "websocket_listener", "websocket_stream", "WebsocketListener"})
_OTHERS = frozenset({"route", "asgi", "HTTPRouteHandler", "WebsocketRouteHandler", "ASGIRouteHandler"})


@dataclass(frozen=True, slots=True, eq=False)
class Handler:
    """A function with the call that makes a route handler of it; `acting` are the decorators below that call."""

    function: FunctionSymbol
    call: form.Call
    scope: Scope
    acting: tuple[form.Expr, ...] = ()
    given: Given | None = None

    @property
    def verb(self) -> str:
        return last_name(self.call.func) or ""

    @property
    def kind(self) -> EndpointKind | None:
        is_socket = self.verb in _SOCKETS or self.verb == "WebsocketRouteHandler"
        return EndpointKind.WEBSOCKET if is_socket else None


class Handlers:
    """Finds handlers and reads their declarations."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._project = context.project

    def on(self, function: FunctionSymbol, given: Given | None = None) -> Iterator[Handler]:
        """The handlers that a function's decorators make of it."""
        for index, decorator in enumerate(function.decorators):
            call = self.making(decorator, function.outer)
            if call is not None:
                yield Handler(function, call, function.outer, tuple(function.decorators[index + 1 :]), given)

    def applied(self, node: form.Expr, scope: Scope) -> Handler | None:
        """The handler that `get(path)(function)` makes."""
        making = self.making(node.func, scope) if isinstance(node, form.Call) else None
        if making is None or not isinstance(node, form.Call) or not node.positional:
            return None
        function = self._project.infer(node.positional[0], scope)
        if not isinstance(function, FunctionSymbol):
            return None
        return Handler(function, making, scope, tuple(function.decorators))

    def making(self, node: form.Expr, scope: Scope) -> form.Call | None:
        """`get(...)`, or the bare `get`, where that is Litestar's."""
        callee = node.func if isinstance(node, form.Call) else node
        if last_name(callee) is None:
            return None
        value = self._project.infer(callee, scope)
        if not isinstance(value, External) or not value.name.startswith("litestar."):
            return None
        if last_part(value.name) not in _VERBS | _SOCKETS | _OTHERS:
            return None
        return node if isinstance(node, form.Call) else form.Call(start=node.start, end=node.end, func=node, args=[])

    def methods(self, handler: Handler) -> tuple[str, ...]:
        """Upper-case verbs; a socket is opened by GET, an ASGI application takes any."""
        value = self._project.infer(handler.call.func, handler.scope)
        name = last_part(value.name) if isinstance(value, External) else handler.verb
        if name in _VERBS:
            return (name.upper(),)
        if name not in ("route", "HTTPRouteHandler"):
            return ("ANY",) if name in ("asgi", "ASGIRouteHandler") else ("GET",)
        listed = handler.call.keyword("http_method")
        items = list_items(listed, handler.scope, self._project) if listed is not None else []
        nodes = items or ([(listed, handler.scope)] if listed is not None else [])
        found = [string_value(*item, self._project) or last_name(item[0]) for item in nodes]
        if not found or None in found:
            self._context.unresolved(
                handler.scope.module.location(handler.call), "the methods of this handler can't be told"
            )
        return tuple(dict.fromkeys(method.upper() for method in found if method is not None)) or ("ANY",)

    def paths(self, handler: Handler) -> list[str]:
        """Each path that it answers; `/` where none is given."""
        stated = handler.call.argument(0, "path")
        if stated is None:
            return ["/"]
        given = handler.given or {}
        single = string_value(stated, handler.scope, self._project, given)
        if single is not None:
            return [single]
        items = list_items(stated, handler.scope, self._project, given)
        found = [string_value(*item, self._project, given) for item in items]
        if not found or None in found:
            self._context.unresolved(handler.scope.module.location(stated), "this path can't be told")
        return [path for path in found if path is not None] or ["/"]
