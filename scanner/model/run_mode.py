"""How a deployment lets a service run: as production does, or as developers do."""

from __future__ import annotations

from dataclasses import dataclass

from assay.scanner.model.place import Evidence, Location
from assay.scanner.model.role import Role


@dataclass(frozen=True, slots=True)
class RunMode:
    """A start command of a server, or a variable of the deployment that turns debugging on or off.

    `for_development` says in words what about it is for developers alone; None where nothing is. `instead` shows how
    production starts in another way. `is_unclear` is set where nothing says whether production has it, `doubt` says
    why it may be no production.
    """

    service_root: str
    name: str
    location: Location
    role: Role
    what: str
    for_development: str | None = None
    evidence: tuple[Evidence, ...] = ()
    instead: Evidence | None = None
    is_unclear: bool = False
    doubt: Evidence | None = None

    @property
    def is_start(self) -> bool:
        return self.what == "start"

    @property
    def subject_id(self) -> str:
        return f"{self.name}:{self.what}"

    @property
    def label(self) -> str:
        return f"{self.what} of {self.name}"
