"""What code changes outside itself: rows, sessions, mails, messages, other systems."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from assay.scanner.model.place import Evidence


class EffectKind(StrEnum):
    """Where the change shows."""

    WRITE = "write"
    """Rows or documents of a database."""
    MAIL = "mail"
    """A mail or a text message goes out."""
    REQUEST = "request"
    """Another service is asked to change something: POST, PUT, PATCH, DELETE."""
    QUEUE = "queue"
    """A task or message is handed on."""
    SESSION = "session"
    """Somebody is signed in or out, or their session changes."""
    AUDIT = "audit"
    """A record of who did what."""


@dataclass(frozen=True, slots=True)
class Effect:
    """One change that running a function makes, or may make.

    `target` is what changes (a model's or table's name, a task, a host), empty where that can't be told; `action` is
    `create`, `update`, `delete`, `send`, `login`, `logout`, or the name of the call. `steps` lead from the handler to
    the change, which is the last of them. `excuse` says why it is none that matters to whoever asks: a cache, a time of
    last use; None where nothing does. `doubt` says what makes it uncertain that it happens.
    """

    kind: EffectKind
    target: str
    action: str
    steps: tuple[Evidence, ...]
    excuse: str | None = None
    occasion: str | None = None
    doubt: str | None = None

    @property
    def said(self) -> str:
        """In words: `it deletes User`."""
        return self.steps[-1].text

    @property
    def evidence(self) -> Evidence:
        return self.steps[-1]
