"""How an application is hardened: headers, hosts, debugging, forged requests."""

from __future__ import annotations

from dataclasses import dataclass

from assay.scanner.model.place import Evidence, Location
from assay.scanner.model.role import Role


@dataclass(frozen=True, slots=True)
class SecurityHeader:
    """One protection that browsers are told of, and what sets it."""

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
class DebugSwitch:
    """A place that turns debugging on or off."""

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
class HostPolicy:
    """Which host names an application answers to."""

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
class ForgeryProtection:
    """What keeps other sites from using a signed-in browser."""

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
