"""Copies of database rows that a service keeps in caches, and what drops them when the rows change."""

from __future__ import annotations

from dataclasses import dataclass

from assay.scanner.model.place import Evidence, Location
from assay.scanner.model.role import Role


@dataclass(frozen=True, slots=True)
class CachedData:
    """A place that keeps what was read of `models`, or one that drops entries before the rows change.

    `seconds` is how long a copy lasts, None where that can't be told; `is_endless` is set where it lasts for ever.
    `changes` are where requests change such rows. `drops` are what drops the copy, `missed` the changes after which
    nothing does, `other_keys` what drops entries under a key that is almost the same. `early` shows a drop that comes
    before the change, `hooks` what runs on every change. `versioned` is where the key changes with the rows.
    """

    function: str
    what: str
    ordinal: int
    location: Location
    role: Role
    models: tuple[str, ...] = ()
    seconds: int | None = None
    is_endless: bool = False
    is_page: bool = False
    """It is a whole page under its URL, which no code can drop by its key."""
    is_number: bool = False
    """It says how many rows there are, or what they sum up to, and nothing of a single one."""
    changes: tuple[Evidence, ...] = ()
    drops: tuple[Evidence, ...] = ()
    missed: tuple[Evidence, ...] = ()
    other_keys: tuple[Evidence, ...] = ()
    hooks: tuple[Evidence, ...] = ()
    early: tuple[Evidence, ...] = ()
    versioned: tuple[Evidence, ...] = ()

    @property
    def subject_id(self) -> str:
        return f"{self.function}#{self.what}{self.ordinal}"

    @property
    def label(self) -> str:
        return f"{self.what} in {self.function}"

    @property
    def named_models(self) -> str:
        return " and ".join(self.models[:2])
