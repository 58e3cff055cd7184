"""gRPC servers, and the interceptors through which every call of a server goes."""

from __future__ import annotations

from collections.abc import Iterator

from assay.scanner.dataflow.constants import Given, list_items
from assay.scanner.dataflow.expansion import expansions, resolved
from assay.scanner.framework import Context, Guard, Sited
from assay.scanner.frameworks.grpc.exemptions import asks_the_definition, lets_pass
from assay.scanner.frameworks.grpc.refusals import refusal_by
from assay.scanner.linker.scopes import ClassSymbol, Scope
from assay.scanner.linker.values import Instance
from assay.scanner.model.place import Evidence
from assay.scanner.model.role import Role
from assay.scanner.readers.python import form

SERVERS = frozenset({"grpc.server", "grpc.aio.server"})
_INTERCEPTING = ("intercept_service", "intercept")
_ADDING = ("append", "insert")


class Servers:
    """All servers of a project."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._project = context.project
        self._known: dict[form.Call | None, list[tuple[ClassSymbol, Evidence]]] = {}
        self._made = [
            made
            for call, scope in context.project.calls_named("server")
            if isinstance(made := context.project.infer(call, scope), Instance) and made.type_name in SERVERS
        ]

    def of(self, site: Sited | None, given: Given) -> Instance | None:
        """The server that an expression stands for; where that can't be told, the only one of production code."""
        value = resolved(site.node, site.scope, self._project, given) if site is not None else None
        if isinstance(value, Instance) and value.origin is not None and value.type_name in SERVERS:
            return value
        made = [s for s in self._made if s.scope is not None and s.scope.module.role is Role.PROD]
        return made[0] if len(made) == 1 else None

    def guards(self, server: Instance, path: str) -> Iterator[Guard]:
        """The server's interceptors that turn callers of the method at this path away."""
        for cls, refused in self._refusing(server):
            methods = [m for name in _INTERCEPTING if (m := self._project.method(cls, name)) is not None]
            if not any(lets_pass(method, path, self._project) for method in methods):
                yield Guard(cls.name, refused)

    def _refusing(self, server: Instance) -> list[tuple[ClassSymbol, Evidence]]:
        """The classes of interceptors that turn callers away, worked out once for a server."""
        if server.origin not in self._known:
            told = [(made.cls, refusal_by(made, self._project)) for made in self._interceptors(server)]
            found = [(cls, refused) for cls, refused in told if cls is not None and refused is not None]
            for cls, _ in found:
                if asks_the_definition(cls, self._project):
                    said = "is said by options of the definition, which aren't read"
                    self._context.unresolved(cls.location, f"which methods {cls.name} lets pass {said}")
            self._known[server.origin] = found
        return self._known[server.origin]

    def _interceptors(self, server: Instance) -> Iterator[Instance]:
        """Those that the server is made with, from whatever caller of the function that makes it."""
        listed, scope = server.origin.argument(2, "interceptors") if server.origin is not None else None, server.scope
        if server.origin is None or listed is None or scope is None:
            return
        for given in expansions(server.origin, scope, self._project):
            sites = [Sited(*item) for item in list_items(listed, scope, self._project, given)]
            for site in [*sites, *self._appended(listed, scope)]:
                made = resolved(site.node, site.scope, self._project, given)
                if isinstance(made, Instance):
                    yield made

    def _appended(self, listed: form.Expr, scope: Scope) -> Iterator[Sited]:
        """What is put into a list by that name afterwards."""
        if not isinstance(listed, form.Name):
            return
        for call, inner in self._project.calls_named(*_ADDING):
            owner = call.func.value if isinstance(call.func, form.Attr) else None
            if isinstance(owner, form.Name) and owner.id == listed.id and inner is scope and call.positional:
                yield Sited(call.positional[-1], inner)
