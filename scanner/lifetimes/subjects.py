"""Resources that servers hold while they run."""

from __future__ import annotations

from collections.abc import Iterator

from assay.scanner.gathered import Gathered
from assay.scanner.lifetimes.resources import held_resources
from assay.scanner.model.resource import HeldResource


def lifetimes(gathered: Gathered) -> Iterator[HeldResource]:
    """Those of the scanned code."""
    yield from held_resources(gathered.project)
