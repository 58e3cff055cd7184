"""Worker apps: the tasks of one library in a service, which processes of their own run, or its consumers."""

from __future__ import annotations

from dataclasses import dataclass

from assay.scanner.model.place import Evidence, Location
from assay.scanner.model.role import Role


@dataclass(frozen=True, slots=True)
class WorkerApp:
    """All that a service's workers of one library run, or all that it consumes from one broker: then it has no tasks.

    `backlog` is what tells how many tasks wait, or for how long, `failures` what tells that tasks fail; `looked_at` is
    what says something only to somebody who looks, or what nothing reads.

    `asked` are places that ask for a task in what isn't one itself, `scheduled` tasks that the clock starts and that go
    through many things. `queues` are the names of all queues that tasks go to, `shared` of those that get both kinds.
    `apart` is what keeps some work apart from other, `unread` shows a queue that no worker reads, and `chosen` where
    the queue can't be told.
    """

    framework: str
    service_root: str
    location: Location
    role: Role
    backlog: tuple[Evidence, ...] = ()
    failures: tuple[Evidence, ...] = ()
    looked_at: tuple[Evidence, ...] = ()
    tasks: int = 0
    asked: tuple[Evidence, ...] = ()
    scheduled: tuple[Evidence, ...] = ()
    queues: tuple[str, ...] = ()
    shared: tuple[str, ...] = ()
    apart: tuple[Evidence, ...] = ()
    unread: tuple[Evidence, ...] = ()
    chosen: tuple[Evidence, ...] = ()

    @property
    def subject_id(self) -> str:
        return f"{self.framework} workers"

    @property
    def label(self) -> str:
        return f"workers of {self.framework}"

    @property
    def work(self) -> str:
        """What waits, in words."""
        return f"tasks of {self.framework}" if self.tasks else f"messages of {self.framework}"


@dataclass(frozen=True, slots=True)
class Queue:
    """A queue that tasks of a library go to. `tasks` are their names, `readers` the commands whose workers read it;
    none is known where commands leave it to the configuration.
    """

    framework: str
    name: str
    location: Location
    role: Role
    tasks: tuple[str, ...] = ()
    readers: tuple[Evidence, ...] = ()

    @property
    def subject_id(self) -> str:
        return f"{self.framework} queue {self.name}"

    @property
    def label(self) -> str:
        return f"queue {self.name} of {self.framework}"
