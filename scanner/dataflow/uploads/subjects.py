"""Files that clients send, archives that are unpacked, and links that are built from requests."""

from __future__ import annotations

from collections.abc import Iterator

from assay.scanner.gathered import Gathered
from assay.scanner.model.upload import AbsoluteLink, ArchiveExtraction, FileUpload


def uploads(gathered: Gathered) -> Iterator[AbsoluteLink | ArchiveExtraction | FileUpload]:
    """Archives, uploads, and links built from requests."""
    yield from ()
