"""A repository's CODEOWNERS, as it is: who reads it knows the paths to ask about."""

from __future__ import annotations

import msgspec

from assay.scanner.readers.text import decode


class CodeownersFacts(msgspec.Struct, frozen=True, array_like=True, tag="codeowners"):
    """The whole text."""

    text: str


def read(path: str, data: bytes) -> CodeownersFacts:  # noqa: ARG001 - every reader has the same signature
    """Read the file. Raises ReadProblem for what is no text."""
    return CodeownersFacts(decode(data))
