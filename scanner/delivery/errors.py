"""What exceptions say of a message: that it may go well later, or never."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from assay.scanner.dataflow.lexicon import words

_PASSING = frozenset(
    """connection connect timeout timed operational unavailable transient temporary temporarily retry retryable
    throttling throttled deadlock lock locked busy rate network os io socket transport disconnected disconnect redis
    request requests http gateway overloaded concurrency contention""".split()
)
_HOPELESS = frozenset(
    """value key type json decode decoding validation attribute index unicode syntax schema parse parsing invalid
    malformed lookup integrity unsupported deserialization serialization format""".split()
)


def all_may_pass(types: Iterable[str]) -> bool:
    """Whether each of the exceptions is one that another try may not meet: a lost connection, a lock."""
    return all(not _PASSING.isdisjoint(_said(name)) for name in types)


def any_never_passes(types: Iterable[str]) -> bool:
    """Whether one of them tells that the data is wrong, and so will be the next time."""
    return any(not _HOPELESS.isdisjoint(_said(name)) for name in types)


def _said(name: str) -> Sequence[str]:
    return words(name.rpartition(".")[2])
