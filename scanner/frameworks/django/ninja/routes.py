"""Django Ninja: the operations of APIs, routers and controllers, and the routes that come of them
(https://django-ninja.dev/guides/routers/).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from assay.scanner.dataflow.constants import constant, string_items
from assay.scanner.dataflow.expansion import expansions
from assay.scanner.framework import AboveRoute, BodyType, Context, Framework, Guard, Route, Sited
from assay.scanner.frameworks.django.guards import function_guards, unfollowed_wrappers, wrapper_guards
from assay.scanner.frameworks.django.middleware import middleware_guards, unfollowed_middleware
from assay.scanner.frameworks.django.ninja.apis import Level, NinjaApis, Place
from assay.scanner.frameworks.django.ninja.operations import parameters, request_model, request_types, responses, tags
from assay.scanner.frameworks.django.ninja.pagination import Paginator, default_name, page_sizes, paginator_of
from assay.scanner.frameworks.django.ninja.security import guards, opened, permissions, rate_limits
from assay.scanner.frameworks.django.views import View, kind_of
from assay.scanner.linker.project import last_name
from assay.scanner.linker.scopes import FunctionSymbol, Scope
from assay.scanner.model.access import Access
from assay.scanner.model.endpoint import EndpointKind
from assay.scanner.readers.python import form
from assay.scanner.web.annotations import spelled
from assay.scanner.web.registrations import registrations

_VERBS = ("get", "post", "put", "patch", "delete")
_IN_CONTROLLERS = (*_VERBS, *(f"http_{verb}" for verb in _VERBS), "generic", "http_generic")
_EXTRA = ("ninja_extra.", "ninja_extra.route.")


@dataclass(frozen=True, slots=True, eq=False)
class _Operation:
    """A function that an API, router or controller calls, with the call that says so."""

    own: Level
    holder: form.Call
    function: FunctionSymbol
    methods: tuple[str, ...]
    path: str

    @property
    def scope(self) -> Scope:
        return self.own.scope


class _Routes:
    """The routes of one project."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._project = context.project
        self._apis = NinjaApis(context)

    def all(self) -> Iterator[Route]:
        for operation in (*self._added(), *self._in_controllers()):
            places = list(self._apis.places(operation.holder, operation.scope))
            if not places:
                location = operation.scope.module.location(operation.own.call)
                self._context.unresolved(location, "no URLconf leads to this operation")
            for place in places:
                yield self._route(operation, place)

    # --- operations ---

    def _added(self) -> Iterator[_Operation]:
        """`@api.get(path)`, `@router.api_operation([methods], path)`, `router.add_api_operation(...)`."""
        for found in (
            *registrations(self._project, (*_VERBS, "api_operation"), None, "view_func"),
            *registrations(self._project, ("add_api_operation",), 2, "view_func"),
        ):
            call, scope = found.call, found.scope
            if not isinstance(call.func, form.Attr):
                continue
            seen = set[tuple[form.Call, FunctionSymbol, tuple[str, ...], str]]()
            for given in expansions(call, scope, self._project):
                holder = self._apis.holder(call.func.value, scope, given)
                function = found.handled_by(self._project, given)
                if holder is not None and isinstance(function, FunctionSymbol):
                    operation = self._operation(Level(call, scope, given), holder, function)
                    key = (holder, function, operation.methods, operation.path)
                    if key not in seen:
                        seen.add(key)
                        yield operation

    def _in_controllers(self) -> Iterator[_Operation]:
        """`@http_get(path)` and `@route.get(path)` in a class of Django Ninja Extra."""
        for cls in self._project.classes if "ninja_extra" in self._project.imported_packages else ():
            holder = self._apis.controller(cls)
            for function in cls.methods.values() if holder is not None else ():
                for decorator in function.decorators:
                    name = (
                        self._project.callee_name(decorator, function.outer) if isinstance(decorator, form.Call) else ""
                    )
                    is_route = (name or "").startswith(_EXTRA) and (name or "").rsplit(".", 1)[-1] in _IN_CONTROLLERS
                    if is_route and isinstance(decorator, form.Call) and holder is not None:
                        yield self._operation(Level(decorator, function.outer, {}), holder, function)

    def _operation(self, own: Level, holder: form.Call, function: FunctionSymbol) -> _Operation:
        name = (last_name(own.call.func) or "").removeprefix("http_")
        if name in _VERBS:
            path = self._apis.text(own.call.argument(0, "path"), own.scope, own.given)
            return _Operation(own, holder, function, (name.upper(),), path)
        is_direct = name in ("add_api_operation", "generic")
        listed = own.call.argument(1 if is_direct else 0, "methods")
        stated = string_items(listed, own.scope, self._project, own.given) if listed is not None else []
        if not stated or None in stated:
            self._context.unresolved(own.scope.module.location(own.call), "the methods of this operation can't be told")
        path = self._apis.text(own.call.argument(0 if is_direct else 1, "path"), own.scope, own.given)
        methods = tuple(method.upper() for method in stated if method is not None)
        return _Operation(own, holder, function, methods or ("ANY",), path)

    # --- routes ---

    def _route(self, found: _Operation, place: Place) -> Route:
        function, project = found.function, self._project
        path, levels = place.path(found.path), (found.own, *place.levels)
        declared = responses(found.own, project)
        body = declared.content(project)
        paginator = self._paginator(found, place, is_list=bool(body.is_collection))
        deprecated, summary = found.own.stated("deprecated"), found.own.stated("summary")
        return Route(
            methods=found.methods,
            path=path,
            handler=function,
            handler_name=function.id,
            location=function.location,
            framework="django-ninja",
            role=function.module.role,
            kind=self._kind(function, is_declared=declared.model is not None),
            guards=tuple(dict.fromkeys([*self._asked(found, levels), *self._around(function, place, path)])),
            unresolved_guards=(
                *unfollowed_middleware(View(function=function), place.served.settings, self._project),
                *unfollowed_wrappers(place.served.wrappers, self._project),
            ),
            opened=opened(levels),
            above=self._above(place),
            rate_limits=tuple(rate_limits(levels, project)),
            tags=tags(found.own, place, project),
            summary=self._text(summary),
            is_deprecated=self._is(deprecated, True),
            is_hidden=any(self._is(level.stated("include_in_schema"), False) for level in levels),
            request_model=request_model(function, path, project),
            response_model=spelled(declared.model.node) if declared.model is not None else None,
            request_types=request_types(function, path, project),
            parameters=parameters(function, path, project),
            response_types=(BodyType(declared.model),) if declared.model is not None else (),
            status_codes=declared.status_codes,
            returns_collection=body.is_collection,
            collection=body.of,
            paginators=(paginator.evidence,) if paginator is not None else (),
            page_sizes=page_sizes(paginator, function, project) if paginator is not None else (),
            view_class=function.owner,
            application=place.api,
            steps=(*place.steps, Sited(found.own.call, found.own.scope)),
        )

    def _above(self, place: Place) -> AboveRoute | None:
        """What its routers and its API ask of callers."""
        if place.api is None:
            return None
        is_closed = bool(guards(place.levels, self._project))
        text = "asks nobody who they are, where an operation says nothing"
        evidence = place.api.module.evidence(place.api.node, "asks who is calling" if is_closed else text)
        return AboveRoute("Django Ninja", Access.CLOSED if is_closed else Access.OPEN, evidence, has_setting=True)

    def _asked(self, found: _Operation, levels: tuple[Level, ...]) -> list[Guard]:
        """The nearest authentication, and a controller's permissions."""
        return [*guards(levels, self._project), *permissions(levels, found.methods, self._project)]

    def _around(self, function: FunctionSymbol, place: Place, path: str) -> list[Guard]:
        """Middleware, the URLconf's decorators, the function's own, and the check that it makes itself."""
        return [
            *middleware_guards(View(function=function), place.served.settings, self._project, path),
            *wrapper_guards(place.served.wrappers, self._project),
            *function_guards(function, self._project),
        ]

    def _paginator(self, found: _Operation, place: Place, *, is_list: bool) -> Paginator | None:
        """The one that a decorator names; a `RouterPaginated` paginates each operation that declares a list."""
        settings = place.served.settings
        decorated = paginator_of(found.function, settings, self._project)
        if decorated is None and is_list and self._apis.paginates(found.holder):
            stated = Sited(found.own.call, found.scope)
            return Paginator(default_name(settings, self._project), stated, settings)
        return decorated

    def _kind(self, function: FunctionSymbol, *, is_declared: bool) -> EndpointKind:
        told = kind_of(View(function=function), function, self._project) if not is_declared else None
        return told or EndpointKind.JSON

    def _text(self, stated: Sited | None) -> str | None:
        found = constant(stated.node, stated.scope, self._project) if stated is not None else None
        return found.value if found is not None and isinstance(found.value, str) else None

    def _is(self, stated: Sited | None, switch: bool) -> bool:
        found = constant(stated.node, stated.scope, self._project) if stated is not None else None
        return found is not None and found.value is switch


def _routes(context: Context) -> Iterable[Route]:
    return _Routes(context).all()


NINJA = Framework("Django Ninja", ("ninja", "ninja_extra"), routes=_routes)
