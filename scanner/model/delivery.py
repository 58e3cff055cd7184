"""Delivery of messages: when they are acknowledged, what becomes of those that fail, how surely they are published."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from assay.scanner.model.place import Evidence, Location
from assay.scanner.model.role import Role


class FailedWork(StrEnum):
    """What becomes of an exception in the work of a consumer."""

    ESCAPES = "nothing catches every exception of its work"
    GIVEN_BACK = "it is raised again, or given back to the queue"
    UNACKNOWLEDGED = "the message isn't acknowledged then, and comes back"
    SENT_ON = "somebody else is told of it"
    STORED = "it is stored as failed"
    RETURNED = "it is returned as a result"
    EXPLAINED = "a comment explains why it is caught"
    SWALLOWED = "it ends there"


@dataclass(frozen=True, slots=True)
class ConsumerFailure:
    """A function that works on messages, and what becomes of an exception in its work.

    `handler` is its `module:qualified.name`. `is_read` is set where the service reads results of tasks. `schedule` says
    when it runs by itself.
    """

    framework: str
    name: str
    handler: str
    ordinal: int
    location: Location
    role: Role
    outcome: FailedWork
    evidence: tuple[Evidence, ...]
    is_task: bool = True
    is_read: bool = False
    schedule: str | None = None

    @property
    def subject_id(self) -> str:
        return f"{self.framework} {self.name}:failure {self.ordinal}"

    @property
    def label(self) -> str:
        return f"failure of {self.name}"


class Moment(StrEnum):
    """When the broker may forget a message."""

    AFTER = "after the work"
    BEFORE = "before the work"
    KEPT = "before the work, but what it asks for is kept elsewhere too, or may be asked for again"
    HARMLESS = "before the work, which leaves nothing outside that is missed"
    INERT = "before the work, though an option counts on it being after"
    TRANSIENT = "at once, for messages that are only for who listens now"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """When messages are acknowledged: those of a worker app, or of one task or consumer that says so itself.

    `lost` is what is done with a message that nothing would send again, with the way to it. `note` says what is still
    lost where it happens after the work.
    """

    framework: str
    function: str
    ordinal: int
    location: Location
    role: Role
    moment: Moment
    evidence: tuple[Evidence, ...]
    task: str | None = None
    lost: tuple[Evidence, ...] = ()
    note: str | None = None

    @property
    def subject_id(self) -> str:
        return f"{self.framework} {self.task or self.function}:acknowledgement {self.ordinal}"

    @property
    def label(self) -> str:
        return f"acknowledgement of {self.task or self.framework}"


class Return(StrEnum):
    """What becomes of a message that a consumer gives back, or leaves where it is."""

    ENDED = "it isn't delivered again"
    COUNTED = "deliveries are counted"
    PASSING = "only what fails for errors that pass is delivered again"
    ENDLESS = "it is delivered again, whatever is wrong with it"
    HOPELESS = "it is delivered again, though it can never be handled"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Redelivery:
    """A place where a consumer returns a message to the broker, or leaves it unacknowledged.

    `task` is set for a task that its library tries again.
    """

    framework: str
    function: str
    ordinal: int
    location: Location
    role: Role
    returned: Return
    evidence: tuple[Evidence, ...]
    task: str | None = None

    @property
    def subject_id(self) -> str:
        return f"{self.framework} {self.task or self.function}:redelivery {self.ordinal}"

    @property
    def label(self) -> str:
        return f"redelivery {self.ordinal} in {self.task or self.function}"


class Surety(StrEnum):
    """How surely what is published arrives."""

    SURE = "sure"
    FORGOTTEN = "a restart of the broker loses it"
    UNASKED = "nobody learns whether it arrived"
    UNSENT = "what is still in memory when the process ends is lost"
    TRANSIENT = "it is only for who listens now"
    UNCONFIRMED = "the broker isn't asked to confirm it"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class PublishingGuarantee:
    """A queue that is declared, a producer that is made, or a call that publishes: how sure it is.

    `what` says which of these it is. `fix` says what would make it sure.
    """

    framework: str
    function: str
    ordinal: int
    location: Location
    role: Role
    what: str
    surety: Surety
    evidence: tuple[Evidence, ...]
    fix: str = ""

    @property
    def subject_id(self) -> str:
        return f"{self.framework} {self.function}:{self.what} {self.ordinal}"

    @property
    def label(self) -> str:
        return f"{self.what} in {self.function}"


class DeadLetters(StrEnum):
    """Where messages end that fail each time."""

    BUILT_IN = "the library keeps what failed"
    STATED = "what failed goes to a place of its own"
    STORED = "failures are stored"
    TOLD = "failures are told, and the messages are gone"
    ELSEWHERE = "the queue is made elsewhere"
    DROPPED = "what failed is dropped"
    ENDLESS = "what fails comes again, for ever"
    NOT_REJECTED = "nothing is given up"


@dataclass(frozen=True, slots=True)
class DeadLetterPath:
    """A queue that a consumer of the service reads, or all of a worker app, and where what fails each time ends."""

    framework: str
    name: str
    ordinal: int
    location: Location
    role: Role
    end: DeadLetters
    evidence: tuple[Evidence, ...]

    @property
    def subject_id(self) -> str:
        return f"{self.framework} {self.name}:dead letters {self.ordinal}"

    @property
    def label(self) -> str:
        return f"dead letters of {self.name}"
