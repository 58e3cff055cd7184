"""Which lines of Python a comment speaks of: the statement, definition or element that its line belongs to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from assay.scanner.readers.python import form

__all__ = ["lines_of"]

_Node = form.Expr | form.Stmt
_WithHeader = form.Function | form.Class | form.If | form.For | form.While | form.With
_WithoutHeader = form.Try | form.Match


def lines_of(facts: form.ModuleFacts, line: int, *, is_alone: bool) -> tuple[int, int]:
    """The first and the last line that a comment speaks of.

    It stands at the end of `line`, or alone above it. In the header of a definition (decorators included) or of a block
    it speaks of the whole header; in other code of what begins in that line and, at its end, of what ends there too: so
    a comment behind the last parenthesis of a wrapped call speaks of all of it, and one behind an element of a list of
    that element only.
    """
    found = list(_spans(facts, facts.body, line, is_alone=is_alone))
    return min((first for first, _ in found), default=line), max((last for _, last in found), default=line)


def _spans(facts: form.ModuleFacts, nodes: Iterable[_Node], line: int, *, is_alone: bool) -> Iterator[tuple[int, int]]:
    for node in nodes:
        first, last = _extent(facts, node)
        if not first <= line <= last:
            continue
        if isinstance(node, _WithHeader):
            header = _header_end(facts, node)
            if line <= header:
                yield first, header
                continue
        elif not isinstance(node, _WithoutHeader) and (line == first or (line == last and not is_alone)):
            yield first, last
            continue
        yield from _spans(facts, node.children(), line, is_alone=is_alone)


def _extent(facts: form.ModuleFacts, node: _Node) -> tuple[int, int]:
    """Its first and last line, decorators included."""
    decorators = node.decorators if isinstance(node, form.Function | form.Class) else ()
    start = min([node.start, *(d.start for d in decorators)])
    return _line(facts, start), _line(facts, max(node.start, node.end - 1))


def _header_end(facts: form.ModuleFacts, node: _WithHeader) -> int:
    """The line before the body's first statement; the same line where all stands in one."""
    own = _line(facts, node.start)
    return max(own, _extent(facts, node.body[0])[0] - 1) if node.body else own


def _line(facts: form.ModuleFacts, offset: int) -> int:
    return facts.position(offset)[0]
