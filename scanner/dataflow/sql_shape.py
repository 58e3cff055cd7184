"""What SQL expects where a text has a hole, told by the tokens around it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assay.scanner.dataflow.text import Text, TextHole
from assay.scanner.model.sql import Position

if TYPE_CHECKING:
    from sqlglot.tokenizer_core import Token

_MARK = "h0le{}x"
_STATEMENTS = frozenset(
    {
        "ALTER", "ANALYZE", "ATTACH", "BEGIN", "CALL", "COMMENT", "COMMIT", "COPY", "CREATE", "DECLARE", "DELETE",
        "DESC", "DESCRIBE", "DO", "DROP", "EXEC", "EXECUTE", "EXPLAIN", "FETCH", "GRANT", "INSERT", "INSTALL", "LISTEN",
        "LOAD", "LOCK", "MERGE", "NOTIFY", "PRAGMA", "REFRESH", "REINDEX", "RELEASE", "REPLACE", "REVOKE", "ROLLBACK",
        "SAVEPOINT", "SELECT", "SET", "SHOW", "TRUNCATE", "UNLISTEN", "UPDATE", "USE", "VACUUM", "VALUES", "WITH",
    }
)  # fmt: skip
_SCHEMA_STATEMENTS = frozenset(
    {
        "ALTER", "COMMENT", "CREATE", "DROP", "GRANT", "REFRESH", "REINDEX", "REVOKE", "TRUNCATE",
    }
)  # fmt: skip
_WITHOUT_PARAMETERS = frozenset({"KILL", "SET", "USE", "VACUUM"})
"""Statements about the session or the server: most databases take no bound parameters in them."""
_COMPARISONS = frozenset(
    {
        "=",
        "<",
        ">",
        "<=",
        ">=",
        "<>",
        "!=",
        "==",
        "LIKE",
        "ILIKE",
        "IN",
        "BETWEEN",
        "REGEXP",
        "RLIKE",
        "~",
        "~*",
        "SIMILAR TO",
        "IS",
    }
)
_BEFORE_VALUE = _COMPARISONS | frozenset({"LIMIT", "OFFSET", "VALUES", "TOP", "INTERVAL", "THEN", "ELSE", "ANY", "||"})
_BEFORE_NAME = frozenset(
    {
        "ADD", "AS", "ASC", "BY", "COLUMN", "CONCURRENTLY", "CONSTRAINT", "DATABASE", "DESC", "DESCRIBE", "DISTINCT",
        "DROP", "EXISTS", "EXTENSION", "FROM", "FUNCTION", "GROUP BY", "INDEX", "INSTALL", "INTO", "JOIN", "LISTEN",
        "LOAD", "NOTIFY", "ONLY", "ORDER BY", "PARTITION BY", "REFERENCES", "RENAME", "ROLE", "SCHEMA", "SELECT",
        "SEQUENCE", "SHOW", "TABLE", "TO", "TRIGGER", "TRUNCATE", "UPDATE", "USE", "USER", "VIEW", "WAREHOUSE",
    }
)  # fmt: skip
_BEFORE_CLAUSE = frozenset({"WHERE", "AND", "OR", "ON", "HAVING", "NOT", "WITH", "CASE", "WHEN", ")"})


def reads_as_sql(text: Text) -> bool:
    """Whether the text begins with a statement's keyword and goes on."""
    first = text.pieces[0] if text.pieces else ""
    words = first.split(None, 2) if isinstance(first, str) else []
    while words and words[0].startswith("--"):
        rest = str(first).split("\n", 1)
        first = rest[1] if len(rest) > 1 else ""
        words = first.split(None, 2)
    is_keyword = bool(words) and words[0].lstrip("(").rstrip(";").upper() in _STATEMENTS
    return is_keyword and (len(words) > 1 or len(text.pieces) > 1)


def is_schema_change(text: Text) -> bool:
    """Whether it defines or changes tables, roles and the like, where parameters can't be bound."""
    return _first_word(text) in _SCHEMA_STATEMENTS


def _first_word(text: Text) -> str | None:
    first = text.pieces[0] if text.pieces else ""
    words = first.split(None, 1) if isinstance(first, str) else []
    return words[0].upper() if words else None


def positions(text: Text) -> list[tuple[TextHole, Position]]:
    """Every hole with what SQL expects there; UNKNOWN for text that has no tokens of SQL, is nothing but a hole, or
    is a statement that takes no parameters.
    """
    holes = text.holes
    if not holes or text.is_one_hole or _first_word(text) in _WITHOUT_PARAMETERS:
        return [(h, Position.UNKNOWN) for h in holes]
    marks = iter(range(len(holes)))
    sql = "".join(p if isinstance(p, str) else _MARK.format(next(marks)) for p in text.pieces)
    tokens = _tokens(sql)
    found: list[tuple[TextHole, Position]] = []
    for index, hole in enumerate(holes):
        mark = _MARK.format(index)
        place = next((i for i, t in enumerate(tokens) if mark in t.text), None)
        found.append((hole, _position(tokens, place) if place is not None else Position.UNKNOWN))
    return found


def _tokens(sql: str) -> list[Token]:
    from sqlglot import tokenize
    from sqlglot.errors import TokenError

    for dialect in ("mysql", "postgres") if "`" in sql else ("postgres", "mysql"):
        try:
            return list(tokenize(sql, read=dialect))
        except TokenError:
            continue
    return []


def _position(tokens: list[Token], place: int) -> Position:
    from sqlglot import TokenType

    token = tokens[place]
    before = tokens[place - 1].text.upper() if place else ""
    after = tokens[place + 1].text.upper() if place + 1 < len(tokens) else ""
    if token.token_type in (
        TokenType.STRING,
        TokenType.NATIONAL_STRING,
        TokenType.RAW_STRING,
        TokenType.HEREDOC_STRING,
    ):
        return Position.QUOTED_VALUE
    if token.token_type is TokenType.IDENTIFIER:
        # MySQL and SQLite take text in double quotes for a value.
        return Position.QUOTED_VALUE if before in _COMPARISONS else Position.IDENTIFIER
    if before == "." or after == ".":
        return Position.IDENTIFIER
    if before in _BEFORE_VALUE:
        return Position.VALUE
    if after == "(" and before not in _BEFORE_CLAUSE:
        return Position.IDENTIFIER
    if before in ("(", ","):
        return _in_brackets(tokens, place, after)
    if before in _BEFORE_NAME:
        return Position.IDENTIFIER
    if before == "SET":
        return Position.IDENTIFIER if after in ("=", "TO") else Position.CLAUSE
    if before in _BEFORE_CLAUSE and after in _COMPARISONS:
        return Position.IDENTIFIER
    if before in ("+", "-", "*", "/") and tokens[place - 1].start > 0:
        return Position.VALUE if before != "*" else Position.CLAUSE
    return Position.CLAUSE


def _in_brackets(tokens: list[Token], place: int, after: str) -> Position:
    """Inside a list: what opened it decides."""
    depth = 0
    for index in range(place - 1, -1, -1):
        text = tokens[index].text.upper()
        if text == ")":
            depth += 1
        elif text == "(":
            if depth == 0:
                return _bracketed(tokens, index, after)
            depth -= 1
        elif depth == 0 and text in _BEFORE_NAME:
            return Position.IDENTIFIER
        elif depth == 0 and text == "SET":
            return Position.IDENTIFIER if after == "=" else Position.CLAUSE
        elif depth == 0 and text in ("LIMIT", "OFFSET", "VALUES"):
            return Position.VALUE
    return Position.CLAUSE


def _bracketed(tokens: list[Token], opening: int, after: str) -> Position:
    before = tokens[opening - 1].text.upper() if opening else ""
    if before in ("VALUES", "IN", "ANY", "ALL", ","):
        return Position.VALUE
    statement = {t.text.upper() for t in tokens[:opening][-4:]}
    if before in ("AND", "OR", "WHERE", "NOT", "", "FROM", "ON", "HAVING") or after in _COMPARISONS:
        return Position.CLAUSE
    if statement & {"INTO", "TABLE", "ON", "KEY", "UNIQUE", "INDEX"}:
        return Position.IDENTIFIER
    if before in ("AS", "SELECT", "BY", "=", "EXISTS"):
        return Position.CLAUSE
    return Position.UNKNOWN
