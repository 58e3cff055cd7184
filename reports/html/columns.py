"""Tables of whole numbers, kept in columns and written as short texts: differences of neighbours, as base64 VLQ.

ECMA-426 (source maps) §"Base64 VLQ": the sign is the lowest bit; each digit holds five bits, and one that says whether
another digit follows. So a table of ten thousand rows takes a third of what JSON's own numbers do.
"""

from __future__ import annotations

import string
from collections.abc import Iterable

__all__ = ["Table", "packed"]

_DIGITS = string.ascii_uppercase + string.ascii_lowercase + string.digits + "+/"


class _Words(dict[int, str]):
    """A difference as digits; most are met again and again."""

    def __missing__(self, difference: int) -> str:
        rest = difference << 1 if difference >= 0 else -difference << 1 | 1
        word = ""
        while rest >= 32:
            word += _DIGITS[rest & 31 | 32]
            rest >>= 5
        self[difference] = word = word + _DIGITS[rest]
        return word


_WORDS = _Words()


def packed(column: Iterable[int]) -> str:
    """The column as text; `script/model.js` reads it."""
    words = []
    previous = 0
    for number in column:
        words.append(_WORDS[number - previous])
        previous = number
    return "".join(words)


class Table:
    """Rows of numbers, in columns with names."""

    def __init__(self, *names: str) -> None:
        self.columns: dict[str, list[int]] = {name: [] for name in names}
        self._length = 0

    def add(self, *row: int) -> None:
        """At its end: a number for each column."""
        for column, number in zip(self.columns.values(), row, strict=True):
            column.append(number)
        self._length += 1

    def packed(self) -> dict[str, str]:
        """Each column as text, by name."""
        return {name: packed(column) for name, column in self.columns.items()}

    def __len__(self) -> int:
        return self._length
