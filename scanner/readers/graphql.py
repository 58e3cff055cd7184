"""GraphQL's schema language: object types with the names of their fields
(https://spec.graphql.org/October2021/#sec-Type-System).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

from assay.scanner.readers.text import decode

_TOKEN = re.compile(
    r'#[^\n]*|"""(?:\\"""|(?!""").)*"""|"(?:\\.|[^"\\\n])*"|(?P<token>[A-Za-z_][A-Za-z0-9_]*|[{}():@])', re.DOTALL
)
_DEFINING = frozenset(
    """type interface input enum union scalar directive schema query mutation subscription fragment""".split()
)
_CLOSING = {"{": "}", "(": ")"}


class ObjectType(msgspec.Struct, frozen=True, array_like=True):
    """One `type` or `extend type`."""

    name: str
    fields: tuple[str, ...]


class GraphqlFacts(msgspec.Struct, frozen=True, array_like=True, tag="graphql"):
    """The object types of a document; `roots` are those that a `schema` definition names, by operation."""

    types: tuple[ObjectType, ...]
    roots: tuple[tuple[str, str], ...]


def read(path: str, data: bytes) -> GraphqlFacts:  # noqa: ARG001 - every reader has the same signature
    """Read a file of definitions; a client's queries have none. Raises ReadProblem."""
    return definitions(decode(data))


def definitions(text: str) -> GraphqlFacts:
    """What a document defines; text that isn't GraphQL defines nothing."""
    tokens = [m["token"] for m in _TOKEN.finditer(text) if m["token"] is not None]
    types: list[ObjectType] = []
    roots: list[tuple[str, str]] = []
    header: list[str] = []
    at = 0
    while at < len(tokens):
        end = _end(tokens, at)
        if tokens[at] == "{":
            keyword, name = _defined(header)
            block = tokens[at + 1 : end]
            if keyword == "type":
                types.append(ObjectType(name, tuple(field for field, _ in _fields(block))))
            elif keyword == "schema":
                roots += _fields(block)
            header = []
        elif end == at:
            header.append(tokens[at])
        at = end + 1
    return GraphqlFacts(tuple(types), tuple(roots))


def _defined(header: list[str]) -> tuple[str, str]:
    """What stands before a block, as `type` and its name: what comes before that had no block of its own."""
    for at in range(len(header) - 1, -1, -1):
        if header[at] in _DEFINING:
            return header[at], header[at + 1] if at + 1 < len(header) else ""
    return "", ""


def _end(tokens: list[str], at: int) -> int:
    """The place of the bracket that closes the one at this place; the place itself where none is opened."""
    opening = tokens[at]
    if opening not in _CLOSING:
        return at
    depth = 0
    for place in range(at, len(tokens)):
        depth += (tokens[place] == opening) - (tokens[place] == _CLOSING[opening])
        if not depth:
            return place
    return len(tokens)


def _fields(block: list[str]) -> Iterator[tuple[str, str]]:
    """Each field's name and the name that its type begins with: `users(first: Int): [User!]!`."""
    at = 0
    while at < len(block):
        is_directive = at > 0 and block[at - 1] == "@"
        after = at + 1
        if after < len(block) and block[after] == "(":
            after = _end(block, after) + 1
        if after < len(block) and block[after] == ":" and not is_directive and block[at] not in "(){}:@":
            yield block[at], block[after + 1] if after + 1 < len(block) else ""
        at = after
