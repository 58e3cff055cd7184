"""Who may call, from where and how often."""

from __future__ import annotations

from dataclasses import dataclass

from assay.scanner.model.place import Evidence, Location
from assay.scanner.model.role import Role


@dataclass(frozen=True, slots=True)
class CorsPolicy:
    """Which origins browsers may call from."""

    name: str
    location: Location
    role: Role
    evidence: tuple[Evidence, ...] = ()

    @property
    def subject_id(self) -> str:
        return self.name

    @property
    def label(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class RateLimiter:
    """What counts calls, and where it keeps the counts."""

    name: str
    location: Location
    role: Role
    evidence: tuple[Evidence, ...] = ()

    @property
    def subject_id(self) -> str:
        return self.name

    @property
    def label(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class ClientAddress:
    """A place that takes an address, or trust in a proxy, from what a request says."""

    name: str
    location: Location
    role: Role
    evidence: tuple[Evidence, ...] = ()

    @property
    def subject_id(self) -> str:
        return self.name

    @property
    def label(self) -> str:
        return self.name
