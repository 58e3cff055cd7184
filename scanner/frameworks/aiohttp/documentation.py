"""What aiohttp-apispec's decorators declare of a handler
(https://aiohttp-apispec.readthedocs.io/en/latest/usage.html).
"""

from __future__ import annotations

from dataclasses import replace

from assay.scanner.dataflow.constants import constant, list_items, string_value
from assay.scanner.dataflow.status_codes import status_code
from assay.scanner.framework import BodyType, Route, Sited
from assay.scanner.linker.project import Project, last_part
from assay.scanner.linker.scopes import FunctionSymbol
from assay.scanner.readers.python import form

_REQUESTS = ("request_schema", "json_schema", "use_kwargs", "form_schema")
_RESPONSES = ("response_schema", "marshal_with")


def documented(route: Route, function: FunctionSymbol, project: Project) -> Route:
    """The route with tags, summary, models and statuses of the decorators."""
    for decorator in function.decorators:
        if not isinstance(decorator, form.Call):
            continue
        name = project.qualified_name(decorator.func, function.outer) or ""
        short = last_part(name) if name.startswith("aiohttp_apispec.") else ""
        if short == "docs":
            route = _described(route, decorator, function, project)
        elif short in _REQUESTS or short in _RESPONSES:
            schema = decorator.argument(0, "schema")
            route = _with_schema(route, schema, decorator, function, project, is_request=short in _REQUESTS)
    return route


def _described(route: Route, docs: form.Call, function: FunctionSymbol, project: Project) -> Route:
    scope = function.outer
    tags, summary, deprecated = (docs.keyword(name) for name in ("tags", "summary", "deprecated"))
    listed = [string_value(*item, project) for item in list_items(tags, scope, project)] if tags is not None else []
    known = constant(deprecated, scope, project) if deprecated is not None else None
    return replace(
        route,
        tags=tuple(tag for tag in listed if tag is not None) or route.tags,
        summary=string_value(summary, scope, project) if summary is not None else route.summary,
        is_deprecated=route.is_deprecated or (known is not None and known.value is True),
    )


def _with_schema(
    route: Route,
    schema: form.Expr | None,
    decorator: form.Call,
    function: FunctionSymbol,
    project: Project,
    *,
    is_request: bool,
) -> Route:
    named = schema.func if isinstance(schema, form.Call) else schema
    name = form.dotted(named) if named is not None else None
    if is_request:
        types = (BodyType(Sited(schema, function.outer)),) if schema is not None else ()
        return replace(route, request_model=name, request_types=(*route.request_types, *types))
    many = schema.keyword("many") if isinstance(schema, form.Call) else None
    is_many = isinstance(many, form.Const) and many.value is True
    stated = decorator.argument(1, "code")
    code = status_code(stated, function.outer, project) if stated is not None else 200
    if code is None or code >= 400:  # the shape of an error
        return replace(route, status_codes=(*route.status_codes, *([code] if code is not None else ())))
    return replace(
        route,
        response_model=name,
        status_codes=(code, *route.status_codes),
        returns_collection=True if is_many else route.returns_collection,
    )
