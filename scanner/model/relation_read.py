"""Relations that are looked at on one row after another."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from assay.scanner.model.place import Evidence, Location
from assay.scanner.model.role import Role


class Supply(StrEnum):
    """Where the related objects come from when they are looked at."""

    LOADED = "loaded"
    """With the rows: the query or the mapping says so."""
    REFUSED = "refused"
    """Looking at one that isn't loaded is an error, which any test finds."""
    FEW = "few"
    """There are but a few rows."""
    EACH = "each"
    """With a query of its own for each row."""
    ANEW = "anew"
    """With a query for each row that asks for a part or another order of them, whatever was loaded."""
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class RelationRead:
    """A relation that code, or the schema of an answer, looks at for each row of many.

    `reader` is the function or the endpoint, `relation` is `Order.customer`. `query` is where the rows are read, and
    `loader` what loads the related objects with them. `steps` lead from the loop to the place that looks at it.
    """

    reader: str
    relation: str
    location: Location
    role: Role
    supply: Supply
    query: Evidence
    steps: tuple[Evidence, ...] = ()
    loader: Evidence | None = None
    offline: str | None = None
    ordinal: int = 1

    @property
    def subject_id(self) -> str:
        return f"{self.reader}:{self.relation} {self.ordinal}"

    @property
    def label(self) -> str:
        return f"{self.relation} in {self.reader}"

    @property
    def places(self) -> tuple[Evidence, ...]:
        """Where the rows are read, where the relation is looked at, and what loads it."""
        return (self.query, *self.steps, *((self.loader,) if self.loader is not None else ()))
