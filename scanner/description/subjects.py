"""OpenAPI descriptions of an API, and how far they are true."""

from __future__ import annotations

from collections.abc import Iterator

from assay.scanner.gathered import Gathered
from assay.scanner.model.description import ApiDescription, DescribedOperation


def descriptions(gathered: Gathered) -> Iterator[ApiDescription | DescribedOperation]:
    """OpenAPI: how an application describes its API, and where documents and code differ."""
    yield from ()
