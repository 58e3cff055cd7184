"""Ports by which workloads can be reached from outside their platform."""

from __future__ import annotations

from dataclasses import dataclass

from assay.scanner.model.place import Evidence, Location
from assay.scanner.model.role import Role
from assay.scanner.model.workload import Platform


@dataclass(frozen=True, slots=True)
class PublishedPort:
    """One port of a compose service, or a Service of Kubernetes that reaches beyond the cluster.

    `internal` says in words what no stranger should reach (a database, an administration page); empty for anything
    else. `kept_inside` shows what lets only the machine, the private network or nobody in.
    """

    subject_id: str
    workload: str
    port: str
    platform: Platform
    location: Location
    role: Role
    internal: str = ""
    kept_inside: Evidence | None = None
    perhaps_inside: Evidence | None = None
    """What decides it isn't known."""
    doubt: Evidence | None = None

    @property
    def label(self) -> str:
        return f"port {self.port} of {self.workload}"

    @property
    def place(self) -> Evidence:
        return Evidence(self.location, f"{self.label} is published")
