"""A database that the repository itself deploys, and what keeps its data."""

from __future__ import annotations

from dataclasses import dataclass

from assay.scanner.model.place import Evidence, Location
from assay.scanner.model.role import Role


@dataclass(frozen=True, slots=True)
class DataStore:
    """A container that holds data which has to outlive it.

    `backups` run by a schedule, `dumps` only when somebody starts them; `restores` bring one back. `is_for_production`
    says that file or manifest leaves no doubt about it.
    """

    name: str
    location: Location
    role: Role
    place: Evidence
    is_for_production: bool
    backups: tuple[Evidence, ...] = ()
    dumps: tuple[Evidence, ...] = ()
    restores: tuple[Evidence, ...] = ()

    @property
    def subject_id(self) -> str:
        return f"{self.place.location.path}:{self.name}"

    @property
    def label(self) -> str:
        return f"database {self.name}"
