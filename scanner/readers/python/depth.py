"""How deep code may nest: no person writes a thousand levels, and every stage that follows is safe below that."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

_TO_READ = 20_000
"""LibCST's tree nests where the code doesn't: a thousand adjacent strings are a thousand levels there, one in ours."""
_TO_ENCODE = 2_500
"""A level of nesting is one or two of msgpack."""
_TO_DECODE = 10_000
"""More than any facts need that could be encoded, wherever it is called from."""


@contextmanager
def _recursion(limit: int) -> Iterator[None]:
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(limit)
    try:
        yield
    finally:
        sys.setrecursionlimit(before)


def while_reading() -> AbstractContextManager[None]:
    """Recursion for a syntax tree; since Python 3.11 that costs heap, not C stack."""
    return _recursion(_TO_READ)


def while_encoding() -> AbstractContextManager[None]:
    """Facts nested too deeply for the stages that follow raise RecursionError."""
    return _recursion(_TO_ENCODE)


def allow() -> None:
    """Let this process decode and follow whatever could be encoded."""
    sys.setrecursionlimit(max(sys.getrecursionlimit(), _TO_DECODE))
