"""Columns of stored rows that get a value computed from their own: counters, balances, quotas."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from assay.scanner.model.place import Evidence, Location
from assay.scanner.model.role import Role


class Guard(StrEnum):
    """What keeps two changes of one row from being computed from the same value."""

    DATABASE = "the database computes the new value from what the row holds at that moment"
    LOCK = "a lock keeps others waiting until the change is made"
    VERSION = "the change is refused when another one came between"
    ISOLATION = "the isolation level refuses one of two such changes"
    PROCESS = "a lock of this process"
    """Two processes don't see each other's."""
    NONE = "nothing"


@dataclass(frozen=True, slots=True)
class RowChange:
    """A change of one numeric column that depends on the column's value.

    `evidence` shows the guard where there is one, else where the value is read and how code without a lock gets to the
    change. `accepted` is a comment that says the race is known. `offline` says why no two requests or jobs make the
    change at once.
    """

    function: str
    ordinal: int
    model: str
    column: str
    location: Location
    role: Role
    guard: Guard
    evidence: tuple[Evidence, ...] = ()
    checked: Evidence | None = None
    """Where the code has seen before that there is enough, which needn't hold any more when some is taken."""
    is_of_worker: bool = False
    """The column counts how often work on the row was tried: by the one worker, most likely, that has taken it."""
    is_of_order: bool = False
    """The column says which place the row has in a list: what is lost is one step of it."""
    accepted: Evidence | None = None
    offline: str | None = None

    @property
    def subject_id(self) -> str:
        return f"{self.function}:{self.model}.{self.column} {self.ordinal}"

    @property
    def label(self) -> str:
        return f"{self.model}.{self.column} in {self.function}"
