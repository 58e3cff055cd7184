"""What was understood of a tree, as plain data: the public contract of `assay inventory --format json`."""

from __future__ import annotations

import msgspec

from assay.scanner.engine import Understanding
from assay.scanner.model.endpoint import Endpoint
from assay.scanner.model.place import Location
from assay.scanner.model.service import Service
from assay.scanner.model.table import Table

SCHEMA_VERSION = 1


class Place(msgspec.Struct, frozen=True):
    """As in reports: lines and columns from 1, the end exclusive."""

    path: str
    line: int
    column: int
    end_line: int
    end_column: int


class EndpointRow(msgspec.Struct, frozen=True):
    """One method on one full path, in the framework's own parameter syntax; `ANY` where a view takes any method."""

    method: str
    path: str
    handler: str
    location: Place
    auth: list[str]
    pagination: str | None
    returns_collection: bool
    response_model: str | None
    tags: list[str]
    framework: str
    kind: str


class ColumnRow(msgspec.Struct, frozen=True):
    """A column of a table; `fk_to` is what it references."""

    name: str
    type: str
    indexed: bool
    unique: bool
    fk_to: str | None


class TableRow(msgspec.Struct, frozen=True):
    """A mapped table: `name` in the database, `model` in the code."""

    name: str
    model: str
    location: Place
    columns: list[ColumnRow]


class QueryRow(msgspec.Struct, frozen=True):
    """A place where SQL is executed or built as text; `text` says how its text comes about."""

    callee: str
    driver: str
    function: str
    location: Place
    text: str
    parameterised: bool


class LogCallRow(msgspec.Struct, frozen=True):
    """A call of a logger; `library` is null where only its name and methods tell that it is one."""

    library: str | None
    level: str
    function: str
    location: Place
    message: str


class HealthRow(msgspec.Struct, frozen=True):
    """An endpoint that probes ask, and what it touches to answer."""

    method: str
    path: str
    purpose: str
    location: Place
    dependencies: list[str]


class ServiceRow(msgspec.Struct, frozen=True):
    """One deployable backend."""

    name: str
    root: str
    frameworks: list[str]
    endpoints: list[EndpointRow]
    tables: list[TableRow]
    queries: list[QueryRow]
    log_calls: list[LogCallRow]
    health: list[HealthRow]


class DiagnosticRow(msgspec.Struct, frozen=True):
    """What could not be read or resolved."""

    path: str
    line: int | None
    reason: str
    message: str


class Inventory(msgspec.Struct, frozen=True):
    """Everything understood, service by service."""

    schema_version: int
    services: list[ServiceRow]
    diagnostics: list[DiagnosticRow]


def take(known: Understanding) -> Inventory:
    """The inventory of a linked tree."""
    diagnostics = [DiagnosticRow(d.path, d.line, d.reason, d.message) for d in known.diagnostics]
    return Inventory(SCHEMA_VERSION, [_service(s) for s in known.linked.services], diagnostics)


def as_json(inventory: Inventory) -> str:
    """Indented by two spaces, in the structs' order: the same tree gives the same bytes."""
    return msgspec.json.format(msgspec.json.encode(inventory), indent=2).decode() + "\n"


def _service(service: Service) -> ServiceRow:
    return ServiceRow(
        name=service.name,
        root=service.root,
        frameworks=list(service.frameworks),
        endpoints=[_endpoint(e) for e in service.endpoints],
        tables=[_table(t) for t in service.tables],
        queries=[
            QueryRow(s.callee, s.driver, s.function, _place(s.location), s.text.kind, s.parameterised)
            for s in service.sql_sites
        ],
        log_calls=[LogCallRow(c.library, c.level, c.function, _place(c.location), c.form) for c in service.log_calls],
        health=[
            HealthRow(
                h.endpoint.method,
                h.endpoint.path,
                h.purpose,
                _place(h.location),
                [d.text for d in h.dependencies],
            )
            for h in service.health_checks
        ],
    )


def _endpoint(endpoint: Endpoint) -> EndpointRow:
    return EndpointRow(
        method=endpoint.method,
        path=endpoint.path,
        handler=endpoint.handler,
        location=_place(endpoint.location),
        auth=list(endpoint.auth),
        pagination=endpoint.pagination,
        returns_collection=endpoint.returns_collection,
        response_model=endpoint.response_model,
        tags=list(endpoint.tags),
        framework=endpoint.framework,
        kind=endpoint.kind,
    )


def _table(table: Table) -> TableRow:
    columns = [ColumnRow(c.name, c.type, c.indexed, c.unique, c.fk_to) for c in table.columns]
    return TableRow(table.name, table.model, _place(table.location), columns)


def _place(location: Location) -> Place:
    return Place(location.path, location.line, location.column, location.end_line, location.end_column)
