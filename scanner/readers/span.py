"""A stretch of a file whose path is known from elsewhere: what non-Python facts carry instead of a whole Location."""

from __future__ import annotations

import msgspec

from assay.scanner.model.place import Evidence, Location


class Span(msgspec.Struct, frozen=True, array_like=True, order=True):
    """Lines and columns count from 1, columns in Unicode code points; the end is exclusive (as in Location)."""

    line: int
    column: int
    end_line: int
    end_column: int

    def at(self, path: str) -> Location:
        """The same stretch, in that file."""
        return Location(path, self.line, self.column, self.end_line, self.end_column)

    def evidence(self, path: str, text: str) -> Evidence:
        """What this stretch of that file shows."""
        return Evidence(self.at(path), text)
