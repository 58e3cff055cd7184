"""Which lines a change touches, as git tells it: from where a revision and HEAD parted to the files as they are now."""

from __future__ import annotations

import os
import re
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from assay.scanner.base.commits import base_commit
from assay.scanner.cited_lines import cited_lines
from assay.scanner.git import Git
from assay.scanner.model.place import Location
from assay.scanner.results import ScanResult, Since

_WHOLE = range(1, sys.maxsize)


@dataclass(frozen=True, slots=True)
class Changes:
    """The changed lines by path, relative to the scanned root; all that lies in `new_folders` (with `/`) is new.

    `base` is the commit that the files are compared with.
    """

    revision: str
    base: str
    lines: Mapping[str, tuple[range, ...]]
    new_folders: tuple[str, ...] = ()

    def touch(self, place: Location) -> bool:
        """Whether a changed line is in the place; a whole file is touched by any change in it."""
        if place.path.startswith(self.new_folders):
            return True
        changed = self.lines.get(place.path, ())
        if place == Location.whole_file(place.path):
            return bool(changed)
        # The end is exclusive, so a place that ends in column 1 has nothing of that line.
        last = place.end_line - (place.end_column == 1 and place.end_line > place.line)
        return any(lines.start <= last and place.line < lines.stop for lines in changed)


def only_changed(result: ScanResult, changes: Changes) -> ScanResult:
    """The result without the findings that have neither their place nor evidence in a changed line.

    What is no finding stays, and so do scores.
    """
    shown = tuple(v for v in result.verdicts if not v.is_finding or any(map(changes.touch, v.places)))
    cited = cited_lines(shown, lambda path, number: number in result.sources.get(path, ()))
    since = Since(changes.revision, changes.base, len(result.verdicts) - len(shown))
    return replace(
        result,
        scanned=replace(result.scanned, since=since),
        verdicts=shown,
        sources={path: {n: result.sources[path][n] for n in numbers} for path, numbers in cited.items()},
    )


def changes_since(root: Path, revision: str, tell: Callable[[str], None] = lambda _: None) -> Changes:
    """What a pull request onto the revision would show, and what isn't committed yet. Raises GitError.

    `tell` is told of what a CI's shallow clone needs to be fetched.
    """
    return changes_from(root, base_commit(root, revision, tell=tell).commit, revision)


def changes_from(root: Path, base: str, revision: str = "") -> Changes:
    """What became of the commit's files: in later commits, and what isn't committed yet. Raises GitError."""
    git = Git(root)
    prefix = git.prefix
    untracked = git.untracked
    patch = git.answer("diff-index", *_PATCH, base, "--", settings=git.without_filters())
    lines = {
        path.removeprefix(prefix): ranges for path, ranges in _changed_lines(patch).items() if path.startswith(prefix)
    }
    lines = {path: ranges if _has_gits_lines(root / path) else (_WHOLE,) for path, ranges in lines.items()}
    lines |= dict.fromkeys(untracked, (_WHOLE,))
    # A repository of its own, which git names but doesn't look into.
    return Changes(revision or base, base, lines, tuple(path for path in untracked if path.endswith("/")))


def added_since(root: Path, base: str) -> frozenset[str]:
    """The Python files that came since the commit, not committed ones included. Raises GitError."""
    git = Git(root)
    prefix = git.prefix
    found = os.fsdecode(git.answer("diff-index", *_ADDED, base, "--", "*.py", settings=git.without_filters())).split(
        "\0"
    )
    committed = {path.removeprefix(prefix) for path in found if path.startswith(prefix)}
    return frozenset(path for path in {*committed, *git.untracked} if path.endswith(".py"))


# --- asking git -------------------------------------------------------------------------------------------------------

_ADDED = ("--name-only", "--diff-filter=A", "--find-renames", "--ignore-submodules=all", "--no-relative", "-z")
_PATCH = (
    "--patch",
    "--unified=0",
    "--inter-hunk-context=0",
    "--no-color",
    "--no-ext-diff",
    "--no-textconv",
    # Else the tree's own .gitattributes could declare its code to be binary, which has no lines.
    "--text",
    "--find-renames",
    "--ignore-submodules=all",
    "--no-relative",
    "--src-prefix=a/",
    "--dst-prefix=b/",
)


# --- reading its answer -----------------------------------------------------------------------------------------------

_HUNK = re.compile(rb"@@ -\d+(?:,(\d+))? \+(\d+)(?:,(\d+))? @@")


def _changed_lines(patch: bytes) -> dict[str, tuple[range, ...]]:
    """The changed lines of each file's new text. What is deleted stood between two lines, and touches both."""
    found: defaultdict[str, tuple[range, ...]] = defaultdict(tuple)
    path = ""
    lines = iter(patch.split(b"\n"))
    for line in lines:
        if line.startswith(b"+++ "):
            path = _new_path(line.removeprefix(b"+++ "))
        elif hunk := _HUNK.match(line):
            old, start, new = (1 if number is None else int(number) for number in hunk.groups())
            found[path] += (range(start, start + new) if new else range(start, start + 2),)
            _pass_over(lines, old + new)
    # A deleted file has no new path.
    found.pop("", None)
    return dict(found)


def _pass_over(lines: Iterator[bytes], number: int) -> None:
    """Leave a hunk's text behind unread: it may look like anything, a header too."""
    while number:
        # "\ No newline at end of file" is no line of either text.
        number -= not next(lines).startswith(b"\\")


def _new_path(written: bytes) -> str:
    """A path as a patch has it: quoted as in C where it holds odd characters, with a tab behind where it has spaces."""
    path = written.removesuffix(b"\t")
    if path.startswith(b'"'):
        path = path[1:-1].decode("unicode_escape").encode("latin-1")
    return os.fsdecode(path.removeprefix(b"b/")) if path != b"/dev/null" else ""


def _has_gits_lines(path: Path) -> bool:
    """git ends lines at line feeds alone, Python at carriage returns too: such a file is taken as a whole."""
    try:
        return path.is_symlink() or not path.is_file() or re.search(rb"\r(?!\n)", path.read_bytes()) is None
    except OSError:
        return True
