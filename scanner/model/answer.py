"""What handlers answer when something is wrong: errors, refusals, the texts of exceptions."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from assay.scanner.model.place import Evidence, Location
from assay.scanner.model.role import Role


@dataclass(frozen=True, slots=True)
class ErrorAnswer:
    """A response of a JSON API whose body says that something went wrong.

    `says` is what tells so, in words, and `marker` where it stands. `status` is None where it can't be told. `excuse`
    is why the answer may count as a success all the same. `contract` is a comment beside it that speaks of its status.
    """

    function: str
    ordinal: int
    location: Location
    role: Role
    says: str
    marker: Evidence
    status: int | None
    excuse: str | None = None
    contract: Evidence | None = None

    @property
    def subject_id(self) -> str:
        return f"{self.function}:error answer {self.ordinal}"

    @property
    def label(self) -> str:
        return f"error answer {self.ordinal} in {self.function}"


class Lack(StrEnum):
    """What a caller who is turned away lacks."""

    IDENTITY = "an identity"
    """Nobody knows who it is: no token, a bad one, or one of somebody who is not there."""
    PASSWORD = "the right password"
    ACCOUNT = "an open account"
    """It is known who it is, and the account is closed or not confirmed."""
    RIGHTS = "the right to do this"

    @property
    def statuses(self) -> frozenset[int]:
        """What HTTP has for it; a 404 hides what somebody without the right asked for."""
        return _STATUSES[self]


_STATUSES = {
    Lack.IDENTITY: frozenset({401}),
    Lack.PASSWORD: frozenset({401}),
    Lack.ACCOUNT: frozenset({401, 403}),
    Lack.RIGHTS: frozenset({403, 404}),
}


@dataclass(frozen=True, slots=True)
class CallerRefusal:
    """A place that turns a caller away with an error status.

    `lacks` is what the caller lacks there, one of them or several, and `condition` where the code finds out. `status`
    is None where it can't be told. `excuse` is why another status is right there, and `contract` a comment that gives
    a reason for it.
    """

    function: str
    ordinal: int
    location: Location
    role: Role
    lacks: frozenset[Lack]
    condition: Evidence
    status: int | None
    excuse: str | None = None
    contract: Evidence | None = None

    @property
    def wanted(self) -> frozenset[int]:
        """The statuses that fit."""
        return frozenset(status for lack in self.lacks for status in lack.statuses)

    @property
    def lacking(self) -> str:
        """In words."""
        return " or ".join(sorted(lack.value for lack in self.lacks))

    @property
    def subject_id(self) -> str:
        return f"{self.function}:refusal {self.ordinal}"

    @property
    def label(self) -> str:
        return f"refusal {self.ordinal} in {self.function}"


@dataclass(frozen=True, slots=True)
class ExceptionAnswer:
    """An answer that is given where an exception was caught.

    `caught` is what, in words, and `clause` where. `exposed` is where the answer takes text of an exception along that
    tells of the inside of the service, `doubtful` where only a person can say what the text tells. `harmless` is why a
    text that goes along is none of these. `excuse` is why it may.
    """

    function: str
    ordinal: int
    location: Location
    role: Role
    caught: str
    clause: Evidence
    exposed: tuple[Evidence, ...] = ()
    doubtful: tuple[Evidence, ...] = ()
    harmless: str | None = None
    excuse: str | None = None

    @property
    def subject_id(self) -> str:
        return f"{self.function}:exception answer {self.ordinal}"

    @property
    def label(self) -> str:
        return f"exception answer {self.ordinal} in {self.function}"


class Outcome(StrEnum):
    """What a client gets where a clause has caught an error."""

    ERROR = "an error"
    SAYS_SO = "an answer that says so"
    """Its status is judged for itself."""
    EXCEPTION = "the exception as an object"
    SUCCESS = "an answer as if all were well"
    NOTHING = "null"
    FALLBACK = "something else"
    """A value that was worked out in its place."""
    REMEMBERS = "what follows"
    """The clause notes what happened, and the code after it may go by that."""
    GOES_ON = "what follows, whatever happened"


@dataclass(frozen=True, slots=True)
class CaughtFailure:
    """An `except` clause for any error, in a handler or around handlers.

    `place` is what makes the outcome so. `changes` are what the tried statements were to change. `is_read` says that
    the endpoint only reads. `excuse` is why a success may stand there, `comment` what the code says of it.
    """

    function: str
    ordinal: int
    location: Location
    role: Role
    outcome: Outcome
    place: Evidence
    changes: tuple[Evidence, ...] = ()
    is_read: bool = False
    is_logged: bool = False
    excuse: str | None = None
    comment: Evidence | None = None

    @property
    def replaces_result(self) -> bool:
        """Whether the client gets a success in place of what was asked for."""
        return self.outcome in (Outcome.SUCCESS, Outcome.NOTHING)

    @property
    def loses_change(self) -> bool:
        """Whether the code goes on as if what was to change had changed."""
        return self.outcome is Outcome.GOES_ON and bool(self.changes)

    @property
    def subject_id(self) -> str:
        return f"{self.function}:caught failure {self.ordinal}"

    @property
    def label(self) -> str:
        return f"clause {self.ordinal} for any error in {self.function}"
