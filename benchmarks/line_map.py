"""Which line of a commit was which line of an earlier one, as git tells it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from assay.scanner.git import Git

_CONTEXT = 3
"""Lines around a change in a patch as people read it; changes whose contexts touch are one to them."""
_HUNK = re.compile(rb"@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@")
_OPTIONS = ("--unified=0", "--no-color", "--no-ext-diff", "--no-textconv", "--text", "--find-renames", "--no-relative")


@dataclass(frozen=True, slots=True)
class Hunk:
    """Lines of the earlier text, and those that took their place."""

    old: range
    new: range


@dataclass(slots=True)
class FileMap:
    """One file, by its names: `old` is None for a new file, `new` for a deleted one."""

    old: str | None
    new: str | None
    hunks: list[Hunk] = field(default_factory=list)

    def hunk(self, line: int) -> Hunk | None:
        """The hunk that brought a line of the new text."""
        return next((h for h in self.hunks if line in h.new), None)

    def surroundings(self, line: int) -> Hunk | None:
        """The same, with the changes so near that a patch shows them as one."""
        found: Hunk | None = None
        for hunk in self.hunks:
            if found and hunk.new.start - found.new.stop <= 2 * _CONTEXT:
                found = Hunk(range(found.old.start, hunk.old.stop), range(found.new.start, hunk.new.stop))
            elif found and line in found.new:
                break
            else:
                found = hunk
        return found if found and line in found.new and self.hunk(line) else None

    def old_line(self, line: int) -> int | None:
        """The number that an unchanged line had; None for one that a hunk brought."""
        shift = 0
        for hunk in self.hunks:
            if line < hunk.new.start:
                break
            if line in hunk.new:
                return None
            shift = hunk.old.stop - hunk.new.stop
        return line + shift


@dataclass(frozen=True, slots=True)
class LineMap:
    """The files that differ; all others are the same."""

    files: dict[str, FileMap]
    deleted: dict[str, FileMap]

    @property
    def renames(self) -> dict[str, str]:
        """The old path of each renamed file by its new one."""
        return {new: f.old for new, f in self.files.items() if f.old is not None and f.old != new}

    def of(self, path: str) -> FileMap:
        return self.files.get(path) or FileMap(path, path)

    def is_removed(self, path: str, line: int) -> bool:
        """Whether a line of the earlier text is gone."""
        maps = [self.deleted[path]] if path in self.deleted else [f for f in self.files.values() if f.old == path]
        return any(line in hunk.old for f in maps for hunk in f.hunks)


def line_map(repository: Path, old: str, new: str) -> LineMap:
    """What changed from one commit to the other. Raises GitError."""
    patch = Git(repository).answer("diff-tree", "-r", "-p", *_OPTIONS, old, new)
    files = list(_files(patch))
    return LineMap({f.new: f for f in files if f.new is not None}, {f.old: f for f in files if f.new is None and f.old})


def _files(patch: bytes) -> Iterator[FileMap]:
    lines = iter(patch.split(b"\n"))
    current = FileMap(None, None)
    for line in lines:
        if line.startswith(b"diff --git "):
            if current.old or current.new:
                yield current
            current = FileMap(None, None)
        elif line.startswith((b"--- ", b"rename from ")):
            current.old = _path(line.removeprefix(b"--- ").removeprefix(b"rename from "), b"a/")
        elif line.startswith((b"+++ ", b"rename to ")):
            current.new = _path(line.removeprefix(b"+++ ").removeprefix(b"rename to "), b"b/")
        elif found := _HUNK.match(line):
            old, removed, new, added = (1 if number is None else int(number) for number in found.groups())
            # Of an empty range git names the line before it.
            old, new = old + (removed == 0), new + (added == 0)
            current.hunks.append(Hunk(range(old, old + removed), range(new, new + added)))
            _pass_over(lines, removed + added)
    if current.old or current.new:
        yield current


def _pass_over(lines: Iterator[bytes], number: int) -> None:
    while number:
        number -= not next(lines).startswith(b"\\")


def _path(written: bytes, prefix: bytes) -> str | None:
    path = written.removesuffix(b"\t")
    if path.startswith(b'"'):
        path = path[1:-1].decode("unicode_escape").encode("latin-1")
    return None if path == b"/dev/null" else os.fsdecode(path.removeprefix(prefix))
