"""What comes of a look-up that finds nothing, at the end of an expression or of a function."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

from assay.scanner.linker.scopes import ClassSymbol
from assay.scanner.model.place import Evidence


class Kind(Enum):
    """How the code that made the look-up ends when nothing is found."""

    NONE = auto()
    """It gives None, or something else that counts as false."""
    RAISES = auto()
    ANSWERS = auto()
    """It gives an answer with a status."""
    CRASHES = auto()
    """It asks something of None."""
    GOES_ON = auto()
    """It looks at what it got, and goes on without the object."""
    UNKNOWN = auto()


@dataclass(frozen=True, slots=True)
class Miss:
    """`exception` is the last part of the name of what is raised, and `cls` its class where the project has it.

    `is_foreign` says that it is of a library that may well answer it itself.
    """

    kind: Kind
    status: int | None = None
    exception: str = ""
    cls: ClassSymbol | None = None
    evidence: Evidence | None = None
    is_foreign: bool = False


NOTHING = Miss(Kind.NONE)
NOT_FOUND = Miss(Kind.RAISES, 404, "NotFound")
