"""What code waits for: calls that take long, and the functions, requests and pieces of work that they hold up."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from assay.scanner.model.place import Evidence, Location
from assay.scanner.model.role import Role


class Wait(StrEnum):
    """What a call keeps its caller waiting for."""

    NETWORK = "network"
    """Another machine answers."""
    DATABASE = "database"
    SLEEP = "sleep"
    PROCESS = "process"
    """Another program ends."""
    HASHING = "hashing"
    """A password is hashed, which is slow by intention."""
    COMPUTING = "computing"
    """Documents or tables of data are made or read."""
    IMAGES = "images"
    ARCHIVES = "archives"
    FILES = "files"
    """Files of any size are copied or removed."""
    MAIL = "mail"
    """A mail server takes a mail."""
    JOB = "job"
    """A queued job ends."""
    THREAD = "thread"
    """Another thread or process of the same program ends."""

    @property
    def said(self) -> str:
        """In words, after the name of the call."""
        return _SAID[self]


_SAID = {
    Wait.NETWORK: "waits for another machine",
    Wait.DATABASE: "waits for the database",
    Wait.SLEEP: "sleeps",
    Wait.PROCESS: "waits for another program",
    Wait.HASHING: "hashes a password, which is slow by intention",
    Wait.COMPUTING: "takes long to compute",
    Wait.IMAGES: "works on an image",
    Wait.ARCHIVES: "packs or unpacks an archive",
    Wait.FILES: "copies or removes files",
    Wait.MAIL: "waits for a mail server",
    Wait.JOB: "waits for a queued job",
    Wait.THREAD: "waits for another thread",
}


@dataclass(frozen=True, slots=True)
class Delay:
    """A call that takes long, and the calls that lead to it: `steps` ends with it.

    `call` is its name. `told_at` names what the same call, reached from there first, is told at. `doubt` says why it
    may be fine.
    """

    wait: Wait
    call: str
    steps: tuple[Evidence, ...]
    told_at: str | None = None
    doubt: str | None = None

    @property
    def is_direct(self) -> bool:
        return len(self.steps) == 1

    @property
    def said(self) -> str:
        """In words: `requests.get` waits for another machine."""
        return self.steps[-1].text


@dataclass(frozen=True, slots=True)
class AsyncFunction:
    """An `async def` that runs on the event loop which answers requests.

    `blocking` is what holds up the loop meanwhile, in its own body or in functions without `await` that it calls;
    `queries` are those calls that wait for a database. `awaited_queries` wait without holding anybody up.
    """

    function: str
    ordinal: int
    location: Location
    role: Role
    blocking: tuple[Delay, ...] = ()
    queries: tuple[Delay, ...] = ()
    awaited_queries: tuple[Evidence, ...] = ()
    handed_over: tuple[Evidence, ...] = ()
    """Where it hands work to a thread, a process or a queue."""

    @property
    def subject_id(self) -> str:
        return self.function if self.ordinal == 1 else f"{self.function}#{self.ordinal}"

    @property
    def label(self) -> str:
        return self.function.rpartition(":")[2]


@dataclass(frozen=True, slots=True)
class RequestWork:
    """What takes long while an endpoint's client waits.

    `is_for_few` says that not everybody may call it, `is_trial` that it is there to tell whether something works.
    `aside` says why nobody waits for the answer.
    """

    method: str
    path: str
    location: Location
    role: Role
    delays: tuple[Delay, ...] = ()
    is_for_few: bool = False
    is_trial: bool = False
    aside: str | None = None
    handed_over: tuple[Evidence, ...] = ()

    @property
    def subject_id(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def label(self) -> str:
        return f"{self.method} {self.path or '/'}"


class Care(StrEnum):
    """Who looks after work that was started beside the code that goes on."""

    AWAITED = "awaited"
    """What starts it waits for it, or asks for its result."""
    KEPT = "kept"
    """Something keeps hold of it, and may ask how it ended."""
    GROUP = "group"
    """A group waits for it, and fails with it."""
    HANDLED = "handled"
    """It handles its own failures."""
    DAEMON = "daemon"
    """The code says whether the process waits for it at its end."""
    NOBODY = "nobody"
    UNKNOWN = "unknown"
    """Nobody keeps it; whether it handles its own failures can't be told."""


@dataclass(frozen=True, slots=True)
class BackgroundWork:
    """A task, a thread or a job of an executor that runs beside the code that starts it."""

    function: str
    what: str
    ordinal: int
    location: Location
    role: Role
    care: Care
    evidence: tuple[Evidence, ...] = ()

    @property
    def subject_id(self) -> str:
        return f"{self.function}#{self.what}{self.ordinal}"

    @property
    def label(self) -> str:
        return f"{self.what} in {self.function.rpartition(':')[2]}"

    @property
    def is_task(self) -> bool:
        """Whether it is a task of the event loop, of which that keeps no strong reference."""
        return self.what in ("create_task", "ensure_future")


Delayed = AsyncFunction | RequestWork
"""What is told by the calls that library models name as slow."""
