"""The store that a server reads from, opened again after whatever became of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Protocol

from assay.scanner.history.records import History, StoreError

__all__ = ["Opened", "Source"]


class Opened(History, Protocol):
    """An open store."""

    def identity(self) -> object: ...

    def close(self) -> None: ...


class Source:
    """`opening` opens the store, or raises StoreError. Several threads may read at once."""

    def __init__(self, opening: Callable[[], Opened]) -> None:
        self._opening = opening
        self._lock = Lock()
        self._opened: tuple[Opened, object] | None = None

    @contextmanager
    def reading(self) -> Iterator[History]:
        """What the store tells at this moment. Raises StoreError."""
        store = self._current()
        try:
            with store.at_one_moment() as history:
                yield history
        except StoreError:
            self._drop(store)
            raise

    def close(self) -> None:
        """Let go of the store; it is opened again by whoever reads."""
        if self._opened is not None:
            self._drop(self._opened[0])

    def _current(self) -> Opened:
        with self._lock:
            if self._opened is not None:
                store, identity = self._opened
                if store.identity() == identity:
                    return store
                # Its file was removed, or another one lies there: what is open tells of the past.
                store.close()
                self._opened = None
            store = self._opening()
            self._opened = store, store.identity()
            return store

    def _drop(self, store: Opened) -> None:
        with self._lock:
            if self._opened is not None and self._opened[0] is store:
                self._opened = None
        store.close()
