"""Addresses of services: those that workloads are given."""

from __future__ import annotations

from dataclasses import dataclass

from assay.scanner.model.place import Evidence, Location
from assay.scanner.model.role import Role


@dataclass(frozen=True, slots=True)
class ServiceAddress:
    """The address of a neighbour in the same cluster or compose project, as a file gives it to what runs.

    `path` is the file that gives it, `holder` the ConfigMap, container or compose service in it, `variable` the name
    under which it does. `address` is without anything secret, and `given_to` the workloads that get it. Either `found`
    shows what it leads to, or `problem` says why nothing answers there; `lead` shows what is there instead. `doubt` is
    why that can't be told from this tree.
    """

    service_root: str
    path: str
    holder: str
    variable: str
    location: Location
    role: Role
    address: str
    given_to: tuple[str, ...]
    found: Evidence | None = None
    problem: str = ""
    lead: tuple[Evidence, ...] = ()
    doubt: Evidence | None = None

    @property
    def subject_id(self) -> str:
        return f"{self.path}:{self.holder}:{self.variable}:{self.address}"

    @property
    def label(self) -> str:
        return f"address {self.address} in {self.variable}"

    @property
    def place(self) -> Evidence:
        """Who is given what."""
        return Evidence(
            self.location, f"{' and '.join(self.given_to[:3])} {_IS[len(self.given_to) > 1]} {self.address}"
        )


_IS = ("is given", "are given")
