"""Files that clients send."""

from __future__ import annotations

from dataclasses import dataclass

from assay.scanner.model.place import Evidence, Location
from assay.scanner.model.role import Role


@dataclass(frozen=True, slots=True)
class FileUpload:
    """A place that stores a file from a client.

    `named_by_client` shows where the stored name, or its extension, is the client's. `checked` shows what looks at the
    kind of the file before. `served` is where files of that folder are handed out again, `offline` says why no client
    gets there.
    """

    function: str
    ordinal: int
    location: Location
    role: Role
    named_by_client: Evidence | None = None
    checked: Evidence | None = None
    served: Evidence | None = None
    is_temporary: bool = False
    offline: str | None = None

    @property
    def subject_id(self) -> str:
        return f"{self.function}#upload{self.ordinal}"

    @property
    def label(self) -> str:
        return f"upload in {self.function}"
