"""Neighbours: what answers at the addresses that a service reads from its environment."""

from __future__ import annotations

from dataclasses import dataclass

from assay.scanner.model.place import Location
from assay.scanner.model.role import Role


@dataclass(frozen=True, slots=True)
class Neighbour:
    """What a deployment has the service find at the address in one of its environment variables.

    `name` is that of the Service or compose service that answers, `root` the folder of its code where that is a service
    of the tree. `location` is where the address is given, `calls` are the requests of the code that go to it.
    """

    service_root: str
    variable: str
    address: str
    name: str
    root: str | None
    location: Location
    role: Role
    calls: tuple[Location, ...] = ()

    @property
    def subject_id(self) -> str:
        return f"{self.service_root}:{self.variable}:{self.name}"

    @property
    def label(self) -> str:
        return f"neighbour {self.name}"
