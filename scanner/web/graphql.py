"""GraphQL endpoints: routes of any web framework that serve a schema, and the root fields that it offers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TypeAlias

from assay.scanner.dataflow.expansion import resolved
from assay.scanner.framework import Context, Route, Sited, frameworks
from assay.scanner.linker.project import last_name
from assay.scanner.linker.scopes import FunctionSymbol
from assay.scanner.linker.values import Instance, Value
from assay.scanner.model.endpoint import EndpointKind
from assay.scanner.readers.python import form
from assay.scanner.web.ready_made import ready_made_router, ready_made_view

_SchemaOf: TypeAlias = Callable[[Instance, Context], "tuple[str, ...] | None"]

_DEEPEST = 5
"""Calls around a schema: a view, its `as_view()`, decorators around that."""
_EXECUTING = frozenset(
    {"graphql", "graphql_sync", "execute", "execute_sync", "execute_async", "handle_request", "as_view"}
)
"""Functions and methods by which a handler has a schema, or a view of one, answer the request."""


def as_graphql(route: Route, context: Context) -> Route:
    """The route with the operations of the schema that it serves; the route itself where it serves none."""
    libraries = _libraries(context)
    if not libraries or route.kind is EndpointKind.WEBSOCKET:
        return route
    objects = [found for site in _sites(route, context) for found in _objects(site, context, _DEEPEST)]
    offered = (schema_of(found, context) for found in objects for schema_of in libraries)
    operations = next((o for o in offered if o is not None), None)
    if operations is None:
        if not any(_is_view(o, context) for o in (route.view_class, *(objects if route.mounted is not None else ()))):
            return route
        context.unresolved(route.location, f"which GraphQL schema {route.path} serves can't be told")
    return replace(route, kind=EndpointKind.GRAPHQL, operations=operations or (), returns_collection=False)


def _is_view(value: Value | None, context: Context) -> bool:
    """Whether a class or object is a library's view or router that serves a schema."""
    made = ready_made_view(value, context.project) or ready_made_router(value, context.project)
    return made is not None and made.is_graphql


def _sites(route: Route, context: Context) -> Iterator[Sited]:
    """The expressions that a route may have its schema from, the nearest first."""
    if route.view_class is not None and _is_view(route.view_class, context):
        own = context.project.class_attribute(route.view_class, "schema")
        if own is not None:
            yield Sited(*own)
    if route.mounted is not None:
        yield route.mounted
    if route.handler is not None:
        yield from _executed(route.handler, context)


def _executed(handler: FunctionSymbol, context: Context) -> Iterator[Sited]:
    """What a handler has answer the request: `graphql_sync(schema, data)`, `schema.execute(...)`, `View.as_view()`."""
    for call in handler.walk():
        if not isinstance(call, form.Call) or last_name(call.func) not in _EXECUTING:
            continue
        if isinstance(call.func, form.Attr) and call.func.attr != "as_view":
            yield Sited(call.func.value, handler.scope)
        elif _is_view(context.project.infer(call, handler.scope), context):
            yield Sited(call, handler.scope)
        given = call.argument(0, "schema")
        if given is not None:
            yield Sited(given, handler.scope)


def _objects(site: Sited, context: Context, depth: int) -> Iterator[Instance]:
    """The object that an expression stands for, and those that it is made with."""
    value = resolved(site.node, site.scope, context.project, {})
    if not depth:
        return
    if not isinstance(value, Instance):
        if isinstance(site.node, form.Attr):  # `schema.graphql_schema`
            yield from _objects(Sited(site.node.value, site.scope), context, depth - 1)
        return
    yield value
    if value.origin is not None and value.scope is not None:
        for arg in value.origin.args:
            if arg.name in (None, "schema"):
                yield from _objects(Sited(arg.value, value.scope), context, depth - 1)


def _libraries(context: Context) -> list[_SchemaOf]:
    """How each GraphQL library that the project uses tells what its schemas offer."""
    used = (f for f in frameworks() if not context.project.imported_packages.isdisjoint(f.packages))
    return [f.schema for f in used if f.schema is not None]
