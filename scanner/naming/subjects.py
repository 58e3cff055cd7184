"""How paths are named, which version they say, and which of two routes answers."""

from __future__ import annotations

from collections.abc import Iterator

from assay.scanner.gathered import Gathered
from assay.scanner.model.naming import ApiVersion, PathName, PathTemplate, RouteOverlap
from assay.scanner.naming.apis import apis_of, by_service
from assay.scanner.naming.names import path_templates, several_words
from assay.scanner.naming.places import Places
from assay.scanner.naming.precedence import Precedences
from assay.scanner.naming.versions import api_versions


def path_names(gathered: Gathered) -> Iterator[PathName | PathTemplate | ApiVersion | RouteOverlap]:
    """Names of paths and parameters, versions, and routes that hide one another."""
    places, precedences, routes_of = Places(), Precedences(), by_service(gathered)
    for api in apis_of(routes_of):
        yield from path_templates(api, places)
        yield from several_words(api, places)
        yield from api_versions(api, places, gathered.project)
    for routes in routes_of.values():
        yield from precedences.overlaps(routes)
