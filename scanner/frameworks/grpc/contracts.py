"""Contracts: the services that servers offer, with their methods, from generated code or from `.proto` files
(https://grpc.io/docs/languages/python/generated-code/).
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from assay.scanner.dataflow.constants import definitions, string_value
from assay.scanner.framework import Context, Guard, Route, Sited
from assay.scanner.linker.project import last_name, last_part
from assay.scanner.linker.scopes import FunctionSymbol, Scope
from assay.scanner.model.endpoint import EndpointKind
from assay.scanner.model.role import Role
from assay.scanner.readers.protobuf import ProtobufFacts, ServiceDefinition
from assay.scanner.readers.python import form
from assay.scanner.reading import Facts

_HANDLER_KINDS = {
    "unary_unary_rpc_method_handler": (False, False),
    "unary_stream_rpc_method_handler": (False, True),
    "stream_unary_rpc_method_handler": (True, False),
    "stream_stream_rpc_method_handler": (True, True),
}
"""The functions that make a method's handler, and whether requests and responses are streams."""


@dataclass(frozen=True, slots=True)
class Rpc:
    """One method of a service. `behavior` is what answers it, where code says so."""

    service: str
    name: str
    request: str | None
    response: str | None
    is_deprecated: bool = False
    behavior: Sited | None = None

    @property
    def path(self) -> str:
        """As it is on the wire."""
        return f"/{self.service}/{self.name}"

    def route(
        self, function: FunctionSymbol | None, name: str, site: Sited, guards: Iterable[Guard], framework: str
    ) -> Route:
        """The route of the method, answered by the function; `site` is where its service is put on a server."""
        is_written = function is not None and function.module.role is not Role.TOOL  # what protoc writes is a tool's
        return Route(
            methods=("POST",),
            path=self.path,
            handler=function,
            handler_name=name,
            location=function.location if function is not None and is_written else site.module.location(site.node),
            framework=framework,
            role=site.module.role,
            kind=EndpointKind.GRPC,
            guards=tuple(dict.fromkeys(guards)),
            is_deprecated=self.is_deprecated,
            request_model=self.request,
            response_model=self.response,
            view_class=function.owner if function is not None else None,
        )


def registered(call: form.Call, scope: Scope, context: Context) -> Iterator[Rpc]:
    """The methods of `grpc.method_handlers_generic_handler("shop.Orders", {"Get": ..., "List": ...})`."""
    service, handlers = call.argument(0, "service"), call.argument(1, "method_handlers")
    name = string_value(service, scope, context.project) if service is not None else None
    if name is None or handlers is None:
        context.unresolved(scope.module.location(call), "the name of this gRPC service can't be told")
        return
    deprecated = {m.name for s in _services(context.files) if s.name == name for m in s.methods if m.is_deprecated}
    found = [(handlers, scope), *definitions(handlers, scope, context.project)]
    for node, inner in found:
        for key, value in zip(node.keys, node.values, strict=True) if isinstance(node, form.Dict) else ():
            method = string_value(key, inner, context.project) if key is not None else None
            if method is not None and isinstance(value, form.Call):
                yield _registered_method(name, method, value, inner, is_deprecated=method in deprecated)
            else:
                context.unresolved(inner.module.location(value), "this method of a gRPC service can't be told")


def _registered_method(service: str, method: str, call: form.Call, scope: Scope, *, is_deprecated: bool) -> Rpc:
    sends, receives = _HANDLER_KINDS.get(last_name(call.func) or "", (False, False))
    behavior = call.argument(0, "behavior")
    return Rpc(
        service,
        method,
        _message(call.argument(1, "request_deserializer"), is_stream=sends),
        _message(call.argument(2, "response_serializer"), is_stream=receives),
        is_deprecated,
        Sited(behavior, scope) if behavior is not None else None,
    )


def _message(serializer: form.Expr | None, *, is_stream: bool) -> str | None:
    """`Order` of `orders__pb2.Order.FromString`."""
    name = last_name(serializer.value) if isinstance(serializer, form.Attr) else None
    return f"stream {name}" if name is not None and is_stream else name


def defined(name: str, stem: str, files: Mapping[str, Facts]) -> list[Rpc]:
    """The methods of the service of that name: of the `.proto` file that is called `stem`, or the only one that is so
    named; none where that isn't one service.
    """
    named = [(path, s) for path, s in _placed_services(files) if last_part(s.name) == name]
    beside = [s for path, s in named if posixpath.basename(path) == f"{stem}.proto"]
    services = list(dict.fromkeys(beside or [s for _, s in named]))
    if len({s.name for s in services}) != 1:
        return []
    return [
        Rpc(services[0].name, m.name, _last(m.request), _last(m.response), m.is_deprecated) for m in services[0].methods
    ]


def _last(spelled: str) -> str:
    """A message's own name, `stream` kept: generated code knows its package no more."""
    stream, _, name = spelled.rpartition(" ")
    return f"{stream} {last_part(name)}".strip()


def _placed_services(files: Mapping[str, Facts]) -> Iterator[tuple[str, ServiceDefinition]]:
    for path, facts in files.items():
        for service in facts.services if isinstance(facts, ProtobufFacts) else ():
            yield path, service


def _services(files: Mapping[str, Facts]) -> Iterator[ServiceDefinition]:
    return (service for _, service in _placed_services(files))
