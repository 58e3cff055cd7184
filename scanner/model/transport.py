"""Connections by TLS, and whether the other side has to prove who it is."""

from __future__ import annotations

from dataclasses import dataclass

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
