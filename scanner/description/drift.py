"""Where a committed OpenAPI document and the code differ: operations, parameters, bodies, statuses, security."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set
from dataclasses import replace

from assay.scanner.description.documents import Binding, Key
from assay.scanner.description.library_routes import answered_by_library
from assay.scanner.framework import Route
from assay.scanner.linker.project import Project, last_name
from assay.scanner.model.description import DescribedOperation
from assay.scanner.model.place import Evidence, Location
from assay.scanner.model.role import Role
from assay.scanner.naming.apis import ApiRoute
from assay.scanner.naming.places import registered_at
from assay.scanner.readers.openapi import Operation
from assay.scanner.readers.python import form

_DECLARING = ("fastapi", "django-ninja")
"""Frameworks whose handlers declare their bodies and statuses."""
_OF_HTTP = frozenset({"authorization", "accept", "content-type", "cookie", "host"})
"""Headers that OpenAPI has other words for (https://spec.openapis.org/oas/v3.1.0#parameter-object)."""
_RAW = frozenset({"Request", "HTTPConnection", "HttpRequest"})
_ANSWERS = frozenset({"Response", "JSONResponse", "ORJSONResponse", "RedirectResponse", "StreamingResponse",
    "FileResponse", "PlainTextResponse", "HTMLResponse"})  # fmt: skip


def operations_of(
    binding: Binding,
    api: Set[ApiRoute],
    elsewhere: Set[ApiRoute],
    project: Project,
    *,
    compared: Evidence | None,
    is_complete: bool,
) -> Iterator[DescribedOperation]:
    """Each operation that the document or the code has.

    `api` are the routes for programs: nobody writes documents of others. `elsewhere` are those that other documents
    have. `compared` is what keeps the document true, `is_complete` says that all routes of the service are known.
    """
    excuse = "a pipeline makes the document anew and compares" if compared is not None else None
    shown = (compared,) if compared is not None else ()
    if any(each.route.framework == "connexion" for each in binding.routes.values()):
        excuse = "its routes come from this document"
    for found in (*_promised(binding, project, is_complete=is_complete), *_unwritten(binding, api, elsewhere)):
        yield replace(found, excuse=excuse, evidence=shown or found.evidence) if excuse is not None else found


def _promised(binding: Binding, project: Project, *, is_complete: bool) -> Iterator[DescribedOperation]:
    """The operations of the document."""
    document, routes = binding.document, binding.routes
    for key, operation in document.operations.items():
        found = routes.get(key)
        place = operation.span.evidence(document.path, f"{operation.method} {operation.path} in the document")
        said = DescribedOperation(operation.method, operation.path, document.path, place.location, Role.PROD)
        if found is not None:
            differences = tuple(_differences(operation, found, binding))
            yield replace(said, location=registered_at(found.route), differences=differences, evidence=(place,))
            continue
        library = answered_by_library(operation.path, binding.root, project)
        yield replace(
            said,
            differences=(_elsewhere(key, routes, "the document promises it, and the code has no such route"),),
            evidence=(library or _whole(binding),),
            excuse="a library answers there" if library is not None else None,
            doubt=None if is_complete else "some routes of the service could not be read",
        )


def _unwritten(binding: Binding, api: Set[ApiRoute], elsewhere: Set[ApiRoute]) -> Iterator[DescribedOperation]:
    """The operations of the code that the document doesn't have."""
    document, routes = binding.document, binding.routes
    is_partial = 2 * binding.shared < sum(each in api and not each.route.is_hidden for each in routes.values())
    for key, found in routes.items():
        if key in document.operations or found not in api or found in elsewhere or found.is_computed:
            continue
        hidden = "it is kept out of the schema" if found.route.is_hidden else None
        yield DescribedOperation(
            method=key[0],
            path=found.template.text,
            document=document.path,
            location=registered_at(found.route),
            role=Role.PROD,
            differences=(_elsewhere(key, document.operations, "the code has it, and the document doesn't"),),
            evidence=(_whole(binding), *_included(found.route)),
            excuse="the document describes a part of the service only" if is_partial else hidden,
        )


def _elsewhere(key: Key, others: Mapping[Key, object], otherwise: str) -> str:
    """Where the path is known to both, the method is what differs."""
    methods = sorted(method for method, shape in others if shape == key[1])
    return f"{otherwise}, but for {' and '.join(methods)}" if methods else otherwise


def _whole(binding: Binding) -> Evidence:
    return Evidence(Location.whole_file(binding.document.path), "the document")


def _included(route: Route) -> Iterator[Evidence]:
    """Where its router is put into the application."""
    for step in route.steps[-2:-1]:
        yield step.module.evidence(step.node, "its router is included here")


def _differences(operation: Operation, found: ApiRoute, binding: Binding) -> Iterator[str]:
    yield from _of_parameters(operation, found.route)
    if found.route.framework in _DECLARING:
        has_forms = (binding.document.facts.version or "").startswith("2")  # whose fields are parameters there
        if operation.request is None and found.route.request_types and not has_forms:
            yield "the code reads a body, and the document has none"
        yield from _of_status(operation, found.route)
    yield from _of_security(operation, found, binding)


def _of_parameters(operation: Operation, route: Route) -> Iterator[str]:
    if route.parameters is None:
        return
    code = {(p.place, _known_as(p.place, p.name)): p for p in route.parameters if p.place != "path"}
    written = {(p.place, _known_as(p.place, p.name)): p for p in operation.parameters if p.place != "path"}
    of_http = {("header", name) for name in _OF_HTTP}
    for key in sorted(code.keys() - written.keys() - of_http):
        yield f"the document lacks the {key[0]} parameter `{key[1]}`"
    if not _reads_by_hand(route):
        for key in sorted(written.keys() - code.keys() - of_http):
            yield f"the code has no {key[0]} parameter `{key[1]}`"
    for key in sorted(code.keys() & written.keys()):
        if code[key].is_required != written[key].required:
            who = "code" if code[key].is_required else "document"
            yield f"only the {who} says that `{key[1]}` is required"


def _known_as(place: str, name: str) -> str:
    return name.lower() if place == "header" else name


def _reads_by_hand(route: Route) -> bool:
    """Whether the handler has the request, and so may read what it doesn't declare."""
    params = route.handler.parameters if route.handler is not None else []
    return route.handler is None or any(
        isinstance(node, form.Name | form.Attr) and last_name(node) in _RAW
        for param in params
        if param.annotation is not None
        for node in form.walk(param.annotation)
    )


def _of_status(operation: Operation, route: Route) -> Iterator[str]:
    written = {r.status for r in operation.responses if r.status.startswith("2")}
    stated = next((code for code in route.status_codes if 200 <= code < 300), None)
    if stated is None and not _sets_status(route):
        stated = 200
    if stated is None or not written or "2XX" in {status.upper() for status in written}:
        return
    if str(stated) not in written:
        yield f"the code answers {stated} where the document says {' or '.join(sorted(written))}"


def _sets_status(route: Route) -> bool:
    """Whether the handler may answer with another status than the declared one."""
    if route.handler is None:
        return True
    params = (param.annotation for param in route.handler.parameters if param.annotation is not None)
    nodes = (*route.handler.walk(), *(node for annotation in params for node in form.walk(annotation)))
    return any(
        (isinstance(node, form.Attr) and node.attr == "status_code")
        or (isinstance(node, form.Name | form.Attr) and last_name(node) in _ANSWERS)
        for node in nodes
    )


def _of_security(operation: Operation, found: ApiRoute, binding: Binding) -> Iterator[str]:
    facts, endpoint = binding.document.facts, found.endpoint
    if not facts.schemes and not facts.security:
        return  # a document without the word says nothing of it
    alternatives = facts.security_of(operation)
    is_secured = bool(alternatives) and all(alternatives)
    if endpoint.auth and not alternatives:
        yield f"the code asks for {endpoint.auth[0]}, and the document lets everybody in"
    elif is_secured and not endpoint.auth and not endpoint.unresolved_guards and binding.has_guards:
        yield f"the document asks for {alternatives[0][0]}, and the code lets everybody in"
