"""What pipelines of all systems have in common: scripts in YAML, with their lines."""

from __future__ import annotations

from collections.abc import Iterator

from assay.scanner.readers.workflows.facts import Step
from assay.scanner.readers.yaml_documents import Node, Scalar, Sequence


def scripts(node: Node, lines: list[str]) -> Iterator[Step]:
    """Each text of a script, whatever lists it stands in."""
    if isinstance(node, Scalar):
        yield Step(node.span, run=node.text, run_line=first_line(node, lines))
    elif isinstance(node, Sequence):
        for item in node.items:
            yield from scripts(item, lines)


def first_line(scalar: Scalar, lines: list[str]) -> int:
    """Of a block scalar, the line below its indicator."""
    line = lines[scalar.span.line - 1] if scalar.span.line <= len(lines) else ""
    return scalar.span.line + (line[scalar.span.column - 1 : scalar.span.column] in ("|", ">"))


def texts(node: Node | None) -> list[str]:
    """A word, or the words of a list."""
    if isinstance(node, Scalar):
        return [node.text]
    items = node.items if isinstance(node, Sequence) else ()
    return [item.text for item in items if isinstance(item, Scalar)]


def is_true(node: Node | None) -> bool:
    """Whether a switch is written and on."""
    return isinstance(node, Scalar) and node.boolean is True
