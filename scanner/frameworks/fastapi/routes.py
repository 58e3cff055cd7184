"""FastAPI and Starlette: the routes that come of what is registered on apps and routers
(https://fastapi.tiangolo.com/tutorial/bigger-applications/, https://www.starlette.io/routing/).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from assay.scanner.dataflow.asked import Asked
from assay.scanner.dataflow.constants import string_items
from assay.scanner.framework import AboveRoute, BodyType, Context, Framework, Guard, Route, Sited
from assay.scanner.frameworks.fastapi.apps import FastApiApps
from assay.scanner.frameworks.fastapi.declared import Declarations
from assay.scanner.frameworks.fastapi.dependencies import Closure, Dependencies
from assay.scanner.frameworks.fastapi.limits import SlowApi
from assay.scanner.frameworks.fastapi.middleware import Around, Middlewares
from assay.scanner.frameworks.fastapi.page_sizes import PageSizes
from assay.scanner.frameworks.fastapi.registrations import Registration, Registrations
from assay.scanner.frameworks.fastapi.responses import Body, Responses
from assay.scanner.linker.project import last_name
from assay.scanner.linker.scopes import FunctionSymbol
from assay.scanner.model.access import Access
from assay.scanner.model.endpoint import EndpointKind
from assay.scanner.model.place import Evidence
from assay.scanner.model.role import Role
from assay.scanner.readers.python import form
from assay.scanner.web.annotations import spelled
from assay.scanner.web.development import Development
from assay.scanner.web.guards import decorator_guards, own_check
from assay.scanner.web.lists import Item
from assay.scanner.web.mounting import Mount
from assay.scanner.web.paging import paging_decorators

_REQUIRES = frozenset({"starlette.authentication.requires", "fastapi.authentication.requires"})


class _Routes:
    """The routes of one project."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._project = context.project
        self._dependencies = Dependencies(self._project)
        self._responses = Responses(self._project)
        self._page_sizes = PageSizes(self._project, self._dependencies)
        self._declarations = Declarations(self._project, self._dependencies)
        self._apps = FastApiApps(context, self._dependencies)
        self._registrations = Registrations(context, self._apps)
        self._middlewares = Middlewares(self._project, self._apps)
        self._limits = SlowApi(self._project)
        self._development = Development(self._project)

    def all(self) -> Iterator[Route]:
        for registration in list(self._registrations.all()):
            chains = self._apps.chains(registration.holder)
            if not chains:
                place = registration.scope.module.location(registration.call)
                self._context.unresolved(place, "no app includes this route's router")
            for chain in chains:
                yield from self._routes(registration, chain)

    def _routes(self, found: Registration, chain: tuple[Mount, ...]) -> Iterator[Route]:
        """One for each method, because what middleware does may hang on it."""
        holders = [chain[0].parent, *(mount.child for mount in chain)] if chain else [found.holder]
        path = (self._apps.path(holders, chain, is_fastapi=found.is_fastapi) + found.path) or "/"
        function, module = found.handler, found.scope.module
        closure, body, declared = Closure(), Body(), None
        if found.is_fastapi:
            closure = self._closure(found, holders, chain)
            declared = self._declared_response(found)
            body = self._responses.body(declared)
        role = self._role(found, path, chain)

        def stated(name: str) -> list[Item]:
            return self._apps.stated(name, holders, chain, found.item) if found.is_fastapi else []

        for method in found.methods:
            around = self._middlewares.around(holders, found.site, Asked(path, method), is_socket=found.is_websocket)
            yield Route(
                methods=(method,),
                path=path,
                handler=function,
                handler_name=found.handler_name,
                location=function.location if function is not None else module.location(found.call),
                framework="fastapi" if found.is_fastapi else "starlette",
                role=role,
                kind=self._kind(found, declared),
                guards=(*around.guards, *closure.guards, *self._own_guards(found)),
                unresolved_guards=(*around.unresolved, *closure.unresolved),
                opened=closure.opened,
                http_guards=around.http_guards,
                above=self._above(holders, chain, around),
                runs_before=closure.runs,
                rate_limits=(
                    *around.limits,
                    *closure.limits,
                    *self._limits.of(found.decorators, found.scope, around.names),
                ),
                tags=self._declarations.tags(stated("tags")),
                summary=self._declarations.summary(stated("summary")),
                is_deprecated=self._declarations.is_deprecated(stated("deprecated")),
                request_model=self._declarations.request_model(closure.parameters, path),
                response_model=spelled(declared.node) if declared is not None else None,
                request_types=self._declarations.request_types(closure.parameters, path),
                parameters=self._declarations.parameters(closure.parameters, path),
                is_hidden=self._declarations.is_hidden(stated("include_in_schema")),
                response_types=self._response_types(found, declared),
                status_codes=self._declarations.status_codes(stated("status_code"), stated("responses")),
                returns_collection=body.returns_collection,
                collection=body.collection,
                paginators=(*body.paginators, *self._paginators(found)),
                page_sizes=self._page_sizes.among(closure.parameters, path),
                view_class=function.owner if function is not None else None,
                mounted=found.mounted,
                application=self._apps.application(holders, chain),
                steps=(*(mount.site for mount in chain), found.site),
            )

    def _above(self, holders: list[form.Call], chain: tuple[Mount, ...], around: Around) -> AboveRoute | None:
        """What middleware, apps, routers and inclusions ask of callers."""
        app = self._apps.application(holders, chain)
        inherited = self._apps.inherited(holders, chain)
        if app is None:
            return None
        access = Access.CLOSED if around.guards or inherited.guards else Access.OPEN
        if access is Access.OPEN and (around.unresolved or inherited.unresolved):
            access = Access.UNKNOWN
        return AboveRoute("FastAPI", access, app.module.evidence(app.node, "makes the application"))

    def _response_types(self, found: Registration, declared: Sited | None) -> tuple[BodyType, ...]:
        if declared is None:
            return ()
        only, without = (self._names(found, f"response_model_{word}") for word in ("include", "exclude"))
        return (BodyType(declared, only=only, without=without or frozenset()),)

    def _names(self, found: Registration, keyword: str) -> frozenset[str] | None:
        """The fields that `response_model_exclude={"password"}` names."""
        stated = found.call.keyword(keyword)
        names = string_items(stated, found.scope, self._project) if stated is not None else []
        return frozenset(name for name in names if name is not None) if stated is not None else None

    def _closure(self, found: Registration, holders: list[form.Call], chain: tuple[Mount, ...]) -> Closure:
        """Of all levels; a library's router makes its routes depend on its `context_getter`."""
        closure = self._apps.inherited(holders, chain) | self._apps.closure_of(found.item)
        context_getter = found.call.keyword("context_getter")
        if context_getter is not None:
            closure |= self._dependencies.on(Sited(context_getter, found.scope), Sited(context_getter, found.scope))
        return closure | (self._dependencies.of_handler(found.handler) if found.handler is not None else Closure())

    def _role(self, found: Registration, path: str, chain: tuple[Mount, ...]) -> Role:
        """What is served in development alone is said to be: it is no part of the service that users meet."""
        for site in (found.site, *(mount.site for mount in chain)):
            condition = self._development.condition(site.node, site.scope)
            if condition is not None:
                self._context.unresolved(condition.location, f"{path} is served in development only, and not listed")
                return Role.DEV
        return found.scope.module.role

    def _own_guards(self, found: Registration) -> list[Guard]:
        """`@requires`, decorators of the project that turn callers away, and the check in the handler itself."""
        if found.handler is None:
            return []
        guards = decorator_guards(found.decorators, found.handler.outer, self._project, _REQUIRES)
        return [*guards, *own_check(found.handler, self._project)]

    def _declared_response(self, found: Registration) -> Sited | None:
        model = found.call.keyword("response_model")
        if model is not None:
            return None if isinstance(model, form.Const) and model.value is None else Sited(model, found.scope)
        if found.handler is not None and found.handler.node.returns is not None:
            return Sited(found.handler.node.returns, found.handler.outer)
        return None

    def _kind(self, found: Registration, declared: Sited | None) -> EndpointKind | None:
        if found.is_websocket:
            return EndpointKind.WEBSOCKET
        response_class = found.call.keyword("response_class")
        shown = Sited(response_class, found.scope) if response_class is not None else declared
        return self._responses.kind(found.handler, shown, json_default=found.is_fastapi)

    def _paginators(self, found: Registration) -> Iterator[Evidence]:
        """fastapi-pagination's `paginate`, and decorators of the project that cut what the handler returns."""
        if found.handler is None:
            return
        yield from self._paginate_calls(found.handler)
        yield from paging_decorators(found.decorators, found.handler.outer, self._project)

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
