"""What the functions of cache libraries do with entries, and which of their arguments say how."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple


class Act(StrEnum):
    """What a call does with entries."""

    READ = "read"
    WRITE = "write"
    FILL = "fill"
    """It reads, and where nothing is there, works it out and writes it: `cache.get_or_set`."""
    KEEP = "keep"
    """It keeps what a function or a view gives, as a decorator does."""
    RENEW = "renew"
    """It only sets how long an entry lasts: `expire`, `touch`."""
    DELETE = "delete"
    CLEAR = "clear"
    """It deletes all entries, or all of a pattern."""


class Lasting(StrEnum):
    """How long an entry lasts whose call gives no time, or a special one."""

    DEFAULT = "default"
    """As long as the cache is configured to keep entries."""
    FOREVER = "forever"
    NO_TIME = "no time"
    """It isn't kept at all, or the call fails."""


class Argument(NamedTuple):
    """A parameter of a library's function; no position where it has to be named."""

    position: int | None
    name: str


@dataclass(frozen=True, slots=True)
class Operation:
    """`key` is the argument with the key (`is_many` where it holds several, as a mapping or a list), `timeouts` those
    of which one gives the time. `key` is None where the key is made of the function and its arguments, or of the URL.
    """

    act: Act
    key: Argument | None = None
    timeouts: tuple[Argument, ...] = ()
    without: Lasting = Lasting.DEFAULT
    is_many: bool = False
    value: Argument | None = None


@dataclass(frozen=True, slots=True)
class CacheLibrary:
    """`receivers` are the dotted names, as `Project.infer` gives them, of what has the methods (of any of `packages`
    where it is empty); `functions` are called by themselves. `none` and `zero` say what such a time means.

    `is_store` marks what also serves as a database, a lock or a queue.
    """

    name: str
    packages: frozenset[str]
    receivers: frozenset[str]
    methods: Mapping[str, Operation]
    functions: Mapping[str, Operation]
    none: Lasting
    zero: Lasting
    is_store: bool = False
