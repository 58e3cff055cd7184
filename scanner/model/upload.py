"""Files that clients send."""

from __future__ import annotations

from dataclasses import dataclass

from assay.scanner.model.place import Evidence, Location
from assay.scanner.model.role import Role


@dataclass(frozen=True, slots=True)
class FileUpload:
    """An endpoint that stores a file from a client."""

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
