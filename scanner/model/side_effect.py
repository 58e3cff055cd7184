"""Mails, messages and requests that leave a service while it changes its database."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from assay.scanner.model.effect import EffectKind
from assay.scanner.model.place import Evidence, Location
from assay.scanner.model.role import Role


class Timing(StrEnum):
    """When it happens, seen from the transaction that the code is in."""

    DEFERRED = "it waits for the commit"
    AFTERWARDS = "what was written is committed before"
    STORED = "it is stored in the database, and so committed or rolled back with the rest"
    RELAYED = "what is sent was committed before, and is noted as sent in this transaction"
    UNWRITTEN = "nothing is written in the transaction"
    HANDLED = "it runs when a row was saved, and no transaction is seen around that"
    BEFORE = "before the commit"
    NEEDED = "before the commit, and what it answers is needed for the rest"


@dataclass(frozen=True, slots=True)
class SideEffect:
    """A mail or a request that is sent where code changes the database too.

    `what` is the call as it is written. `evidence` shows what decides on the timing: what opens the transaction, what
    is written in it, and what sends; or the commit. `offline` says why neither a request nor a job runs it.
    """

    function: str
    ordinal: int
    kind: EffectKind
    what: str
    location: Location
    role: Role
    timing: Timing
    evidence: tuple[Evidence, ...] = ()
    offline: str | None = None

    @property
    def subject_id(self) -> str:
        return f"{self.function}:{self.what} {self.ordinal}"

    @property
    def label(self) -> str:
        return f"{self.what}() in {self.function}"


@dataclass(frozen=True, slots=True)
class Handover(SideEffect):
    """A task or a message that is handed to a queue where code changes the database too."""
