"""Patterns of text: `*` is anything within one part of a path or a dotted name, `**` is anything at all."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

__all__ = ["Patterns", "is_plain"]

_TOKEN = re.compile(r"\*\*|\*|\?")
_MEANING = {"**": ".*", "*": "[^/.]*", "?": "[^/.]"}


@dataclass(frozen=True, slots=True)
class Patterns:
    """Some patterns: one of them has to match, and none of those that begin with `!`."""

    patterns: tuple[str, ...]

    @property
    def wanted(self) -> tuple[str, ...]:
        return tuple(p for p in self.patterns if not p.startswith("!"))

    @property
    def unwanted(self) -> tuple[str, ...]:
        """Without the `!`."""
        return tuple(p[1:] for p in self.patterns if p.startswith("!"))

    def match(self, *texts: str) -> bool:
        """Whether one of the texts matches; `!` patterns alone match what holds none of them."""
        found = not self.wanted or any(_matches(p, text) for p in self.wanted for text in texts)
        return found and not any(_matches(p, text) for p in self.unwanted for text in texts)

    def __str__(self) -> str:
        return " or ".join(f"`{p}`" if not p.startswith("!") else f"not `{p[1:]}`" for p in self.patterns)


def is_plain(pattern: str) -> bool:
    """Whether it stands for one text alone."""
    return _TOKEN.search(pattern) is None


def _matches(pattern: str, text: str) -> bool:
    return _regex(pattern).fullmatch(text) is not None


@cache
def _regex(pattern: str) -> re.Pattern[str]:
    parts = []
    end = 0
    for token in _TOKEN.finditer(pattern):
        parts += [re.escape(pattern[end : token.start()]), _MEANING[token[0]]]
        end = token.end()
    return re.compile("".join([*parts, re.escape(pattern[end:])]), re.DOTALL)
