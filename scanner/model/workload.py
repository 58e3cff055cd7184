"""Workloads: the things that run (a container of a pod, a compose service, a Procfile line, an image), what starts
them, what asks after their health, and how long they get to stop.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from assay.scanner.model.capacity import UNSTATED, Capacity
from assay.scanner.model.option import Option
from assay.scanner.model.place import Evidence, Location
from assay.scanner.model.role import Role

SHUTDOWN_SLACK_SECONDS = 5.0
"""What a process needs besides its drain: closing pools, flushing logs, reaping children."""


class Platform(StrEnum):
    """What runs a workload, and so which health check and which grace period count."""

    KUBERNETES = "kubernetes"
    COMPOSE = "compose"
    PROCFILE = "procfile"
    DOCKERFILE = "dockerfile"
    """An image alone: nothing in the tree says who runs it, or this is what it does by default."""


class WorkloadKind(StrEnum):
    """What a workload does all day."""

    WEB = "web"
    WORKER = "worker"
    JOB = "job"
    INFRASTRUCTURE = "infrastructure"
    LOAD_GENERATOR = "load generator"
    UNKNOWN = "unknown"


class Drain(StrEnum):
    """How long the server goes on with the work it has, once it was told to stop."""

    BOUNDED = "bounded"
    UNBOUNDED = "unbounded"
    UNKNOWN = "unknown"


class Lanes(StrEnum):
    """How many requests a server's process group works on at once, as its command says."""

    ONE = "one"
    """One worker without threads: while it works on a request, all others wait."""
    LOOP = "one event loop"
    """One process, whose event loop takes turns with many requests, on one processor."""
    MANY = "many"
    CONTRADICTORY = "contradictory"
    """A flag is given twice, and the second one silently counts."""
    ELSEWHERE = "elsewhere"
    """A file or the environment says."""
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Process:
    """The program that a start command ends in.

    `server` is the program's usual name (gunicorn, uvicorn, celery ...), None for one that isn't known. `port` is the
    one it binds; None when unknown. `drain_seconds` is set for a bounded drain, and `drain_is_stated` when a flag says
    it, as opposed to the server's default.
    """

    server: str | None
    kind: WorkloadKind
    text: str
    port: int | None = None
    workers: int | None = None
    drain: Drain = Drain.UNKNOWN
    drain_seconds: float | None = None
    drain_is_stated: bool = False
    is_development_server: bool = False
    lanes: Lanes = Lanes.UNKNOWN

    @property
    def is_made_for_development(self) -> bool:
        """Its own documentation says not to serve production with it."""
        return self.is_development_server or self.server in ("flask run", "runserver", "http.server")

    @property
    def runs_for_long(self) -> bool | None:
        """None when the program isn't known; supervisors are, whatever they run."""
        if self.kind is WorkloadKind.UNKNOWN:
            return True if self.server is not None else None
        return self.kind is not WorkloadKind.JOB


class CommandForm(StrEnum):
    """How a command is run."""

    EXEC = "exec form"
    SHELL = "shell form"
    SCRIPT = "line of a script"


class Delivery(StrEnum):
    """Whether a stop signal sent to the container reaches the process."""

    REACHES = "reaches"
    SHELL_IN_FRONT = "shell in front"
    UNSURE = "unsure"


@dataclass(frozen=True, slots=True)
class StartCommand:
    """A place that starts a process: CMD or ENTRYPOINT, a workload's command, the last command of an entry script.

    `delivery` is about this place alone: a script is judged where its own last command stands. `why` says in words
    how the signal gets through, or what keeps it. `started_by_platform` is set for Procfile lines.
    """

    subject_id: str
    label: str
    location: Location
    role: Role
    form: CommandForm
    text: str
    process: Process
    delivery: Delivery
    why: str
    goes_through: tuple[Evidence, ...] = ()
    """The last commands of the entry scripts it starts."""
    started_by: tuple[Evidence, ...] = ()
    """For an entry script: the command that starts it."""
    doubt: Evidence | None = None
    started_by_platform: bool = False


class ProbeKind(StrEnum):
    """Kubernetes' three, and Docker's and compose's one."""

    READINESS = "readiness"
    LIVENESS = "liveness"
    STARTUP = "startup"
    HEALTHCHECK = "healthcheck"


@dataclass(frozen=True, slots=True)
class Probe:
    """A question that a platform asks a workload again and again.

    `path` and `port` are what it asks over HTTP (also when a command such as curl does it), `command` what it runs.
    `tool` is the program the command needs, `tool_in_image` whether the image has it (None: can't be known).
    `port_problem` says why a named port leads nowhere. `process` is what its workload runs.
    """

    subject_id: str
    workload: str
    platform: Platform
    kind: ProbeKind
    location: Location
    role: Role
    process: Process
    path: str | None = None
    port: int | None = None
    method: str = "GET"
    port_problem: Evidence | None = None
    command: tuple[str, ...] = ()
    tool: str | None = None
    tool_in_image: bool | None = None
    image: str | None = None
    built_here: bool = False
    sends_credentials: bool = False
    restarts_on_failure: bool = False
    """Its failure restarts the process: liveness, or a health check that something acts on."""
    of_infrastructure: bool = False
    """Its workload is a third-party database, broker or proxy."""
    asks_dependency: str | None = None
    """The other system that the command itself asks (a broker, a database), in words."""
    doubt: Evidence | None = None

    @property
    def runs_script(self) -> bool:
        """It runs a script, which may ask any page of the service."""
        words = " ".join(self.command).split()
        return self.path is None and any(word.strip("'\"").endswith((".py", ".sh")) for word in words)

    @property
    def label(self) -> str:
        return f"{self.noun} of {self.workload}"

    @property
    def noun(self) -> str:
        """What its platform calls it."""
        return "health check" if self.kind is ProbeKind.HEALTHCHECK else f"{self.kind} probe"

    @property
    def evidence(self) -> Evidence:
        """What it asks."""
        return Evidence(self.location, self.text)

    @property
    def text(self) -> str:
        if self.path is not None:
            return f"asks {self.method} {self.path}" + (f" on port {self.port}" if self.port is not None else "")
        if self.command:
            return f"runs `{' '.join(self.command)}`"
        return "opens a connection" + (f" to port {self.port}" if self.port is not None else "")

    @property
    def port_is_wrong(self) -> bool:
        """The process is known to bind another port."""
        return self.port is not None and self.process.port is not None and self.port != self.process.port


@dataclass(frozen=True, slots=True)
class Workload:
    """A thing that runs.

    `traffic` says who sends it requests (a Service, a published port, a dependent); empty when nobody does.
    `image` is the reference as written; `dockerfile` the path of the Dockerfile when the image is built in this tree.
    `doubt` is set when a fail would be unsure: a label alone calls it development, an overlay may change it.
    Durations are in seconds; `grace_seconds` is the platform's default unless `grace` points at a stated one, and
    None where no platform is known.
    """

    subject_id: str
    name: str
    platform: Platform
    kind: WorkloadKind
    location: Location
    role: Role
    process: Process
    doubt: Evidence | None = None
    traffic: tuple[Evidence, ...] = ()
    image: str | None = None
    built_here: bool = False
    dockerfile: str | None = None
    command: StartCommand | None = None
    probes: tuple[Probe, ...] = ()
    check_disabled: Evidence | None = None
    """Where a health check is switched off on purpose."""
    check_elsewhere: Evidence | None = None
    """Why a check may exist out of sight: the image isn't built here and may carry one."""
    grace_seconds: float | None = None
    grace: Evidence | None = None
    pre_stop: Evidence | None = None
    pre_stop_seconds: float | None = 0.0
    """None when the hook's duration is unknown."""
    replicas: int | None = None
    """How many of it run; None where the platform isn't told, or isn't known."""
    volumes: tuple[str, ...] = ()
    """Folders inside that outlive it, where they may be written to."""
    image_location: Location | None = None
    """Where its image is named."""
    image_varies: bool = False
    """Variables decide which image it is; their defaults are put in."""
    user: Option | None = None
    """As whom the platform runs it; None where it leaves that to the image."""
    capacity: Capacity = UNSTATED
    place_role: Role = Role.PROD
    """Its role by its place alone: one that a development server is started for is for development by its command."""
    for_production: Evidence | None = None
    """What says that its file is meant for production, where files of its kind are mostly for development."""

    @property
    def label(self) -> str:
        return f"{self.platform} workload {self.name}"

    @property
    def place(self) -> Evidence:
        return Evidence(self.location, self.label)

    @property
    def readiness(self) -> Probe | None:
        """The check that decides whether it gets traffic: Kubernetes ignores an image's HEALTHCHECK."""
        wanted = ProbeKind.READINESS if self.platform is Platform.KUBERNETES else ProbeKind.HEALTHCHECK
        return next((p for p in self.probes if p.kind is wanted), None)

    @property
    def serves_traffic(self) -> bool:
        """It runs for long and somebody sends it requests."""
        return bool(self.traffic) and self.kind not in (
            WorkloadKind.WORKER,
            WorkloadKind.JOB,
            WorkloadKind.LOAD_GENERATOR,
        )

    @property
    def shutdown_is_stated(self) -> bool:
        """Somebody wrote down a number that decides the shutdown, so that it isn't defaults meeting defaults."""
        return self.grace is not None or self.process.drain_is_stated or self.pre_stop is not None

    @property
    def shutdown_need(self) -> float | None:
        """Seconds that the hook and the drain take together; None when either is unknown or has no bound."""
        if self.pre_stop_seconds is None or self.process.drain_seconds is None:
            return None
        return self.pre_stop_seconds + self.process.drain_seconds

    @property
    def shutdown_evidence(self) -> tuple[Evidence, ...]:
        """The places of the numbers that decide the shutdown."""
        command = Evidence(self.command.location, self.drain_text) if self.command is not None else None
        return tuple(e for e in (self.grace, self.pre_stop, command) if e is not None)

    @property
    def drain_text(self) -> str:
        """How its server drains, in words."""
        name = self.process.server or "the process"
        if self.process.drain is Drain.BOUNDED:
            default = "" if self.process.drain_is_stated else " by default"
            return f"{name} drains for up to {self.process.drain_seconds:g} s{default}"
        if self.process.drain is Drain.UNBOUNDED:
            return f"{name} waits without limit for the work it has"
        return f"how long {name} drains isn't known"
