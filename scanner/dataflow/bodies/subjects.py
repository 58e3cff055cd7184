"""What clients send in bodies: how it is validated, and what it is copied into."""

from __future__ import annotations

from collections.abc import Iterator

from assay.scanner.gathered import Gathered
from assay.scanner.model.body import BulkAssignment, RequestBody, ResponseShape


def bodies(gathered: Gathered) -> Iterator[BulkAssignment | RequestBody | ResponseShape]:
    """Bodies of requests and shapes of responses: schemas, serializers, and what gets past them."""
    yield from ()
