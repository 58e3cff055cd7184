"""Reads of many rows into memory, for the code's own purposes."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from assay.scanner.model.place import Evidence, Location
from assay.scanner.model.role import Role


class Extent(StrEnum):
    """What keeps the rows few."""

    LIMITED = "a limit"
    NARROWED = "a filter"
    STREAMED = "a cursor that gives a part at a time"
    SMALL = "what the table holds: settings, kinds, states"
    WHOLE = "nothing"
    UNKNOWN = "something that could not be followed"


@dataclass(frozen=True, slots=True)
class RowRead:
    """Rows that code reads into memory and goes through.

    `model` is what it reads, `extent` what keeps the rows few, which `evidence` shows. `request` leads from a handler
    to the read, where one does, and `task` from a task; `offline` says why none does. `is_listed` is set where the rows
    are an endpoint's own list.
    """

    function: str
    ordinal: int
    model: str
    location: Location
    role: Role
    extent: Extent
    evidence: tuple[Evidence, ...] = ()
    request: tuple[Evidence, ...] = ()
    task: tuple[Evidence, ...] = ()
    offline: str | None = None
    is_listed: bool = False
    grows: bool = True
    """The table gets rows as the service is used: it is about people, what they do, or what happens."""

    @property
    def subject_id(self) -> str:
        return f"{self.function}:{self.model} rows {self.ordinal}"

    @property
    def label(self) -> str:
        return f"{self.model} rows in {self.function}"
