"""Entries of manifests as plain values."""

from __future__ import annotations

from assay.scanner.readers.span import Span
from assay.scanner.readers.yaml_documents import Entry, Scalar, Sequence


def text(entry: Entry | None) -> str | None:
    """A scalar value as it is written."""
    return entry.value.text if entry is not None and isinstance(entry.value, Scalar) else None


def entry_span(entry: Entry | None) -> Span | None:
    """From the key to the end of a scalar value; of anything longer, the key alone."""
    if entry is None:
        return None
    key, value = entry.key.span, entry.value
    if isinstance(value, Scalar) and value.span.line == key.line == value.span.end_line:
        return Span(key.line, key.column, value.span.end_line, value.span.end_column)
    return key


def strings(entry: Entry | None) -> tuple[str, ...]:
    """The words of a list."""
    if entry is None or not isinstance(entry.value, Sequence):
        return ()
    return tuple(item.text for item in entry.value.items if isinstance(item, Scalar))
