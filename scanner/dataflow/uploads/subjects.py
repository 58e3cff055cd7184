"""Files that clients send."""

from __future__ import annotations

from collections.abc import Iterator

from assay.scanner.gathered import Gathered
from assay.scanner.model.upload import FileUpload


def uploads(gathered: Gathered) -> Iterator[FileUpload]:
    """Where files from clients are stored."""
    yield from ()
