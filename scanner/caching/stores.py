"""A cache that is set up in code or in settings, and where it keeps entries in production."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from assay.scanner.configuration.meanings import Firmness, Meaning
from assay.scanner.linker.scopes import Scope
from assay.scanner.model.caching import CacheStore
from assay.scanner.model.place import Evidence, Location
from assay.scanner.readers.python import form

SAID = {
    CacheStore.SHARED: "all processes see the same entries",
    CacheStore.MACHINE: "entries are on the disk of one machine",
    CacheStore.PROCESS: "each process has entries of its own in its memory",
    CacheStore.NOWHERE: "nothing that is put here is kept",
    CacheStore.CONFIGURED: "nothing shared is used where no setting says so",
    CacheStore.UNKNOWN: "where entries are kept can't be told",
}


@dataclass(frozen=True, slots=True, eq=False)
class Backend:
    """`is_endless` says that entries last for ever whose writer gives no time, None where that can't be told."""

    library: str
    alias: str
    node: form.Node
    scope: Scope
    store: CacheStore
    is_endless: bool | None = False
    said: str | None = None
    is_certain: bool = True
    """Whether production sets it up for sure."""
    stated: Location | None = None
    """Where a setting says so, if that is elsewhere."""

    @property
    def evidence(self) -> Evidence:
        place = self.stated or self.scope.module.location(self.node)
        return Evidence(place, self.said or SAID[self.store])


def store_of(meaning: Meaning, store: CacheStore | None) -> CacheStore:
    """The store that one meaning of a setting stands for; what holds unless something is set may be replaced."""
    if store is None:
        return CacheStore.UNKNOWN
    is_replaceable = meaning.firmness is Firmness.DEFAULT and store is not CacheStore.SHARED
    return CacheStore.CONFIGURED if is_replaceable else store


def any_of(stores: Iterable[CacheStore]) -> CacheStore:
    """One of several, where it can't be told which one production has."""
    found = set(stores)
    if len(found) == 1:
        return found.pop()
    if not found or found <= {CacheStore.SHARED, CacheStore.UNKNOWN}:
        return CacheStore.UNKNOWN
    return CacheStore.CONFIGURED
