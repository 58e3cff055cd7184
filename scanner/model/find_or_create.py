"""Calls that look a row up and insert one where there is none."""

from __future__ import annotations

from dataclasses import dataclass

from assay.scanner.model.place import Evidence, Location
from assay.scanner.model.role import Role
from assay.scanner.model.schema import Key


@dataclass(frozen=True, slots=True)
class FindOrCreateCall:
    """A `get_or_create` and its like, or a look-up and an insert in its stead. `asked` are the columns that the row is
    looked up by.

    `covering` is a unique key that holds one row at most for what is asked, `conditional` one that does so for some
    rows only. `unclear` says why what is asked can't be told, `lock` where another one may be kept waiting, `offline`
    why no two requests run it at once.
    """

    function: str
    ordinal: int
    method: str
    model: str
    location: Location
    role: Role
    asked: tuple[str, ...]
    covering: Key | None = None
    conditional: Key | None = None
    unclear: str | None = None
    lock: Evidence | None = None
    offline: str | None = None
    inserted: Evidence | None = None
    """Where a look-up by hand is followed by the insert."""

    @property
    def subject_id(self) -> str:
        return f"{self.function}:{self.method} {self.model} {self.ordinal}"

    @property
    def label(self) -> str:
        columns = ", ".join(self.asked)
        if self.inserted is not None:
            return f"looking for a {self.model} by ({columns}) and making one"
        return f"{self.model}.{self.method}({columns})"
