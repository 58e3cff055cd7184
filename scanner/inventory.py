"""What was understood of a tree, as plain data: the public contract of `assay inventory --format json`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from assay.scanner.engine import Understanding
from assay.scanner.model.endpoint import Endpoint
from assay.scanner.model.message import Message
from assay.scanner.model.migration import Migration
from assay.scanner.model.outbound import OutboundCall
from assay.scanner.model.place import Location
from assay.scanner.model.role import Role
from assay.scanner.model.service import Service
from assay.scanner.model.setting import Setting
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
    """One method on one full path, in the framework's own parameter syntax; `ANY` where a view takes any method.

    What is served in development alone, as below `if settings.ENVIRONMENT == "local":`, is a diagnostic and no row.

    A gRPC method is a `POST` of `/package.Service/Method`, as it is on the wire.
    """

    method: str
    path: str
    handler: str
    location: Place
    auth: list[str]
    pagination: str | None
    returns_collection: bool
    request_model: str | None
    response_model: str | None
    status_codes: list[int]
    rate_limits: list[str]
    tags: list[str]
    summary: str | None
    deprecated: bool
    operations: list[str]
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


class SchemaChangeRow(msgspec.Struct, frozen=True):
    """One operation of a migration, by its library's own name."""

    operation: str
    table: str | None
    column: str | None
    location: Place


class MigrationRow(msgspec.Struct, frozen=True):
    """One step of the schema's history."""

    name: str
    parents: list[str]
    framework: str
    location: Place
    reversible: bool
    changes: list[SchemaChangeRow]


class SettingRow(msgspec.Struct, frozen=True):
    """A named value that the service is configured by, and the environment variables that it is read from."""

    name: str
    source: str
    group: str
    location: Place
    value: str | None
    variables: list[str]
    required: bool


class OutboundCallRow(msgspec.Struct, frozen=True):
    """A request to another service; `{}` stands for the computed parts of its address.

    `reaches` is what the deployment has it find there, where the address comes from variables of the environment.
    """

    function: str
    location: Place
    library: str
    method: str | None
    url: str | None
    timeout: str | None
    reaches: list[str]


class NeighbourRow(msgspec.Struct, frozen=True):
    """What the deployment has the service find at an address of its environment; `service` is the service of the tree
    that answers there, null for anything else. `calls` is how many of the outbound calls are known to go there.
    """

    variable: str
    address: str
    name: str
    service: str | None
    calls: int
    location: Place


class TaskRow(msgspec.Struct, frozen=True):
    """A function that a worker runs."""

    name: str
    handler: str
    framework: str
    location: Place
    queue: str | None
    schedule: str | None


class QueueRow(msgspec.Struct, frozen=True):
    """A queue that tasks go to; `read_by` are the commands whose workers are told to read it."""

    name: str
    framework: str
    tasks: list[str]
    read_by: list[str]
    location: Place


class ConsumerRow(msgspec.Struct, frozen=True):
    """Code that takes messages from a broker; `sources` are its topics or queues."""

    handler: str
    sources: list[str]
    framework: str
    location: Place


class MessageRow(msgspec.Struct, frozen=True):
    """A call that enqueues a task or publishes to a broker; `handlers` are what gets it, as far as the tree has it."""

    call: str
    function: str
    library: str
    destination: str | None
    task: str | None
    handlers: list[str]
    location: Place


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
    migrations: list[MigrationRow]
    settings: list[SettingRow]
    queries: list[QueryRow]
    outbound_calls: list[OutboundCallRow]
    neighbours: list[NeighbourRow]
    tasks: list[TaskRow]
    queues: list[QueueRow]
    consumers: list[ConsumerRow]
    messages: list[MessageRow]
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
    services = known.linked.services
    consumers: dict[str, list[str]] = {}
    for consumer in (c for s in services for c in s.consumers):
        for source in consumer.sources:
            consumers.setdefault(source, []).append(consumer.handler)
    names = {s.root: s.name for s in services}
    return Inventory(SCHEMA_VERSION, [_service(s, consumers, names) for s in services], diagnostics)


def as_json(inventory: Inventory) -> str:
    """Indented by two spaces, in the structs' order: the same tree gives the same bytes."""
    return msgspec.json.format(msgspec.json.encode(inventory), indent=2).decode() + "\n"


def _service(service: Service, consumers: Mapping[str, Sequence[str]], names: Mapping[str, str]) -> ServiceRow:
    reached: dict[Location, list[str]] = {}
    for neighbour in service.neighbours:
        for place in neighbour.calls:
            reached.setdefault(place, []).append(names.get(neighbour.root or "", neighbour.name))
    return ServiceRow(
        name=service.name,
        root=service.root,
        frameworks=list(service.frameworks),
        endpoints=[_endpoint(e) for e in service.endpoints if e.role is not Role.DEV],
        tables=[_table(t) for t in service.tables],
        migrations=[_migration(m) for m in service.migrations],
        settings=[_setting(s) for s in service.settings],
        outbound_calls=[_outbound_call(c, reached.get(c.location, ())) for c in service.outbound_calls],
        neighbours=[
            NeighbourRow(n.variable, n.address, n.name, names.get(n.root or ""), len(n.calls), _place(n.location))
            for n in service.neighbours
        ],
        tasks=[TaskRow(t.name, t.handler, t.framework, _place(t.location), t.queue, t.schedule) for t in service.tasks],
        queues=[
            QueueRow(q.name, q.framework, list(q.tasks), [r.text for r in q.readers], _place(q.location))
            for q in service.queues
        ],
        consumers=[ConsumerRow(c.handler, list(c.sources), c.framework, _place(c.location)) for c in service.consumers],
        messages=[_message(m, consumers) for m in service.messages],
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
        request_model=endpoint.request_model,
        response_model=endpoint.response_model,
        status_codes=list(endpoint.status_codes),
        rate_limits=list(endpoint.rate_limits),
        tags=list(endpoint.tags),
        summary=endpoint.summary,
        deprecated=endpoint.is_deprecated,
        operations=list(endpoint.operations),
        framework=endpoint.framework,
        kind=endpoint.kind,
    )


def _table(table: Table) -> TableRow:
    columns = [ColumnRow(c.name, c.type, c.indexed, c.unique, c.fk_to) for c in table.columns]
    return TableRow(table.name, table.model, _place(table.location), columns)


def _migration(migration: Migration) -> MigrationRow:
    return MigrationRow(
        name=migration.name,
        parents=list(migration.parents),
        framework=migration.framework,
        location=_place(migration.location),
        reversible=migration.is_reversible,
        changes=[SchemaChangeRow(c.operation, c.table, c.column, _place(c.location)) for c in migration.changes],
    )


def _setting(setting: Setting) -> SettingRow:
    return SettingRow(
        name=setting.name,
        source=setting.source,
        group=setting.group,
        location=_place(setting.location),
        value=setting.value,
        variables=list(setting.variables),
        required=setting.is_required,
    )


def _outbound_call(call: OutboundCall, reaches: Sequence[str]) -> OutboundCallRow:
    timeout = call.timeout.text if call.timeout is not None else call.default_timeout
    place = _place(call.location)
    return OutboundCallRow(call.function, place, call.library, call.method, call.url, timeout, list(reaches))


def _message(message: Message, consumers: Mapping[str, Sequence[str]]) -> MessageRow:
    handlers = [message.handler] if message.handler is not None else consumers.get(message.destination or "", ())
    return MessageRow(
        call=message.what,
        function=message.function,
        library=message.library,
        destination=message.destination,
        task=message.task,
        handlers=list(handlers),
        location=_place(message.location),
    )


def _place(location: Location) -> Place:
    return Place(location.path, location.line, location.column, location.end_line, location.end_column)
