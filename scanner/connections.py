"""What a service is connected with: what runs it, what it calls, and where it keeps data and work."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from assay.scanner.model.role import Role
from assay.scanner.model.service import Service
from assay.scanner.model.workload import Platform, Workload, WorkloadKind
from assay.scanner.results import Connection, ConnectionKind

__all__ = ["Reached", "address_variables", "connections", "reached_by", "with_services"]

COMPUTED = "computed addresses"

_NONE_REACHED: Mapping[str, Sequence[Reached]] = {}
_NO_ROOTS: Mapping[str, str] = {}
_HOST = re.compile(r"(?:https?|wss?)://(?:[^/?#@]*@)?([^/?#:@]+)")
_VARIABLE = re.compile(
    r"(?P<name>\w+?)_?(?P<is_service>API|SERVICE|SVC)?"
    r"_(?:BASE_)?(?:ADDR|ADDRESS|UR[IL]|HOST|HOSTNAME|ENDPOINT)"
)
"""How environment variables are called that hold the address of another service: `USERSERVICE_API_ADDR`."""


@dataclass(frozen=True, slots=True)
class Reached:
    """What answers at the address in a variable: `name` is what the deployment calls it, `root` the folder of its code
    where that is in the tree, `calls` the number of requests that go there.
    """

    variable: str
    name: str
    root: str | None
    calls: int


def reached_by(service: Service) -> tuple[Reached, ...]:
    """What the deployment has the service find at the addresses that it reads."""
    found = (n for n in service.neighbours if n.role is Role.PROD)
    return tuple(Reached(n.variable, n.name, n.root, len(n.calls)) for n in found)


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
    reached: Mapping[str, Sequence[Reached]] = _NONE_REACHED,
    roots: Mapping[str, str] = _NO_ROOTS,
) -> dict[str, tuple[Connection, ...]]:
    """By service: its connections and address variables as connections with the tree's other services.

    `reached` is what the deployment has it find at those addresses; `roots` gives the services' names by their folders.
    Without that, a host or a variable that has the name of a service is that service. Of the other variables only those
    stay that say themselves that they speak of a service or an API.
    """
    named = {_bare(service): service for service in found}
    made = {}
    for service, (own, variables) in found.items():
        known = reached.get(service, ())
        left = set(variables) - {each.variable for each in known}
        told = [*_followed(service, known, named, roots), *_told(service, own, sorted(left), named)]
        made[service] = tuple(sorted(_merged(told), key=_place))
    return made


def _followed(
    service: str, known: Iterable[Reached], named: Mapping[str, str], roots: Mapping[str, str]
) -> Iterator[Connection]:
    for each in known:
        what = f"address in {each.variable}"
        if each.calls:
            what = f"{_count(each.calls, 'call')}, {what}"
        other = roots.get(each.root or "") or named.get(_bare(each.name))
        if other is None:
            yield Connection(ConnectionKind.ADDRESS, each.name, what)
        elif other != service:
            yield Connection(ConnectionKind.SERVICE, other, what)


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
    """Topics and queues that it reads, and those that it publishes to: the other side is where the name is read."""
    read = Counter(
        (source, consumer.framework)
        for consumer in service.consumers
        if consumer.role is Role.PROD
        for source in consumer.sources or ("",)
    )
    sent = Counter(
        (message.destination or "", message.library)
        for message in service.messages
        if message.role is Role.PROD and message.handler is None and message.task is None
    )
    for key in dict.fromkeys((*read, *sent)):
        name, library = key
        numbers = ((read[key], "consumer"), (sent[key], "producer"))
        what = ", ".join(_count(number, one) for number, one in numbers if number)
        yield Connection(ConnectionKind.MESSAGES, name or library, f"{library}, {what}" if name else what)


def _calls(service: Service) -> Iterator[Connection]:
    followed = {place for neighbour in service.neighbours for place in neighbour.calls}
    calls = (c for c in service.outbound_calls if c.role is Role.PROD and c.location not in followed)
    called = Counter(_host(call.url) for call in calls)
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
    queues = {task.name: (task.framework, task.queue) for task in tasks}
    sent = Counter(queues[message.task] for message in service.messages if message.task in queues)
    for queue, number in Counter((t.framework, t.queue) for t in tasks).items():
        framework, name = queue
        timed = sum((t.framework, t.queue) == queue and t.schedule is not None for t in tasks)
        what = _count(number, "task") + (f", {timed} by a schedule" if timed else "")
        what += f", sent at {_count(sent[queue], 'place')}" if sent[queue] else ""
        yield Connection(ConnectionKind.TASKS, f"{framework}: {name}" if name else framework, what)


def _count(number: int, one: str) -> str:
    return f"{number:,} {one if number == 1 else f'{one}s'}"
