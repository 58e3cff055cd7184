"""Work outside requests: tasks that a worker runs, and consumers of messages."""

from __future__ import annotations

from dataclasses import dataclass

from assay.scanner.model.place import Evidence, Location
from assay.scanner.model.role import Role


@dataclass(frozen=True, slots=True)
class TaskOption:
    """What a task is told by name where it is registered or enqueued, or by the class that it is made of.

    `value` is the constant as Python spells it, `inf` for no end; None where it is computed.
    """

    name: str
    value: str | None
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class Task:
    """A function that a worker runs when asked to, or by a schedule.

    `name` is what the library knows it by, `handler` the `module:qualified.name` that runs. `queue` is None where it
    goes to the default one. `schedule` says in words or in cron's syntax when it runs by itself.
    """

    name: str
    handler: str
    framework: str
    location: Location
    role: Role
    queue: str | None = None
    schedule: str | None = None
    options: tuple[TaskOption, ...] = ()

    def option(self, *names: str) -> TaskOption | None:
        """The first option that has one of the names."""
        return next((option for option in self.options if option.name in names), None)

    @property
    def subject_id(self) -> str:
        return f"{self.framework} {self.name}"

    @property
    def label(self) -> str:
        return f"task {self.name}"


@dataclass(frozen=True, slots=True)
class Consumer:
    """Code that takes messages from a broker.

    `sources` are the topics, queues or subjects it reads, empty where they are computed. `handler` is the function that
    gets a message, or the one that loops over them.
    """

    handler: str
    sources: tuple[str, ...]
    framework: str
    location: Location
    role: Role

    @property
    def subject_id(self) -> str:
        return f"{self.handler}:{','.join(self.sources)}"

    @property
    def label(self) -> str:
        return f"consumer {self.handler}"
