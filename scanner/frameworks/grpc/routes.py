"""gRPC: the methods of the servicers that are added to servers (https://grpc.io/docs/languages/python/basics/)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from assay.scanner.dataflow.constants import Given, string_value
from assay.scanner.dataflow.expansion import arguments, expansions, resolved
from assay.scanner.framework import Context, Framework, Guard, Route, Sited
from assay.scanner.frameworks.grpc.contracts import Rpc, defined, registered
from assay.scanner.frameworks.grpc.refusals import own_guards
from assay.scanner.frameworks.grpc.servers import SERVERS, Servers
from assay.scanner.linker.project import last_name
from assay.scanner.linker.scopes import ClassSymbol, FunctionSymbol, Scope
from assay.scanner.linker.values import External, Instance
from assay.scanner.model.role import Role
from assay.scanner.readers.python import form

_ADDING = re.compile(r"add_(?P<service>\w+?)(Servicer)?_to_server")
_OWN = ("grpc_health.", "grpc_reflection.", "grpc_channelz.", "grpc_admin.", "grpc_csds.", "grpc_status.")
"""Packages whose services are gRPC's own: health, reflection and the like."""


@dataclass(frozen=True, slots=True, eq=False)
class _Placement:
    """Where a service is put on a server. `server` and `servicer` are None where the code doesn't name them."""

    site: Sited
    server: Sited | None
    servicer: Sited | None
    given: Given


class _Routes:
    """The routes of one project."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._project = context.project
        self._servers = Servers(context)

    def all(self) -> Iterator[Route]:
        """Each method once, however often the code around a server is called."""
        seen = set[tuple[str, str, Role]]()
        for route in [*self._by_generated_code(), *self._by_definitions()]:
            key = (route.path, route.handler_name, route.role)
            if key not in seen:
                seen.add(key)
                yield route

    # --- where services come from ---

    def _by_generated_code(self) -> Iterator[Route]:
        """Services whose handlers are put together in the tree: by protoc's code, once for each place that calls it."""
        for call, scope in self._project.calls_named("method_handlers_generic_handler"):
            placements = list(self._placements(call, scope))
            if not placements:
                self._say_unused(call, scope)
            for rpc in registered(call, scope, self._context) if placements else ():
                for placement in placements:
                    yield self._route(rpc, placement)

    def _placements(self, call: form.Call, scope: Scope) -> Iterator[_Placement]:
        """The calls of the function that puts a service together; the place itself where that takes no arguments."""
        function = scope.function
        if function is None or not function.parameters:
            yield _Placement(Sited(call, scope), self._receiver(scope), None, {})
            return
        for caller, around in self._project.callers(function):
            for outer in expansions(caller, around, self._project):
                given = {**outer, **arguments(caller, around, function, self._project)}
                yield _Placement(Sited(caller, around), self._receiver(scope), None, given)

    def _say_unused(self, call: form.Call, scope: Scope) -> None:
        """Generated code that nothing calls is another service's, unless a servicer is written for it."""
        added = _ADDING.fullmatch(scope.function.name) if scope.function is not None else None
        base = scope.module.scope.bindings.get(f"{added['service']}Servicer") if added is not None else None
        cls = base[-1].cls if base else None
        for servicer in self._project.subclasses(cls) if cls is not None else ():
            if servicer.module.role is Role.PROD:
                service = call.argument(0, "service")
                name = string_value(service, scope, self._project) if service is not None else None
                self._context.unresolved(servicer.location, f"no server was seen to take this servicer of {name}")

    def _receiver(self, scope: Scope) -> Sited | None:
        """The server that a function adds handlers to."""
        for node in scope.function.walk() if scope.function is not None else ():
            if isinstance(node, form.Call) and last_name(node.func) == "add_generic_rpc_handlers":
                return Sited(node.func.value, scope) if isinstance(node.func, form.Attr) else None
        return None

    def _by_definitions(self) -> Iterator[Route]:
        """Services that are added by code which isn't in the tree, because the build makes it."""
        for call, scope in self._project.calls:
            added = _ADDING.fullmatch(last_name(call.func) or "")
            callee = self._project.infer(call.func, scope) if added is not None else None
            if added is None or isinstance(callee, FunctionSymbol):
                continue
            full_name = callee.name if isinstance(callee, External) else form.dotted(call.func) or ""
            if not full_name.startswith(_OWN):
                yield from self._defined(call, scope, added["service"], full_name)

    def _defined(self, call: form.Call, scope: Scope, service: str, full_name: str) -> Iterator[Route]:
        module = full_name.split(".")[-2] if "." in full_name else ""
        methods = defined(service, module.removesuffix("_grpc").removesuffix("_pb2"), self._context.files)
        if not methods:
            message = f"the package of {service} can't be told: neither its definition nor its generated code is here"
            self._context.unresolved(scope.module.location(call), message)
        servicer, server = call.argument(0, "servicer"), call.argument(1, "server")
        for given in expansions(call, scope, self._project):
            placement = _Placement(
                Sited(call, scope),
                Sited(server, scope) if server is not None else None,
                Sited(servicer, scope) if servicer is not None else None,
                given,
            )
            for rpc in methods or self._written(service, placement):
                yield self._route(rpc, placement)

    def _written(self, service: str, placement: _Placement) -> Iterator[Rpc]:
        """The methods that a servicer has: without a definition, those that take a request and a context."""
        cls = self._class_of(placement.servicer, placement.given)
        bases = self._project.mro(cls) if cls is not None else ()
        methods = {n: m for base in reversed(bases) if isinstance(base, ClassSymbol) for n, m in base.methods.items()}
        for name, method in sorted(methods.items()):
            if not name.startswith("_") and len(method.parameters) == len(("request", "context")):
                yield Rpc(service, name, None, None)

    # --- routes ---

    def _route(self, rpc: Rpc, placement: _Placement) -> Route:
        function, name = self._answer(rpc, placement)
        guards = self._guards(rpc, function, placement)
        return rpc.route(function, name, placement.site, guards, "grpc")

    def _answer(self, rpc: Rpc, placement: _Placement) -> tuple[FunctionSymbol | None, str]:
        """The function that answers a method, and its name; what a servicer doesn't define, its generated base does."""
        servicer, name = placement.servicer, rpc.name
        if servicer is None and rpc.behavior is not None:
            if not isinstance(rpc.behavior.node, form.Attr):
                value = resolved(rpc.behavior.node, rpc.behavior.scope, self._project, placement.given)
                return (value, value.id) if isinstance(value, FunctionSymbol) else (None, "unknown")
            servicer, name = Sited(rpc.behavior.node.value, rpc.behavior.scope), rpc.behavior.node.attr
        cls = self._class_of(servicer, placement.given)
        if cls is None:
            where = placement.site.module.location(placement.site.node)
            self._context.unresolved(where, f"what answers the methods of {rpc.service} can't be told")
            return None, "unknown"
        function = self._project.method(cls, name)
        return function, function.id if function is not None else f"{cls.id}.{name}"

    def _class_of(self, servicer: Sited | None, given: Given) -> ClassSymbol | None:
        value = resolved(servicer.node, servicer.scope, self._project, given) if servicer is not None else None
        cls = value.cls if isinstance(value, Instance) else value
        return cls if isinstance(cls, ClassSymbol) else None

    def _guards(self, rpc: Rpc, function: FunctionSymbol | None, placement: _Placement) -> Iterator[Guard]:
        server = self._servers.of(placement.server, placement.given)
        if server is not None:
            yield from self._servers.guards(server, rpc.path)
        if function is not None:
            yield from own_guards(function, self._project)


def _routes(context: Context) -> Iterable[Route]:
    return _Routes(context).all()


GRPC = Framework("gRPC", ("grpc",), routes=_routes, applications=SERVERS)
