"""What a pattern in gitignore syntax, written for a folder, says for a folder further down."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from pathspec.patterns.gitignore import GitIgnorePatternError
from pathspec.patterns.gitignore.spec import GitIgnoreSpecPattern

EVERYTHING = "**"
"""Matches all there is."""
_ANY_DEPTH = "**"

_Segments = tuple[str, ...]


def problem_with(pattern: str) -> str | None:
    """Why the pattern can't match anything, as the end of a message."""
    try:
        regex = GitIgnoreSpecPattern(pattern).regex
    except (GitIgnorePatternError, re.error):
        regex = None
    if regex is None:
        return f"{pattern!r} is no pattern that could match a file"
    if ".." in pattern.split("/"):
        return f"{pattern!r} leads out of the file's own folder"
    return None


def seen_from(pattern: str, folders: Sequence[str]) -> list[str]:
    """The patterns that mean the same inside `folders`, the way down to the folder that is looked at.

    None where it matches nothing there; `EVERYTHING` where it matches that folder as a whole.
    """
    if not folders:
        return [pattern]
    body = pattern.removeprefix("!")
    ending = "/" if body.endswith("/") else ""
    segments: _Segments = tuple(body.strip("/").split("/"))
    if "/" not in body.removesuffix("/"):
        segments = (_ANY_DEPTH, *segments)
    left = {segments}
    for folder in folders:
        left = {after for before in left for after in _step(before, folder)}
    negation = "!" if pattern.startswith("!") else ""
    return sorted({negation + _joined(rest, ending) for rest in left})


def _step(segments: _Segments, folder: str) -> Iterator[_Segments]:
    """What is left of the pattern inside the folder; nothing is left where it matched the folder or one around it."""
    if not segments or segments == (_ANY_DEPTH,):
        yield segments
    elif segments[0] == _ANY_DEPTH:
        yield segments
        yield from _step(segments[1:], folder)
    elif _matches(segments[0], folder):
        yield segments[1:]


def _matches(segment: str, name: str) -> bool:
    return GitIgnoreSpecPattern(f"/{segment}").match_file(name) is not None


def _joined(segments: _Segments, ending: str) -> str:
    match segments:
        case () | ("**",):
            return EVERYTHING
        case ("**", name):
            return name + ending
        case ("**", *_):
            return "/".join(segments) + ending
        case _:
            return "/" + "/".join(segments) + ending
