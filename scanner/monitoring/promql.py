"""PromQL as far as a query's names go: which metrics it reads, by which labels, over which time.

The parsers on the registry wrap Rust or Go, or have no releases that anybody keeps; names need none of the grammar.
Grafana's variables (`$name`, `${name}`, `[[name]]`) and Go's templates (`{{ name }}`) may stand anywhere.
prometheus.io/docs/prometheus/latest/querying/basics
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache

from assay.scanner.readers.monitoring.facts import Matcher


class Kind(Enum):
    """What a token is."""

    NAME = "name"
    VARIABLE = "variable"
    NUMBER = "number"
    STRING = "string"
    OPERATOR = "operator"
    COMMENT = "comment"
    SPACE = "space"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Token:
    """A stretch of the query."""

    kind: Kind
    text: str


@dataclass(frozen=True, slots=True)
class Selector:
    """What one place of a query reads. `metric` is None where only labels or a variable tell; `is_range` is set for one
    with a time span behind it.
    """

    metric: str | None
    matchers: tuple[Matcher, ...]
    is_range: bool


_VARIABLE = r"\$\{[^}\s]*\}|\$[A-Za-z_]\w*|\$\d+|\[\[[^\[\]\s]*\]\]|\{\{[^{}]*\}\}"
_TOKENS = re.compile(
    r"(?P<SPACE>\s+)"
    r"|(?P<COMMENT>#[^\n]*)"
    rf"|(?P<NAME>(?:[A-Za-z_:]|{_VARIABLE})(?:[A-Za-z0-9_:]|{_VARIABLE})*)"
    r"|(?P<NUMBER>0[xX][0-9a-fA-F_]+|(?:\d+(?:ms|[smhdwy]))+|\d[\d_]*(?:\.\d*)?(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?)"
    r"|(?P<STRING>\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'|`[^`]*`)"
    r"|(?P<OPERATOR>=~|!~|!=|==|>=|<=|[-+*/%^=<>(){}\[\],:@])"
    r"|(?P<OTHER>.)",
    re.DOTALL,
)
_IS_VARIABLE = re.compile(_VARIABLE)
_GROUPING = frozenset({"by", "without", "on", "ignoring", "group_left", "group_right"})
_KEYWORDS = _GROUPING | {"offset", "bool", "and", "or", "unless", "atan2", "inf", "nan", "start", "end"}
_COMPARISONS = frozenset({"==", "!=", ">", "<", ">=", "<="})
_MATCHING = frozenset({"=", "!=", "=~", "!~"})


def tokens(query: str) -> Iterator[Token]:
    """The tokens, whose texts make up the query again."""
    for found in _TOKENS.finditer(query):
        kind = Kind[found.lastgroup or "OTHER"]
        if kind is Kind.NAME and _IS_VARIABLE.search(found[0]):
            kind = Kind.VARIABLE
        yield Token(kind, found[0])


@lru_cache(maxsize=4096)
def selectors(query: str) -> tuple[Selector, ...]:
    """What a query reads; nothing where it is no PromQL: Loki's has pipes."""
    found = [t for t in tokens(query) if t.kind not in (Kind.SPACE, Kind.COMMENT)]
    if any(t.text in ("|", ";") for t in found if t.kind is Kind.OTHER):
        return ()
    return tuple(_Parser(found).selectors())


def compares(query: str) -> bool:
    """Whether it holds a value against a threshold, or asks whether there is one."""
    found = [t.text for t in tokens(query) if t.kind in (Kind.OPERATOR, Kind.NAME)]
    return any(text in _COMPARISONS or text in ("absent", "absent_over_time") for text in _outside_braces(found))


def is_constant(query: str) -> bool:
    """Whether it reads nothing: an alert on it always fires, or never."""
    return not selectors(query) and all(
        t.kind in (Kind.NUMBER, Kind.OPERATOR, Kind.SPACE, Kind.COMMENT) or t.text in ("vector", "time", "scalar")
        for t in tokens(query)
    )


def _outside_braces(texts: list[str]) -> Iterator[str]:
    depth = 0
    for text in texts:
        depth += (text == "{") - (text == "}")
        if depth <= 0:
            yield text


class _Parser:
    def __init__(self, found: list[Token]) -> None:
        self._tokens = found
        self._at = 0

    def selectors(self) -> Iterator[Selector]:
        while (token := self._peek()) is not None:
            if token.kind is Kind.NAME and self._is_word(token):
                self._word(token)
            elif token.kind in (Kind.NAME, Kind.VARIABLE):
                self._at += 1
                yield self._selector(token.text if token.kind is Kind.NAME else None)
            elif token.text == "{" and token.kind is Kind.OPERATOR:
                yield self._selector(None)
            elif token.text == "[" and token.kind is Kind.OPERATOR:
                self._skip_to("]")
            else:
                self._at += 1

    def _peek(self, ahead: int = 0) -> Token | None:
        place = self._at + ahead
        return self._tokens[place] if place < len(self._tokens) else None

    def _text(self, ahead: int = 0) -> str:
        token = self._peek(ahead)
        return token.text if token is not None else ""

    def _is_word(self, token: Token) -> bool:
        """A function, an aggregation or a keyword, not a metric."""
        following = self._text(1)
        return token.text.lower() in _KEYWORDS or following == "(" or following.lower() in ("by", "without")

    def _word(self, token: Token) -> None:
        self._at += 1
        if token.text.lower() in _GROUPING and self._text() == "(":
            self._skip_to(")")

    def _skip_to(self, end: str) -> None:
        while (token := self._peek()) is not None:
            self._at += 1
            if token.text == end:
                return

    def _selector(self, metric: str | None) -> Selector:
        matchers: list[Matcher] = []
        if self._text() == "{":
            self._at += 1
            metric = self._braces(matchers) or metric
        is_range = self._text() == "["
        if is_range:
            self._skip_to("]")
        return Selector(metric, tuple(matchers), is_range)

    def _braces(self, matchers: list[Matcher]) -> str | None:
        """Fill in the matchers; the name of the metric, where it stands among them."""
        metric = None
        while (token := self._peek()) is not None and token.text != "}":
            operator, value = self._text(1), self._peek(2)
            if operator in _MATCHING and value is not None and value.text not in ("}", ","):
                self._at += 3
                matcher = Matcher(_plain(token), operator, _plain(value))
                if matcher.label == "__name__" and operator == "=" and value.kind is Kind.STRING:
                    metric = matcher.value
                else:
                    matchers.append(matcher)
            else:
                if token.kind is Kind.STRING and operator in (",", "}"):
                    metric = _plain(token)
                self._at += 1
        self._at += 1
        return metric


def _plain(token: Token) -> str:
    return token.text[1:-1] if token.kind is Kind.STRING else token.text
