"""What a store told at one time, and what is new in it since."""

from __future__ import annotations

import hashlib
import time
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from threading import Lock

from assay.reports import figures
from assay.reports.dashboard.live.source import Source
from assay.reports.plain import plain
from assay.scanner.history.records import Mark, StoreError

__all__ = ["State", "Watch", "changed", "news"]

_NAMED = 3
_REMEMBERED = 100
"""States that an open page may show; what is older than them changed, and nobody knows how."""
_PAUSE = 1.0
"""Seconds for which an answer of the store holds, however many pages ask."""


@dataclass(frozen=True, slots=True)
class State:
    """What a store told; `id` is the same where it tells the same, whoever asks it and when."""

    id: str
    marks: Mapping[int, Mark]

    @classmethod
    def of(cls, marks: Mapping[int, Mark]) -> State:
        text = repr(sorted(marks.items())).encode(errors="surrogatepass")
        return cls(hashlib.sha256(text).hexdigest()[:16], marks)


def changed(before: State, now: State) -> list[int]:
    """The services of which anything else is told, those that came and went among them."""
    return sorted(id_ for id_ in before.marks.keys() | now.marks.keys() if before.marks.get(id_) != now.marks.get(id_))


def news(before: State | None, now: State) -> str:
    """What happened between two states: `1 new scan: acme/shop: orders.`; empty where it changes no page. None is a
    state that nobody remembers.
    """
    if before is None:
        return "The store has changed."
    scans = {
        mark.label: number for id_, mark in now.marks.items() if (number := _new_scans(before.marks.get(id_), mark)) > 0
    }
    if scans:
        return f"{figures.count(sum(scans.values()), 'new scan')}: {_named(sorted(scans))}."
    is_told = any(_told(before.marks.get(id_)) != _told(now.marks.get(id_)) for id_ in changed(before, now))
    return "The store has changed." if is_told else ""


def _new_scans(before: Mark | None, now: Mark) -> int:
    """Of the service's own branch: those that were added, or one that took the place of an earlier scan."""
    if before is None or before.branch != now.branch:
        return now.own.scans
    if now.own.scans == before.own.scans:
        return int(now.own.stored > before.own.stored)
    return now.own.scans - before.own.scans


def _told(mark: Mark | None) -> object:
    """What pages show of it: neither other branches nor how many whole reports are kept."""
    return None if mark is None else (mark.label, mark.branch, mark.own.scans, mark.own.stored)


def _named(labels: Iterable[str]) -> str:
    names = [plain(label) for label in labels]
    if len(names) > _NAMED + 1:
        names = [*names[:_NAMED], figures.count(len(names) - _NAMED, "other service")]
    return figures.joined(names)


class Watch:
    """Knows what the store tells now, and the states that pages which are open may show."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._lock = Lock()
        self._answer: State | StoreError | None = None
        self._holds_until = 0.0
        self._known: OrderedDict[str, State] = OrderedDict()

    def state(self, *, lately: bool = False) -> State:
        """What it tells now; `lately`: or told a second ago. Raises StoreError."""
        with self._lock:
            # Nobody waits for a database in vain that somebody else has just waited for.
            is_usable = lately or isinstance(self._answer, StoreError)
            if not is_usable or self._answer is None or time.monotonic() >= self._holds_until:
                self._answer = self._asked()
                self._holds_until = time.monotonic() + _PAUSE
            if isinstance(self._answer, StoreError):
                raise StoreError(*self._answer.args)
            return self._answer

    def remember(self, state: State) -> None:
        """A page shows it."""
        with self._lock:
            self._known[state.id] = state
            self._known.move_to_end(state.id)
            while len(self._known) > _REMEMBERED:
                self._known.popitem(last=False)

    def known(self, id_: str) -> State | None:
        """The state of that id; None where it was forgotten."""
        with self._lock:
            return self._known.get(id_)

    def _asked(self) -> State | StoreError:
        try:
            with self._source.reading() as history:
                return State.of(history.marks())
        except StoreError as error:
            return error
