"""Procfiles: one process type and its command per line (devcenter.heroku.com/articles/procfile)."""

from __future__ import annotations

import re

import msgspec

from assay.scanner.readers.span import Span
from assay.scanner.readers.text import decode, leading_comment

LINE = re.compile(r"(?P<name>[A-Za-z0-9_-]+):[ \t]*(?P<command>\S.*?)\s*")


class ProcessType(msgspec.Struct, frozen=True, array_like=True):
    """One line: `name: command`."""

    name: str
    command: str
    span: Span


class ProcfileFacts(msgspec.Struct, frozen=True, array_like=True, tag="procfile"):
    """A Procfile's processes in their order."""

    comment: str
    processes: tuple[ProcessType, ...]


def read(path: str, data: bytes) -> ProcfileFacts:  # noqa: ARG001 - every reader has the same signature
    """Read a Procfile; lines that name no process are passed over, as Heroku does. Raises ReadProblem."""
    text = decode(data)
    found = []
    for number, line in enumerate(text.split("\n"), 1):
        match = LINE.fullmatch(line)
        if match is not None:
            found.append(ProcessType(match["name"], match["command"], Span(number, 1, number, len(line.rstrip()) + 1)))
    return ProcfileFacts(leading_comment(text), tuple(found))
