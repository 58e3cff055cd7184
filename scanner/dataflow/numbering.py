"""How places in the code are told apart without line numbers: by the code around them, and by counting."""

from __future__ import annotations

from assay.scanner.linker.scopes import Scope


class Ordinals:
    """Counts what has the same name in one function, from 1."""

    def __init__(self) -> None:
        self._counts: dict[tuple[str, str], int] = {}

    def next(self, function: str, name: str) -> int:
        count = self._counts[function, name] = self._counts.get((function, name), 0) + 1
        return count


def around(scope: Scope) -> str:
    """`module:qualified.name` of the code around a place."""
    name = scope.module.name
    return f"{name}:{scope.qualname}" if scope.qualname else name
