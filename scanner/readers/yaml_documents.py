"""YAML with the place of every key and value: safe, tolerant of duplicate keys, and bounded in depth and size.

Built from the parser's events, so no tag ever constructs anything. Aliases point at the node they name (and keep its
place); merge keys (`<<`) are applied. YAML 1.1, as Kubernetes and compose read it.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from typing import NamedTuple, Protocol, TypeAlias

import msgspec
import yaml

from assay.scanner.diagnostics import Reason
from assay.scanner.readers.problem import ReadProblem
from assay.scanner.readers.span import Span
from assay.scanner.readers.text import decode

MAX_DEPTH = 100
"""Levels of nesting; real manifests stay below 20."""
MAX_NODES = 200_000
"""Nodes of one file after aliases and merges are written out; real files stay below 20,000."""

TEMPLATE = re.compile(r"\{\{|\{%")
MERGE = "<<"
TRUE = frozenset({"true", "yes", "on"})
FALSE = frozenset({"false", "no", "off"})

_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Scalar(msgspec.Struct, frozen=True, array_like=True, tag="scalar"):
    """`quoted` scalars are strings whatever they look like; block scalars count as quoted."""

    text: str
    span: Span
    quoted: bool = False

    @property
    def is_null(self) -> bool:
        return not self.quoted and self.text in ("", "~", "null", "Null", "NULL")

    @property
    def integer(self) -> int | None:
        return int(self.text) if re.fullmatch(r"-?\d{1,18}", self.text) else None

    @property
    def boolean(self) -> bool | None:
        word = self.text.lower()
        return True if word in TRUE else False if word in FALSE else None


class Sequence(msgspec.Struct, frozen=True, array_like=True, tag="sequence"):
    """A list."""

    items: tuple[Node, ...]
    span: Span


class Entry(msgspec.Struct, frozen=True, array_like=True):
    """A key with its value."""

    key: Scalar
    value: Node


class Mapping(msgspec.Struct, frozen=True, array_like=True, tag="mapping"):
    """Entries in the order they are written; the last of several equal keys counts, and merged ones come after."""

    entries: tuple[Entry, ...]
    span: Span

    def entry(self, key: str) -> Entry | None:
        return next((e for e in reversed(self.entries) if e.key.text == key), None)

    def get(self, key: str) -> Node | None:
        entry = self.entry(key)
        return entry.value if entry is not None else None

    def mapping(self, key: str) -> Mapping | None:
        """The value, where it is a mapping."""
        value = self.get(key)
        return value if isinstance(value, Mapping) else None

    def items(self, key: str) -> tuple[Node, ...]:
        """The items of the value, where it is a sequence."""
        value = self.get(key)
        return value.items if isinstance(value, Sequence) else ()

    def mappings(self, key: str) -> tuple[Mapping, ...]:
        return tuple(item for item in self.items(key) if isinstance(item, Mapping))

    def scalar(self, key: str) -> Scalar | None:
        """The value, where it is a scalar other than null."""
        value = self.get(key)
        return value if isinstance(value, Scalar) and not value.is_null else None

    def text(self, key: str) -> str | None:
        value = self.scalar(key)
        return value.text if value is not None else None

    def integer(self, key: str) -> int | None:
        value = self.scalar(key)
        return value.integer if value is not None else None

    def pairs(self, key: str) -> tuple[tuple[str, str], ...]:
        """The entries of the value, where both sides are scalars, as sorted text."""
        value = self.mapping(key)
        if value is None:
            return ()
        found = {e.key.text: e.value.text for e in value.entries if isinstance(e.value, Scalar)}
        return tuple(sorted(found.items()))


Node: TypeAlias = Scalar | Sequence | Mapping


def read(path: str, data: bytes) -> tuple[Node, ...]:  # noqa: ARG001 - every reader has the same signature
    """The documents of a file; empty ones are left out.

    Raises ReadProblem: BAD_YAML for broken syntax, too deep a nesting or aliases that multiply beyond reason;
    TEMPLATE for a Helm, Jinja or cookiecutter file that becomes YAML only when rendered.
    """
    text = decode(data)
    try:
        return tuple(_Composer(text).documents())
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = None if mark is None else mark.line + 1
        raise _problem(text, " ".join(str(error.problem or error.context).split()), line) from error
    except yaml.YAMLError as error:
        raise _problem(text, " ".join(str(error).split()), None) from error


def text_within(text: str, value: Scalar) -> str:
    """A file within a file, a block scalar of it: empty lines before it keep its lines where they are."""
    lines = text.split("\n")[value.span.line : value.span.end_line]
    return "\n" * value.span.line + "\n".join(lines)


def _problem(text: str, message: str, line: int | None) -> ReadProblem:
    template = TEMPLATE.search(text)
    if template is None:
        return ReadProblem(Reason.BAD_YAML, message, line)
    at = text.count("\n", 0, template.start()) + 1
    return ReadProblem(Reason.TEMPLATE, "a template that becomes YAML only when it is rendered", at)


def _refused(event: yaml.Event, message: str) -> ReadProblem:
    mark = event.start_mark
    return ReadProblem(Reason.BAD_YAML, message, None if mark is None else mark.line + 1)


class _Mark(Protocol):
    """libyaml's marks and PyYAML's own have no common base."""

    @property
    def index(self) -> int: ...


def _offset(mark: _Mark | None) -> int:
    assert mark is not None, "the parser marks every event"
    return mark.index


class _Open:
    """A collection whose end hasn't come yet."""

    def __init__(self, event: yaml.CollectionStartEvent) -> None:
        self.is_mapping = isinstance(event, yaml.MappingStartEvent)
        self.is_flow = bool(event.flow_style)
        self.anchor: str | None = event.anchor
        self.start = _offset(event.start_mark)
        self.end = _offset(event.end_mark)
        self.children: list[Node] = []
        self.size = 1


class _Built(NamedTuple):
    """A finished node, how many nodes it stands for once aliases are written out, and where its text ends."""

    node: Node
    size: int
    end: int


class _Composer:
    def __init__(self, text: str) -> None:
        self.text = text
        self.line_starts = [0, *(i + 1 for i, c in enumerate(text) if c == "\n")]

    def documents(self) -> Iterator[Node]:
        anchors: dict[str, _Built] = {}
        stack: list[_Open] = []
        for event in yaml.parse(self.text, Loader=_Loader):
            if isinstance(event, yaml.DocumentStartEvent):
                anchors = {}
            elif isinstance(event, yaml.CollectionStartEvent):
                if len(stack) >= MAX_DEPTH:
                    raise _refused(event, f"nested more than {MAX_DEPTH} levels deep")
                stack.append(_Open(event))
            elif isinstance(event, yaml.NodeEvent | yaml.CollectionEndEvent):
                built = self._built(event, stack, anchors)
                if built.size > MAX_NODES:
                    raise _refused(event, f"aliases make more than {MAX_NODES:,} nodes of it")
                if stack:
                    stack[-1].children.append(built.node)
                    stack[-1].size += built.size
                    stack[-1].end = built.end
                elif not (isinstance(built.node, Scalar) and built.node.is_null):
                    yield built.node

    def _built(self, event: yaml.Event, stack: list[_Open], anchors: dict[str, _Built]) -> _Built:
        if isinstance(event, yaml.AliasEvent):
            if event.anchor not in anchors:
                raise _refused(event, f"the alias *{event.anchor} names no finished anchor")
            return anchors[event.anchor]._replace(end=_offset(event.end_mark))
        if isinstance(event, yaml.ScalarEvent):
            end = _offset(event.end_mark)
            quoted = event.style not in (None, "")
            built = _Built(Scalar(event.value, self._span(_offset(event.start_mark), end), quoted), 1, end)
            anchor = event.anchor
        else:
            opened = stack.pop()
            end = _offset(event.end_mark) if opened.is_flow else opened.end
            built = _Built(self._collection(opened, self._span(opened.start, end)), opened.size, end)
            anchor = opened.anchor
        if anchor is not None:
            anchors[anchor] = built
        return built

    def _collection(self, opened: _Open, span: Span) -> Node:
        return self._mapping(opened, span) if opened.is_mapping else Sequence(tuple(opened.children), span)

    def _mapping(self, opened: _Open, span: Span) -> Mapping:
        own: list[Entry] = []
        merged: list[Entry] = []
        for key, value in zip(opened.children[::2], opened.children[1::2], strict=True):
            if not isinstance(key, Scalar):
                raise _problem(self.text, "a key that is itself a collection", key.span.line)
            if key.text == MERGE and not key.quoted:
                merged += _merged(value)
            else:
                own.append(Entry(key, value))
        taken = {entry.key.text for entry in own}
        for entry in merged:
            if entry.key.text not in taken:
                taken.add(entry.key.text)
                own.append(entry)
        return Mapping(tuple(own), span)

    def _span(self, start: int, end: int) -> Span:
        # The mark at the end of a block scalar stands at the next token.
        while end > start and self.text[end - 1] in " \n\t":
            end -= 1
        return Span(*self._position(start), *self._position(end))

    def _position(self, offset: int) -> tuple[int, int]:
        line = bisect_right(self.line_starts, offset)
        return line, offset - self.line_starts[line - 1] + 1


def _merged(value: Node) -> list[Entry]:
    """What `<<` brings in; of several mappings the first that has a key wins."""
    sources = value.items if isinstance(value, Sequence) else (value,)
    found: dict[str, Entry] = {}
    for source in sources:
        if isinstance(source, Mapping):
            for entry in {e.key.text: e for e in source.entries}.values():
                found.setdefault(entry.key.text, entry)
    return list(found.values())
