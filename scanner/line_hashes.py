"""What GitHub's code scanning knows an alert by: `primaryLocationLineHash`, the very value that its action computes."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache
from operator import mul

from assay.scanner.results import JudgedVerdict

__all__ = ["line_hashes", "with_line_hashes"]

_WINDOW = 100
"""UTF-16 units, counted from the line's first one that is neither space nor tab; later lines are part of it."""
_BASE, _BITS = 37, 64
_END = "\uffff" + "\0" * (_WINDOW - 1)
"""How a file goes on after its end."""
_ASTRAL = re.compile("[\U00010000-\U0010ffff]")


def with_line_hashes(
    verdicts: Sequence[JudgedVerdict], lines_of: Callable[[str], Sequence[str]]
) -> Iterator[JudgedVerdict]:
    """The findings with the hash of the line that they are at; `lines_of` tells the lines of a file, by path."""
    hashes = {path: line_hashes(lines_of(path), wanted) for path, wanted in _places(verdicts).items()}
    for verdict in verdicts:
        place = verdict.location
        yield replace(verdict, line_hash=hashes[place.path].get(place.line, "")) if verdict.is_finding else verdict


def _places(verdicts: Iterable[JudgedVerdict]) -> Mapping[str, set[int]]:
    places: defaultdict[str, set[int]] = defaultdict(set)
    for verdict in verdicts:
        if verdict.is_finding:
            places[verdict.location.path].add(verdict.location.line)
    return places


def line_hashes(lines: Sequence[str], wanted: Collection[int]) -> Mapping[int, str]:
    """The hashes of those lines of a file (they count from 1) that it has.

    `lines` are of the file's text as UTF-8, without their ends, split where Python splits them. A hash is 64 bits as
    hex digits, and how often the file had it so far: `1131fd5871777f34:1`. What says so is `src/fingerprints.ts` of
    github/codeql-action. Windows are compared, not hashes: two that differ and have one hash count apart here, together
    there. They would have to be alike but for a few characters that stand side by side.
    """
    text = _units("\n".join(lines).replace(" ", "").replace("\t", "")) + _END
    hashes: dict[int, str] = {}
    seen: dict[str, int] = {}
    last, start = max(wanted, default=0), 0
    for number in range(1, min(last, len(lines)) + 1):
        window = text[start : start + _WINDOW]
        seen[window] = seen.get(window, 0) + 1
        if number in wanted:
            hashes[number] = f"{_hash(window):x}:{seen[window]}"
        start = text.find("\n", start) + 1
    return hashes


def _units(text: str) -> str:
    """The text with a character for each unit of UTF-16, as JavaScript counts them."""
    return text if text.isascii() else _ASTRAL.sub(_surrogates, text)


def _surrogates(found: re.Match[str]) -> str:
    code = ord(found[0]) - 0x10000
    return chr(0xD800 + (code >> 10)) + chr(0xDC00 + (code & 0x3FF))


def _hash(window: str) -> int:
    value: int = sum(map(mul, map(ord, window), _powers()))
    return value % (1 << _BITS)


@cache
def _powers() -> tuple[int, ...]:
    return tuple(pow(_BASE, _WINDOW - 1 - place, 1 << _BITS) for place in range(_WINDOW))
