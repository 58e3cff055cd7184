"""Resources that a server opens when it starts, and what closes them when it stops."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from assay.scanner.model.place import Evidence, Location
from assay.scanner.model.role import Role


class ResourceKind(StrEnum):
    """What a server holds for as long as it runs."""

    TASK = "background task"
    SCHEDULER = "scheduler"
    PRODUCER = "producer"
    CONSUMER = "consumer"
    POOL = "connection pool"
    CLIENT = "client"


class Ending(StrEnum):
    """What becomes of a resource when the server stops."""

    CLOSED = "closed"
    PERHAPS = "perhaps"
    """Something of its kind is closed; whether it is this one can't be told."""
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class HeldResource:
    """A resource that an asynchronous server opens on its way up.

    `function` is the code that opens it, `ordinal` counts those of one kind there. `how` says how it is to be ended.
    """

    function: str
    ordinal: int
    location: Location
    role: Role
    kind: ResourceKind
    what: str
    how: str
    ending: Ending
    evidence: tuple[Evidence, ...] = ()

    @property
    def subject_id(self) -> str:
        return f"{self.function}#{self.kind.value}{self.ordinal}"

    @property
    def label(self) -> str:
        return f"{self.kind.value} {self.what} in {self.function}"
