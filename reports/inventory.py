"""What was understood of a tree, for a terminal: service by service, then what could not be understood."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from rich.console import Console

from assay.reports import figures
from assay.reports.jsontext import schema_text
from assay.reports.plain import plain
from assay.reports.remedies import REMEDIES
from assay.reports.screen import Screen
from assay.scanner.diagnostics import Reason
from assay.scanner.inventory import (
    SCHEMA_VERSION,
    ConsumerRow,
    DiagnosticRow,
    EndpointRow,
    HealthRow,
    Inventory,
    LogCallRow,
    MessageRow,
    MigrationRow,
    NeighbourRow,
    OutboundCallRow,
    Place,
    QueryRow,
    QueueRow,
    ServiceRow,
    SettingRow,
    TableRow,
    TaskRow,
)

Cells = tuple[str | tuple[str, str], ...]


def render(inventory: Inventory, console: Console) -> None:
    """Write everything that was understood; nothing is cut, so that nothing is missed."""
    screen = Screen(console)
    for service in inventory.services:
        _service(service, screen)
    _diagnostics(inventory.diagnostics, screen)
    screen.line("For programs: assay inventory --format json", style="dim")


def schema() -> str:
    """The JSON Schema of `assay inventory --format json`, as `schemas/inventory.schema.json` holds it."""
    return schema_text(Inventory, f"Assay inventory {SCHEMA_VERSION}")


def _service(service: ServiceRow, screen: Screen) -> None:
    where = "the scanned folder" if service.root == "." else plain(service.root)
    screen.line((plain(service.name), "bold"), (f"   {where}", "dim"))
    screen.line(plain(" · ".join(service.frameworks)) or "no framework that is known", indent=2)
    screen.line()
    _endpoints(service.endpoints, screen)
    _tables(service.tables, screen)
    _migrations(service.migrations, screen)
    _settings(service.settings, screen)
    _queries(service.queries, screen)
    _outbound_calls(service.outbound_calls, screen)
    _neighbours(service.neighbours, screen)
    _tasks(service.tasks, screen)
    _queues(service.queues, screen)
    _consumers(service.consumers, screen)
    _messages(service.messages, screen)
    _log_calls(service.log_calls, screen)
    _health(service.health, screen)


def _part(heading: str, count: int, columns: Sequence[tuple[str, bool]], rows: Iterable[Cells], screen: Screen) -> None:
    """A heading with its count, then the rows; the count alone where there are none."""
    screen.line((f"{heading}  ", "bold"), f"{count:,}" if count else "none")
    if count:
        screen.table(columns, rows)
    screen.line()


def _endpoints(endpoints: Sequence[EndpointRow], screen: Screen) -> None:
    columns = [(name, False) for name in ("endpoint", "serves", "guarded by", "list", "handler")]
    rows = (
        (
            f"{e.method} {plain(e.path)}",
            e.kind,
            _guards(e.auth),
            _list(e),
            _place(e.location),
        )
        for e in endpoints
    )
    _part("Endpoints", len(endpoints), columns, rows, screen)


def _list(endpoint: EndpointRow) -> str:
    if not endpoint.returns_collection:
        return figures.NOTHING
    return "paged" if endpoint.pagination is not None else "not paged"


def _guards(auth: Sequence[str]) -> str:
    """The first guard's own name, and how many more there are."""
    if not auth:
        return "open"
    more = f" +{len(auth) - 1}" if len(auth) > 1 else ""
    return plain(auth[0].rsplit(".", 1)[-1]) + more


def _tables(tables: Sequence[TableRow], screen: Screen) -> None:
    columns = [("table", False), ("model", False), ("columns", True), ("indexed", True), ("place", False)]
    rows = (
        (
            plain(t.name),
            plain(t.model.rsplit(".", 1)[-1]),
            f"{len(t.columns):,}",
            f"{sum(c.indexed for c in t.columns):,}",
            _place(t.location),
        )
        for t in tables
    )
    _part("Tables", len(tables), columns, rows, screen)


def _migrations(migrations: Sequence[MigrationRow], screen: Screen) -> None:
    columns = [("migration", False), ("after", False), ("changes", True), ("place", False)]
    rows = (
        (plain(m.name), plain(", ".join(m.parents)) or figures.NOTHING, f"{len(m.changes):,}", _place(m.location))
        for m in migrations
    )
    _part("Migrations", len(migrations), columns, rows, screen)


def _settings(settings: Sequence[SettingRow], screen: Screen) -> None:
    """Without their values, which may be secrets that don't belong on a screen."""
    columns = [(name, False) for name in ("setting", "of", "environment", "place")]
    rows = (
        (
            plain(s.name),
            plain(s.source),
            plain(", ".join(s.variables)) or figures.NOTHING,
            _place(s.location),
        )
        for s in settings
    )
    _part("Settings", len(settings), columns, rows, screen)


def _outbound_calls(calls: Sequence[OutboundCallRow], screen: Screen) -> None:
    columns = [(name, False) for name in ("outbound call", "reaches", "library", "timeout", "place")]
    rows = (
        (
            plain(f"{c.method or 'any method'} {c.url or 'a computed address'}"),
            plain(", ".join(c.reaches) or figures.NOTHING),
            plain(c.library),
            plain(c.timeout or figures.NOTHING),
            _place(c.location),
        )
        for c in calls
    )
    _part("Outbound calls", len(calls), columns, rows, screen)


def _neighbours(neighbours: Sequence[NeighbourRow], screen: Screen) -> None:
    columns = [("neighbour", False), ("address", False), ("read from", False), ("calls", True), ("place", False)]
    rows = (
        (plain(n.service or n.name), plain(n.address), plain(n.variable), f"{n.calls:,}", _place(n.location))
        for n in neighbours
    )
    _part("Neighbours", len(neighbours), columns, rows, screen)


def _tasks(tasks: Sequence[TaskRow], screen: Screen) -> None:
    columns = [(name, False) for name in ("task", "framework", "queue", "schedule", "place")]
    rows = (
        (
            plain(t.name),
            plain(t.framework),
            plain(t.queue or "default"),
            plain(t.schedule or figures.NOTHING),
            _place(t.location),
        )
        for t in tasks
    )
    _part("Tasks", len(tasks), columns, rows, screen)


def _queues(queues: Sequence[QueueRow], screen: Screen) -> None:
    columns = [(name, name == "tasks") for name in ("queue", "framework", "tasks", "read by", "place")]
    rows = (
        (
            plain(q.name),
            plain(q.framework),
            str(len(q.tasks)),
            plain(", ".join(q.read_by)) or figures.NOTHING,
            _place(q.location),
        )
        for q in queues
    )
    _part("Queues", len(queues), columns, rows, screen)


def _consumers(consumers: Sequence[ConsumerRow], screen: Screen) -> None:
    columns = [(name, False) for name in ("consumer", "reads from", "framework", "place")]
    rows = (
        (plain(c.handler), plain(", ".join(c.sources)) or "computed", plain(c.framework), _place(c.location))
        for c in consumers
    )
    _part("Consumers", len(consumers), columns, rows, screen)


def _messages(messages: Sequence[MessageRow], screen: Screen) -> None:
    columns = [(name, False) for name in ("message", "library", "goes to", "handled by", "place")]
    rows = (
        (
            plain(m.call),
            plain(m.library),
            plain(m.destination or ("the default queue" if m.task is not None else "computed")),
            plain(m.task or ", ".join(m.handlers)) or figures.NOTHING,
            _place(m.location),
        )
        for m in messages
    )
    _part("Messages", len(messages), columns, rows, screen)


def _queries(queries: Sequence[QueryRow], screen: Screen) -> None:
    columns = [(name, False) for name in ("place", "driver", "call", "text", "values")]
    rows = (
        (
            _place(q.location),
            plain(q.driver),
            plain(q.callee),
            q.text,
            "bound" if q.parameterised else figures.NOTHING,
        )
        for q in queries
    )
    _part("SQL sites", len(queries), columns, rows, screen)


def _log_calls(calls: Sequence[LogCallRow], screen: Screen) -> None:
    counted = Counter((c.library or "a logger by its name", c.message) for c in calls)
    columns = [("library", False), ("message", False), ("calls", True)]
    rows = ((plain(library), plain(form), f"{number:,}") for (library, form), number in sorted(counted.items()))
    _part("Log calls", len(calls), columns, rows, screen)


def _health(checks: Sequence[HealthRow], screen: Screen) -> None:
    columns = [(name, False) for name in ("health check", "purpose", "dependencies", "handler")]
    rows = (
        (
            f"{h.method} {plain(h.path)}",
            plain(h.purpose),
            plain(", ".join(dict.fromkeys(h.dependencies)) or "none"),
            _place(h.location),
        )
        for h in checks
    )
    _part("Health checks", len(checks), columns, rows, screen)


def _diagnostics(diagnostics: Sequence[DiagnosticRow], screen: Screen) -> None:
    if not diagnostics:
        return
    screen.line(("Not understood  ", "bold"), f"{len(diagnostics):,}")
    for reason, found in _by_reason(diagnostics):
        screen.line((f"{reason.replace('-', ' ')}", "yellow"), (f"   {REMEDIES[Reason(reason)]}", "dim"), indent=2)
        for d in found:
            line = "" if d.line is None else f":{d.line}"
            screen.line((f"{plain(d.path)}{line}", "bold"), f"  {plain(d.message)}", indent=4)
    screen.line()


def _by_reason(diagnostics: Sequence[DiagnosticRow]) -> list[tuple[str, list[DiagnosticRow]]]:
    reasons = sorted({d.reason for d in diagnostics})
    return [(reason, [d for d in diagnostics if d.reason == reason]) for reason in reasons]


def _place(place: Place) -> str:
    return f"{plain(place.path)}:{place.line}"
