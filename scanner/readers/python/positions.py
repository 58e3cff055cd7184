"""Where every LibCST node stands in the text, found by generating code without writing it.

LibCST's own `PositionProvider` takes five times as long: it copies the tree and keeps two positions for every node,
whitespace included. A code-generation state that only counts characters visits the same tokens in the same order, so
its offsets are exact.
"""

from __future__ import annotations

from types import TracebackType
from typing import TypeAlias

import libcst as cst
from libcst._nodes.internal import CodegenState

Span: TypeAlias = tuple[int, int]

_BLANK = frozenset(" \t\f\\\r\n")


class _Counter(CodegenState):
    """Counts code points; `spans` is keyed by node identity."""

    def __init__(self, module: cst.Module) -> None:
        super().__init__(module.default_indent, module.default_newline, tokens=["something stands before the end"])
        self.offset = 0
        self.spans: dict[int, Span] = {}
        self.comments: list[tuple[int, str]] = []

    def add_token(self, value: str) -> None:
        if value[:1] == "#":
            self.comments.append((self.offset, value))
        self.offset += len(value)

    def add_indent_tokens(self) -> None:
        for token in self.indent_tokens:
            self.offset += len(token)

    def pop_trailing_newline(self) -> None:
        self.offset -= len(self.default_newline)

    def record_syntactic_position(  # type: ignore[override]
        self,
        node: cst.CSTNode,
        *,
        start_node: cst.CSTNode | None = None,  # noqa: ARG002 - no node that we ask for has one
        end_node: cst.CSTNode | None = None,
    ) -> _Recorder:
        return _Recorder(self, node, end_node)


class _Recorder:
    """A context manager written out: `contextlib` costs a generator for each of a million nodes."""

    __slots__ = ("_counter", "_end_node", "_node", "_start")

    def __init__(self, counter: _Counter, node: cst.CSTNode, end_node: cst.CSTNode | None) -> None:
        self._counter = counter
        self._node = node
        self._end_node = end_node

    def __enter__(self) -> None:
        self._start = self._counter.offset

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        spans = self._counter.spans
        last = spans.get(id(self._end_node)) if self._end_node is not None else None
        spans[id(self._node)] = (self._start, last[1] if last else self._counter.offset)


def locate(module: cst.Module, text: str) -> tuple[dict[int, Span], list[tuple[int, str]]]:
    """Spans of expressions, statements and definitions by `id(node)`, and the comments with their offsets.

    Offsets count code points of `text`, which the module was parsed from. Text of f-strings that begins with `#` is
    listed among the comments; the caller knows which spans are strings.
    """
    counter = _Counter(module)
    module._codegen(counter)  # noqa: SLF001 - what LibCST's own position provider calls
    if counter.offset == len(text) or module.code == text:
        return counter.spans, counter.comments
    places = _places(module.code, text)
    spans = {
        node: (places[start], places[end - 1] + 1 if end > start else places[end])
        for node, (start, end) in counter.spans.items()
    }
    return spans, [(places[offset], comment) for offset, comment in counter.comments]


def _places(generated: str, text: str) -> list[int]:
    """For every offset in LibCST's code the one in the text it came from.

    LibCST forgets some white space, such as that in `except Error :`; nothing else ever differs.
    """
    places: list[int] = []
    at = 0
    for character in generated:
        while at < len(text) and text[at] != character and text[at] in _BLANK:
            at += 1
        places.append(at)
        at += text[at : at + 1] == character
    places.append(len(text))
    return places
