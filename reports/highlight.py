"""What each stretch of a source line is (keyword, string, comment ...), for whoever wants to colour it."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from functools import cache
from itertools import groupby
from operator import itemgetter
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from pygments.token import Comment, Keyword, Name, Number, Operator, String, _TokenType

if TYPE_CHECKING:
    from pygments.lexer import Lexer

MAX_LINE = 2_000
"""With a longer line, text stays uncoloured: regular expressions are no match for generated or hostile code."""

_LANGUAGES = {
    ".py": "python",
    ".pyi": "python",
    ".yaml": "yaml",
    ".yml": "yaml",
    ".toml": "toml",
    ".json": "json",
    ".sql": "sql",
    ".ini": "ini",
    ".cfg": "ini",
}


class Token(StrEnum):
    """The value is the class name in HTML."""

    OTHER = ""
    KEYWORD = "k"
    STRING = "s"
    COMMENT = "c"
    NUMBER = "m"
    NAME = "d"
    """A name at its definition, and a decorator."""


_TOKENS: tuple[tuple[_TokenType, Token], ...] = (
    (String, Token.STRING),
    (Number, Token.NUMBER),
    (Comment, Token.COMMENT),
    (Keyword, Token.KEYWORD),
    (Operator.Word, Token.KEYWORD),
    (Name.Function, Token.NAME),
    (Name.Class, Token.NAME),
    (Name.Decorator, Token.NAME),
    (Name.Tag, Token.NAME),
)

TokenLine = tuple[tuple[Token, str], ...]


def tokens(path: str, lines: Sequence[str]) -> list[TokenLine]:
    """The stretches of every line; together they are the line, character for character."""
    lexer = _lexer(path)
    if lexer is None or max(map(len, lines), default=0) > MAX_LINE:
        return [((Token.OTHER, line),) for line in lines]
    found: list[list[tuple[Token, str]]] = [[]]
    for kind, text in lexer.get_tokens("\n".join(lines)):
        first, *others = text.split("\n")
        token = _token(kind)
        found[-1].append((token, first))
        found.extend([(token, other)] for other in others)
    return [_merged(line) for line in found[: len(lines)]]


def _merged(line: list[tuple[Token, str]]) -> TokenLine:
    """Neighbours of one kind become one stretch: a report holds thousands of them."""
    runs = ((token, "".join(text for _, text in run)) for token, run in groupby(line, key=itemgetter(0)))
    return tuple((token, text) for token, text in runs if text)


def _lexer(path: str) -> Lexer | None:
    file = PurePosixPath(path)
    language = "docker" if "dockerfile" in file.name.lower() else _LANGUAGES.get(file.suffix.lower())
    return _lexer_of(language) if language else None


@cache
def _lexer_of(language: str) -> Lexer:
    from pygments.lexers import get_lexer_by_name

    return get_lexer_by_name(language, stripnl=False)


@cache
def _token(kind: _TokenType) -> Token:
    """Pygments' types are tuples of names, and a type's ancestors are its beginnings."""
    return next((token for ancestor, token in _TOKENS if kind[: len(ancestor)] == ancestor), Token.OTHER)
