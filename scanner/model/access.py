"""Who is let in: what is open by default, guards that act, sockets and webhooks."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from assay.scanner.model.place import Evidence, Location
from assay.scanner.model.role import Role


class Access(StrEnum):
    """Whom an endpoint lets in that says nothing itself."""

    CLOSED = "closed"
    READS_OPEN = "reads open"
    """Anybody reads, known callers write."""
    OPEN = "open"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class AccessDefault:
    """What a new endpoint of an application is when nobody guards it.

    `name` is the framework, with the module that makes the application. `has_setting` says that the framework has one
    place that closes all endpoints. `guarded` counts the endpoints that ask who is calling, `by_hand` those of them
    that only ask because they say so themselves; `forgotten` are others, that change something or list people.
    """

    name: str
    location: Location
    role: Role
    access: Access
    has_setting: bool
    evidence: tuple[Evidence, ...] = ()
    guarded: int = 0
    by_hand: int = 0
    forgotten: tuple[Evidence, ...] = ()

    @property
    def subject_id(self) -> str:
        return self.name

    @property
    def label(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class GuardUse:
    """One place where a guard is put on something."""

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
class SocketEntrance:
    """A WebSocket route or consumer, and how it identifies who connects."""

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
class InboundWebhook:
    """An endpoint that another system calls with its events."""

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
