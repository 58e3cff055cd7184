"""A folder of computed answers, by what they were computed from: a miss costs time, never an answer's truth.

Entries are files of their own, written to a temporary name and renamed, never changed: any number of scans may share
one folder, on any file system. Each begins with a checksum over its name and content, so that what was cut short, was
damaged or belongs elsewhere is a miss. What an entry holds are bytes; whoever asks decodes them as plain data.
"""

from __future__ import annotations

import os
import re
import tempfile
import time
from collections.abc import Iterator
from hashlib import blake2b
from pathlib import Path

from assay.scanner.git import Git, GitError, words_of

__all__ = ["Cache", "CacheError", "default_folder"]

LIMIT = 1_000_000_000
"""In bytes. Facts of 250,000 lines take some 15 million."""

_TAG = "CACHEDIR.TAG"
_IGNORE = ".gitignore"
_SIGNATURE = "Signature: 8a477f597d28d172789f06886806bc55"
"""What backups and other tools know a cache by: https://bford.info/cachedir/"""
_OURS = "# This is the cache of Assay. Removing the folder costs one slower scan."
_CHECKSUM_BYTES = 16
_GROUP, _ENTRY = re.compile("[0-9a-f]{2}"), re.compile("[0-9a-f]{62}|tmp[a-z0-9_]+")
"""Names: the beginning of a key and its rest, or what a scan was writing when it was ended."""
_DAY = 86_400
_KEPT = 0.75
"""Share of the limit that is kept when it is passed, so that not every scan has to make room."""


class CacheError(Exception):
    """The folder can't be used as a cache; the message is for the user."""


def _check_nobody_committed(folder: Path) -> None:
    """Whoever could commit entries would decide what a scan of their change says. Raises CacheError."""
    real = folder.resolve()
    if not any((above / ".git").exists() for above in (real, *real.parents)):
        return
    git = Git(folder)
    try:
        done = git.run("ls-files", "-z", "--", ".")
    except GitError as error:
        raise CacheError(f"{folder} can't be a cache: {error}") from error
    if done.returncode and "not a git repository" not in words_of(done):
        raise CacheError(f"{folder} can't be a cache: {git.error_of(done)}")
    if done.stdout:
        name = os.fsdecode(done.stdout).split("\0")[0]
        raise CacheError(
            f"{folder} can't be a cache: git tracks {name} in it, and who commits entries decides what a scan says; "
            "take it out of the repository, or name another folder"
        )


def default_folder() -> Path:
    """The user's own cache folder: nothing in a scanned repository can put entries there."""
    import platformdirs

    return platformdirs.user_cache_path("assay", appauthor=False)


class Cache:
    """The entries in one folder; `limit` is the size, in bytes, that they are brought below after a scan."""

    def __init__(self, folder: Path, limit: int = LIMIT) -> None:
        self._folder = folder
        self._limit = limit
        self._has_written = False

    @classmethod
    def open(cls, folder: Path, limit: int = LIMIT) -> Cache:
        """Make the folder where there is none.

        Raises CacheError, also for one that holds something else, and for one that came with a repository.
        """
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not _is_ours(folder):
                if any(path.name not in (_TAG, _IGNORE) for path in folder.iterdir()):
                    raise CacheError(f"{folder} is not empty, and no cache of Assay's; name an empty or a new folder")
                # Scans that start at once may all write them, and any may be ended in between.
                (folder / _TAG).write_text(f"{_SIGNATURE}\n{_OURS}\n", encoding="utf-8")
                (folder / _IGNORE).write_text("*\n", encoding="utf-8")
            _check_nobody_committed(folder)
            if not os.access(folder, os.W_OK):
                raise CacheError(f"{folder} can't be written to")
        except OSError as error:
            raise CacheError(f"{folder} can't be a cache: {error.strerror or error}") from error
        return cls(folder, limit)

    def get(self, key: bytes) -> bytes | None:
        """The entry, or None."""
        path = self._path(key)
        try:
            with open(path, "rb") as file:  # noqa: PTH123 - `Path.open` takes half as long again, a thousand times
                stored = file.read()
                age = time.time() - os.fstat(file.fileno()).st_mtime
        except OSError:
            return None
        content = stored[_CHECKSUM_BYTES:]
        if stored[:_CHECKSUM_BYTES] != _checksum(key, content):
            return None
        if age > _DAY:
            _touch(path)
        return content

    def put(self, key: bytes, content: bytes) -> None:
        """Keep it. Where that fails (a full disk), the next scan is slower, and that is all."""
        path = self._path(key)
        try:
            os.makedirs(os.path.dirname(path), exist_ok=True)  # noqa: PTH103, PTH120 - the path is a string, for speed
            handle, temporary = tempfile.mkstemp(dir=os.path.dirname(path))  # noqa: PTH120
        except OSError:
            return
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(_checksum(key, content) + content)
            Path(temporary).replace(path)
            self._has_written = True
        except OSError:
            Path(temporary).unlink(missing_ok=True)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise

    def make_room(self) -> None:
        """Bring the folder below its limit, least recently used entries first; nothing to do if nothing was put."""
        if not self._has_written:
            return
        entries = sorted(_entries(self._folder), key=lambda e: e[1])
        size = sum(e[0] for e in entries)
        if size <= self._limit:
            return
        for length, _, path in entries:
            _remove(path)
            size -= length
            if size <= self._limit * _KEPT:
                break

    @staticmethod
    def contents(folder: Path) -> tuple[int, int]:
        """The number of entries, and of bytes. Raises CacheError."""
        try:
            sizes = [size for size, _, _ in _entries(folder)]
        except OSError as error:
            raise CacheError(f"{folder}: {error.strerror or error}") from error
        return len(sizes), sum(sizes)

    @staticmethod
    def clean(folder: Path) -> tuple[int, int]:
        """Remove every entry; the number of them, and of bytes. Raises CacheError for a folder of another kind."""
        try:
            if not folder.exists():
                return 0, 0
            if not _is_ours(folder):
                raise CacheError(f"{folder} is no cache of Assay's; nothing was removed")
            removed = [size for size, _, path in _entries(folder) if _remove(path)]
        except OSError as error:
            raise CacheError(f"{folder}: {error.strerror or error}") from error
        return len(removed), sum(removed)

    def _path(self, key: bytes) -> str:
        name = key.hex()
        return f"{self._folder}/{name[:2]}/{name[2:]}"


def _checksum(key: bytes, content: bytes) -> bytes:
    return blake2b(content, key=key, digest_size=_CHECKSUM_BYTES).digest()


def _is_ours(folder: Path) -> bool:
    try:
        return _OURS in (folder / _TAG).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return False


def _entries(folder: Path) -> Iterator[tuple[int, float, Path]]:
    """Size, time of last use and path of each. Links are not followed, and what isn't named as entries are is not ours;
    what other scans remove meanwhile is left out.
    """
    for group in folder.iterdir():
        if _GROUP.fullmatch(group.name) is None or group.is_symlink() or not group.is_dir():
            continue
        for entry in os.scandir(group):
            if _ENTRY.fullmatch(entry.name) is None or not entry.is_file(follow_symlinks=False):
                continue
            try:
                stat = entry.stat(follow_symlinks=False)
            except FileNotFoundError:
                continue
            yield stat.st_size, stat.st_mtime, Path(entry.path)


def _remove(path: Path) -> bool:
    """Whether it could be removed; in a cache that others may write to, it may be theirs."""
    try:
        path.unlink(missing_ok=True)
    except OSError:
        return False
    return True


def _touch(path: str) -> None:
    try:
        os.utime(path)
    except OSError:
        # Another scan removed it, or the folder is not ours to write to: it only looks older than it is.
        return
