"""Priorities that messages and tasks are given."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from assay.scanner.model.place import Evidence, Location
from assay.scanner.model.role import Role


class Effect(StrEnum):
    """What becomes of a priority."""

    WORKS = "works"
    IGNORED = "ignored"
    REVERSED = "reversed"
    """What is called urgent comes last."""
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class PriorityUse:
    """A priority that a message, a task or its decorator is given. `why` tells in words what the broker makes of it."""

    library: str
    function: str
    ordinal: int
    location: Location
    role: Role
    effect: Effect
    why: str
    evidence: tuple[Evidence, ...] = ()

    @property
    def subject_id(self) -> str:
        return f"{self.library} {self.function}:priority {self.ordinal}"

    @property
    def label(self) -> str:
        return f"priority in {self.function}"
