"""Queries that skip the rows of earlier pages."""

from __future__ import annotations

from dataclasses import dataclass

from assay.scanner.model.place import Evidence, Location
from assay.scanner.model.query import Order
from assay.scanner.model.role import Role


@dataclass(frozen=True, slots=True)
class OffsetPaging:
    """A query with an offset.

    `order` says whether its rows come in an order, and `is_total` whether that is the same each time: it ends with a
    column that no two rows share. `is_batch` is set where code goes through all pages by itself. `shrinking` are the
    places that take rows out of what it pages over while it does.
    """

    function: str
    ordinal: int
    model: str
    location: Location
    role: Role
    order: Order
    is_total: bool | None
    ordered_by: tuple[str, ...] = ()
    is_batch: bool = False
    shrinking: tuple[Evidence, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    offline: str | None = None

    @property
    def subject_id(self) -> str:
        return f"{self.function}:pages of {self.model} {self.ordinal}"

    @property
    def label(self) -> str:
        return f"pages of {self.model} in {self.function}"
