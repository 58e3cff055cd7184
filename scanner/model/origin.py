"""Where a value comes from, as far as one can tell from the code that uses it."""

from __future__ import annotations

from enum import StrEnum


class Origin(StrEnum):
    """From the most to the least dangerous when a value reaches an interpreter."""

    REMOTE = "remote"
    """A client of the service sends it."""
    STORED = "stored"
    """Text read back from a database, which a client may have written."""
    PARAMETER = "parameter"
    """The enclosing function is given it by its callers."""
    UNKNOWN = "unknown"
    OPERATOR = "operator"
    """Whoever runs the service sets it: arguments, environment, configuration."""
    METADATA = "metadata"
    """Names of tables and columns, from the ORM's own declarations."""
    COMPILED = "compiled"
    """SQL text that the ORM made of its own constructs, with placeholders for the values."""
    QUOTED_IDENTIFIER = "quoted identifier"
    """It went through the database library's quoting of identifiers."""
    TYPED = "typed"
    """A number, UUID, date, truth value or enum member: no free text."""
    PATTERN = "pattern"
    """It matched an anchored pattern that lets no metacharacter through."""
    CONSTANT_SET = "constant set"
    """One of a fixed set of values written in the code."""
    CONSTANT = "constant"

    @property
    def rank(self) -> int:
        """0 for the most dangerous."""
        return list(Origin).index(self)

    @property
    def is_harmless(self) -> bool:
        """No client can put text of its own into it."""
        return self.rank >= Origin.OPERATOR.rank


def worst(*origins: Origin) -> Origin:
    """The most dangerous of them; a constant if there is none."""
    return min(origins, key=lambda origin: origin.rank, default=Origin.CONSTANT)
