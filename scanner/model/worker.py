"""Workers: what runs tasks, and what its configuration, or a task's own, says of them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from assay.scanner.model.option import Option
from assay.scanner.model.place import Evidence, Location
from assay.scanner.model.role import Role


@dataclass(frozen=True, slots=True)
class TimeLimit:
    """How long a task may run: any of a library's, or the one that says so itself.

    `bound` is safe where something ends a task that hangs. `task` is None for what counts for all. `doubt` shows why
    the limit may not work.
    """

    framework: str
    function: str
    ordinal: int
    location: Location
    role: Role
    bound: Option
    task: str | None = None
    doubt: Evidence | None = None

    @property
    def subject_id(self) -> str:
        return f"{self.framework} {self.task or self.function}:time limit {self.ordinal}"

    @property
    def label(self) -> str:
        return f"time limit of {self.task}" if self.task is not None else f"time limit of {self.framework}"


class Encoding(StrEnum):
    """What messages are made of."""

    DATA = "data"
    """Plain data: JSON, MessagePack, Avro, Protobuf."""
    CODE = "code"
    """Pickles and their like, which run code when they are read."""
    SIGNED_CODE = "signed code"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class MessageSerializer:
    """By what a library writes and reads messages: all that a service sends by it, or those of one place.

    `name` is the serializer's, where one is named; `is_default` says that nobody chose it.
    """

    framework: str
    function: str
    ordinal: int
    location: Location
    role: Role
    encoding: Encoding
    evidence: tuple[Evidence, ...]
    name: str | None = None
    is_default: bool = False

    @property
    def subject_id(self) -> str:
        return f"{self.framework} {self.function}:serializer {self.ordinal}"

    @property
    def label(self) -> str:
        return f"serializer of {self.framework} in {self.function}"


class Retrying(StrEnum):
    """What becomes of a task that fails."""

    NONE = "none"
    BOUNDED = "bounded"
    AT_ONCE = "at once"
    """It is tried again without waiting."""
    ENDLESS = "endless"
    TOLD = "told"
    """Who asked for it gets the failure as its result."""
    UNSENT = "unsent"
    """It is tried once, and nothing in the tree sends it: a schedule that is kept elsewhere may run it again."""
    KEPT = "kept"
    """It stores that it failed."""
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class TaskRetry:
    """A task, by which way it asks another machine, and what becomes of it when that one doesn't answer.

    `remote` ends with the call; it is empty where there is none. `schedule` says when the task runs by itself.
    """

    framework: str
    task: str
    location: Location
    role: Role
    remote: tuple[Evidence, ...]
    retrying: Retrying
    evidence: tuple[Evidence, ...] = ()
    schedule: str | None = None

    @property
    def subject_id(self) -> str:
        return f"{self.framework} {self.task}:retry"

    @property
    def label(self) -> str:
        return f"retries of {self.task}"
