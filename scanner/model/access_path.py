"""By which columns a request gets at the rows of a table, and which index leads it there."""

from __future__ import annotations

from dataclasses import dataclass

from assay.scanner.model.place import Evidence, Location
from assay.scanner.model.role import Role
from assay.scanner.model.schema import Key


@dataclass(frozen=True, slots=True)
class AccessPath:
    """A query that requests run. `columns` are those that it filters by, or the one that it sorts by where `is_sort`
    says so: then it takes the first few rows of a table that no filter has narrowed.

    `serving` is the key that leads to the rows, None where there is none; `reference` the foreign key that it goes by
    without an index; `expression` an index over an expression, which may be one of these columns. `is_small` says that
    the table holds a few rows by what it is, `grows` that it gets longer with use; `made` is where requests add to it.
    `is_whole` says that all keys of the table are in sight. `request` leads from a handler to the query.
    """

    function: str
    table: str
    columns: tuple[str, ...]
    location: Location
    role: Role
    is_sort: bool = False
    serving: Key | None = None
    reference: str | None = None
    expression: Key | None = None
    is_small: bool = False
    grows: bool = False
    made: Evidence | None = None
    is_whole: bool = True
    request: tuple[Evidence, ...] = ()

    @property
    def subject_id(self) -> str:
        return f"{self.function}:{self.table} by {'+'.join(self.columns)}{' in order' if self.is_sort else ''}"

    @property
    def label(self) -> str:
        return f"{self.table} by {', '.join(self.columns)} in {self.function}"
