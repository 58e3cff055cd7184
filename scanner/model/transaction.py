"""Transactions: which kind is open where, who ends it, and which writes run in it together."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from assay.scanner.model.place import Evidence, Location
from assay.scanner.model.role import Role


class TransactionKind(StrEnum):
    """What opened it, as people call it."""

    DJANGO = "Django atomic block"
    SQLALCHEMY = "SQLAlchemy transaction"
    SESSION = "uncommitted session"
    """Changes are pending in a session or a connection that nobody has committed yet."""
    PEEWEE = "peewee transaction"
    TORTOISE = "Tortoise transaction"
    DRIVER = "transaction of the driver"
    WRAPPER = "unit of work"
    """A context manager or decorator of the project that commits at its end."""


class Committer(StrEnum):
    """Who ends it."""

    BLOCK = "the end of the block"
    DECORATOR = "the end of the function"
    REQUEST = "the framework, when the view has returned"
    CODE = "a later commit"
    OWNER = "whoever made the session"


@dataclass(frozen=True, slots=True)
class RowWrite:
    """A write of rows of one model, empty where that can't be told; `action` is `create`, `update` or `delete`."""

    model: str
    action: str
    place: Evidence


class Unity(StrEnum):
    """How the writes of one run of a function hang together."""

    ONE = "one transaction"
    SPLIT = "several transactions, though one write needs the other"
    REFUSED = "something is written, and then the request is refused"
    PERHAPS = "a transaction that only some callers open"
    INTERRUPTED = "several transactions, with a call of another service between them"
    APART = "several transactions, and nothing shows that one write needs the other"


@dataclass(frozen=True, slots=True)
class WriteScope:
    """A function that writes rows of two kinds on one path, or rows that need each other.

    `writes` are all that it makes, itself or in helpers. `transaction` shows what holds them together: what opens the
    transaction, or the commit at the end. `parts` are the write, what ends its transaction and the write behind it;
    `reason` says why one of them needs the other.
    """

    function: str
    location: Location
    role: Role
    writes: tuple[RowWrite, ...]
    unity: Unity
    transaction: tuple[Evidence, ...] = ()
    parts: tuple[Evidence, ...] = ()
    reason: str = ""
    offline: str | None = None

    @property
    def subject_id(self) -> str:
        return self.function

    @property
    def label(self) -> str:
        return f"writes of {self.function}"

    @property
    def models(self) -> tuple[str, ...]:
        """The models whose rows it writes, each once."""
        return tuple(dict.fromkeys(write.model for write in self.writes if write.model))
