"""Dual writes: a change in the service's own database, and the word of it to another service."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from assay.scanner.model.place import Evidence, Location
from assay.scanner.model.role import Role


class Rescue(StrEnum):
    """What becomes of the word when the process stops between the two, or the other side doesn't answer."""

    STORED = "it is stored with the change, and sent from there"
    AGAIN = "the whole is done again when it fails"
    OF_WORKER = "a worker does it, and whether it does so again is asked of its task"
    UNDONE = "when it fails, what was written is put right"
    NOTED = "the row says how far it came, and a job takes up what stayed behind"
    PERHAPS_STORED = "it is stored with the change, and nothing here shows what sends it from there"
    PERHAPS_NOTED = "the row says how far it came, and nothing here shows what takes up the rest"
    OF_WORKERS = "workers tell others of what is committed, when they are handed a task"
    SWALLOWED = "when it fails, that is written to a log, and all goes on"
    ACCEPTED = "when it fails, all goes on, and a comment says why"
    UNRELATED = "nothing shows that it tells of what was written"
    UNREAD = "rows are written to be sent, and nothing reads them"
    NONE = "nothing"


@dataclass(frozen=True, slots=True)
class DualWrite:
    """A change and an event, or a request, that tells another service of it; or the table that holds such events.

    `what` is the call as it is written, the table's name, or `tasks` for all events that workers send.
    """

    function: str
    ordinal: int
    what: str
    location: Location
    role: Role
    rescue: Rescue
    evidence: tuple[Evidence, ...] = ()
    offline: str | None = None

    @property
    def subject_id(self) -> str:
        return f"{self.function}:{self.what} {self.ordinal}"

    @property
    def label(self) -> str:
        return f"what {self.what} tells others in {self.function}"
