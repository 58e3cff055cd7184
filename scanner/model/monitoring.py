"""What watches a service: its alerts, where they go, what they and dashboards read."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

from assay.scanner.model.place import Evidence, Location
from assay.scanner.model.role import Role


class Damping(Enum):
    """What keeps an alert from firing at a single bad sample."""

    WAITS = auto()
    WINDOW = auto()
    """It looks at a stretch of time, so that one sample changes little."""
    KEEPS = auto()
    """It fires on for a while."""
    AT_ONCE = auto()
    """It is told to wait for no time at all."""
    NOTHING = auto()


class Runbook(Enum):
    """What an alert says of what to do."""

    PAGE = auto()
    FILE = auto()
    GONE = auto()
    """It names a file that isn't there."""
    PLACEHOLDER = auto()
    NOTHING = auto()


@dataclass(frozen=True, slots=True)
class Alert:
    """An alerting rule. `says` is where its text stands, `page` where it tells what to do, `severity` the label that
    says how urgent it is. `is_for_machines` is set for one that tells nobody: it always fires, to show that alerts
    arrive, or keeps others quiet.
    """

    service_root: str
    path: str
    name: str
    ordinal: int
    location: Location
    role: Role
    damping: Damping
    severity: str | None
    says: Evidence | None
    runbook: Runbook
    page: Evidence | None
    is_for_machines: bool

    @property
    def subject_id(self) -> str:
        return f"{self.path}:{self.name}" + (f" {self.ordinal}" if self.ordinal > 1 else "")

    @property
    def label(self) -> str:
        return f"alert {self.name}"

    @property
    def place(self) -> Evidence:
        return Evidence(self.location, f"the alert {self.name}")


class Destination(Enum):
    """What an alert comes by on its way."""

    ROUTE = "route"
    RECEIVER = "receiver"


@dataclass(frozen=True, slots=True)
class AlertDestination:
    """A receiver of alerts, or a route to one.

    `unknown` is where a route names a receiver that nothing defines; `empty` a receiver, or the address of one, that
    goes nowhere; `placeholder`, `secret`, `templated`, `kept` are addresses: text to be replaced, a secret in plain
    text, text filled in later, and one that is known or kept elsewhere. `ungrouped` is set at the root of a tree where
    nothing groups alerts, `unpaged` where critical alerts go only where warnings go, and neither to a pager.
    `is_part` says that other configuration comes beside it. `unneeded` says why it doesn't matter.
    """

    service_root: str
    path: str
    kind: Destination
    name: str
    location: Location
    role: Role
    unknown: Evidence | None = None
    empty: Evidence | None = None
    placeholder: Evidence | None = None
    secret: Evidence | None = None
    templated: Evidence | None = None
    kept: Evidence | None = None
    ungrouped: Evidence | None = None
    unpaged: Evidence | None = None
    grouped: Evidence | None = None
    is_part: bool = False
    unneeded: str = ""

    @property
    def subject_id(self) -> str:
        return f"{self.path}:{self.kind.value} {self.name}"

    @property
    def label(self) -> str:
        return f"{self.kind.value} {self.name}"


@dataclass(frozen=True, slots=True)
class AlertCoverage:
    """What the alerts about a service look at. `errors`, `latency`, `saturation` are the alerts on each of the golden
    signals, `others` the rest. `unread` are rules that can't be read, or are kept elsewhere; `signs` show that the tree
    runs the service, and so would hold its alerts.
    """

    service_root: str
    location: Location
    role: Role
    errors: tuple[Evidence, ...] = ()
    latency: tuple[Evidence, ...] = ()
    saturation: tuple[Evidence, ...] = ()
    others: tuple[Evidence, ...] = ()
    unread: tuple[Evidence, ...] = ()
    signs: tuple[Evidence, ...] = ()

    @property
    def subject_id(self) -> str:
        return "alerts on the golden signals"

    @property
    def label(self) -> str:
        return self.subject_id
