"""Files of measurements that somebody names on the command line."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from assay.scanner.evidence.figures import EvidenceFacts, EvidenceFile
from assay.scanner.evidence.reading import read
from assay.scanner.readers.problem import ReadProblem

_LARGEST = 50_000_000
"""In bytes; the coverage of a million lines takes as many."""


class EvidenceError(Exception):
    """A named file that can't be used; `str()` of it is the whole message for the user."""


def given_evidence(root: Path, files: Iterable[Path]) -> tuple[EvidenceFile, ...]:
    """What the files hold, sorted by path. Raises EvidenceError."""
    found: dict[str, EvidenceFile] = {}
    for file in files:
        path = _shown(root, file)
        if path in found:
            raise EvidenceError(f"{file}: two files of measurements are called {path}; name it once, or rename one")
        found[path] = EvidenceFile(path, _facts(path, file))
    return tuple(found[path] for path in sorted(found))


def _facts(path: str, file: Path) -> EvidenceFacts:
    try:
        if not file.is_file():
            raise EvidenceError(f"{file}: it is no file; name one that a tool of measuring wrote")
        if file.stat().st_size > _LARGEST:
            raise EvidenceError(f"{file}: it has more than {_LARGEST:,} bytes; name a smaller report")
        return read(path, file.read_bytes())
    except OSError as error:
        raise EvidenceError(f"{file}: it can't be read: {error.strerror}") from error
    except ReadProblem as problem:
        place = f"{file}:{problem.line}" if problem.line else str(file)
        raise EvidenceError(f"{place}: {problem.message}") from problem


def _shown(root: Path, file: Path) -> str:
    """The path from the scanned root. Where a file lies outside of it, its name alone: the rest is the machine's."""
    path = os.path.relpath(file.resolve(), root.resolve())
    return file.name if path.startswith("..") else Path(path).as_posix()
