"""Messages: tasks that are handed to workers, and events that are published to brokers."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from assay.scanner.model.log import SensitiveValue
from assay.scanner.model.place import Evidence, Location
from assay.scanner.model.role import Role


@dataclass(frozen=True, slots=True)
class MessageArgument:
    """A value that travels in a message; `name` is the parameter or the key that it travels under, if one is known."""

    name: str | None
    evidence: Evidence


class Content(StrEnum):
    """What should not travel in a message; the value says what it is."""

    ROW = "a row of the database"
    ROWS = "rows of the database"
    TABLE = "something of each row of a table"
    REQUEST = "the request"
    FILE = "an open file"
    FILE_CONTENT = "the content of a file"
    EXCEPTION = "an exception"


@dataclass(frozen=True, slots=True)
class UnfitValue:
    """A value in a message that should not be there."""

    content: Content
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class Message:
    """A call that enqueues a task or publishes to a broker.

    `what` is the call as it is written. `task` is the name of the task that it asks for, where the tree has it, and
    `handler` the `module:qualified.name` that runs. `destination` is the queue, topic, channel or subject; None where
    it is computed, or the task's default one. `secrets` are credentials that travel in it, `masked` those that do so in
    a form that gives nothing away; `delivers` shows that the task mails what it is given.
    """

    library: str
    function: str
    ordinal: int
    what: str
    location: Location
    role: Role
    task: str | None = None
    handler: str | None = None
    destination: str | None = None
    arguments: tuple[MessageArgument, ...] = ()
    secrets: tuple[SensitiveValue, ...] = ()
    masked: tuple[Evidence, ...] = ()
    delivers: Evidence | None = None
    unfit: tuple[UnfitValue, ...] = ()

    @property
    def subject_id(self) -> str:
        return f"{self.function}:{self.what} {self.ordinal}"

    @property
    def label(self) -> str:
        return f"message of {self.what}() in {self.function}"


@dataclass(frozen=True, slots=True)
class RepeatedRun:
    """A task or a consumer, and what becomes of it when it gets the same message again.

    `repeated` says why it may; it is empty where nothing makes it run again. `lasting` is something that a second run
    does again, such as a mail, and `later` what may fail behind it, with `steps` that lead there. `guard` is what
    keeps it from being done again.
    """

    framework: str
    name: str
    handler: str
    location: Location
    role: Role
    repeated: tuple[Evidence, ...] = ()
    lasting: Evidence | None = None
    later: Evidence | None = None
    guard: Evidence | None = None
    steps: tuple[Evidence, ...] = ()

    @property
    def subject_id(self) -> str:
        return f"{self.framework} {self.name}:{self.handler}"

    @property
    def label(self) -> str:
        return f"second run of {self.name}"
