"""Copies of a database that only reads may go to, and what sends statements there."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from assay.scanner.model.place import Evidence, Location
from assay.scanner.model.role import Role


@dataclass(frozen=True, slots=True)
class ReadReplica:
    """One alias, bind or engine for a replica; a service without any has one that `is_declared` is not set for, whose
    evidence are the databases that were found instead.

    `uses` show how reads get there, `dead_ends` what would send some, and is used by nobody.
    """

    name: str
    kind: str
    location: Location
    role: Role
    service_root: str
    uses: tuple[Evidence, ...] = ()
    dead_ends: tuple[Evidence, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    is_declared: bool = True

    @property
    def subject_id(self) -> str:
        return self.name or "none"

    @property
    def label(self) -> str:
        return f'{self.kind} "{self.name}"' if self.is_declared else "read replicas"


class Choice(StrEnum):
    """By what a policy sends a read to a replica."""

    NONE = "none"
    """There is no policy."""
    ALWAYS = "always"
    """Every read goes there, whatever the request has written."""
    MODEL = "model"
    """By the table that is read."""
    STATE = "state"
    """By something that the request or the session has set: its method, a pin, an opt-in."""
    CODE = "code"
    """The code that reads asks for the replica."""
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class ReplicaRouting:
    """What decides which reads go to a replica: a router, a session that picks its engine, or the code that reads.

    `late_reads` are reads through the replica of what the same function has just written to the primary.
    """

    name: str
    location: Location
    role: Role
    service_root: str
    choice: Choice
    evidence: tuple[Evidence, ...] = ()
    late_reads: tuple[Evidence, ...] = ()

    @property
    def subject_id(self) -> str:
        return self.name or "none"

    @property
    def label(self) -> str:
        return f"routing by {self.name}" if self.choice is not Choice.NONE else "routing of reads"


@dataclass(frozen=True, slots=True)
class ReplicaUse:
    """What one function sends to a replica, or where a router sends writes. A service whose code names no replica has
    one without a function.
    """

    function: str
    location: Location
    role: Role
    service_root: str
    reads: tuple[Evidence, ...] = ()
    writes: tuple[Evidence, ...] = ()

    @property
    def subject_id(self) -> str:
        return self.function or "none"

    @property
    def label(self) -> str:
        return f"replica in {self.function}" if self.function else "statements for replicas"
