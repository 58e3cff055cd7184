"""What is wrong with rules of one's own, said with file and line."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from assay.scanner.rulebook import RulebookError


class OwnRuleError(RulebookError):
    """A source of rules can't be used; `str()` of it is the whole message: place, what is wrong, what to do."""

    def __init__(self, place: str, problem: str) -> None:
        self.place, self.problem = place, problem
        super().__init__(f"{place}: {problem}")


def nearest(name: str, valid: Iterable[str]) -> str:
    """A hint at the valid name that was probably meant, or at all of them where none is near and they are few."""
    names = list(valid)
    near = difflib.get_close_matches(name, names, n=1)
    if near:
        return f"; did you mean {near[0]!r}?"
    return f"; there are {', '.join(names)}" if 0 < len(names) <= _FEW else ""


_FEW = 12
