"""The verdicts on a working tree and on its base, in little more time than the first alone takes.

What is the same in both is read once and found in the cache the second time. Where only one core has something to do,
the base is judged beside the head, in a copy of this process.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from assay.scanner.analyzers.advisories import Check
from assay.scanner.base.renames import renames_since
from assay.scanner.base.tree import WrittenTree, write_tree
from assay.scanner.cache import Cache
from assay.scanner.changes import added_since
from assay.scanner.diagnostics import Diagnostic
from assay.scanner.discovery import check_root
from assay.scanner.engine import NothingToScanError, scan
from assay.scanner.executors import Companion, InlineExecutor
from assay.scanner.git import Git
from assay.scanner.options import Options, Progress
from assay.scanner.profiling import Profile
from assay.scanner.recall import Recall
from assay.scanner.results import ScanResult
from assay.scanner.rulebook import Rulebook

__all__ = ["HeadAndBase", "scan_with_base"]


@dataclass(frozen=True, slots=True)
class HeadAndBase:
    """What was found in the working tree and at the commit; `renames` has the base's path of a file by the head's.

    `base` is None where there was no backend yet, and `why` says so: then all that is found in the head is new. Its
    diagnostics tell what could not be read there, files that the repository doesn't hold included.
    """

    head: ScanResult
    base: ScanResult | None
    renames: Mapping[str, str]
    why: str = ""


def scan_with_base(
    root: Path,
    rulebook: Rulebook,
    checks: Mapping[str, Check],
    options: Options,
    progress: Progress,
    commit: str,
) -> HeadAndBase:
    """Scan the tree, and what the commit has in its place: by the same rules, configuration and libraries.

    Raises BadRootError, NothingToScanError for the head, and GitError.
    """
    check_root(root)
    with TemporaryDirectory(prefix="assay-base-", ignore_cleanup_errors=True) as name:
        folder = Path(name).resolve()
        with options.profile.stage("write base"):
            tree = write_tree(root, commit, folder / "tree", options.config.discovery)
            renames = renames_since(root, commit)
            added = added_since(root, commit)
        if options.recall is None:
            options = replace(options, recall=Recall(Cache.open(folder / "cache")))
        with _judged_base(tree, rulebook, checks, options) as base:
            head = scan(root, rulebook, checks, replace(options, when_read=base.start, added=added), progress)
            progress("judging the base", 0, 1)
            with options.profile.stage("judge base"):
                found = base.answer()
    if found.result is None:
        return HeadAndBase(head, None, renames, found.why)
    git = Git(root)
    scanned = replace(found.result.scanned, commit=commit, committed=git.time_of(commit), prefix=head.scanned.prefix)
    diagnostics = tuple(sorted({*found.result.diagnostics, *tree.diagnostics}, key=_place))
    return HeadAndBase(head, replace(found.result, scanned=scanned, diagnostics=diagnostics), renames)


def _place(diagnostic: Diagnostic) -> tuple[str, int, str, str]:
    return diagnostic.path, diagnostic.line or 0, diagnostic.reason, diagnostic.message


class _Answer(msgspec.Struct, array_like=True):
    """The result, or why there is none."""

    result: ScanResult | None
    why: str = ""


@dataclass(slots=True)
class _Base:
    """The scan of the base: here, or beside this process once `start` was called."""

    tree: WrittenTree
    rulebook: Rulebook
    checks: Mapping[str, Check]
    options: Options
    companion: Companion | None = field(default=None, init=False)

    def start(self) -> None:
        """Scan beside this process, which has read all files that head and base have in common by now."""
        if self.companion is None and self.options.workers > 1:
            self.companion = Companion.at_work(self._beside)

    def answer(self) -> _Answer:
        """Waits for it."""
        data = self.companion.answer() if self.companion else None
        if data is not None:
            return msgspec.msgpack.decode(data, type=_Answer)
        # It was not worth it, or a file of the base ended the process that read it; a pool survives that.
        return self._scan(self.options)

    def _beside(self) -> bytes:
        return msgspec.msgpack.encode(self._scan(replace(self.options, jobs=1, make_pool=lambda _: InlineExecutor())))

    def _scan(self, options: Options) -> _Answer:
        try:
            quiet = replace(options, profile=Profile())
            return _Answer(scan(self.tree.root, self.rulebook, self.checks, quiet))
        except NothingToScanError as error:
            return _Answer(None, str(error))


@contextmanager
def _judged_base(
    tree: WrittenTree, rulebook: Rulebook, checks: Mapping[str, Check], options: Options
) -> Iterator[_Base]:
    base = _Base(tree, rulebook, checks, options)
    try:
        yield base
    finally:
        if base.companion:
            base.companion.end()
