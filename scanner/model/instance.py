"""What an instance of a service keeps to itself: files, state in memory, stores that coordinate."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from assay.scanner.model.place import Evidence, Location
from assay.scanner.model.role import Role


class Disk(StrEnum):
    """Where files of users are kept."""

    OBJECTS = "object storage"
    CONTAINER = "container"
    """On the disk of a container that has no volume: gone with it, and no other instance sees them."""
    VOLUME = "volume"
    """On a disk of a container that has a volume, which others may share."""
    MACHINE = "machine"
    """On a local disk; nothing shows how the service runs."""
    CONFIGURED = "configured"
    """A setting decides, and is a local disk where nobody sets it."""
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class UserFiles:
    """A place that keeps files from users, or the setting that says where a framework does.

    `aside` says why they needn't last.
    """

    function: str
    what: str
    ordinal: int
    location: Location
    role: Role
    disk: Disk
    evidence: tuple[Evidence, ...] = ()
    aside: str | None = None

    @property
    def subject_id(self) -> str:
        return f"{self.function}#{self.what}{self.ordinal}"

    @property
    def label(self) -> str:
        return f"{self.what} in {self.function}"


class Use(StrEnum):
    """What a variable of a process is for."""

    AT_START = "at start"
    """Nothing that answers requests changes it."""
    LAZY = "lazy"
    """The first call makes it."""
    CACHE = "cache"
    """It keeps what can be worked out again."""
    WRITTEN_ONLY = "written only"
    """Requests put something there; nothing that answers requests looks at it."""
    CONNECTIONS = "connections"
    """It holds the clients that are connected to this process."""
    STATE = "state"
    """What one request leaves there decides about others."""


@dataclass(frozen=True, slots=True)
class ProcessState:
    """A variable of a module that functions change: every process has one of its own."""

    variable: str
    name: str
    location: Location
    role: Role
    use: Use
    evidence: tuple[Evidence, ...] = ()

    @property
    def subject_id(self) -> str:
        return self.variable

    @property
    def label(self) -> str:
        return f"variable {self.name}"


class Reach(StrEnum):
    """Which processes see what is put into a store."""

    PROCESS = "process"
    MACHINE = "machine"
    """All that run on the same machine, or in the same container."""
    SHARED = "shared"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class CoordinationStore:
    """What processes agree by: a session store, a channel layer, a broker, a scheduler's store of jobs.

    `several` shows that more processes serve requests than see it, `single` that only one does.
    """

    function: str
    what: str
    ordinal: int
    location: Location
    role: Role
    reach: Reach
    evidence: tuple[Evidence, ...] = ()
    several: tuple[Evidence, ...] = ()
    single: tuple[Evidence, ...] = ()

    @property
    def subject_id(self) -> str:
        return f"{self.function}#{self.what}{self.ordinal}"

    @property
    def label(self) -> str:
        return f"{self.what} in {self.function}"
