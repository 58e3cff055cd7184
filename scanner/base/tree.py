"""A commit's tree in a folder of its own, written from git's objects: nothing is checked out, no index is touched.

Only what discovery may want is written. A tree may be made by hand to do harm: no path in it leads out of the folder,
links are left out, and so is the content of what is too large.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO

from assay.scanner.diagnostics import Diagnostic, Reason
from assay.scanner.discovery import OTHER_KINDS_FACTOR, SKIP_MARKERS, SKIPPED_FOLDERS, DiscoveryOptions
from assay.scanner.filekinds import SNIFFED_BYTES, FileKind, by_content, by_path, needs_sniffing
from assay.scanner.git import Git, GitError

__all__ = ["WrittenTree", "content_at", "write_tree"]

MOST_FILES = 2_000_000
"""A few objects can name each other a thousand times a thousand times, and make a tree without end."""
_FILES = frozenset({b"100644", b"100755", b"100664"})
_SUBMODULE = b"160000"
_IGNORE = ".gitignore"
_CHUNK = 1 << 20


@dataclass(slots=True)
class WrittenTree:
    """The folder that stands for the scanned root, and what of the tree is not in it although a scan would read it."""

    root: Path
    diagnostics: list[Diagnostic] = field(default_factory=list)

    def lacks(self, path: str, why: str) -> None:
        """Say that a file, or a folder with all that is in it, could not be written."""
        shown = path.encode(errors="surrogateescape").decode(errors="backslashreplace")
        self.diagnostics.append(Diagnostic(shown, None, Reason.UNREADABLE, why))


@dataclass(frozen=True, slots=True)
class _Entry:
    """`path` is relative to the scanned root, `name` that of the object."""

    path: str
    mode: bytes
    name: str


def content_at(root: Path, commit: str, path: str) -> bytes | None:
    """What a file below the scanned root held at the commit; None where there was none. Raises GitError."""
    git = Git(root)
    done = git.run("cat-file", "blob", f"{commit}:{git.prefix}{path}")
    return done.stdout if done.returncode == 0 else None


def write_tree(root: Path, commit: str, into: Path, options: DiscoveryOptions) -> WrittenTree:
    """Write what the commit has at the scanned root's place, `root` being a folder of a repository's working tree.

    The folder has the root's name, as services are named after it; it is empty where the commit has no such folder.
    Raises GitError, and OSError where `into` can't be written to.
    """
    git = Git(root)
    prefix = git.prefix
    top = into / (root.resolve().name or "root")
    written = WrittenTree(top / prefix)
    written.root.mkdir(parents=True)
    _surround(git, commit, prefix, top)
    _Writer(written, options, _left_out_of_checkout(git)).write(git, f"{commit}:{prefix.rstrip('/')}")
    return written


def _surround(git: Git, commit: str, prefix: str, top: Path) -> None:
    """Write the ignore files that apply to the root without lying in it."""
    # This folder also ends the search for them: what lies around our temporary folder is none of the repository's.
    information = top / ".git" / "info"
    information.mkdir(parents=True)
    path = os.fsdecode(git.answer("rev-parse", "--git-path", "info/exclude").removesuffix(b"\n"))
    # Mostly there is none. One that can't be read is for the scan of the head to tell.
    with suppress(OSError):
        (information / "exclude").write_bytes((git.root / path).read_bytes())
    folder = ""
    for name in prefix.split("/")[:-1]:
        done = git.run("cat-file", "blob", f"{commit}:{folder}{_IGNORE}")
        if done.returncode == 0:
            (top / folder / _IGNORE).write_bytes(done.stdout)
        folder += name + "/"


def _left_out_of_checkout(git: Git) -> frozenset[str]:
    """What a sparse checkout leaves out: it is not in the head's folder, and still isn't gone."""
    lines = os.fsdecode(git.answer("ls-files", "-t", "-z")).split("\0")
    return frozenset(line[2:] for line in lines if line.startswith("S "))


@dataclass(frozen=True, slots=True)
class _Writer:
    """Writes trees into one folder. `left_out` are paths of the outermost tree that are passed over."""

    written: WrittenTree
    options: DiscoveryOptions
    left_out: frozenset[str]

    def write(self, git: Git, tree: str, below: str = "") -> None:
        """Write the files of a tree below the folder (empty, or with `/` at its end), submodules' too."""
        wanted = []
        for entry in _entries(git, tree, below):
            if not _is_harmless(entry.path) or not SKIPPED_FOLDERS.isdisjoint(entry.path.split("/")):
                continue
            if entry.mode == _SUBMODULE:
                self._write_submodule(git, entry, below)
            elif entry.mode in _FILES and entry.path not in self.left_out and _may_be_wanted(entry.path):
                wanted.append(entry)
        for entry, content, size in _contents(git, wanted, self.options):
            if content is None:
                self.written.lacks(entry.path, "the repository doesn't hold it")
            elif _is_wanted(entry.path, content):
                _write(self.written, entry.path, content, size)

    def _write_submodule(self, git: Git, entry: _Entry, below: str) -> None:
        """Its objects are in a repository of its own. Where it isn't checked out, the head has nothing of it either."""
        path = entry.path.removeprefix(below)
        inner = Git(git.root / path)
        if not (inner.root / ".git").exists() or inner.root.resolve() != git.root.resolve() / path:
            return
        if inner.commit(entry.name) is None:
            self.written.lacks(entry.path, "the submodule's repository doesn't hold the commit")
            return
        self.write(inner, f"{entry.name}:", entry.path + "/")


# --- asking git -------------------------------------------------------------------------------------------------------


def _entries(git: Git, tree: str, below: str) -> Iterator[_Entry]:
    """All files below the tree; none where there is no such tree."""
    name = git.run("rev-parse", "--verify", "--quiet", "--end-of-options", tree).stdout.decode().strip()
    if not name or git.answer("cat-file", "-t", name).strip() != b"tree":
        return
    with git.start("ls-tree", "-r", "-z", "--full-tree", name) as listing:
        assert listing.stdout is not None
        try:
            for number, line in enumerate(_ended_by_nul(listing.stdout)):
                if number == MOST_FILES:
                    raise GitError(f"{tree} has more than {MOST_FILES:,} files, which is too much to compare with")
                about, _, path = line.partition(b"\t")
                mode, _, entry = about.split()
                yield _Entry(below + os.fsdecode(path), mode, entry.decode())
        except BaseException:
            listing.kill()
            raise
    if listing.returncode:
        raise GitError(f"git can't list the files of {tree}; git fsck tells whether the repository is damaged")


def _ended_by_nul(stream: IO[bytes]) -> Iterator[bytes]:
    rest = b""
    while chunk := stream.read(_CHUNK):
        *lines, rest = (rest + chunk).split(b"\0")
        yield from lines


def _contents(
    git: Git, entries: Sequence[_Entry], options: DiscoveryOptions
) -> Iterator[tuple[_Entry, bytes | None, int]]:
    """Each file's content and size; None for what the repository doesn't hold, and only the beginning of what is too
    large to be read.
    """
    with TemporaryFile() as names:
        # From a file: to write names and read contents by turns, each would have to know how much the other holds.
        names.writelines(f"{entry.name}\n".encode() for entry in entries)
        names.seek(0)
        with git.start("cat-file", "--batch", "--buffer", given=names) as process:
            stream = process.stdout
            assert stream is not None
            try:
                for entry in entries:
                    # "NAME TYPE SIZE", or "NAME missing".
                    _, kind, *length = stream.readline().split() or (b"", b"missing")
                    size = int(length[0]) if length else 0
                    kept = SNIFFED_BYTES if size > _limit(entry.path, options) else size
                    content = stream.read(kept)
                    if length:
                        _pass_over(stream, size - kept + 1)
                    yield entry, content if kind == b"blob" else None, size
            except BaseException:
                process.kill()
                raise


def _limit(path: str, options: DiscoveryOptions) -> int:
    return options.max_size * (1 if by_path(path) is FileKind.PYTHON else OTHER_KINDS_FACTOR)


def _pass_over(stream: IO[bytes], number: int) -> None:
    while number > 0 and (passed := len(stream.read(min(number, _CHUNK)))):
        number -= passed


# --- writing ----------------------------------------------------------------------------------------------------------

_DEVICE = re.compile(r"(?i)(con|prn|aux|nul|com\d|lpt\d)(\..*)?")
_MARKED = frozenset({_IGNORE, *SKIP_MARKERS})


def _is_harmless(path: str) -> bool:
    """Whether every part of the path is a plain name, on any file system."""
    parts = path.split("/")
    odd = set("\\:\0") if os.name == "nt" else set("\0")
    return all(
        part not in ("", ".", "..")
        and part.lower().rstrip(". ") != ".git"
        and odd.isdisjoint(part)
        and not (os.name == "nt" and _DEVICE.fullmatch(part))
        for part in parts
    )


def _may_be_wanted(path: str) -> bool:
    return path.rpartition("/")[2] in _MARKED or by_path(path) is not None or needs_sniffing(path)


def _is_wanted(path: str, content: bytes) -> bool:
    name = path.rpartition("/")[2]
    return name in _MARKED or by_path(path) is not None or by_content(name, content[:SNIFFED_BYTES]) is not None


def _write(written: WrittenTree, path: str, content: bytes, size: int) -> None:
    file = written.root / path
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("xb") as opened:
            opened.write(content)
            if len(content) < size:
                # Discovery leaves it alone for its size, which is all that it has of it.
                opened.truncate(size)
    except OSError as error:
        # Two names that this file system takes for one, or a name that is none to it.
        written.lacks(path, error.strerror or str(error))
