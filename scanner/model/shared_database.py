"""Databases as deployments hand them out: which service is given which."""

from __future__ import annotations

from dataclasses import dataclass

from assay.scanner.model.place import Evidence, Location
from assay.scanner.model.role import Role


@dataclass(frozen=True, slots=True)
class OtherUser:
    """Another service that is given the same database; `doubt` says why it may not keep data of its own there."""

    name: str
    place: Evidence
    doubt: str = ""


@dataclass(frozen=True, slots=True)
class GivenDatabase:
    """A database that a service is given access to.

    `identity` tells it from the service's others, `name` is what a person calls it. `keeps` shows that the code has
    tables there or writes to it; `only_reads` why the service itself looks like a mere reader.
    """

    service_root: str
    identity: str
    name: str
    location: Location
    role: Role
    others: tuple[OtherUser, ...] = ()
    keeps: Evidence | None = None
    only_reads: str = ""

    @property
    def subject_id(self) -> str:
        return f"{self.service_root}:database {self.identity}"

    @property
    def label(self) -> str:
        return f"database {self.name}"

    @property
    def place(self) -> Evidence:
        """Where the service is given it."""
        return Evidence(self.location, f"it is given the database {self.name}")
