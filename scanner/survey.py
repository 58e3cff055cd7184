"""The tree before it is understood: its files, what they hold, and what an earlier scan knew of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from assay.scanner.discovery import SourceFile, Tree, discover
from assay.scanner.executors import read_all
from assay.scanner.filekinds import UNREAD, FileKind
from assay.scanner.model.role import Role
from assay.scanner.options import Options, Progress
from assay.scanner.outcomes import FileOutcome
from assay.scanner.recall import digests_of

__all__ = ["Survey", "is_wanted", "read_files", "take_survey"]


@dataclass(frozen=True)
class Survey:
    """The tree, which of its files are to be read, the digests of their contents if earlier scans are recalled, and the
    bytes of `pyproject.toml` by path.
    """

    tree: Tree
    wanted: tuple[SourceFile, ...]
    digests: Mapping[str, bytes]
    metadata: Mapping[str, bytes]

    @property
    def name(self) -> str:
        """The scanned folder's own name; empty for the root of the file system."""
        return self.tree.root.resolve().name

    @cached_property
    def paths(self) -> frozenset[str]:
        """Of all files, unread ones too."""
        unread = (d.path for d in self.tree.diagnostics if d.reason.is_unread_file)
        return frozenset((*(f.path for f in self.tree.files), *unread))

    def is_still(self, outcomes: Iterable[FileOutcome]) -> bool:
        """Whether no file changed between the survey and its reading."""
        return all(self.digests.get(o.path) == o.digest for o in outcomes)


def take_survey(root: Path, options: Options) -> Survey:
    """Discover the files. Raises BadRootError."""
    with options.profile.stage("discover"):
        tree = discover(root, options.config.discovery)
        wanted = tuple(as_read(f) for f in tree.files if is_wanted(f))
    with options.profile.stage("compare"):
        digests = digests_of(tree.root, wanted) if options.recall else {}
    return Survey(tree, wanted, digests, _metadata(tree.root))


def is_wanted(file: SourceFile) -> bool:
    """Whether a scan reads the file."""
    return file.kind not in UNREAD


def as_read(file: SourceFile) -> SourceFile:
    """The file with the kind that says how it is read: tests are looked at by rules about tests alone."""
    is_test = file.kind is FileKind.PYTHON and file.role is Role.TEST
    return replace(file, kind=FileKind.TEST_CODE) if is_test else file


def read_files(
    survey: Survey, options: Options, progress: Progress, meanwhile: Callable[[], None]
) -> tuple[FileOutcome, ...]:
    """What is in the files, sorted by path: recalled where it is known, read by workers where it isn't.

    `meanwhile` is done here while the workers read.
    """
    done, recall = 0, options.recall

    def report(count: int) -> None:
        nonlocal done
        done += count
        progress("reading", done, len(survey.wanted))

    outcomes = []
    unknown = []
    for file in survey.wanted:
        digest = survey.digests.get(file.path)
        known = recall.file(file, digest, options.analyzers) if recall and digest else None
        if known is None:
            unknown.append(file)
        else:
            outcomes.append(known)
    options.profile.recalled = len(outcomes)
    report(len(outcomes))
    for outcome in read_all(
        survey.tree.root, unknown, options.analyzers, options.workers, report, options.make_pool, meanwhile
    ):
        options.profile.files[outcome.path] = outcome.seconds
        if recall:
            recall.keep_file(outcome, options.analyzers)
        outcomes.append(outcome)
    return tuple(sorted(outcomes, key=lambda o: o.path))


def _metadata(root: Path) -> dict[str, bytes]:
    try:
        return {"pyproject.toml": (root / "pyproject.toml").read_bytes()}
    except OSError:
        # It would only have named the service, which the folder does too.
        return {}
