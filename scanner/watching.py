"""Scanning again whenever the tree changes: what counts as a change, and what to compare with what."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from threading import Event

from watchfiles import Change, DefaultFilter, watch

from assay.scanner.acceptance.waivers import FILE as WAIVERS
from assay.scanner.config import FILE_NAMES
from assay.scanner.diagnostics import Diagnostic
from assay.scanner.differences import Difference, difference
from assay.scanner.discovery import SKIPPED_FOLDERS
from assay.scanner.filekinds import by_path, needs_sniffing
from assay.scanner.results import ScanResult

_OTHER_FILES = frozenset({*FILE_NAMES, ".gitignore", PurePosixPath(WAIVERS).name})
"""Read in every scan, though no reader is asked."""
_WAKE_UP = 200
"""Milliseconds after which the library gives word that nothing happened."""


class WatchError(Exception):
    """The tree can't be watched; the message is for the user."""


@dataclass(frozen=True, slots=True)
class Mistake:
    """There is no new result, because of a mistake that the user can mend, such as one in the configuration."""

    message: str


@dataclass(frozen=True, slots=True)
class Incomplete:
    """There is a new result, but what it lacks (files that could be read before) can't be told from what is gone."""

    diagnostics: tuple[Diagnostic, ...]


News = Difference | Incomplete | Mistake


def follow(
    first: ScanResult,
    batches: Iterable[Collection[object]],
    rescan: Callable[[], ScanResult],
    mistakes: tuple[type[Exception], ...],
) -> Iterator[News]:
    """Scan again for each batch of changes, and tell what came of it.

    Each complete result is compared with the last complete one before it.
    """
    last = first
    for batch in batches:
        if not batch:
            continue
        try:
            result = rescan()
        except mistakes as error:
            yield Mistake(str(error))
            continue
        known = {d.path for d in last.diagnostics if d.reason.is_grave}
        lost = tuple(d for d in result.diagnostics if d.reason.is_grave and d.path not in known)
        if lost:
            yield Incomplete(lost)
        else:
            yield difference(last, result)
            last = result


def changes_in(root: Path, written: Iterable[Path], stop: Event) -> Iterator[Collection[object]]:
    """Batches of changes below the root, until told to stop; empty ones too.

    What we write ourselves (`written`, files and folders) doesn't count as a change.

    The first one comes at once, whatever happens. The tree is watched from then on, so nothing that changes during
    a scan is lost. Raises WatchError.
    """
    root = root.resolve()
    relevant = Relevant(root, written)
    try:
        yield from watch(root, watch_filter=relevant, stop_event=stop, yield_on_timeout=True, rust_timeout=_WAKE_UP)
    except (OSError, RuntimeError) as error:
        # The library's own errors are RuntimeErrors: too many folders for the system, for one.
        raise WatchError(f"{root} can't be watched: {error}") from error


class Relevant(DefaultFilter):
    """Whether a change can change the result; which files are an editor's own is known to the library."""

    def __init__(self, root: Path, written: Iterable[Path]) -> None:
        super().__init__(ignore_dirs=tuple(SKIPPED_FOLDERS))
        self._root = root
        paths = [path.parent.resolve() / path.name for path in written]
        self._written = {str(path) for path in paths}
        # What is in a folder, and the temporary files that whole ones are made from.
        self._beginnings = tuple(s for path in paths for s in (f"{path}/", f"{path.parent / ('.' + path.name)}."))

    def __call__(self, change: Change, path: str) -> bool:
        """Whether to scan again for it."""
        relative = Path(path).relative_to(self._root).as_posix()
        # The library judges whole paths, but where the tree lies says nothing about it.
        if not super().__call__(change, relative) or path in self._written or path.startswith(self._beginnings):
            return False
        if by_path(relative) or needs_sniffing(relative) or Path(path).name in _OTHER_FILES:
            return True
        # A folder that was moved is one change. What is gone may have been one.
        return change is Change.deleted or Path(path).is_dir()
