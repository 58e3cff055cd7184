"""Reads of many rows, and the inputs that say how many: what pagination rules look at."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from assay.scanner.model.place import Evidence, Location
from assay.scanner.model.role import Role


class Bound(StrEnum):
    """Whether a limit reaches the query."""

    LIMITED = "limited"
    UNLIMITED = "unlimited"
    UNKNOWN = "unknown"


class Order(StrEnum):
    """Whether the rows come in a defined order."""

    EXPLICIT = "explicit"
    DEFAULT = "default"
    NONE = "none"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class CollectionRead:
    """A read of many rows whose result reaches a response.

    `filtered_by_parent` is set where the rows are those of one parent (`filter(post_id=...)`), which may or may not be
    few. `limit` and `order_by` point at what bounds and orders it.
    """

    location: Location
    model: str
    bound: Bound
    order: Order
    limit: Evidence | None = None
    order_by: Evidence | None = None
    filtered_by_parent: bool = False


class Cap(StrEnum):
    """What bounds a page size."""

    CAPPED = "capped"
    UNCAPPED = "uncapped"
    SWITCHED_OFF = "switched off"
    """A value such as -1 or 0 turns the limit off altogether."""
    CONFIGURED = "configured"
    """By run-time configuration, with a finite default."""
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class PageSize:
    """An input with which the client chooses how many rows a page has.

    `scope` is where it is declared (a handler, a dependency shared by many, a paginator class): one subject however
    many endpoints use it. `maximum` is in rows.
    """

    scope: str
    name: str
    location: Location
    role: Role
    cap: Cap
    maximum: int | None = None
    evidence: tuple[Evidence, ...] = ()

    @property
    def places(self) -> tuple[Evidence, ...]:
        """Where it is declared, and what was found about its bound."""
        return (Evidence(self.location, "the client chooses it here"), *self.evidence)

    @property
    def subject_id(self) -> str:
        return f"{self.scope}:{self.name}"

    @property
    def label(self) -> str:
        return f"page size `{self.name}` of {self.scope}"


@dataclass(frozen=True, slots=True)
class PagedQuery:
    """A query that is cut into pages for a client with offset or limit."""

    function: str
    location: Location
    role: Role
    order: Order
    order_by: Evidence | None = None
    ordinal: int = 1
    """The how-manieth paged query of the function it is."""

    @property
    def place(self) -> Evidence:
        return Evidence(self.location, "this query is cut into pages")

    @property
    def subject_id(self) -> str:
        return f"{self.function}:paged query {self.ordinal}"

    @property
    def label(self) -> str:
        return f"paged query in {self.function}"
