"""Retry policies: what makes code try again after a failure, until when, and how long it waits in between."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from assay.scanner.model.place import Evidence, Location
from assay.scanner.model.role import Role


class Ending(Enum):
    """What ends the attempts where none succeeds."""

    BOUNDED = "a number of attempts, or a time"
    ENDLESS = "nothing"
    UNKNOWN = "code that isn't understood here"


class Pause(Enum):
    """How long the wait before another attempt is."""

    GROWING = "longer each time, or spread at random"
    FIXED = "always as long"
    NONE = "none"
    UNKNOWN = "told by code that isn't understood here"


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """One place that makes a policy: a decorator, an object of a library, or a loop that catches and goes on.

    `attempts` counts the first one too, and is None where it can't be told. `mild` shows that only failures are tried
    again that say nothing of trouble at the other side; `excuse` why nothing is asked of it, in words with its place.
    `offline` says what runs the code by hand or at deployment.
    """

    function: str
    ordinal: int
    kind: str
    location: Location
    role: Role
    ending: Ending
    pause: Pause
    attempts: int | None = None
    ending_shown: Evidence | None = None
    pause_shown: Evidence | None = None
    mild: Evidence | None = None
    excuse: Evidence | None = None
    offline: str | None = None

    @property
    def subject_id(self) -> str:
        return f"{self.function}:{self.kind} retry {self.ordinal}"

    @property
    def name(self) -> str:
        """What it is, in words."""
        return self.kind if self.kind == "loop" else f"policy of {self.kind}"

    @property
    def label(self) -> str:
        return f"{self.name} {self.ordinal} in {self.function}"

    @property
    def place(self) -> Evidence:
        return Evidence(self.location, "what fails is tried again")
