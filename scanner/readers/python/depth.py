"""How deep code may nest: no person writes a thousand levels, and every stage that follows one is safe below that."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

_FRAMES_TO_READ = 3_000
"""Finding positions takes two frames a level (of an expression, of an `elif` ladder, of a sum), lowering up to five."""
_FRAMES_TO_DECODE = 10_000
"""More than any facts need that could be made within the other limit."""


@contextmanager
def limited() -> Iterator[None]:
    """Within, code nested too deeply raises RecursionError."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(_FRAMES_TO_READ)
    try:
        yield
    finally:
        sys.setrecursionlimit(before)


def allow() -> None:
    """Let this process decode and follow whatever could be read."""
    sys.setrecursionlimit(max(sys.getrecursionlimit(), _FRAMES_TO_DECODE))
