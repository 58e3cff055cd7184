"""Settings of scanners that run elsewhere, as an app of the repository does.

They don't prove that anything is scanned; they say whom to ask.
"""

from __future__ import annotations

import posixpath

import msgspec

from assay.scanner.filekinds import HOSTED_SETTINGS
from assay.scanner.readers.text import decode


class HostedFacts(msgspec.Struct, frozen=True, array_like=True, tag="hosted"):
    """The tool that the file sets up."""

    tool: str


def read(path: str, data: bytes) -> HostedFacts:
    """Read one file. Raises ReadProblem for what is no text."""
    decode(data)
    return HostedFacts(HOSTED_SETTINGS[posixpath.basename(path)])
