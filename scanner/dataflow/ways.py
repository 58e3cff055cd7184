"""Which branches lead to a place in a body."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto

from assay.scanner.linker.project import last_name
from assay.scanner.readers.python import form


class Turn(Enum):
    """How a way goes on at a statement."""

    THEN = auto()
    OTHERWISE = auto()
    REPEATED = auto()
    """Into a loop, which may run as often as it likes."""
    HANDLED = auto()
    """Into the handler of an exception."""
    MATCHED = auto()
    """Into one of the cases of a `match`."""


@dataclass(frozen=True, slots=True)
class Branch:
    """One branch, of the statement or handler at the offset `start`. `test` is what an `if` asks; of a handler `tried`
    is the stretch of code whose exceptions it handles, and `handles` are the names of these.
    """

    turn: Turn
    start: int
    test: form.Expr | None = None
    tried: tuple[int, int] = (0, 0)
    handles: tuple[str, ...] = ()


Way = tuple[Branch, ...]


def way_to(body: Sequence[form.Stmt], offset: int) -> Way:
    """The branches around an offset, outermost first; definitions inside the body are not entered."""
    found: list[Branch] = []
    while True:
        around = next((s for s in body if s.start <= offset < s.end), None)
        match around:
            case form.If(test=test, body=then, orelse=orelse):
                if offset < test.end:
                    return tuple(found)
                is_then = bool(then) and offset < then[-1].end
                found.append(Branch(Turn.THEN if is_then else Turn.OTHERWISE, around.start, test))
                body = then if is_then else orelse
            case form.For(body=then, orelse=orelse) | form.While(body=then, orelse=orelse):
                found.append(Branch(Turn.REPEATED, around.start))
                body = [*then, *orelse]
            case form.Try(body=tried, handlers=handlers, orelse=orelse, final=final):
                handler = next((h for h in handlers if h.start <= offset < h.end), None)
                if handler is not None:
                    span = (tried[0].start, tried[-1].end) if tried else (0, 0)
                    found.append(Branch(Turn.HANDLED, handler.start, None, span, _names(handler.type)))
                body = handler.body if handler is not None else [*tried, *orelse, *final]
            case form.With(body=then):
                body = then
            case form.Match():
                return (*found, Branch(Turn.MATCHED, around.start))
            case _:
                return tuple(found)


def _names(node: form.Expr | None) -> tuple[str, ...]:
    parts = form.walk(node) if node is not None else ()
    return tuple(last_name(part) or "" for part in parts if isinstance(part, form.Name | form.Attr))
