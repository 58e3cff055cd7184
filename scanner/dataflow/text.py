"""A text as far as it is known: literal pieces with holes, in a few alternatives."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeAlias

from assay.scanner.linker.scopes import FunctionSymbol, Scope
from assay.scanner.model.origin import Origin
from assay.scanner.model.place import Evidence
from assay.scanner.readers.python import form

MOST_ALTERNATIVES = 24


@dataclass(frozen=True, slots=True, eq=False)
class Parameter:
    """A parameter that a value was given through."""

    function: FunctionSymbol
    param: form.Param


@dataclass(frozen=True, slots=True, eq=False)
class TextHole:
    """What goes into a text and isn't literal. `parameter` is set where the function's callers decide."""

    node: form.Expr
    scope: Scope
    origin: Origin
    trail: tuple[Evidence, ...] = ()
    parameter: Parameter | None = None


@dataclass(frozen=True, slots=True)
class Text:
    """Literal pieces and holes in order; no two literal pieces are neighbours and none is empty."""

    pieces: tuple[str | TextHole, ...] = ()

    @classmethod
    def of(cls, pieces: Iterable[str | TextHole]) -> Text:
        """The pieces, with neighbouring literals made one."""
        joined: list[str | TextHole] = []
        for piece in pieces:
            if isinstance(piece, str) and joined and isinstance(joined[-1], str):
                joined[-1] += piece
            elif piece != "":
                joined.append(piece)
        return cls(tuple(joined))

    @property
    def holes(self) -> tuple[TextHole, ...]:
        return tuple(p for p in self.pieces if isinstance(p, TextHole))

    @property
    def literal(self) -> str | None:
        """The text itself where it has no holes."""
        return None if self.holes else "".join(p for p in self.pieces if isinstance(p, str))

    @property
    def is_one_hole(self) -> bool:
        return len(self.pieces) == 1 and isinstance(self.pieces[0], TextHole)

    @property
    def key(self) -> tuple[str | int, ...]:
        """Equal for texts that read the same."""
        return tuple(p if isinstance(p, str) else id(p.node) for p in self.pieces)


Texts: TypeAlias = tuple[Text, ...]
"""Alternatives; never empty."""


def few(texts: Iterable[Text]) -> Texts:
    """Without repetitions, and at most MOST_ALTERNATIVES; no hole that occurs in one of them is lost."""
    unique = list({t.key: t for t in texts}.values())
    if len(unique) <= MOST_ALTERNATIVES:
        return tuple(unique)
    kept: list[Text] = []
    shown: set[int] = set()
    for text in sorted(unique, key=lambda t: -len(t.pieces)):
        holes = {id(h.node) for h in text.holes}
        if len(kept) < MOST_ALTERNATIVES // 2 or not holes <= shown:
            kept.append(text)
            shown |= holes
    return tuple(kept)


def assemble(parts: Iterable[Texts]) -> Texts:
    """The parts one after the other, in all combinations."""
    whole: Texts = (Text(),)
    for part in parts:
        whole = few(Text.of(a.pieces + b.pieces) for a in whole for b in part)
    return whole


def literal(text: str) -> Texts:
    """The one alternative that a text without holes is."""
    return (Text.of([text]),)
