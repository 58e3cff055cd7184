"""Which rows an open endpoint hands out that are nobody else's business: those about people and what they do."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from assay.scanner.dataflow.lexicon import sensitivity, words
from assay.scanner.framework import Route
from assay.scanner.model.endpoint import Endpoint, EndpointKind
from assay.scanner.model.place import Evidence
from assay.scanner.model.table import Table

_ABOUT_PEOPLE = frozenset(
    """user users customer patient employee account order payment invoice transaction transfer contact lead subscriber
    booking reservation message ticket salary payroll loan claim prescription diagnosis appointment visitor guest
    applicant application candidate student guardian donor donation purchase shipment address subscription session
    token credential""".split()
)  # fmt: skip
_KINDS = frozenset({"model", "table", "record", "entity", "row", "orm", "db", "document", "entry", "custom", "profile"})
"""Words around a model's name that say nothing of what its rows are about."""


def with_private_rows(
    endpoints: Sequence[tuple[Route, Endpoint]], tables: Iterable[Table]
) -> Iterator[tuple[Route, Endpoint]]:
    """Each endpoint; open ones with the lists that they hand out of rows about people."""
    personal = {table.model for table in tables if any(_is_private(column.name) for column in table.columns)}
    for route, endpoint in endpoints:
        is_open = not endpoint.auth and not endpoint.public_purpose and endpoint.method in ("GET", "ANY")
        found = tuple(_private(route, endpoint, personal)) if is_open and _lists(endpoint) else ()
        yield route, replace(endpoint, private_rows=found) if found else endpoint


def _lists(endpoint: Endpoint) -> bool:
    return endpoint.returns_collection or (endpoint.kind is EndpointKind.JSON and bool(endpoint.reads))


def _private(route: Route, endpoint: Endpoint, personal: set[str]) -> Iterator[Evidence]:
    reads = [(read.model, read.location) for read in endpoint.reads]
    if not reads and route.collection is not None:
        rows = route.rows
        reads.append((route.collection, rows.module.location(rows.node) if rows is not None else route.location))
    for model, location in reads:
        if model and (model in personal or _is_about_people(model)):
            yield Evidence(location, f"reads {model} rows, for anybody")


def _is_private(column: str) -> bool:
    """A person's e-mail or a password; the full name of a language is no secret."""
    return sensitivity(column) is not None and words(column)[-1:] != ("name",)


def _is_about_people(model: str) -> bool:
    parts = [part for part in words(model) if part not in _KINDS]
    return bool(parts) and (parts[-1] in _ABOUT_PEOPLE or parts[-1].removesuffix("s") in _ABOUT_PEOPLE)
