"""OpenAPI descriptions of an API, and how far they are true."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from assay.scanner.description.applications import Application, applications_of, generated
from assay.scanner.description.documents import Binding, bindings, compared_by
from assay.scanner.description.drift import operations_of
from assay.scanner.description.operations import documented_operations, one_by_one_or_all
from assay.scanner.gathered import Gathered
from assay.scanner.model.description import ApiDescription, DescribedOperation, DescriptionSource, DocumentedOperation
from assay.scanner.model.place import Evidence, Location
from assay.scanner.model.role import Role
from assay.scanner.naming.apis import ApiRoute, apis_of, by_service
from assay.scanner.naming.names import why_foreign
from assay.scanner.naming.places import registered_at
from assay.scanner.readers.openapi import OpenApiFacts

_UNREAD = re.compile(r"\b(?:path|route|routes|router|rule)\b.*can't be told|no app includes")
"""What diagnostics say of routes that are only known at run time."""


_DESCRIPTION = re.compile(r"(?:open-?api|swagger|api-?docs?)(?:[-_.]?\w+)*", re.IGNORECASE)
"""Segments of the paths that descriptions are served at."""


def descriptions(gathered: Gathered) -> Iterator[ApiDescription | DescribedOperation | DocumentedOperation]:
    """How each application describes its API, what it says of its operations, and whether documents are true."""
    routes_of = by_service(gathered)
    bound = list(bindings(gathered, routes_of))
    apis = list(apis_of(routes_of))
    for api in apis:
        operations = dict[str, DocumentedOperation]()
        mine = [binding for binding in bound if binding.root == api.root]
        for app in applications_of(api):
            excuse = f"it serves {api.pages} pages, and them alone" if api.pages >= len(api.routes) else None
            if all(why_foreign(each.template.statics) is not None for each in app.routes):
                excuse = "others have chosen what it answers"
            description = _description(app, mine, gathered, excuse, _served(routes_of[api.root]))
            yield description
            if description.source in (DescriptionSource.GENERATED, DescriptionSource.EXPORTED):
                operations |= {o.subject_id: o for o in documented_operations(app, gathered.project)}
        yield from one_by_one_or_all(operations.values(), api.root)
    compared = compared_by(gathered)
    for binding in bound:
        elsewhere = frozenset(r for other in bound if other is not binding for r in other.described)
        routes = frozenset(r for api in apis if api.root == binding.root for r in api.routes)
        yield from operations_of(
            binding,
            routes,
            elsewhere,
            gathered.project,
            compared=compared,
            is_complete=_is_complete(binding, gathered),
        )


def _description(
    app: Application, documents: Sequence[Binding], gathered: Gathered, excuse: str | None, served: Evidence | None
) -> ApiDescription:
    if all(each.route.is_hidden for each in app.routes):
        excuse = "all of its routes are kept out of descriptions"
    source, evidence = generated(app, gathered.project)
    written = next((b for b in documents if _describes(b, app)), None)
    if written is not None and source is not DescriptionSource.GENERATED:
        source, evidence = DescriptionSource.COMMITTED, Evidence(Location.whole_file(written.document.path), "it does")
    if source is DescriptionSource.NONE:
        unread = _unread(app, gathered) or served
        source, evidence = (DescriptionSource.UNREAD, unread) if unread is not None else (source, evidence)
    if app.framework == "connexion":
        source, evidence = DescriptionSource.SERVED, Evidence(app.location, "its routes come from a document")
    return ApiDescription(
        name=app.name,
        source=source,
        operations=len(app.routes),
        location=app.location,
        role=Role.PROD,
        evidence=(evidence,) if evidence is not None else (),
        excuse=excuse,
    )


def _describes(binding: Binding, app: Application) -> bool:
    described = set(binding.described)
    return 2 * sum(each in described for each in app.routes) >= len(app.routes)


def _unread(app: Application, gathered: Gathered) -> Evidence | None:
    """A document in the service's folder that holds no operation by itself: it takes them from other files."""
    inside = f"{app.root}/" if app.root else ""
    for path, facts in sorted(gathered.context.files.items()):
        is_bare = isinstance(facts, OpenApiFacts) and facts.version is not None and not facts.operations
        if is_bare and path.startswith(inside):
            return Evidence(Location.whole_file(path), "what it describes is written elsewhere")
    return None


def _served(routes: Sequence[ApiRoute]) -> Evidence | None:
    """A route that hands out a description, wherever that comes from."""
    found = (r for r in routes if any(_DESCRIPTION.fullmatch(s) for s in r.template.statics))
    return next((Evidence(registered_at(r.route), "a description is served here") for r in found), None)


def _is_complete(binding: Binding, gathered: Gathered) -> bool:
    inside = f"{binding.root}/" if binding.root else ""
    return not any(d.path.startswith(inside) and _UNREAD.search(d.message) for d in gathered.context.diagnostics)
