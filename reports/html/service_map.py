"""The services as a picture: what runs them, what they call, where they keep data and work; and the same as a table."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from unicodedata import east_asian_width

from assay.reports import figures
from assay.reports.html import addresses, layers
from assay.reports.html.inventory import Family, family_of
from assay.reports.html.layers import GAP, WIDTH, Edge
from assay.reports.html.nouns import counted
from assay.reports.plain import plain
from assay.scanner.results import Connection, ConnectionKind, ScanResult, ServiceResult

__all__ = ["MapView", "service_map"]

MAX_SERVICES, MAX_BESIDE = 20, 30
"""Boxes for services, and at each side of them; what is left out is counted."""

_TOP, _MARGIN = 28, 4
_SERVICE_HEIGHT, _HEIGHT = 56, 44
_NAME_ROOM, _TEXT_ROOM = 25, 30
"""Letters of usual width that fit into a box."""

_LEFT = (ConnectionKind.CONTAINER, ConnectionKind.MESSAGES)
_SHARED = (ConnectionKind.SERVICE, ConnectionKind.HOST, ConnectionKind.ADDRESS, ConnectionKind.INFRASTRUCTURE)
"""What has one name is one thing, whichever service speaks of it."""
_BY_DEPLOYMENT = (ConnectionKind.CONTAINER, ConnectionKind.INFRASTRUCTURE)
_BY_ADDRESS = (ConnectionKind.SERVICE, ConnectionKind.ADDRESS)

_WORDS = {
    ConnectionKind.CONTAINER: "runs it",
    ConnectionKind.MESSAGES: "messages that it reads and sends",
    ConnectionKind.SERVICE: "service of this tree",
    ConnectionKind.HOST: "host that it calls",
    ConnectionKind.ADDRESS: "address in a setting",
    ConnectionKind.COMPUTED: "calls",
    ConnectionKind.DATABASE: "data",
    ConnectionKind.TASKS: "tasks",
    ConnectionKind.INFRASTRUCTURE: "runs beside it",
}
_FAMILIES = {
    ConnectionKind.CONTAINER: Family.CONTAINERS,
    ConnectionKind.INFRASTRUCTURE: Family.CONTAINERS,
    ConnectionKind.DATABASE: Family.DATA,
    ConnectionKind.TASKS: Family.QUEUES,
    ConnectionKind.MESSAGES: Family.QUEUES,
}
"""Which subjects tell more; of all other kinds those of outbound calls."""


@dataclass(frozen=True, slots=True)
class Label:
    """What a column is of."""

    x: int
    text: str


@dataclass(frozen=True, slots=True)
class LineView:
    """A line between two boxes; `heads` are the ends of its path (start, end) that have an arrow's head."""

    path: str
    is_dashed: bool
    heads: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class BoxView:
    """A thing with two lines of text; `title` says all of it, `address` lists its subjects (empty: there are none)."""

    x: int
    y: int
    height: int
    kind: str
    name: str
    text: str
    title: str
    address: str


@dataclass(frozen=True, slots=True)
class Row:
    """A connection in the table."""

    service: str
    kind: str
    name: str
    what: str


@dataclass(frozen=True, slots=True)
class MapView:
    """The picture with its size in CSS pixels, what it leaves out, and the table that says all."""

    width: int
    height: int
    box_width: int
    labels: tuple[Label, ...]
    lines: tuple[LineView, ...]
    boxes: tuple[BoxView, ...]
    left_out: str
    rows: tuple[Row, ...]


@dataclass(slots=True)
class _Box:
    """`said` is what each service says of it; a service of the result has a `text` of its own. No kind: it is many."""

    kind: ConnectionKind | None
    name: str
    said: dict[str, str]
    text: str | None = None


def service_map(result: ScanResult) -> MapView | None:
    """None where no service is connected with anything."""
    if not any(service.connections for service in result.services):
        return None
    chosen = _most_connected(result.services)
    services = {_key(s): _Box(ConnectionKind.SERVICE, s.name, {}, _of_service(s, result)) for s in chosen}
    beside, lines = _beside(chosen, services)
    levels = _levels(list(services), [line for line in lines if services.keys() >= set(line)])
    left = [key for key, box in beside.items() if _is_left(key, lines)]
    columns = [left, *levels, [key for key in beside if key not in set(left)]]
    columns = [names for names in columns if names]
    boxes = services | beside
    column = {name: n for n, names in enumerate(columns) for name in names}
    laid: dict[Edge, list[Edge]] = {}
    for a, b in lines:
        laid.setdefault((a, b) if column[a] < column[b] else (b, a), []).append((a, b))
    heights = {key: _SERVICE_HEIGHT if key in services else _HEIGHT for key in boxes}
    drawing = layers.drawn(columns, heights, list(laid))
    seen = {(v.service, family_of(v.subject.kind)) for v in result.verdicts}
    left_out = len(result.services) - len(chosen)
    return MapView(
        width=drawing.width + 2 * _MARGIN,
        height=drawing.height + _TOP + 2 * _MARGIN,
        box_width=WIDTH,
        labels=tuple(_labels(columns, services, left)),
        lines=tuple(
            LineView(drawing.paths[edge], all(lines[line] for line in both), _heads(edge, both, boxes))
            for edge, both in laid.items()
        ),
        boxes=tuple(_view(box, *drawing.places[key], drawing.heights[key], seen) for key, box in boxes.items()),
        left_out=figures.count(left_out, "more service") if left_out else "",
        rows=tuple(
            Row(plain(service.name), _WORDS[c.kind], plain(c.name), plain(c.what))
            for service in result.services
            for c in service.connections
        ),
    )


def _most_connected(services: Sequence[ServiceResult]) -> list[ServiceResult]:
    called = [c.name for service in services for c in service.connections if c.kind is ConnectionKind.SERVICE]
    ranked = sorted(services, key=lambda s: (-len(s.connections) - called.count(s.name), s.name))
    return sorted(ranked[:MAX_SERVICES], key=lambda s: s.name)


def _key(service: ServiceResult) -> str:
    return f"{ConnectionKind.SERVICE} {plain(service.name)}"


def _of_service(service: ServiceResult, result: ScanResult) -> str:
    endpoints = {
        v.subject.id for v in result.verdicts if v.service == service.name and v.subject.kind.lower() == "endpoint"
    }
    numbers = [counted(len(endpoints), "endpoint")] * bool(endpoints)
    return " · ".join([*numbers, *service.frameworks[:2]])


def _beside(chosen: Iterable[ServiceResult], services: Mapping[str, _Box]) -> tuple[dict[str, _Box], dict[Edge, bool]]:
    """The boxes at both sides of the services, and all lines with whether they are dashed."""
    boxes: dict[str, _Box] = {}
    lines: dict[Edge, bool] = {}
    for service in chosen:
        for connection in service.connections:
            other = f"{connection.kind} {plain(connection.name)}"
            if other not in services:
                other += "" if connection.kind in _SHARED else f"\n{plain(service.name)}"
                box = boxes.setdefault(other, _Box(connection.kind, connection.name, {}))
                box.said[service.name] = connection.what
            line = (other, _key(service)) if connection.kind in _LEFT else (_key(service), other)
            lines[line] = _is_dashed(connection)
    for side in (True, False):
        _make_room(side, boxes, lines)
    return boxes, lines


def _is_dashed(connection: Connection) -> bool:
    """Whether only settings or the deployment tell of it."""
    by_setting = connection.kind in _BY_ADDRESS and connection.what.startswith("address in")
    return by_setting or connection.kind in _BY_DEPLOYMENT


def _heads(edge: Edge, lines: Iterable[Edge], boxes: Mapping[str, _Box]) -> tuple[str, ...]:
    """What is only run beside a service isn't known to be called by it."""
    called = [line for line in lines if boxes[line[1]].kind is not ConnectionKind.INFRASTRUCTURE]
    return tuple("end" if line == edge else "start" for line in called)


def _is_left(key: str, lines: Iterable[Edge]) -> bool:
    return any(start == key for start, _ in lines)


def _make_room(is_left: bool, boxes: dict[str, _Box], lines: dict[Edge, bool]) -> None:
    """One box for all that are too many at one side: those that the fewest services are connected with."""
    names = [key for key in boxes if _is_left(key, lines) is is_left]
    if len(names) <= MAX_BESIDE:
        return
    ranked = sorted(names, key=lambda key: -len(boxes[key].said))
    rest = set(ranked[MAX_BESIDE - 1 :])
    more = f"more {is_left}"
    boxes[more] = _Box(None, f"and {len(rest)} more", {}, "all of them in the table")
    for line in [line for line in lines if not rest.isdisjoint(line)]:
        del lines[line]
        lines[(more, line[1]) if is_left else (line[0], more)] = False
    for key in rest:
        del boxes[key]


def _levels(names: Sequence[str], calls: Sequence[Edge]) -> list[list[str]]:
    """Callers before those that they call; a call that closes a circle leads back."""
    forward: list[Edge] = []
    path: list[str] = []
    done: set[str] = set()

    def visit(name: str) -> None:
        path.append(name)
        for caller, called in calls:
            if caller == name and called not in path:
                forward.append((caller, called))
                if called not in done:
                    visit(called)
        done.add(path.pop())

    for name in names:
        if name not in done:
            visit(name)
    level = dict.fromkeys(names, 0)
    for _ in names:
        for caller, called in forward:
            level[called] = max(level[called], level[caller] + 1)
    return [[name for name in names if level[name] == n] for n in range(max(level.values()) + 1)]


def _labels(columns: Sequence[Sequence[str]], services: Collection[str], left: Sequence[str]) -> Iterator[Label]:
    """Above the first column of each sort."""
    said = set()
    for n, (first, *_) in enumerate(columns):
        other = "What runs and feeds them" if first in left else "What they call and keep"
        text = "Services" if first in services else other
        if text not in said:
            said.add(text)
            yield Label(_MARGIN + n * (WIDTH + GAP), text)


def _view(box: _Box, x: float, y: float, height: int, seen: Collection[tuple[str, Family]]) -> BoxView:
    said = list(box.said.values())
    text = box.text
    if text is None:
        text = said[0] if len(said) == 1 else f"of {figures.count(len(said), 'service')}"
    return BoxView(
        x=round(x) + _MARGIN,
        y=round(y) + _TOP,
        height=height,
        kind="more" if box.kind is None else box.kind.value,
        name=_cut(plain(box.name), _NAME_ROOM),
        text=_cut(plain(text), _TEXT_ROOM),
        title=plain(_title(box)),
        address=_address(box, seen),
    )


def _title(box: _Box) -> str:
    if box.text is not None:
        return f"{box.name}: {box.text}" if box.text else box.name
    return f"{box.name} ({', '.join(f'{service}: {what}' for service, what in box.said.items())})"


def _address(box: _Box, seen: Collection[tuple[str, Family]]) -> str:
    if box.kind is None:
        return ""
    if box.text is not None:
        return addresses.of_subjects(service=plain(box.name))
    family = _FAMILIES.get(box.kind, Family.CALLS)
    told = [service for service in box.said if (service, family) in seen]
    if not told:
        return ""
    return addresses.of_subjects(family=family.value, **({"service": plain(told[0])} if len(told) == 1 else {}))


def _cut(text: str, room: int) -> str:
    """As much as fits; letters of East Asia are twice as wide."""
    width = 0.0
    for n, letter in enumerate(text):
        width += 2 if east_asian_width(letter) in "WF" else 1.25 if letter.isupper() else 1
        if width > room:
            return f"{text[: n - 1]}…"
    return text
