"""How paths are named, and which of two routes answers."""

from __future__ import annotations

from collections.abc import Iterator

from assay.scanner.gathered import Gathered
from assay.scanner.model.naming import PathName, PathTemplate, RouteOverlap


def path_names(gathered: Gathered) -> Iterator[PathName | PathTemplate | RouteOverlap]:
    """Names of paths and parameters, and routes that hide one another."""
    yield from ()
