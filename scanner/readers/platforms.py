"""Settings of what runs a service (Helm's values, Terraform, units of systemd, files of hosting platforms): which names
in capitals they speak of, as variables are written.
"""

from __future__ import annotations

import re

import msgspec

from assay.scanner.readers.text import decode

_NAME = re.compile(r"(?<![A-Za-z0-9_.])[A-Z][A-Z0-9]*(?:_+[A-Z0-9]+)*(?![A-Za-z0-9])")
_SHORTEST = 3


class PlatformFacts(msgspec.Struct, frozen=True, array_like=True, tag="platform"):
    """Each name, with the line where it stands first."""

    names: tuple[tuple[str, int], ...]


def read(path: str, data: bytes) -> PlatformFacts:  # noqa: ARG001 - every reader has the same signature
    """Read a file. Raises ReadProblem for what is no text."""
    found: dict[str, int] = {}
    for at, line in enumerate(decode(data).split("\n"), 1):
        for name in _NAME.findall(line):
            if len(name) >= _SHORTEST:
                found.setdefault(name, at)
    return PlatformFacts(tuple(found.items()))
