"""A text that must not be longer than a platform takes: cut between whole entries, and it says how many are missing."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Block:
    """A stretch of the text: always its head and tail, and as many of its entries as have room.

    `more` tells how many are missing, with `{}` for the number; `beyond` are so many that they weren't even written.
    """

    head: str
    entries: tuple[str, ...] = ()
    tail: str = ""
    more: str = "- … and {} more"
    beyond: int = 0


def joined(blocks: Iterable[Block], limit: int, size: Callable[[str], int]) -> str:
    """The blocks, a blank line between them. Earlier ones take what room there is.

    `size` must be the sum of what it is of the parts. The heads, tails and calls for more have to fit in any case: the
    caller keeps them short.
    """
    chosen = list(blocks)
    room = limit - sum(size(_written(block, 0)) + 2 for block in chosen)
    texts = []
    for block in chosen:
        shown = 0
        for entry in block.entries:
            if size(entry) + 1 > room:
                break
            room -= size(entry) + 1
            shown += 1
        texts.append(_written(block, shown))
    return "\n\n".join(texts) + "\n"


def _written(block: Block, shown: int) -> str:
    missing = len(block.entries) - shown + block.beyond
    more = [block.more.format(f"{missing:,}")] if missing else []
    return "\n".join(filter(None, (block.head, *block.entries[:shown], *more, block.tail)))
