"""What reading one file gave, with what is in it still encoded: an unchanged tree never asks for more."""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING

import msgspec

from assay.scanner.analyzers.facts import AnalyzerFacts
from assay.scanner.diagnostics import Diagnostic, Reason
from assay.scanner.filekinds import FileKind

if TYPE_CHECKING:
    from assay.scanner.readers.python.form import Mentions
    from assay.scanner.reading import Facts

__all__ = ["FileOutcome", "content_digest"]


class FileOutcome(msgspec.Struct, array_like=True, gc=False):
    """What reading one file gave. `facts` is msgpack: None where the file could not be read, `problem` says why.

    `lines` counts the file's lines; `digest` is of the bytes that were read, empty where none could be; `seconds` is
    the processor time that it took.
    """

    path: str
    kind: FileKind
    lines: int = 0
    digest: bytes = b""
    seconds: float = 0.0
    facts: bytes | None = None
    analysis: AnalyzerFacts | None = None
    problem: tuple[Reason, str, int | None] | None = None

    def decoded(self) -> Facts | None:
        """The facts, or None where the file could not be read."""
        from assay.scanner.reading import decode_facts

        return None if self.facts is None else decode_facts(self.kind, self.facts)

    @property
    def mentions(self) -> Mentions | None:
        """The modules that a Python file may speak of; the rest of its facts stays encoded."""
        from assay.scanner.reading import decode_mentions

        return None if self.facts is None or self.kind is not FileKind.PYTHON else decode_mentions(self.facts)

    @property
    def diagnostic(self) -> Diagnostic | None:
        if self.problem is not None:
            reason, message, line = self.problem
            return Diagnostic(self.path, line, reason, message)
        if self.analysis is not None and self.analysis.problem is not None:
            return Diagnostic(self.path, None, Reason.ANALYZER_FAILED, self.analysis.problem)
        return None


def content_digest(data: bytes) -> bytes:
    """Names a file's content; 32 bytes of BLAKE2b."""
    return blake2b(data, digest_size=32).digest()
