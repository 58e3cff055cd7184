"""FastAPI's and Starlette's middleware: what runs around all routes of an app, router, mount or route, and which of it
turns callers away (https://www.starlette.io/middleware/).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from assay.scanner.dataflow.asked import Asked
from assay.scanner.dataflow.constants import list_items
from assay.scanner.dataflow.expansion import expansions
from assay.scanner.dataflow.refusals.strangers import refusal_of_strangers
from assay.scanner.framework import Guard, Sited
from assay.scanner.frameworks.fastapi.apps import FastApiApps
from assay.scanner.linker.project import Project, last_name
from assay.scanner.linker.scopes import ClassSymbol, FunctionSymbol, Scope
from assay.scanner.linker.values import Instance, Value
from assay.scanner.model.place import Evidence
from assay.scanner.readers.python import form
from assay.scanner.web.rate_limits import answers_too_many
from assay.scanner.web.registrations import registrations
from assay.scanner.web.unfollowed import hides_a_check, is_guard_by_name

_AUTHENTICATION = "AuthenticationMiddleware"
_HOOKS = ("dispatch", "__call__")


@dataclass(frozen=True, slots=True, eq=False)
class _Layer:
    """One middleware: its name, and the function of the project that sees each request, if it is one's own."""

    name: str
    hook: FunctionSymbol | None
    evidence: Evidence
    may_guard: bool = False
    """Whether it may turn callers away in what can't be followed."""


@dataclass(frozen=True, slots=True)
class Around:
    """What middleware adds to a route; `names` are those of all middlewares, the library's too."""

    guards: tuple[Guard, ...]
    limits: tuple[Guard, ...]
    names: frozenset[str]
    unresolved: tuple[Evidence, ...] = ()
    """Middleware that may turn callers away, though nobody saw it do so."""
    http_guards: tuple[Evidence, ...] = ()
    """Middleware that turns away HTTP callers, around a WebSocket that it never sees."""


class Middlewares:
    """The middleware of one project, by what it is put on."""

    def __init__(self, project: Project, apps: FastApiApps) -> None:
        self._project = project
        self._apps = apps
        self._added: dict[form.Call, list[_Layer]] = {}
        self._find_added()

    def _find_added(self) -> None:
        """`app.add_middleware(Class)`, `@app.middleware("http")`, `app.middleware("http")(function)`."""
        for call, scope in self._project.calls_named("add_middleware"):
            cls = call.argument(0, "middleware_class")
            if cls is None or not isinstance(call.func, form.Attr):
                continue
            layer = self._layer(Sited(cls, scope), call, scope.module.evidence(call, "runs before every route"))
            self._add(call.func.value, Sited(call, scope), layer)
        for each in registrations(self._project, {"middleware"}, None, "func"):
            hook = each.handled_by(self._project, {})
            if isinstance(hook, FunctionSymbol) and isinstance(each.call.func, form.Attr):
                evidence = each.scope.module.evidence(each.call, "runs before every route")
                self._add(
                    each.call.func.value,
                    Sited(each.call, each.scope),
                    _Layer(hook.name, hook, evidence, hides_a_check(hook, self._project)),
                )

    def _add(self, owner: form.Expr, site: Sited, layer: _Layer) -> None:
        for given in expansions(site.node, site.scope, self._project) if isinstance(site.node, form.Call) else ():
            holder = self._apps.holder(owner, site.scope, given)
            if holder is not None and layer not in self._added.setdefault(holder, []):
                self._added[holder].append(layer)

    def _layer(self, named: Sited, options: form.Call, evidence: Evidence) -> _Layer:
        cls = self._project.infer(named.node, named.scope)
        name = last_name(named.node) or "middleware"
        hook = next((h for m in _HOOKS if (h := self._method(cls, m)) is not None), None)
        if name == _AUTHENTICATION and hook is None:
            backend = options.keyword("backend")
            made = self._project.infer(backend, named.scope) if backend is not None else None
            hook = self._method(made, "authenticate")
        unseen = is_guard_by_name(cls, name) if hook is None else hides_a_check(hook, self._project)
        return _Layer(name, hook, evidence, unseen)

    def _method(self, value: Value | None, name: str) -> FunctionSymbol | None:
        cls = value.cls if isinstance(value, Instance) else value
        return self._project.method(cls, name) if isinstance(cls, ClassSymbol) else None

    def _layers(self, holders: Iterable[form.Call], own: Sited) -> Iterator[_Layer]:
        """From the outside in: a mounted app runs inside the middleware of the app that it is mounted on."""
        for holder in holders:
            for wrapper in self._apps.wrapped_in.get(holder, ()):
                yield from self._listed([(wrapper.node, wrapper.scope)], is_made=True)
            yield from self._added.get(holder, ())
            for listed, scope, given in self._apps.options(holder, "middleware"):
                yield from self._listed(list_items(listed, scope, self._project, given))
        listed_here = own.node.keyword("middleware") if isinstance(own.node, form.Call) else None
        if listed_here is not None:
            yield from self._listed(list_items(listed_here, own.scope, self._project))

    def _listed(self, items: Iterable[tuple[form.Expr, Scope]], *, is_made: bool = False) -> Iterator[_Layer]:
        """`middleware=[Middleware(Class, option=...)]`; of one that is made already, `Class(app)`."""
        for item, scope in items:
            if not isinstance(item, form.Call):
                continue
            cls = item.func if is_made else item.argument(0, "cls")
            if cls is not None:
                yield self._layer(Sited(cls, scope), item, scope.module.evidence(item, "runs before every route"))

    def around(self, holders: Iterable[form.Call], own: Sited, asked: Asked, *, is_socket: bool = False) -> Around:
        """What the middleware around a route does to its callers; most of it never sees who connects to a WebSocket."""
        layers = list(self._layers(holders, own))
        of_http = [layer for layer in layers if is_socket and _is_of_http(layer.hook)]
        layers = [layer for layer in layers if layer not in of_http]
        hooks = [(layer, layer.hook) for layer in layers if layer.hook is not None]
        guards = [
            Guard(layer.name, found)
            for layer, hook in hooks
            if (found := refusal_of_strangers(hook, self._project, asked)) is not None
        ]
        limits = [Guard(layer.name, found) for layer, hook in hooks if (found := answers_too_many(hook, self._project))]
        unseen = [
            Evidence(layer.evidence.location, f"{layer.name} may turn callers away")
            for layer in layers
            if layer.may_guard
        ]
        asleep = [
            Evidence(layer.evidence.location, f"{layer.name} sees HTTP requests alone")
            for layer in of_http
            if layer.hook is not None and refusal_of_strangers(layer.hook, self._project, asked) is not None
        ]
        names = frozenset(layer.name for layer in layers)
        return Around(tuple(guards), tuple(limits), names, tuple(unseen), tuple(asleep))


def _is_of_http(hook: FunctionSymbol | None) -> bool:
    """Whether it is a `BaseHTTPMiddleware`'s, or lets all but HTTP pass."""
    if hook is None or hook.name == "authenticate":
        return False
    if hook.name != "__call__":
        return True
    texts = {node.value for node in hook.walk() if isinstance(node, form.Const) and isinstance(node.value, str)}
    return "http" in texts and "websocket" not in texts
