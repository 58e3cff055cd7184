"""Settings that hold secrets, and what counts where nobody sets them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from assay.scanner.model.place import Evidence, Location
from assay.scanner.model.role import Role


class Fallback(StrEnum):
    """What a secret setting is where nobody sets it."""

    NOTHING = "nothing"
    """The service doesn't start, or goes without it."""
    EMPTY = "empty"
    REFUSED = "refused"
    """A text of the tree, with which the service doesn't start."""
    PERHAPS_REFUSED = "perhaps refused"
    """A text of the tree; something looks at it, and what it refuses can't be told."""
    MADE_UP = "made up"
    """What nobody can guess."""
    SECRET = "a secret"
    """A text of the tree that nobody thinks up: a real secret."""
    WORD = "a word"
    """A text of the tree that somebody thought up."""
    PLACEHOLDER = "a placeholder"
    """A text of the tree that says of itself to be replaced."""


class Direction(StrEnum):
    """Whom a secret lets in."""

    IN = "in"
    """Somebody else into this service: its administrator, the sender of a webhook."""
    OUT = "out"
    """The service into another one, or it can't be told whom."""


@dataclass(frozen=True, slots=True)
class SecretSetting:
    """A setting that is a secret and no signing key, by its own name or the variable's, at the place that says what
    it falls back to.

    `holder` is the code or the manifest around it, `ordinal` counts equal names in that. `aside` says why production
    doesn't have it, `doubt` why it may be no production, `service_root` whose it is where its place doesn't say.
    """

    holder: str
    name: str
    ordinal: int
    location: Location
    role: Role
    fallback: Fallback
    direction: Direction = Direction.OUT
    evidence: tuple[Evidence, ...] = ()
    aside: str | None = None
    doubt: Evidence | None = None
    service_root: str | None = None

    @property
    def is_password(self) -> bool:
        """Somebody types it, as opposed to what programs send each other."""
        return "passw" in self.name.lower()

    @property
    def subject_id(self) -> str:
        return f"{self.holder}#{self.name}{self.ordinal}"

    @property
    def label(self) -> str:
        return f"secret {self.name} of {self.holder}"
