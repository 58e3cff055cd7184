"""Look-ups of one object by an id that a client sent."""

from __future__ import annotations

from collections.abc import Iterator

from assay.scanner.gathered import Gathered
from assay.scanner.model.lookup import ObjectLookup


def object_lookups(gathered: Gathered) -> Iterator[ObjectLookup]:
    """Look-ups of one object by what a client sent: what happens when there is none, and whose it is."""
    yield from ()
