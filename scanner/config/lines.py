"""The line of every key and list entry of a TOML document, which tomllib doesn't keep."""

from __future__ import annotations

import re
import tomllib
from functools import lru_cache
from typing import Any

KeyPath = tuple[str | int, ...]
"""Where a value lies: keys of tables, and places in lists, from 0."""

_BLANK = re.compile(r"[ \t]*")
_BETWEEN = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_PART = r"[A-Za-z0-9_-]+|\"(?:[^\"\\\n]|\\.)*\"|'[^'\n]*'"
_KEY = re.compile(rf"(?:{_PART})(?:[ \t]*\.[ \t]*(?:{_PART}))*")
_STRING = re.compile(
    r'"""(?:[^"\\]|\\.|"{1,2}(?!"))*"{3,5}' r"|'''(?:[^']|'{1,2}(?!'))*'{3,5}" r'|"(?:[^"\\\n]|\\.)*"' r"|'[^'\n]*'",
    re.DOTALL,
)
_SCALAR = re.compile(r"[^,\]}#\n]+")


@lru_cache(maxsize=32)
def lines_of(text: str) -> dict[KeyPath, int]:
    """The first line of each, from 1. Empty for what is no TOML."""
    try:
        tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return {}
    reader = _Reader(text)
    reader.read()
    return reader.lines


class _Reader:
    """Goes through a document that is known to be valid."""

    def __init__(self, text: str) -> None:
        # tomllib takes \r\n for \n; lines are the same.
        self._text = text
        self._at = 0
        self._line, self._counted = 1, 0
        self.lines: dict[KeyPath, int] = {}
        self._entries: dict[KeyPath, int] = {}
        """How many entries each array of tables has so far."""

    def read(self) -> None:
        table: KeyPath = ()
        self._skip(_BETWEEN)
        while self._at < len(self._text):
            if self._text[self._at] == "[":
                table = self._header()
            else:
                self._assignment(table)
            self._skip(_BETWEEN)

    def _header(self) -> KeyPath:
        is_entry = self._text.startswith("[[", self._at)
        self._at += 2 if is_entry else 1
        self._skip(_BLANK)
        start = self._at
        *around, last = self._key()
        path: KeyPath = ()
        for part in around:
            path = self._in_last_entry((*path, part))
        path = (*path, last)
        if is_entry:
            self._note(path, start)
            count = self._entries.get(path, 0)
            self._entries[path] = count + 1
            path = (*path, count)
        self._note(path, start)
        self._skip(_BLANK)
        self._at += 2 if is_entry else 1
        return path

    def _in_last_entry(self, path: KeyPath) -> KeyPath:
        return (*path, self._entries[path] - 1) if path in self._entries else path

    def _assignment(self, table: KeyPath) -> None:
        start = self._at
        path = (*table, *self._key())
        self._note(path, start)
        self._skip(_BLANK)
        self._at += len("=")
        self._skip(_BLANK)
        self._value(path)

    def _value(self, path: KeyPath) -> None:
        match self._text[self._at]:
            case '"' | "'":
                self._skip(_STRING)
            case "[":
                self._array(path)
            case "{":
                self._inline_table(path)
            case _:
                self._skip(_SCALAR)

    def _array(self, path: KeyPath) -> None:
        self._at += 1
        index = 0
        self._skip(_BETWEEN)
        while self._text[self._at] != "]":
            if self._text[self._at] == ",":
                self._at += 1
            else:
                self._note((*path, index), self._at)
                self._value((*path, index))
                index += 1
            self._skip(_BETWEEN)
        self._at += 1

    def _inline_table(self, path: KeyPath) -> None:
        self._at += 1
        self._skip(_BETWEEN)
        while self._text[self._at] != "}":
            if self._text[self._at] == ",":
                self._at += 1
            else:
                self._assignment(path)
            self._skip(_BETWEEN)
        self._at += 1

    def _key(self) -> list[str]:
        """The parts of a dotted key, unquoted by TOML's own parser."""
        match = _KEY.match(self._text, self._at)
        assert match is not None, "tomllib read it"
        self._at = match.end()
        value: Any = tomllib.loads(f"{match[0]} = 0")
        parts = []
        while isinstance(value, dict):
            ((part, value),) = value.items()
            parts.append(part)
        return parts

    def _note(self, path: KeyPath, at: int) -> None:
        self._line += self._text.count("\n", self._counted, at)
        self._counted = at
        for end in range(1, len(path) + 1):
            self.lines.setdefault(path[:end], self._line)

    def _skip(self, what: re.Pattern[str]) -> None:
        match = what.match(self._text, self._at)
        assert match is not None, "tomllib read it"
        self._at = match.end()
