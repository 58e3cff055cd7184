"""What becomes of a transaction when one of its statements fails."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from assay.scanner.model.place import Evidence, Location
from assay.scanner.model.role import Role


class Failing(StrEnum):
    """How a session, a connection or a handler of the database's errors behaves when something fails."""

    CLOSED = "it is closed whatever happens, which rolls back what isn't committed"
    ROLLED_BACK = "what failed is rolled back"
    SAVEPOINT = "a savepoint holds what may fail"
    PASSED_ON = "the error is passed on to whoever made the session"
    ENDED = "nothing is asked of the database after it"
    AT_ONCE = "no transaction is open there"
    HANDED_ON = "somebody else closes it"
    LEAKED = "it stays open when something fails"
    SWALLOWED = "the error is swallowed, and the session lives on without a rollback"
    BROKEN = "the error is swallowed inside of a transaction that it has broken"
    UNCOMMITTED = "what is written to it is never committed"


@dataclass(frozen=True, slots=True)
class FailurePath:
    """A session or connection that code opens, or a handler of the database's errors; `what` names it."""

    function: str
    what: str
    ordinal: int
    location: Location
    role: Role
    failing: Failing
    evidence: tuple[Evidence, ...] = ()
    offline: str | None = None

    @property
    def subject_id(self) -> str:
        return f"{self.function}:{self.what} {self.ordinal}"

    @property
    def label(self) -> str:
        return f"{self.what} in {self.function}"
