"""Where something is in the scanned tree, and the evidence that points there."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Location:
    """A stretch of one file.

    `path` is relative to the scanned root, with `/`. Lines and columns count from 1; columns count Unicode code
    points; the end is exclusive, as in SARIF 2.1.0 §3.30.
    """

    path: str
    line: int
    column: int
    end_line: int
    end_column: int

    def __str__(self) -> str:
        return f"{self.path}:{self.line}:{self.column}"

    @classmethod
    def whole_file(cls, path: str) -> Location:
        """The place of something that a whole file stands for: its first character."""
        return cls(path, 1, 1, 1, 1)


@dataclass(frozen=True, slots=True)
class Evidence:
    """A place, and a short text that says what it shows."""

    location: Location
    text: str
