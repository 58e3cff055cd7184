"""What a regular expression that a text matches as a whole keeps out of it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from re import _constants as opcodes  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

from assay.scanner.dataflow.taint.shapes import fixes_authority
from assay.scanner.libraries import SinkKind

_NEEDED: Mapping[SinkKind, str] = {
    SinkKind.SQL: "'\"`;()\\ \t\n,*",
    SinkKind.COMMAND: ";&|$`<>()[]{}!*?~#'\"\\ \t\n",
    SinkKind.CODE: "([.'\"{",
    SinkKind.PATH: "/\\",
    SinkKind.URL: "/:@?#\\.",
    SinkKind.TEMPLATE: "{}%<$",
    SinkKind.HTML: "<>\"'",
    SinkKind.DESERIALIZE: "(.:{[<\x80",
    SinkKind.XML: "<&",
    SinkKind.LDAP: '()*\\\0,=+<>;"',
    SinkKind.XPATH: "'\"[]()/@|",
    SinkKind.DOCUMENT: "{$",
    SinkKind.REDIRECT: "/\\:",
    SinkKind.HEADER: "\r\n",
    SinkKind.LOG: "\r\n",
    SinkKind.SESSION: ".[$",
    SinkKind.ARCHIVE: "\0",
    SinkKind.LINK: ".",
}
"""Of these characters a text needs one to do harm at a sink of the kind."""

_WEB = frozenset({SinkKind.URL, SinkKind.REDIRECT})
_CHARACTERS = sorted({c for needed in _NEEDED.values() for c in needed})


@lru_cache(maxsize=512)
def harmless_for(pattern: str, *, whole: bool) -> frozenset[SinkKind]:
    """The kinds of sinks at which a text that matches the pattern does no harm.

    `whole` says that the match has to cover the text (`fullmatch`); otherwise the pattern has to begin and end with
    anchors, where `$` lets a line break through.
    """
    try:
        tree = parser.parse(pattern)
    except (re.error, RecursionError, OverflowError):  # the program would fail there too
        return frozenset()
    allowed = {c for c in _CHARACTERS if _allows(tree, c)}
    if not whole:
        if not _ends_anchored(tree):
            return frozenset()
        if not _ends_anchored(tree, strictly=True):
            allowed.add("\n")
    kinds = frozenset(kind for kind, needed in _NEEDED.items() if allowed.isdisjoint(needed))
    return kinds | _WEB if fixes_authority(_literal_beginning(tree)) else kinds


@lru_cache(maxsize=256)
def harmless_without(pattern: str, new: str) -> frozenset[SinkKind]:
    """The kinds of sinks at which a text does no harm in which `new` stands for every match of the pattern: one for a
    set of characters.
    """
    try:
        tree = parser.parse(pattern)
    except (re.error, RecursionError, OverflowError):  # the program would fail there too
        return frozenset()
    while len(tree) == 1 and tree[0][0] in (opcodes.MAX_REPEAT, opcodes.SUBPATTERN):
        tree = tree[0][1][-1]
    if len(tree) != 1 or tree[0][0] is not opcodes.IN:
        return frozenset()
    gone = {c for c in _CHARACTERS if _allows(tree, c)}.difference(new)
    return frozenset(kind for kind, needed in _NEEDED.items() if gone.issuperset(needed))


def _literal_beginning(tree: Any) -> str:
    """The text that every match begins with."""
    found = ""
    for opcode, argument in tree:
        if opcode is opcodes.LITERAL:
            found += chr(argument)
        elif opcode is not opcodes.AT:
            break
    return found


def _ends_anchored(tree: Any, *, strictly: bool = False) -> bool:
    """Whether every way through the pattern ends at the end of the text."""
    if not len(tree):
        return False
    opcode, argument = tree[len(tree) - 1]
    if opcode is opcodes.AT:
        return argument is opcodes.AT_END_STRING or (not strictly and argument is opcodes.AT_END)
    if opcode is opcodes.SUBPATTERN:
        return _ends_anchored(argument[-1], strictly=strictly)
    if opcode is opcodes.BRANCH:
        return all(_ends_anchored(way, strictly=strictly) for way in argument[1])
    return False


def _allows(tree: Any, character: str) -> bool:
    """Whether some part of the pattern matches the character."""
    return any(_part_allows(opcode, argument, character) for opcode, argument in tree)


def _part_allows(opcode: Any, argument: Any, character: str) -> bool:
    if opcode is opcodes.LITERAL:
        return bool(argument == ord(character))
    if opcode is opcodes.NOT_LITERAL:
        return bool(argument != ord(character))
    if opcode is opcodes.ANY:
        return character != "\n"
    if opcode is opcodes.IN:
        return _set_allows(argument, character)
    return any(_allows(inner, character) for inner in _inside(opcode, argument))


def _inside(opcode: Any, argument: Any) -> Iterator[Any]:
    if opcode in (opcodes.MAX_REPEAT, opcodes.MIN_REPEAT, opcodes.POSSESSIVE_REPEAT):
        yield argument[2]
    elif opcode is opcodes.SUBPATTERN:
        yield argument[-1]
    elif opcode is opcodes.BRANCH:
        yield from argument[1]
    elif opcode is opcodes.ATOMIC_GROUP:
        yield argument
    elif opcode is opcodes.GROUPREF_EXISTS:
        yield from (way for way in argument[1:] if way is not None)


def _set_allows(items: Any, character: str) -> bool:
    negated = bool(items) and items[0][0] is opcodes.NEGATE
    found = any(_item_allows(opcode, argument, character) for opcode, argument in items)
    return not found if negated else found


_CATEGORIES: Mapping[Any, str] = {
    opcodes.CATEGORY_DIGIT: r"\d",
    opcodes.CATEGORY_NOT_DIGIT: r"\D",
    opcodes.CATEGORY_SPACE: r"\s",
    opcodes.CATEGORY_NOT_SPACE: r"\S",
    opcodes.CATEGORY_WORD: r"\w",
    opcodes.CATEGORY_NOT_WORD: r"\W",
}


def _item_allows(opcode: Any, argument: Any, character: str) -> bool:
    if opcode is opcodes.LITERAL:
        return bool(argument == ord(character))
    if opcode is opcodes.RANGE:
        return bool(argument[0] <= ord(character) <= argument[1])
    if opcode is opcodes.CATEGORY:
        return re.fullmatch(_CATEGORIES[argument], character) is not None
    return False
