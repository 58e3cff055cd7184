"""grpclib, with classes that protoc's plugin or betterproto generates: the services that a server is made with
(https://grpclib.readthedocs.io/en/latest/server.html).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from assay.scanner.dataflow.constants import list_items, string_value
from assay.scanner.dataflow.expansion import expansions, resolved
from assay.scanner.framework import Context, Framework, Route, Sited
from assay.scanner.frameworks.grpc.contracts import Rpc, defined
from assay.scanner.frameworks.grpc.refusals import own_guards
from assay.scanner.linker.project import Project, last_name, last_part
from assay.scanner.linker.scopes import ClassSymbol, FunctionSymbol
from assay.scanner.linker.values import External, Instance
from assay.scanner.readers.python import form

_SERVERS = frozenset({"grpclib.server.Server"})
_GENERATED = "__rpc_"
"""What betterproto puts before the name of a method that unpacks a request for the servicer's own."""
_WORD = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


def _routes(context: Context) -> Iterable[Route]:
    project = context.project
    for call, scope in project.calls_named("Server"):
        handlers = call.argument(0, "handlers")
        if project.callee_name(call, scope) not in _SERVERS or handlers is None:
            continue
        for given in expansions(call, scope, project):
            for node, inner in list_items(handlers, scope, project, given):
                servicer = resolved(node, inner, project, given)
                if isinstance(servicer, Instance) and servicer.cls is not None:
                    yield from _of_servicer(servicer.cls, Sited(node, inner), context)
                elif not (isinstance(servicer, Instance) and servicer.type_name.startswith("grpclib.")):
                    context.unresolved(inner.module.location(node), "what this server offers can't be told")


def _of_servicer(cls: ClassSymbol, site: Sited, context: Context) -> Iterator[Route]:
    mapping = context.project.method(cls, "__mapping__")
    methods = list(_mapped(mapping, context.project) if mapping is not None else _defined(cls, context))
    if not methods:
        context.unresolved(site.module.location(site.node), f"the methods of {cls.name} can't be told")
    for rpc, name in methods:
        function = context.project.method(cls, name)
        handler_name = function.id if function is not None else f"{cls.id}.{name}"
        guards = own_guards(function, context.project) if function is not None else ()
        yield rpc.route(function, handler_name, site, guards, "grpclib")


def _mapped(mapping: FunctionSymbol, project: Project) -> Iterator[tuple[Rpc, str]]:
    """The methods of generated code, each with the name of the function that answers it:
    `{"/shop.Orders/Get": grpclib.const.Handler(self.Get, Cardinality.UNARY_UNARY, GetRequest, Order)}`.
    """
    for returned in mapping.returns:
        node = returned.value
        for key, value in zip(node.keys, node.values, strict=True) if isinstance(node, form.Dict) else ():
            path = string_value(key, mapping.scope, project) if key is not None else None
            if path is None or not isinstance(value, form.Call) or len(value.positional) < 4:
                continue
            function, cardinality, request, response = value.positional[:4]
            sends, _, receives = (last_name(cardinality) or "").partition("_")
            service, _, method = path.strip("/").rpartition("/")
            rpc = Rpc(service, method, _message(request, sends), _message(response, receives))
            yield rpc, (last_name(function) or method).removeprefix(_GENERATED)


def _message(node: form.Expr, cardinality: str) -> str:
    name = last_name(node) or "unknown"
    return f"stream {name}" if cardinality == "STREAM" else name


def _defined(cls: ClassSymbol, context: Context) -> Iterator[tuple[Rpc, str]]:
    """The methods of the definition that the servicer's base is generated from, where the build makes that."""
    for name in _base_names(cls, context.project):
        module, _, base = name.rpartition(".")
        stem = last_part(module).removesuffix("_grpc")
        for rpc in defined(base.removesuffix("Base"), stem, context.files) if base.endswith("Base") else ():
            is_plain = context.project.method(cls, rpc.name) is not None
            yield rpc, rpc.name if is_plain else _WORD.sub("_", rpc.name).lower()


def _base_names(cls: ClassSymbol, project: Project) -> Iterator[str]:
    """The classes that it derives from and that aren't in the tree, as far as names tell."""
    for base in project.mro(cls):
        for arg in base.node.bases if isinstance(base, ClassSymbol) else ():
            value = project.infer(arg.value, cls.outer)
            if not isinstance(value, ClassSymbol):
                yield value.name if isinstance(value, External) else form.dotted(arg.value) or ""


GRPCLIB = Framework("grpclib", ("grpclib",), routes=_routes, applications=_SERVERS)
