"""Connections by TLS, and whether the other side has to prove who it is."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from assay.scanner.model.option import Option
from assay.scanner.model.place import Evidence, Location
from assay.scanner.model.role import Role


@dataclass(frozen=True, slots=True)
class TlsClient:
    """A client, a request or a configuration of one that connects by TLS, and whether it checks certificates.

    `inactive` says why production doesn't use it as it stands: it has to be switched on, or it connects without TLS.
    `switch` is set where the code turns the check off for those who ask for it, and not by default.
    """

    function: str
    ordinal: int
    callee: str
    location: Location
    role: Role
    verifies: Option
    inactive: Evidence | None = None
    switch: Evidence | None = None

    @property
    def subject_id(self) -> str:
        return f"{self.function}#{self.callee}{self.ordinal}"

    @property
    def label(self) -> str:
        return f"{self.callee} in {self.function}"


class Place(StrEnum):
    """Where a connection leads."""

    LOCAL = "local"
    """To the same machine, or to the platform's own address for what it tells about it."""
    NEAR = "near"
    """To a neighbour in the same network: a container, a private address."""
    WORLD = "world"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Transport:
    """One connection, or a setting for one, by a protocol that can be had with and without encryption.

    `encrypted` is safe where TLS protects it. `carries` shows the credentials or the text that go over it, and is
    empty where none are seen.
    """

    function: str
    ordinal: int
    protocol: str
    location: Location
    role: Role
    place: Place
    encrypted: Option
    carries: tuple[Evidence, ...] = ()

    @property
    def subject_id(self) -> str:
        return f"{self.function}#{self.protocol}{self.ordinal}"

    @property
    def label(self) -> str:
        return f"{self.protocol} connection in {self.function}"
