"""What a service keeps so as not to work it out again: the caches it declares, and what it puts into them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from assay.scanner.model.place import Evidence, Location
from assay.scanner.model.role import Role


class CacheStore(StrEnum):
    """Which processes see what is put into a cache."""

    SHARED = "shared"
    MACHINE = "machine"
    """All that run on the same machine, or in the same container."""
    PROCESS = "process"
    NOWHERE = "nowhere"
    """It takes everything and keeps nothing."""
    CONFIGURED = "configured"
    """A setting decides, and nothing shared is used where nobody sets it."""
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class DeclaredCache:
    """A cache that a service sets up, by its alias where it has one.

    `several` shows that more processes serve requests than see it, `single` that only one does. `aside` says why it
    needn't be shared.
    """

    place: str
    library: str
    alias: str
    ordinal: int
    location: Location
    role: Role
    store: CacheStore
    evidence: tuple[Evidence, ...] = ()
    several: tuple[Evidence, ...] = ()
    single: tuple[Evidence, ...] = ()
    aside: str | None = None

    @property
    def subject_id(self) -> str:
        return f"{self.place}#{self.library}:{self.alias}{self.ordinal}"

    @property
    def label(self) -> str:
        return f"{self.library} cache {self.alias}".rstrip()


class Lifetime(StrEnum):
    """How long an entry of a cache lasts."""

    LIMITED = "limited"
    FOREVER = "forever"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class CacheEntry:
    """A place that puts something into a cache.

    `is_copy` says that it is a copy of what is worked out elsewhere, put there because nothing was found. `renewed`
    shows what deletes it or puts something newer in its place; `is_renewal_certain` is off where that may be about
    other entries. `aside` says why it is no entry that could get stale.
    """

    function: str
    library: str
    ordinal: int
    location: Location
    role: Role
    lifetime: Lifetime
    is_copy: bool
    evidence: tuple[Evidence, ...] = ()
    renewed: tuple[Evidence, ...] = ()
    is_renewal_certain: bool = True
    aside: str | None = None

    @property
    def subject_id(self) -> str:
        return f"{self.function}#{self.library}{self.ordinal}"

    @property
    def label(self) -> str:
        return f"{self.library} entry written in {self.function}"
