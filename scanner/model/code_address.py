"""Addresses that the code connects to."""

from __future__ import annotations

from dataclasses import dataclass

from assay.scanner.model.place import Evidence, Location
from assay.scanner.model.role import Role
from assay.scanner.model.transport import Place


@dataclass(frozen=True, slots=True)
class CodeAddress:
    """An address that a client, a request or a setting of a module is for; one with all uses in the module together.

    `address` is the host, with its port, where the code itself names it; else `read_from` are the environment variables
    and settings that it comes from. `is_of_stage` says that the host's name speaks of one environment (staging, a
    sandbox). `unused` shows why production doesn't get there as it stands.
    """

    path: str
    location: Location
    role: Role
    used_for: str
    place: Place = Place.UNKNOWN
    address: str = ""
    read_from: tuple[str, ...] = ()
    is_of_stage: bool = False
    unused: Evidence | None = None

    @property
    def subject_id(self) -> str:
        return f"{self.path}:{self.address or ' '.join(self.read_from)}"

    @property
    def label(self) -> str:
        return f"address {self.address or ' and '.join(self.read_from)}"

    @property
    def evidence(self) -> Evidence:
        """Where it is used."""
        return Evidence(self.location, f"{self.used_for} goes to {self.address or ' and '.join(self.read_from)}")
