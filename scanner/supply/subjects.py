"""What a service is built from, and how it speaks to the outside."""

from __future__ import annotations

from collections.abc import Iterator

from assay.scanner.gathered import Gathered
from assay.scanner.model.supply import DependencyAudit, DependencySet, PlainTransport


def supplies(gathered: Gathered) -> Iterator[DependencyAudit | DependencySet | PlainTransport]:
    """What a service is built from: dependencies, how they are pinned and looked after; unencrypted transport."""
    yield from ()
