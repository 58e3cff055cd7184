"""Signed tokens that a service reads, and whether it verifies them first."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from assay.scanner.model.place import Evidence, Location
from assay.scanner.model.role import Role


class Verification(StrEnum):
    """What is known of a token's signature where the token is read."""

    VERIFIED = "verified"
    """The call itself verifies it."""
    SAME_TOKEN = "same token"
    """The call doesn't; the same token is verified beside it on every path."""
    OWN = "own"
    """The service itself has just made the token."""
    DEVELOPMENT = "development"
    """Production never gets there."""
    NO_CLAIMS = "no claims"
    """Nothing that says who somebody is is read: the header, or times."""
    ELSEWHERE = "elsewhere"
    """Some caller does, or one path, or what runs before the function."""
    TRUSTED_SOURCE = "trusted source"
    """Nothing verifies it; it seems to come straight from whoever issued it."""
    NONE = "none"
    """Nothing verifies it, and a client's token says who they are."""
    UNKNOWN = "unknown"
    """Whether the call verifies it hangs on something that can't be told, or who sends it does."""


class Algorithms(StrEnum):
    """What says by which algorithms a token may be signed that a call verifies."""

    FIXED = "fixed"
    """Nobody can choose: it is the library's own format, or the key's."""
    PINNED = "pinned"
    """The call names them, all of one family: with one shared key, or with a pair of keys."""
    ABSENT = "absent"
    """The call doesn't name them, and some versions of the library demand it."""
    ANY = "any"
    """The call doesn't name them, and the library takes what the token names."""
    MIXED = "mixed"
    """The call names some for shared keys and some for pairs of keys."""
    TOKEN = "token"
    """The token itself names it."""
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class TokenVerification:
    """One call that reads a signed token. `algorithms` is None where it verifies nothing."""

    function: str
    ordinal: int
    callee: str
    location: Location
    role: Role
    verification: Verification
    evidence: tuple[Evidence, ...] = ()
    offline: str | None = None
    algorithms: Algorithms | None = None
    algorithm_evidence: tuple[Evidence, ...] = ()

    @property
    def subject_id(self) -> str:
        return f"{self.function}#{self.callee}{self.ordinal}"

    @property
    def label(self) -> str:
        return f"{self.callee} in {self.function}"
