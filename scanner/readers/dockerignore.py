"""What a build leaves out of its context: docs.docker.com/build/concepts/context, `.dockerignore`."""

from __future__ import annotations

import re

import msgspec

from assay.scanner.readers.text import decode


class DockerignoreFacts(msgspec.Struct, frozen=True, array_like=True, tag="dockerignore"):
    """The patterns of one file, in order; those with `!` bring something back."""

    patterns: tuple[str, ...]

    def leaves_out(self, path: str) -> bool:
        """Whether a file of the context, by its path in there, isn't sent. The last pattern that fits decides."""
        out = False
        for pattern in self.patterns:
            if _expression(pattern.removeprefix("!")).match(path):
                out = not pattern.startswith("!")
        return out


def read(path: str, data: bytes) -> DockerignoreFacts:  # noqa: ARG001 - every reader has the same signature
    """Read the patterns, without comments."""
    lines = (line.strip() for line in decode(data).splitlines())
    return DockerignoreFacts(tuple(line for line in lines if line and not line.startswith("#")))


def _expression(pattern: str) -> re.Pattern[str]:
    """A pattern is anchored at the context's root and fits what lies below a folder, too."""
    text = ""
    rest = pattern.strip("/").removeprefix("./")
    while rest:
        if rest.startswith("**/"):
            text, rest = text + "(?:.*/)?", rest[3:]
        elif rest.startswith("**"):
            text, rest = text + ".*", rest[2:]
        elif rest[0] in "*?":
            text, rest = text + ("[^/]*" if rest[0] == "*" else "[^/]"), rest[1:]
        elif found := re.match(r"\[([^]\\]+)\]", rest):
            inside = found[1].replace("^", "\\^") if not found[1].startswith("^") else "^" + found[1][1:]
            text, rest = text + f"[{inside}]", rest[found.end() :]
        else:
            text, rest = text + re.escape(rest[0]), rest[1:]
    try:
        return re.compile(text + r"(?:/.*)?\Z")
    except re.error:  # a set that isn't one
        return re.compile(re.escape(pattern) + r"\Z")
