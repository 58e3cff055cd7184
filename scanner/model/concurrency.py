"""How many processes and connections a workload makes, and how many there may be."""

from __future__ import annotations

from dataclasses import dataclass

from assay.scanner.model.place import Evidence, Location
from assay.scanner.model.role import Role


@dataclass(frozen=True, slots=True)
class WorkloadConcurrency:
    """Of one workload, what its files state; None where they don't.

    `by_processors` shows that it starts as many processes as the machine has processors, `cpu_limit` that it may use
    few of them; `perhaps_told` that something else may say how many. `copies` run, each with `processes`, and each of
    these takes up to `per_process` connections, as `pool` shows. The database takes `most` connections, `limit` says
    so, by default where `is_default`; `pooler` stands in between.
    """

    service_root: str
    subject_id: str
    name: str
    location: Location
    role: Role
    place: Evidence
    by_processors: Evidence | None = None
    cpu_limit: Evidence | None = None
    perhaps_told: Evidence | None = None
    copies: int = 1
    processes: int | None = None
    per_process: int | None = None
    pool: Evidence | None = None
    most: int | None = None
    limit: Evidence | None = None
    is_default: bool = False
    pooler: Evidence | None = None
    doubt: Evidence | None = None

    @property
    def label(self) -> str:
        return f"concurrency of {self.name}"

    @property
    def need(self) -> int | None:
        """Connections that it may open at most."""
        if self.processes is None or self.per_process is None:
            return None
        return self.copies * self.processes * self.per_process

    @property
    def sum_text(self) -> str:
        """How the need comes about, in words."""
        copies = f"{self.copies} × " if self.copies > 1 else ""
        return f"{copies}{self.processes} processes × {self.per_process} connections"
