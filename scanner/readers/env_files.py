"""Files of environment variables (`.env`), as python-dotenv and compose read them."""

from __future__ import annotations

import re

import msgspec

from assay.scanner.readers.span import Span
from assay.scanner.readers.text import decode, leading_comment

_LINE = re.compile(r"\s*(?P<off>#\s*)?(?:export\s+)?(?P<name>[A-Za-z_][\w.]*)\s*[=:]\s*(?P<value>.*)$")


class EnvVariable(msgspec.Struct, frozen=True, array_like=True):
    """One line. `is_off` is set for one that is commented out."""

    name: str
    value: str
    span: Span
    is_off: bool = False


class EnvFileFacts(msgspec.Struct, frozen=True, array_like=True, tag="env_file"):
    """A file's variables, in order; `comment` is what its head says."""

    comment: str
    variables: tuple[EnvVariable, ...]


def read(path: str, data: bytes) -> EnvFileFacts:  # noqa: ARG001 - every reader has the same signature
    """Read a file; lines that set nothing are passed over. Raises ReadProblem for what is no text."""
    text = decode(data)
    found = []
    for at, line in enumerate(text.split("\n"), 1):
        match = _LINE.match(line)
        if match is not None and not (match["off"] and _is_prose(match)):
            found.append(
                EnvVariable(match["name"], _value(match["value"]), Span(at, 1, at, len(line) + 1), bool(match["off"]))
            )
    return EnvFileFacts(leading_comment(text), tuple(found))


def _is_prose(line: re.Match[str]) -> bool:
    """Whether a comment that looks like a variable is a sentence: `# Note: it is slow`."""
    is_set = line["name"].isupper() and "=" in line.string[line.end("name") : line.start("value")]
    return " " in line["value"].strip() and not is_set


def _value(text: str) -> str:
    text = text.strip()
    if text[:1] in ("'", '"') and text[:1] in text[1:]:
        return text[1 : text.index(text[0], 1)]
    return text.partition(" #")[0].strip()
