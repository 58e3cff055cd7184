"""The text of scanned files, line by line, as verdicts cite it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from assay.scanner.reading import content_digest
from assay.scanner.results import JudgedVerdict

__all__ = ["SourceLines"]


class SourceLines:
    """The scanned files' text by line, read once when first asked for. `digests` are of the contents that were judged,
    by path.
    """

    def __init__(self, root: Path, digests: Mapping[str, bytes]) -> None:
        self._root = root
        self._digests = digests
        self._files: dict[str, tuple[str, ...]] = {}
        self.are_as_read = True
        """Whether no file was found to have changed since."""

    def of(self, path: str) -> tuple[str, ...]:
        if path not in self._files:
            try:
                data = (self._root / path).read_bytes()
            except OSError:
                # A place that is no file (a service's folder), or one that went away: it has no text to show.
                data = b""
            if path in self._digests and self._digests[path] != content_digest(data):
                self.are_as_read = False
            text = data.decode("utf-8", "replace")
            # Lines as Python counts them: `str.splitlines` would also break at form feeds.
            self._files[path] = tuple(re.split(r"\r\n|\r|\n", text))
        return self._files[path]

    def line(self, path: str, number: int) -> str:
        lines = self.of(path)
        return lines[number - 1] if 0 < number <= len(lines) else ""

    def cited(self, verdicts: Iterable[JudgedVerdict]) -> dict[str, tuple[str, ...]]:
        """The files that findings, their evidence and their flows point into."""
        paths = {location.path for v in verdicts if v.is_finding for location in v.places}
        return {path: lines for path in sorted(paths) if (lines := self.of(path))}
