"""Clients of what is asked over the network by other means than HTTP: caches, mail servers, directories."""

from __future__ import annotations

from dataclasses import dataclass

from assay.scanner.model.option import Option
from assay.scanner.model.place import Evidence, Location
from assay.scanner.model.role import Role


@dataclass(frozen=True, slots=True)
class DependencyClient:
    """One place that makes a client. `bound` is safe where a wait for the other side has a limit.

    `remedy` is what sets that limit. `waiting` shows why it waits on purpose: it listens for messages.
    """

    function: str
    ordinal: int
    kind: str
    location: Location
    role: Role
    bound: Option
    remedy: str
    waiting: Evidence | None = None
    offline: str | None = None

    @property
    def subject_id(self) -> str:
        return f"{self.function}:{self.kind} client {self.ordinal}"

    @property
    def label(self) -> str:
        return f"{self.kind} client {self.ordinal} in {self.function}"

    @property
    def place(self) -> Evidence:
        return Evidence(self.location, f"a client of {self.kind} is made here")
