"""What a reader raises when a file can't be turned into facts."""

from __future__ import annotations

from assay.scanner.diagnostics import Reason


class ReadProblem(Exception):
    """Says what is wrong with the file, where, and so what to do; the engine turns it into a diagnostic."""

    def __init__(self, reason: Reason, message: str, line: int | None = None) -> None:
        super().__init__(reason, message, line)
        self.reason = reason
        self.message = message
        self.line = line
