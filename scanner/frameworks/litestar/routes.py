"""Litestar: what apps and routers hold, and the routes that come of it (https://docs.litestar.dev/2/usage/routing/)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from assay.scanner.dataflow.constants import Given, constant, definitions, list_items, string_items, string_value
from assay.scanner.dataflow.expansion import arguments, expansions, resolved
from assay.scanner.framework import Context, Framework, Guard, Route, Sited
from assay.scanner.frameworks.litestar.guards import Guards
from assay.scanner.frameworks.litestar.handlers import Handler, Handlers
from assay.scanner.frameworks.litestar.layers import Layer
from assay.scanner.frameworks.litestar.responses import (
    answer,
    request_model,
    request_types,
    response_types,
    status_codes,
)
from assay.scanner.linker.project import last_name
from assay.scanner.linker.scopes import ClassSymbol, FunctionSymbol, Scope
from assay.scanner.linker.values import External, Instance, Literal
from assay.scanner.model.role import Role
from assay.scanner.readers.python import form
from assay.scanner.web.applications import Applications
from assay.scanner.web.guards import decorator_guards, own_check
from assay.scanner.web.paths import path_part
from assay.scanner.web.ready_made import ReadyMade, ready_made_view

_APPS = frozenset({"litestar.Litestar", "litestar.app.Litestar"})
_CONFIGS = frozenset({"litestar.config.app.AppConfig", "litestar.AppConfig"})
_ROUTERS = frozenset({"litestar.Router", "litestar.router.Router"})
_CONTROLLERS = frozenset({"litestar.Controller", "litestar.controller.Controller"})
_LISTENERS = frozenset(f"litestar.{place}.WebsocketListener" for place in ("handlers", "handlers.websocket_handlers"))
_LISTS = ("route_handlers", "middleware", "guards", "on_app_init")
"""What plugins add to an app's configuration."""
_LISTENER = form.Name(start=0, end=0, id="WebsocketListener")
_DEEPEST = 12


@dataclass(frozen=True, slots=True, eq=False)
class _Branch:
    """Where in the tree of an app the walk is: the layers above, outermost first, and their paths."""

    layers: tuple[Layer, ...]
    paths: tuple[str, ...]

    def below(self, layer: Layer, path: str) -> _Branch:
        return _Branch((*self.layers, layer), (*self.paths, path))


class _Routes:
    """The routes of one project."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._project = context.project
        self._handlers = Handlers(context)
        self._guards = Guards(context)
        self._made = Applications(self._project, _APPS | _CONFIGS | _ROUTERS)
        self._added: dict[form.Call, list[tuple[str, Sited]]] = {}
        self._seen: set[FunctionSymbol] = set()
        self._discovering: list[_Branch] = []
        """Places that take handlers which only run time tells."""
        self._find_added()

    def all(self) -> Iterator[Route]:
        for app in self._made:
            made = self._made[app]
            if made.scope is not None and not self._is(made, _ROUTERS):
                for given in expansions(app, made.scope, self._project):
                    yield from self._in_router(app, made.scope, given, _Branch((), ()))
        yield from self._unused()

    def _is(self, made: Instance, names: frozenset[str]) -> bool:
        return made.type_name in names or (made.cls is not None and self._project.is_subclass(made.cls, *names))

    # --- what is added later ---

    def _find_added(self) -> None:
        """`app.register(handler)`, and what plugins put into the lists of an app's configuration."""
        for call, scope in self._project.calls_named("register"):
            if isinstance(call.func, form.Attr) and call.args:
                self._add("route_handlers", call.func.value, call.args[0].value, call, scope)
        for call, scope in self._project.calls_named("append", "extend", "insert"):
            target = call.func.value if isinstance(call.func, form.Attr) else None
            if isinstance(target, form.Attr) and target.attr in _LISTS and call.positional:
                self._add(target.attr, target.value, call.positional[-1], call, scope)
        for call, scope in self._project.calls_named("on_app_init"):
            configuration = call.argument(0, "app_config")
            if configuration is not None:  # a plugin that hands over to an authentication backend
                self._add("on_app_init", configuration, call.func, call, scope)

    def _add(self, name: str, owner: form.Expr, added: form.Expr, call: form.Call, scope: Scope) -> None:
        for given in expansions(call, scope, self._project):
            holder = self._holder(owner, scope, given)
            is_many = last_name(call.func) == "extend"
            items = self._held(added, scope, given) if is_many else [_given_for(added, scope, given)]
            for item in items if holder is not None else ():
                known = self._added.setdefault(holder, []) if holder is not None else []
                if all((each.node.start, each.scope) != (item.node.start, item.scope) for _, each in known):
                    known.append((name, item))

    def _holder(self, owner: form.Expr, scope: Scope, given: Given) -> form.Call | None:
        """The app or router; an app's configuration, which plugins are given, stands for the only app."""
        value = resolved(owner, scope, self._project, given)
        is_configuration = isinstance(value, Instance) and value.type_name in _CONFIGS and value.origin is None
        if is_configuration or (value is None and last_name(owner) == "app_config"):
            apps = [call for call in self._made if self._is_deployed(self._made[call])]
            return apps[0] if len(apps) == 1 else None
        return self._made.of(owner, scope, given)

    def _is_deployed(self, made: Instance) -> bool:
        """An app that production code makes."""
        return not self._is(made, _ROUTERS) and made.scope is not None and made.scope.module.role is Role.PROD

    # --- the tree ---

    def _in_router(self, holder: form.Call, scope: Scope, given: Given, branch: _Branch) -> Iterator[Route]:
        """Everything that an app or router holds."""
        layer = Layer(holder, scope, given, tuple(self._added.get(holder, ())))
        stated = holder.argument(0, "path") if self._is(self._made[holder], _ROUTERS) else holder.keyword("path")
        below = branch.below(layer, self._text(stated, scope, given))
        listed = holder.keyword("route_handlers")
        if listed is None and not self._is(self._made[holder], _ROUTERS):
            listed = next(iter(holder.positional), None)
        if listed is None and holder.has_double_star:
            self._context.unresolved(scope.module.location(holder), "the handlers of this app can't be told")
        items = self._held(listed, scope, given) if listed is not None else []
        items += [item for name, item in layer.added if name == "route_handlers"]
        for item in items if len(branch.layers) < _DEEPEST else ():
            yield from self._item(item, given, below)

    def _held(self, node: form.Expr, scope: Scope, given: Given) -> list[Sited]:
        """The elements of a list; what can't be seen stands for itself."""
        if isinstance(node, form.Display):
            starred = [(i.value, True) if isinstance(i, form.Starred) else (i, False) for i in node.items]
            return [s for i, many in starred for s in (self._held(i, scope, given) if many else [Sited(i, scope)])]
        items = list_items(node, scope, self._project, given)
        if not items and not isinstance(resolved(node, scope, self._project, given), Literal):
            return [Sited(node, scope)]
        return [Sited(*item) for item in items]

    def _item(self, item: Sited, given: Given, branch: _Branch) -> Iterator[Route]:
        """One element of `route_handlers`."""
        node, scope = item.node, item.scope
        router = self._made.of(node, scope, given)
        if router is not None and self._made[router].scope is not None:
            made = self._made[router]
            yield from self._in_router(router, made.scope or scope, self._made_with(node, scope), branch)
            return
        value = self._made_by(node, scope) or resolved(node, scope, self._project, given)
        ready_made = ready_made_view(value, self._project)
        if ready_made is not None and isinstance(value, Instance):
            yield from self._ready_made(ready_made, value, branch)
            return
        applied = [self._handlers.applied(*each) for each in [(node, scope), *definitions(node, scope, self._project)]]
        handlers = [handler for handler in applied if handler is not None]
        if isinstance(value, FunctionSymbol):
            handlers = list(self._handlers.on(value, self._made_with(node, scope)))
        if handlers:
            for handler in handlers:
                yield from self._at_paths(handler, branch)
        elif isinstance(value, ClassSymbol):
            yield from self._in_class(value, branch)
        elif not isinstance(value, External | Instance) or _is_anything(value):
            self._context.unresolved(
                scope.module.location(node), "which route handlers these are is only known at run time"
            )
            self._discovering.append(branch)

    def _made_by(self, node: form.Expr, scope: Scope) -> FunctionSymbol | ClassSymbol | None:
        """The handler or controller that is defined in the function which is called."""
        callee = self._project.infer(node.func, scope) if isinstance(node, form.Call) else None
        if not isinstance(callee, FunctionSymbol):
            return None
        for value in (self._project.infer(r.value, callee.scope) for r in callee.returns if r.value is not None):
            if isinstance(value, FunctionSymbol | ClassSymbol):
                return value
        return None

    def _made_with(self, node: form.Expr, scope: Scope) -> Given:
        """What the function that makes a router or handler was called with."""
        callee = self._project.infer(node.func, scope) if isinstance(node, form.Call) else None
        if isinstance(node, form.Call) and isinstance(callee, FunctionSymbol):
            return arguments(node, scope, callee, self._project)
        return {}

    def _in_class(self, cls: ClassSymbol, branch: _Branch) -> Iterator[Route]:
        """A controller's handlers, inherited ones included, or a listener for a socket."""
        layer = Layer(cls, cls.scope, {})
        path = layer.stated("path", self._project)
        text = self._text(path.node, path.scope, {}) if path is not None else ""
        if self._project.is_subclass(cls, *_LISTENERS):
            function = self._project.method(cls, "on_receive")
            if function is not None:
                call = form.Call(start=cls.node.start, end=cls.node.end, func=_LISTENER, args=[])
                handler = Handler(function, call, cls.outer)
                yield self._route(handler, branch.below(layer, text), "/")
            return
        names = {name for base in self._project.mro(cls) if isinstance(base, ClassSymbol) for name in base.methods}
        for name in sorted(names) if self._project.is_subclass(cls, *_CONTROLLERS) else ():
            function = self._project.method(cls, name)
            for handler in self._handlers.on(function) if function is not None else ():
                yield from self._at_paths(handler, branch.below(layer, text))

    def _text(self, node: form.Expr | None, scope: Scope, given: Given) -> str:
        """A path; what can't be computed is said and left out."""
        is_none = isinstance(node, form.Const) and node.value is None
        return "" if is_none else path_part(node, scope, self._context, given)

    # --- routes ---

    def _at_paths(self, handler: Handler, branch: _Branch) -> Iterator[Route]:
        for path in self._handlers.paths(handler):
            yield self._route(handler, branch, path)

    def _route(self, handler: Handler, branch: _Branch, own_path: str) -> Route:
        function, project = handler.function, self._project
        self._seen.add(function)
        layers = [*branch.layers, Layer(handler.call, handler.scope, handler.given or {})]
        path = "/" + "/".join(part for p in (*branch.paths, own_path) for part in p.split("/") if part)
        said = answer(handler, layers, project)
        parameters = [param.name for param in function.parameters]
        guards = [*self._guards.of(layers, path, parameters), *self._own_guards(handler)]
        return Route(
            methods=self._handlers.methods(handler),
            path=path,
            handler=function,
            handler_name=function.id,
            location=function.location,
            framework="litestar",
            role=function.module.role,
            kind=handler.kind or said.kind,
            guards=tuple(dict.fromkeys(guards)),
            rate_limits=tuple(self._guards.rate_limits(layers, path)),
            tags=self._tags(layers),
            summary=self._summary(handler),
            is_deprecated=self._is_true(handler.call.keyword("deprecated"), handler.scope),
            request_model=request_model(handler) if handler.kind is None else None,
            response_model=said.model if handler.kind is None else None,
            request_types=request_types(handler) if handler.kind is None else (),
            response_types=response_types(handler, layers, project) if handler.kind is None else (),
            status_codes=status_codes(handler, project),
            returns_collection=said.content.is_collection,
            collection=said.content.of,
            paginators=(said.pages,) if said.pages is not None else (),
            view_class=function.owner,
        )

    def _ready_made(self, made: ReadyMade, controller: Instance, branch: _Branch) -> Iterator[Route]:
        """The route of a controller that a library makes, at its `path`."""
        call, scope = controller.origin, controller.scope
        if call is None or scope is None:
            return
        own_path = self._text(call.argument(1, "path"), scope, {})
        path = "/" + "/".join(part for p in (*branch.paths, own_path) for part in p.split("/") if part)
        layers = list(branch.layers)
        yield Route(
            methods=made.methods,
            path=path,
            handler=None,
            handler_name=made.name,
            location=scope.module.location(call),
            framework="litestar",
            role=scope.module.role,
            guards=tuple(self._guards.of(layers, path, [])),
            rate_limits=tuple(self._guards.rate_limits(layers, path)),
            tags=self._tags(layers),
            mounted=Sited(call, scope),
        )

    def _own_guards(self, handler: Handler) -> list[Guard]:
        found = decorator_guards(handler.acting, handler.function.outer, self._project)
        return [*found, *own_check(handler.function, self._project)]

    def _tags(self, layers: list[Layer]) -> tuple[str, ...]:
        stated = [s for layer in layers if (s := layer.stated("tags", self._project)) is not None]
        found = [text for each in stated for text in string_items(each.node, each.scope, self._project)]
        return tuple(dict.fromkeys(text for text in found if text is not None))

    def _summary(self, handler: Handler) -> str | None:
        stated = handler.call.keyword("summary")
        return string_value(stated, handler.scope, self._project) if stated is not None else None

    def _is_true(self, node: form.Expr | None, scope: Scope) -> bool:
        found = constant(node, scope, self._project) if node is not None else None
        return found is not None and found.value is True

    def _unused(self) -> Iterator[Route]:
        """Handlers that no app was seen to take: the only place that looks for some finds them."""
        deployed = (f for f in self._project.functions if f.decorators and f.module.role is Role.PROD)
        unused = [f for f in deployed if f not in self._seen]
        for function in unused:
            handlers = list(self._handlers.on(function))
            if handlers and len(self._discovering) == 1:
                yield from self._found(function, handlers, self._discovering[0])
            elif handlers:
                place = function.module.location(handlers[0].call)
                self._context.unresolved(place, "no app takes this route handler")

    def _found(self, function: FunctionSymbol, handlers: list[Handler], branch: _Branch) -> Iterator[Route]:
        if function.owner is None:
            for handler in handlers:
                yield from self._at_paths(handler, branch)
        elif function not in self._seen:
            yield from self._in_class(function.owner, branch)


def _given_for(node: form.Expr, scope: Scope, given: Given) -> Sited:
    """`auth.on_app_init` with what the parameter `auth` was given."""
    owner = node.value if isinstance(node, form.Attr) else None
    bindings = scope.lookup(owner.id) if isinstance(owner, form.Name) else []
    known = given.get((bindings[0].scope, owner.id)) if isinstance(owner, form.Name) and bindings else None
    if known is None or not isinstance(node, form.Attr):
        return Sited(node, scope)
    moved = form.Attr(start=node.start, end=node.end, value=known[0], attr=node.attr, attr_start=node.attr_start)
    return Sited(moved, known[1])


def _is_anything(value: External | Instance) -> bool:
    """What only an annotation such as `Any` tells of."""
    return isinstance(value, Instance) and value.type_name.startswith("typing.")


def _routes(context: Context) -> Iterable[Route]:
    return _Routes(context).all()


LITESTAR = Framework("Litestar", ("litestar",), routes=_routes, applications=_APPS)
