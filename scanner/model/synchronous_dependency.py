"""Services that requests wait for: what is asked over HTTP while a client of the service waits for its answer."""

from __future__ import annotations

from dataclasses import dataclass

from assay.scanner.model.place import Evidence, Location
from assay.scanner.model.role import Role


@dataclass(frozen=True, slots=True)
class SynchronousDependency:
    """One other service that is asked several times for one request: `retried` or `repeated` shows how.

    `name` is its address, or the function that asks where that can't be told; `is_internal` says that it is one of the
    same platform. `endpoint` is where a request comes in on whose way it is asked. `breaker` shows what refuses the
    calls at once after some have failed.
    """

    name: str
    location: Location
    role: Role
    endpoint: Evidence
    is_internal: bool
    retried: Evidence | None = None
    repeated: Evidence | None = None
    breaker: Evidence | None = None

    @property
    def subject_id(self) -> str:
        return f"dependency {self.name}"

    @property
    def label(self) -> str:
        return f"the dependency {self.name}"

    @property
    def place(self) -> Evidence:
        return Evidence(self.location, "it is asked here")
