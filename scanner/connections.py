"""What a service is connected with: what runs it, what it calls, and where it keeps data and work."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from assay.scanner.model.role import Role
from assay.scanner.model.service import Service
from assay.scanner.model.workload import Platform, Workload, WorkloadKind
from assay.scanner.results import Connection, ConnectionKind

__all__ = ["address_variables", "connections", "with_services"]

COMPUTED = "computed addresses"

_HOST = re.compile(r"(?:https?|wss?)://(?:[^/?#@]*@)?([^/?#:@]+)")
_VARIABLE = re.compile(
    r"(?P<name>\w+?)_?(?P<is_service>API|SERVICE|SVC)?"
    r"_(?:BASE_)?(?:ADDR|ADDRESS|UR[IL]|HOST|HOSTNAME|ENDPOINT)"
)
"""How environment variables are called that hold the address of another service: `USERSERVICE_API_ADDR`."""


def connections(service: Service) -> tuple[Connection, ...]:
    """What production has of them; other services of the tree are only hosts yet."""
    found = [
        *_containers(service.workloads),
        *_messages(service),
        *_calls(service),
        *_data(service),
        *_tasks(service),
        *_infrastructure(service.workloads),
    ]
    return tuple(sorted(found, key=_place))


def address_variables(service: Service) -> tuple[str, ...]:
    """The environment variables that it reads and that are called as if they held the address of a service."""
    found = {name for s in service.settings if s.role is Role.PROD for name in s.variables}
    return tuple(sorted(name for name in found if _VARIABLE.fullmatch(name)))


def with_services(
    found: Mapping[str, tuple[Sequence[Connection], Sequence[str]]],
) -> dict[str, tuple[Connection, ...]]:
    """By service: its connections and address variables as connections with the tree's other services.

    A host or a variable that has the name of a service is that service. Of the other variables only those stay that
    say themselves that they speak of a service or an API.
    """
    named = {_bare(service): service for service in found}
    return {
        service: tuple(sorted(_merged(_told(service, own, variables, named)), key=_place))
        for service, (own, variables) in found.items()
    }


def _told(
    service: str, own: Iterable[Connection], variables: Iterable[str], named: Mapping[str, str]
) -> Iterator[Connection]:
    for connection in own:
        other = named.get(_bare(connection.name.partition(".")[0])) if connection.kind is ConnectionKind.HOST else None
        if other is None or other == service:
            yield connection
        else:
            yield Connection(ConnectionKind.SERVICE, other, connection.what)
    for variable in variables:
        read = _VARIABLE.fullmatch(variable)
        assert read is not None
        other, what = named.get(_bare(read["name"])), f"address in {variable}"
        if other is not None and other != service:
            yield Connection(ConnectionKind.SERVICE, other, what)
        elif other is None and read["is_service"]:
            yield Connection(ConnectionKind.ADDRESS, read["name"].lower(), what)


def _merged(found: Iterable[Connection]) -> Iterator[Connection]:
    """One for each thing, with all that is said of it."""
    said: dict[tuple[ConnectionKind, str], list[str]] = {}
    for connection in found:
        said.setdefault((connection.kind, connection.name), []).append(connection.what)
    return (Connection(kind, name, ", ".join(what)) for (kind, name), what in said.items())


def _place(connection: Connection) -> tuple[int, str]:
    return tuple(ConnectionKind).index(connection.kind), connection.name


def _bare(name: str) -> str:
    """`user-service` and `USERSERVICE` are the same name."""
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _containers(workloads: Iterable[Workload]) -> Iterator[Connection]:
    """What is built of the service; an image alone only where nothing in the tree runs it."""
    built = [w for w in workloads if w.role is Role.PROD and w.built_here and w.kind is not WorkloadKind.INFRASTRUCTURE]
    run = {w.dockerfile for w in built if w.platform is not Platform.DOCKERFILE}
    shown = {w.name: w for w in built if w.platform is not Platform.DOCKERFILE or w.dockerfile not in run}
    for name, workload in shown.items():
        how = "image" if workload.platform is Platform.DOCKERFILE else workload.platform.value
        kind = "" if workload.kind is WorkloadKind.UNKNOWN else f", {workload.kind}"
        yield Connection(ConnectionKind.CONTAINER, name, f"{how}{kind}")


def _infrastructure(workloads: Iterable[Workload]) -> Iterator[Connection]:
    """Databases, brokers and the like that are run beside it, by the images that they are made of."""
    beside = (w for w in workloads if w.role is Role.PROD and w.kind is WorkloadKind.INFRASTRUCTURE and w.image)
    for name, workload in {w.name: w for w in beside}.items():
        image = (workload.image or "").partition("@")[0].rpartition("/")[2]
        yield Connection(ConnectionKind.INFRASTRUCTURE, name, f"{image}, {workload.platform}")


def _messages(service: Service) -> Iterator[Connection]:
    read = Counter(
        (source, consumer.framework)
        for consumer in service.consumers
        if consumer.role is Role.PROD
        for source in consumer.sources or ("",)
    )
    for (source, framework), number in read.items():
        what = _count(number, "consumer")
        yield Connection(ConnectionKind.MESSAGES, source or framework, f"{framework}, {what}" if source else what)


def _calls(service: Service) -> Iterator[Connection]:
    called = Counter(_host(call.url) for call in service.outbound_calls if call.role is Role.PROD)
    for host, number in called.items():
        kind = ConnectionKind.HOST if host else ConnectionKind.COMPUTED
        yield Connection(kind, host or COMPUTED, _count(number, "call"))


def _host(url: str | None) -> str:
    """Empty where it is computed, as a whole or in the part that tells whose it is."""
    found = _HOST.match(url or "")
    host = found[1].lower() if found else ""
    return "" if host.endswith("{}") else host.replace("{}", "*")


def _data(service: Service) -> Iterator[Connection]:
    tables = [table for table in service.tables if table.role is Role.PROD]
    statements = [site for site in service.sql_sites if site.role is Role.PROD]
    if tables or statements:
        found = ((len(tables), "table"), (len(statements), "statement"))
        numbers = [_count(number, one) for number, one in found if number]
        by = sorted({t.framework for t in tables} or {s.driver for s in statements})
        yield Connection(ConnectionKind.DATABASE, "SQL database", ", ".join([*numbers, *by]))


def _tasks(service: Service) -> Iterator[Connection]:
    tasks = [task for task in service.tasks if task.role is Role.PROD]
    for (framework, queue), number in Counter((t.framework, t.queue) for t in tasks).items():
        timed = sum((t.framework, t.queue) == (framework, queue) and t.schedule is not None for t in tasks)
        what = _count(number, "task") + (f", {timed} by a schedule" if timed else "")
        yield Connection(ConnectionKind.TASKS, f"{framework}: {queue}" if queue else framework, what)


def _count(number: int, one: str) -> str:
    return f"{number:,} {one if number == 1 else f'{one}s'}"
