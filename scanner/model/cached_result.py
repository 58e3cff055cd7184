"""What a service keeps in a cache to answer others with: views, functions, and what their results hang on."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from assay.scanner.model.place import Evidence, Location
from assay.scanner.model.role import Role


class InputKind(StrEnum):
    """What the result of a view or function can hang on, besides the data that it reads."""

    USER = "who is asking"
    SESSION = "the session"
    TENANT = "the tenant"
    COOKIE = "a cookie"
    HEADER = "a header"
    ADDRESS = "the client's address"
    QUERY = "the query string"
    BODY = "the request's body"
    ARGUMENT = "an argument"
    PATH = "the path"
    HOST = "the host"


PRIVATE = frozenset({InputKind.USER, InputKind.SESSION, InputKind.TENANT, InputKind.COOKIE})
"""What makes a result one that others mustn't see."""


@dataclass(frozen=True, slots=True)
class Input:
    """Something that a result hangs on. `name` is the header's, cookie's or parameter's, where that is known; `via` is
    the parameter of the cached function that brings it in, `calls` how many calls away from that one it is read.
    """

    kind: InputKind
    evidence: Evidence
    name: str | None = None
    via: str | None = None
    calls: int = 0

    @property
    def described(self) -> str:
        return f"`{self.name}`" if self.name is not None and self.kind is not InputKind.USER else self.kind.value


@dataclass(frozen=True, slots=True)
class CachedResult:
    """A view or function whose result is kept, by what keeps it, and a value that is put into a cache by hand.

    `key` says in words what its key is made of. `lacking` are inputs that the key has not, `skipped` checks of callers
    that a hit doesn't run, `held` inputs that the key has. `doubts` may bring in others; `question` asks about them.
    """

    function: str
    what: str
    ordinal: int
    location: Location
    role: Role
    key: str
    lacking: tuple[Input, ...] = ()
    skipped: tuple[Evidence, ...] = ()
    held: tuple[Input, ...] = ()
    late: tuple[Evidence, ...] = ()
    """`Vary` headers that are set outside of the cache, when the key is made already."""
    doubts: tuple[Evidence, ...] = ()
    question: str = ""

    @property
    def subject_id(self) -> str:
        return f"{self.function}#{self.what}{self.ordinal}"

    @property
    def label(self) -> str:
        return f"{self.what} of {self.function}"

    @property
    def is_private(self) -> bool:
        """Whether what the key lacks tells one caller from another."""
        return any(i.kind in PRIVATE for i in self.lacking)
