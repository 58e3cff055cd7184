"""Which files a tree holds: one pass over its folders, ignored ones left out, everything unreadable reported."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from assay.scanner.diagnostics import Diagnostic, Reason
from assay.scanner.filekinds import SNIFFED_BYTES, FileKind, by_content, by_path, needs_sniffing
from assay.scanner.gitignore import IgnoreFile, ignore_files_above, is_ignored, read_ignore_file
from assay.scanner.model.role import Role
from assay.scanner.roles import RoleOverride, Roles

__all__ = ["BadRootError", "DiscoveryOptions", "FileKind", "SourceFile", "Tree", "check_root", "discover"]

SKIPPED_FOLDERS = frozenset(
    {".git", ".hg", ".svn", "node_modules", "bower_components", "__pycache__", "__pypackages__", "site-packages"}
    | {".tox", ".nox", ".eggs", ".mypy_cache", ".ruff_cache", ".pytest_cache", ".hypothesis", ".ipynb_checkpoints"}
    | {".terraform", ".next", ".gradle", ".cache", ".pnpm-store", ".yarn"}
)
"""Version control, installed packages and caches, whether or not an ignore file names them."""

SKIP_MARKERS = frozenset({"pyvenv.cfg", "CACHEDIR.TAG"})
"""A folder that holds one is a virtual environment (PEP 405) or a cache (https://bford.info/cachedir/)."""

DEFAULT_MAX_SIZE = 1_000_000
"""In bytes: no one writes such a module by hand."""

OTHER_KINDS_FACTOR = 10
"""Lock files and API descriptions are larger than code and cheaper to read."""


class BadRootError(Exception):
    """The folder to scan doesn't exist, is no folder or can't be read; the message is for the user."""


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file to read. `path` is relative to the scanned root, with `/`; `size` is in bytes."""

    path: str
    kind: FileKind
    role: Role
    size: int


@dataclass(frozen=True, slots=True)
class DiscoveryOptions:
    """What the user may choose. `exclude` holds gitignore patterns relative to the root; `max_size` is the largest
    Python file that is read, in bytes (files of other kinds may be ten times as large). `evidence` names files of
    measurements, which are read whatever an ignore file says.
    """

    exclude: tuple[str, ...] = ()
    max_size: int = DEFAULT_MAX_SIZE
    roles: tuple[RoleOverride, ...] = ()
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Tree:
    """What was found below `root`; files and diagnostics are sorted by path."""

    root: Path
    files: tuple[SourceFile, ...]
    diagnostics: tuple[Diagnostic, ...] = ()


def discover(root: Path, options: DiscoveryOptions = DiscoveryOptions()) -> Tree:
    """Find the files of every kind that a reader knows.

    Links to folders are not followed: what lies in the tree is found at its own place, and what lies outside is not
    part of it. Raises BadRootError.
    """
    check_root(root)
    walk = _Walk(root, options)
    walk.run()
    roles = Roles.of_tree((path for path, _, _ in walk.found), options.roles)
    files = sorted(
        (SourceFile(path, kind, roles.decide(path, kind).role, size) for path, kind, size in walk.found),
        key=lambda file: file.path,
    )
    return Tree(root, tuple(files), tuple(sorted(walk.diagnostics, key=lambda d: (d.path, d.reason, d.message))))


def check_root(root: Path) -> None:
    """Raises BadRootError unless it is a folder that can be read."""
    try:
        mode = root.stat().st_mode
    except FileNotFoundError:
        raise BadRootError(f"there is no {root}") from None
    except OSError as error:
        raise BadRootError(f"{root} can't be read: {error.strerror}") from error
    if not stat.S_ISDIR(mode):
        raise BadRootError(f"{root} is no folder; name the folder that holds it")
    try:
        os.scandir(root).close()
    except OSError as error:
        raise BadRootError(f"{root} can't be read: {error.strerror}") from error


@dataclass(slots=True)
class _Walk:
    """The state of one pass. Folders are paths relative to the root with `/` at the end; the root is empty."""

    root: Path
    options: DiscoveryOptions
    found: list[tuple[str, FileKind, int]] = field(default_factory=list)
    diagnostics: list[Diagnostic] = field(default_factory=list)
    _exclude: IgnoreFile | None = None
    _real_root: str = ""

    def run(self) -> None:
        self._exclude = IgnoreFile.of_lines(self.options.exclude) if self.options.exclude else None
        self._real_root = os.path.realpath(self.root)
        try:
            above = ignore_files_above(self.root)
        except OSError as error:
            self._report(".gitignore", Reason.UNREADABLE, f"an ignore file above the root can't be read: {error}")
            above = ()
        pending: list[tuple[str, tuple[IgnoreFile, ...]]] = [("", above)]
        while pending:
            folder, ignore_files = pending.pop()
            pending.extend(self._enter(folder, ignore_files))
        self._add_evidence()

    def _add_evidence(self) -> None:
        """The files that the user names as measurements. One may be missing: CI writes it, and not everybody."""
        known = {path: place for place, (path, _, _) in enumerate(self.found)}
        for path in dict.fromkeys(os.path.normpath(path) for path in self.options.evidence):
            file = self.root / path
            if not os.path.realpath(file).startswith(self._real_root.rstrip(os.sep) + os.sep) or not file.is_file():
                continue
            size = file.stat().st_size
            if size > self.options.max_size * OTHER_KINDS_FACTOR:
                limit = self.options.max_size * OTHER_KINDS_FACTOR
                self._report(path, Reason.BAD_EVIDENCE, f"it has {size:,} bytes; files over {limit:,} are not read")
            elif path in known:
                self.found[known[path]] = (path, FileKind.EVIDENCE, size)
            else:
                self.found.append((path, FileKind.EVIDENCE, size))

    def _enter(self, folder: str, ignore_files: tuple[IgnoreFile, ...]) -> Iterator[tuple[str, tuple[IgnoreFile, ...]]]:
        try:
            with os.scandir(self.root / folder) as scan:
                entries = list(scan)
        except OSError as error:
            self._report(folder.rstrip("/"), Reason.UNREADABLE, f"the folder can't be read: {error.strerror}")
            return
        names = {entry.name for entry in entries}
        if folder and not names.isdisjoint(SKIP_MARKERS):
            return
        if ".gitignore" in names:
            ignore_files = self._with_ignore_file(folder, ignore_files)
        for entry in entries:
            path = folder + entry.name
            if entry.is_dir(follow_symlinks=False):
                if self._is_worth_entering(entry.name, path, ignore_files):
                    yield path + "/", ignore_files
            elif entry.is_symlink():
                self._meet_link(entry, path, ignore_files)
            else:
                self._meet_file(entry, path, ignore_files)

    def _is_worth_entering(self, name: str, path: str, ignore_files: tuple[IgnoreFile, ...]) -> bool:
        if name in SKIPPED_FOLDERS or self._is_left_out(ignore_files, path, name, "/"):
            return False
        return self._has_readable_name(path)

    def _with_ignore_file(self, folder: str, ignore_files: tuple[IgnoreFile, ...]) -> tuple[IgnoreFile, ...]:
        path = folder + ".gitignore"
        try:
            file = read_ignore_file(self.root / path, base=folder)
        except OSError as error:
            self._report(path, Reason.UNREADABLE, f"it can't be read, so nothing is ignored for it: {error.strerror}")
            return ignore_files
        return (*ignore_files, file) if file else ignore_files

    def _is_left_out(self, ignore_files: tuple[IgnoreFile, ...], path: str, name: str, end: str = "") -> bool:
        if self._exclude is not None and self._exclude.ignores(path + end, name + end):
            return True
        return is_ignored(ignore_files, path + end, name + end)

    def _meet_file(self, entry: os.DirEntry[str], path: str, ignore_files: tuple[IgnoreFile, ...]) -> None:
        kind = by_path(path)
        if kind is None and not needs_sniffing(path):
            return
        if self._is_left_out(ignore_files, path, entry.name) or not self._has_readable_name(path):
            return
        if not entry.is_file(follow_symlinks=False):
            self._report(path, Reason.UNREADABLE, "it is no regular file (a pipe, socket or device)")
            return
        try:
            size = entry.stat(follow_symlinks=False).st_size
            kind = kind or self._sniff(entry)
        except OSError as error:
            self._report(path, Reason.UNREADABLE, f"the file can't be read: {error.strerror}")
            return
        if kind is None:
            return
        limit = self.options.max_size * (1 if kind is FileKind.PYTHON else OTHER_KINDS_FACTOR)
        if size > limit:
            message = f"it has {size:,} bytes; files over {limit:,} are not read ([files] max-size)"
            self._report(path, Reason.TOO_LARGE, message)
            return
        self.found.append((path, kind, size))

    def _sniff(self, entry: os.DirEntry[str]) -> FileKind | None:
        with Path(entry.path).open("rb", buffering=0) as file:
            return by_content(entry.name, file.read(SNIFFED_BYTES))

    def _meet_link(self, entry: os.DirEntry[str], path: str, ignore_files: tuple[IgnoreFile, ...]) -> None:
        """A link is never followed. What it points to inside the tree is found there; the rest is reported."""
        if self._is_left_out(ignore_files, path, entry.name) or not self._has_readable_name(path):
            return
        try:
            mode = entry.stat().st_mode
        except OSError as error:
            if error.errno == errno.ELOOP:
                self._report(path, Reason.SYMLINK_LOOP, "the link leads back to itself")
            elif by_path(path) is not None:
                self._report(path, Reason.UNRESOLVED, f"the link leads nowhere: {error.strerror}")
            return
        if not stat.S_ISDIR(mode) and by_path(path) is None:
            return
        target = os.path.realpath(entry.path)
        here = str(Path(self._real_root, path))
        if stat.S_ISDIR(mode) and (here + os.sep).startswith(target.rstrip(os.sep) + os.sep):
            self._report(path, Reason.SYMLINK_LOOP, "the link leads to a folder that it lies in; it isn't followed")
        elif not (target + os.sep).startswith(self._real_root.rstrip(os.sep) + os.sep):
            self._report(path, Reason.UNRESOLVED, "the link leads out of the scanned tree; it isn't followed")

    def _has_readable_name(self, path: str) -> bool:
        try:
            path.encode()
        except UnicodeEncodeError:
            shown = path.encode(errors="surrogateescape").decode(errors="backslashreplace")
            self._report(shown, Reason.UNREADABLE, "its name is not UTF-8, so no report could name it")
            return False
        return True

    def _report(self, path: str, reason: Reason, message: str) -> None:
        self.diagnostics.append(Diagnostic(path, None, reason, message))
