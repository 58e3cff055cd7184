"""Ids by which the records of one request are found: who makes them, and whether they are the caller's too."""

from __future__ import annotations

from dataclasses import dataclass

from assay.scanner.model.place import Evidence, Location
from assay.scanner.model.role import Role


@dataclass(frozen=True, slots=True)
class RequestId:
    """Code that gives each request an id.

    `name` is what holds the id. `inbound` is where the caller's own id is read before one is made, `returned` where the
    id goes back to the caller.
    """

    function: str
    ordinal: int
    location: Location
    role: Role
    name: str
    inbound: Evidence | None = None
    returned: Evidence | None = None

    @property
    def subject_id(self) -> str:
        return f"{self.function}:request id {self.ordinal}"

    @property
    def label(self) -> str:
        return f"{self.name} made in {self.function}"
