"""What is measured while a service runs: how long requests take, and what it calls."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from assay.scanner.model.place import Evidence, Location
from assay.scanner.model.role import Role


@dataclass(frozen=True, slots=True)
class LatencyMeasurement:
    """How the durations of a service's requests are recorded. `doubtful` is what takes the time without a metric that
    tells routes apart, as far as can be seen.
    """

    service_root: str
    location: Location
    role: Role
    recorded: tuple[Evidence, ...] = ()
    doubtful: tuple[Evidence, ...] = ()
    serves_requests: bool = True

    @property
    def subject_id(self) -> str:
        return self.service_root

    @property
    def label(self) -> str:
        return "latency of requests"


class DependencyKind(StrEnum):
    """What a service waits for."""

    DATABASE = "the database"
    HTTP = "other services"
    QUEUE = "the queue"
    CACHE = "the cache"


@dataclass(frozen=True, slots=True)
class DependencyTelemetry:
    """Whether calls to one kind of dependency can be seen. `uses` shows that there are such calls, `instrumented` what
    records them; `is_dark` says that nothing at all is recorded of the service.
    """

    service_root: str
    kind: DependencyKind
    location: Location
    role: Role
    uses: tuple[Evidence, ...] = ()
    instrumented: tuple[Evidence, ...] = ()
    doubtful: tuple[Evidence, ...] = ()
    is_dark: bool = False

    @property
    def subject_id(self) -> str:
        return self.kind.name.lower()

    @property
    def label(self) -> str:
        return f"calls of {self.kind}"
