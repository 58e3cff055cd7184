"""Flask: routes of apps and blueprints, function views and class-based ones
(https://flask.palletsprojects.com/api/#url-route-registrations).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from assay.scanner.dataflow.constants import Given, definitions, string_items, string_value
from assay.scanner.dataflow.expansion import expansions, resolved
from assay.scanner.framework import Context, Framework, Guard, Route, Sited
from assay.scanner.frameworks.flask.apps import APPS, FlaskApps, joined
from assay.scanner.frameworks.flask.guards import guards_of, guards_of_class, guards_of_handler
from assay.scanner.frameworks.flask.views import answer_kind, lists_by_schema, paginating_decorators, verb_methods
from assay.scanner.linker.scopes import ClassSymbol, FunctionSymbol, Scope
from assay.scanner.linker.values import BoundMethod, External
from assay.scanner.readers.python import form

_VERBS = ("get", "post", "put", "patch", "delete")
_AUTOMATIC = ("HEAD", "OPTIONS")


@dataclass(frozen=True, slots=True, eq=False)
class _View:
    """What answers: a function, or a class's method; with the guards that its registration wraps around it."""

    function: FunctionSymbol | None
    cls: ClassSymbol | None
    name: str
    guards: tuple[Guard, ...]
    methods: tuple[str, ...] | None = None


class _Routes:
    """The routes of one project."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._project = context.project
        self._apps = FlaskApps(context)

    def all(self) -> Iterator[Route]:
        functions = {d: f for f in self._project.functions for d in f.decorators}
        classes = {d: c for c in self._project.classes for d in c.node.decorators}
        applied = {c.func: c for c, _ in self._project.calls if isinstance(c.func, form.Call)}
        for call, scope in self._project.calls_named("route", *_VERBS):
            if call in functions:
                yield from self._registered(call, scope, self._function_view(functions[call], call))
            elif call in classes:
                yield from self._registered(call, scope, self._class_views(classes[call], ()))
            elif call in applied and applied[call].positional:
                handler = applied[call].positional[0]
                yield from self._registered(call, scope, None, handler)
        for call, scope in self._project.calls_named("add_url_rule"):
            view = call.argument(2, "view_func")
            if view is not None:
                yield from self._registered(call, scope, None, view)

    def _registered(
        self, call: form.Call, scope: Scope, views: list[_View] | None, handler: form.Expr | None = None
    ) -> Iterator[Route]:
        if not isinstance(call.func, form.Attr):
            return
        seen = set[tuple[form.Call, str]]()
        for given in expansions(call, scope, self._project):
            holder = self._apps.holder(call.func.value, scope, given)
            if holder is None and call.func.attr in ("route", "add_url_rule"):
                holder = self._apps.fallback(call.func.value, scope)
            if holder is None:
                continue
            rule = self._rule(call, scope, given)
            if (holder, rule) in seen:
                continue
            seen.add((holder, rule))
            known = views if views is not None else self._views(handler, scope, given)
            yield from self._placed(holder, rule, call, Sited(call, scope), given, known)

    def _rule(self, call: form.Call, scope: Scope, given: Given) -> str:
        node = call.argument(0, "rule")
        found = string_value(node, scope, self._project, given) if node is not None else ""
        if found is None:
            self._context.unresolved(scope.module.location(call), "this route's path can't be told")
        return found or ""

    def _placed(
        self, holder: form.Call, rule: str, call: form.Call, site: Sited, given: Given, views: list[_View]
    ) -> Iterator[Route]:
        placements = list(self._apps.placements(holder))
        if not placements:
            self._context.unresolved(site.module.location(call), "no app registers this route's blueprint")
        for placement in placements:
            for view in views:
                methods = self._methods(call, site.scope, given, view)
                if methods:
                    path = joined(placement.prefix, rule) or "/"
                    yield self._route(methods, path, view, site, placement.guards)

    def _route(
        self, methods: tuple[str, ...], path: str, view: _View, site: Sited, inherited: tuple[Guard, ...]
    ) -> Route:
        function = view.function
        return Route(
            methods=methods,
            path=path,
            handler=function,
            handler_name=view.name,
            location=function.location if function is not None else site.module.location(site.node),
            framework="flask",
            role=site.module.role,
            kind=answer_kind(function, self._project),
            guards=(*inherited, *view.guards),
            returns_collection=lists_by_schema(function),
            paginators=paginating_decorators(function, self._project),
            view_class=view.cls,
        )

    def _methods(self, call: form.Call, scope: Scope, given: Given, view: _View) -> tuple[str, ...]:
        name = call.func.attr if isinstance(call.func, form.Attr) else ""
        if name in _VERBS:
            return (name.upper(),)
        listed = call.keyword("methods")
        found = string_items(listed, scope, self._project, given) if listed is not None else []
        stated = tuple(method.upper() for method in found if method is not None)
        if view.methods is not None:
            return tuple(m for m in view.methods if not stated or m in stated)
        return tuple(m for m in stated if m not in _AUTOMATIC or len(stated) == 1) or ("GET",)

    # --- views ---

    def _function_view(self, function: FunctionSymbol, route: form.Expr) -> list[_View]:
        """Only decorators below `route` act: those above wrap a function that Flask no longer asks for."""
        decorators = function.decorators[function.decorators.index(route) + 1 :]
        guards = guards_of_handler(function, decorators, self._project)
        return [_View(function, None, function.id, tuple(guards))]

    def _class_views(self, cls: ClassSymbol, around: tuple[Guard, ...]) -> list[_View]:
        found = []
        for verb, method in verb_methods(cls, self._project):
            own = guards_of_handler(method, method.decorators, self._project)
            guards = (*around, *guards_of_class(cls, verb.lower(), self._project), *own)
            found.append(_View(method, cls, f"{cls.id}.{method.name}", guards, (verb,)))
        dispatch = self._project.method(cls, "dispatch_request")
        if not found and dispatch is not None:
            stated = self._project.class_attribute(cls, "methods")
            methods = [m.upper() for m in string_items(*stated, self._project) if m] if stated is not None else ["GET"]
            guards = (*around, *guards_of_class(cls, "", self._project))
            found.append(_View(dispatch, cls, f"{cls.id}.dispatch_request", guards, tuple(methods)))
        return found

    def _views(
        self, node: form.Expr | None, scope: Scope, given: Given, around: tuple[Guard, ...] = (), depth: int = 5
    ) -> list[_View]:
        """What `view_func` stands for: a function, `View.as_view(...)`, or one of them in a decorator's call."""
        if node is None or not depth:
            return []
        if isinstance(node, form.Call) and isinstance(node.func, form.Attr) and node.func.attr == "as_view":
            cls = resolved(node.func.value, scope, self._project, given)
            return self._class_views(cls, around) if isinstance(cls, ClassSymbol) else []
        value = resolved(node, scope, self._project, given)
        if isinstance(node, form.Name | form.Attr):
            bindings = scope.lookup(node.id) if isinstance(node, form.Name) else []
            known = (
                given.get((bindings[0].scope, bindings[0].param.name if bindings[0].param else ""))
                if bindings
                else None
            )
            for expression, inner in [known] if known is not None else definitions(node, scope, self._project):
                found = self._views(expression, inner, given, around, depth - 1)
                if found:
                    return found
        function = value.function if isinstance(value, BoundMethod) else value
        if isinstance(function, FunctionSymbol) and not isinstance(node, form.Call):
            guards = (*around, *guards_of_handler(function, function.decorators, self._project))
            return [_View(function, None, function.id, guards)]
        if isinstance(node, form.Call) and node.positional:
            wrapped = tuple(guards_of([node.func], scope, self._project))
            return self._views(node.positional[0], scope, given, (*around, *wrapped), depth - 1)
        name = value.name if isinstance(value, External) else form.dotted(node)
        return [_View(None, None, name or "unknown", around)]


def _routes(context: Context) -> Iterable[Route]:
    return _Routes(context).all()


FLASK = Framework("Flask", ("flask", "quart", "apiflask", "flask_smorest"), routes=_routes, applications=APPS)
