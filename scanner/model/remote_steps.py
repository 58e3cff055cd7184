"""Steps of one flow that change something at several other services, one after the other."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from assay.scanner.model.place import Evidence, Location
from assay.scanner.model.role import Role


class Compensation(StrEnum):
    """What becomes of the first step when the second one fails."""

    UNDONE = "when the later step fails, the earlier one is undone"
    RESUMED = "how far it came is stored between the steps"
    AGAIN = "a worker does all of it again when it fails"
    OF_WORKER = "a worker does it, and whether it does so again is asked of its task"
    WORKFLOW = "a workflow engine keeps how far it came"
    REPEATABLE = "the first step may be done again, and changes nothing then"
    TOLD = "who handles the failure goes on, or looks at what the first step gave"
    ABOVE = "nothing here, and the callers may see to it"
    NONE = "nothing"


@dataclass(frozen=True, slots=True)
class RemoteSteps:
    """Two changes at two other services that one run of a function asks for, the second after the first.

    `first` and `second` show where; `handler` what is done when the second fails. `is_binding` says that the first
    moves money or goods, or holds a place.
    """

    function: str
    location: Location
    role: Role
    first: Evidence
    second: Evidence
    compensation: Compensation
    is_binding: bool = False
    shown: tuple[Evidence, ...] = ()
    offline: str | None = None

    @property
    def subject_id(self) -> str:
        return self.function

    @property
    def label(self) -> str:
        return f"remote steps of {self.function}"

    @property
    def evidence(self) -> tuple[Evidence, ...]:
        return (self.first, self.second, *self.shown)
