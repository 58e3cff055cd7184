"""What is measured while a service runs: how long requests take, and what it calls."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from assay.scanner.model.log import ProcessKind
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


@dataclass(frozen=True, slots=True)
class MetricExport:
    """How the numbers of one kind of process leave it: how much it does, how long that takes, how often it fails.

    `location` is the application's or the workload's. `exported` is what exposes or pushes metrics; `kept` are metrics
    that stay in the process, as far as is seen; `doubtful` is what may export them, where configuration or something
    outside the code says so. `of_requests` are those of `exported` and others that count or time requests.
    """

    service_root: str
    kind: ProcessKind
    location: Location
    role: Role
    exported: tuple[Evidence, ...] = ()
    kept: tuple[Evidence, ...] = ()
    doubtful: tuple[Evidence, ...] = ()
    of_requests: tuple[Evidence, ...] = ()

    @property
    def subject_id(self) -> str:
        return f"metrics of the {self.kind} process"

    @property
    def label(self) -> str:
        return self.subject_id


@dataclass(frozen=True, slots=True)
class ProcessTrace:
    """Whether one kind of process takes part in traces. `calls` shows that the service calls others, `traced` is what
    sets tracing up where the process starts, `doubtful` what does so only where the environment or an agent says it.
    """

    service_root: str
    kind: ProcessKind
    location: Location
    role: Role
    calls: tuple[Evidence, ...] = ()
    traced: tuple[Evidence, ...] = ()
    doubtful: tuple[Evidence, ...] = ()

    @property
    def subject_id(self) -> str:
        return f"traces of the {self.kind} process"

    @property
    def label(self) -> str:
        return self.subject_id


@dataclass(frozen=True, slots=True)
class ErrorReporting:
    """What tells somebody of the exceptions that one kind of process doesn't handle. `reported` is what does so for
    sure, `doubtful` what does it where the environment or an agent says so.
    """

    service_root: str
    kind: ProcessKind
    location: Location
    role: Role
    reported: tuple[Evidence, ...] = ()
    doubtful: tuple[Evidence, ...] = ()

    @property
    def subject_id(self) -> str:
        return f"errors of the {self.kind} process"

    @property
    def label(self) -> str:
        return self.subject_id


@dataclass(frozen=True, slots=True)
class MessageTracing:
    """Whether the messages of one library carry the trace, or the id of the request that they were sent in.

    `library` has the name that messages give it. `sent` is what puts it in, `received` what takes it out again;
    `has_receivers` says that the service itself has workers.
    """

    service_root: str
    library: str
    location: Location
    role: Role
    sent: tuple[Evidence, ...] = ()
    received: tuple[Evidence, ...] = ()
    has_receivers: bool = False

    @property
    def subject_id(self) -> str:
        return f"traces through {self.library}"

    @property
    def label(self) -> str:
        return f"traces through messages of {self.library}"


@dataclass(frozen=True, slots=True)
class ClientTracing:
    """Whether the requests that a service sends by one library carry the trace. `inbound` is what takes it up where
    requests come in, `carried` what puts it into those that go out, `doubtful` what does so only where the environment
    or an agent says it. `to_others_only` says that all of them go to third parties, `to_ours` that one goes to a host
    of the platform or of a setting: others go wherever an address leads that the code was given.
    """

    service_root: str
    library: str
    location: Location
    role: Role
    calls: tuple[Evidence, ...]
    to_others_only: bool
    to_ours: bool = True
    inbound: tuple[Evidence, ...] = ()
    carried: tuple[Evidence, ...] = ()
    doubtful: tuple[Evidence, ...] = ()

    @property
    def subject_id(self) -> str:
        return f"traces through {self.library} requests"

    @property
    def label(self) -> str:
        return f"traces through requests of {self.library}"


@dataclass(frozen=True, slots=True)
class TracerSetup:
    """How one tracer provider is made. `named` is what gives the service's name to its spans, `unsure` what may.
    `at_once` are processors that send each span while the request waits, `shown` exporters that print spans, `vendors`
    propagators whose headers only one vendor's world reads.
    """

    function: str
    ordinal: int
    location: Location
    role: Role
    named: Evidence | None = None
    unsure: Evidence | None = None
    at_once: tuple[Evidence, ...] = ()
    shown: tuple[Evidence, ...] = ()
    vendors: tuple[Evidence, ...] = ()

    @property
    def subject_id(self) -> str:
        return f"{self.function}:tracer provider {self.ordinal}"

    @property
    def label(self) -> str:
        return f"tracer provider in {self.function}"
