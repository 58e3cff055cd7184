"""Engines, pools and aliases by which a service talks to its databases."""

from __future__ import annotations

from dataclasses import dataclass

from assay.scanner.model.option import Option
from assay.scanner.model.place import Evidence, Location
from assay.scanner.model.role import Role


@dataclass(frozen=True, slots=True)
class DatabaseConnection:
    """One engine, pool or alias.

    `kind` is what makes it, in words: `SQLAlchemy engine`, `Django alias "default"`. `dialects` are the databases that
    it may talk to, as people call them; empty where that can't be told. `statement_timeout` says whether the database
    ends what takes too long, `liveness` whether a connection that the database has closed is noticed before it is used;
    None where connections aren't kept. `foreign` says why it isn't the service's own database.
    """

    group: str
    name: str
    kind: str
    location: Location
    role: Role
    dialects: tuple[str, ...]
    statement_timeout: Option
    liveness: Option | None = None
    is_relational: bool = True
    """It speaks SQL."""
    request: tuple[Evidence, ...] = ()
    """The calls from a handler to the place that makes it: each request makes one."""
    kept: Evidence | None = None
    """What keeps it for later, where a request makes the first one."""
    foreign: str | None = None
    offline: str | None = None

    @property
    def subject_id(self) -> str:
        return f"{self.group}:{self.name}"

    @property
    def label(self) -> str:
        return f"{self.kind} of {self.group}"

    @property
    def is_embedded(self) -> bool:
        """It is a file in the process, and no server."""
        return self.dialects == ("SQLite",)

    @property
    def exemption(self) -> str | None:
        """Why what holds for a server that requests talk to doesn't hold for it."""
        if self.offline is not None:
            return f"it is made in a {self.offline}"
        return "the database is a file in the process" if self.foreign is None and self.is_embedded else self.foreign

    @property
    def place(self) -> Evidence:
        return Evidence(self.location, f"{self.kind} is made here")
