"""What git ignores: nested `.gitignore` files and `.git/info/exclude`, with gitignore(5)'s precedence.

A file that is tracked although an ignore file names it counts as ignored here: the index isn't read. Neither is the
user's own `core.excludesFile`, so that two people who scan the same tree get the same result.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from pathspec.patterns.gitignore import GitIgnorePatternError
from pathspec.patterns.gitignore.spec import GitIgnoreSpecPattern

_ANY_DEPTH = "^(?:.+/)?"
_ENTRY_OR_BELOW = "(?:(?P<ps_d>/)|$)"
_FOLDER_OR_BELOW = "(?P<ps_d>/)"


@dataclass(frozen=True, slots=True)
class _Line:
    """One pattern, matched against an entry's path (or its name alone), with a `/` at the end of a folder's."""

    regex: str
    by_name: bool
    ignores: bool


@dataclass(frozen=True, slots=True)
class IgnoreFile:
    """The patterns of one ignore file, which apply to the folder `base` and below.

    `base` is relative to the walk's root: empty for the root itself, else with a `/` at its end. `prefix` is the
    root's own path below the ignore file, where that lies above the root.
    """

    base: str
    prefix: str
    last_first: tuple[tuple[re.Pattern[str], bool, bool], ...]
    any_name: re.Pattern[str] | None
    any_path: re.Pattern[str] | None

    @classmethod
    def of_lines(cls, lines: Iterable[str], base: str = "") -> IgnoreFile:
        """Lines that git discards as invalid are discarded."""
        parsed = [parsed for line in lines if (parsed := _parse(line)) is not None]
        return cls(
            base,
            "",
            tuple((re.compile(line.regex, re.DOTALL), line.by_name, line.ignores) for line in reversed(parsed)),
            _any_of(line.regex for line in parsed if line.by_name),
            _any_of(line.regex for line in parsed if not line.by_name),
        )

    def ignores(self, path: str, name: str) -> bool | None:
        """Whether the last pattern that matches the entry ignores it or takes it back in; None when none matches.

        `path` is relative to the walk's root; it and `name` end with `/` when the entry is a folder.
        """
        relative = self.prefix + path[len(self.base) :]
        # Nearly every entry matches nothing, and this says so in two calls.
        if not (self.any_name and self.any_name.match(name)) and not (self.any_path and self.any_path.match(relative)):
            return None
        for regex, by_name, ignores in self.last_first:
            if regex.match(name if by_name else relative):
                return ignores
        return None

    def seen_from(self, folder: str) -> IgnoreFile:
        """The same patterns for a walk whose root is a folder below `base`; `folder` has a `/` at its end."""
        return replace(self, base="", prefix=folder[len(self.base) :])


def _any_of(regexes: Iterable[str]) -> re.Pattern[str] | None:
    joined = "|".join(f"(?:{regex})" for regex in regexes)
    return re.compile(joined, re.DOTALL) if joined else None


def _parse(line: str) -> _Line | None:
    """None for comments, blank lines, and patterns that git discards as invalid."""
    stripped = line.rstrip()
    # pathspec takes `a/**/` for `a/`; git takes it for the folders inside.
    folders_inside = stripped.endswith("/**/")
    try:
        pattern = GitIgnoreSpecPattern(stripped[:-1] if folders_inside else line)
    except (GitIgnorePatternError, re.error):
        return None
    if pattern.regex is None or pattern.include is None:
        return None
    regex = _entry_itself(pattern.regex.pattern) + (".*/\\Z" if folders_inside else "")
    rest = regex.removeprefix(_ANY_DEPTH)
    by_name = rest != regex and "/" not in rest.removesuffix("/?\\Z").removesuffix("/\\Z")
    return _Line("^" + rest if by_name else regex, by_name, pattern.include)


def _entry_itself(regex: str) -> str:
    """pathspec's regex also matches whatever is below a matching folder. Here the walk never enters an ignored
    folder, so it has to match the entry alone, or `!folder/` would take back in all that is below.
    """
    if regex == ".":
        return ""
    if regex.endswith(_ENTRY_OR_BELOW):
        regex = regex.removesuffix(_ENTRY_OR_BELOW) + "/?\\Z"
    elif regex.endswith(_FOLDER_OR_BELOW):
        regex = regex.removesuffix(_FOLDER_OR_BELOW) + "/\\Z"
    elif regex.endswith("/"):
        regex += "."
    return regex if regex.startswith("^") else ".*" + regex


def is_ignored(files: tuple[IgnoreFile, ...], path: str, name: str) -> bool:
    """The word of the nearest ignore file that has one; `files` go from the outermost to the innermost."""
    for file in reversed(files):
        verdict = file.ignores(path, name)
        if verdict is not None:
            return verdict
    return False


def read_ignore_file(path: Path, base: str = "") -> IgnoreFile | None:
    """None when there is no such file. Raises OSError when there is one that can't be read."""
    try:
        text = path.read_text(encoding="utf-8-sig", errors="surrogateescape")
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return None
    return IgnoreFile.of_lines(text.split("\n"), base)


def ignore_files_above(root: Path) -> tuple[IgnoreFile, ...]:
    """The ignore files that apply to the root although they are not below it: those of the repository around it, and
    the repository's `info/exclude`; the outermost first.

    Empty when the repository ignores the root itself: then it says nothing about what is inside. Raises OSError for a
    file that can't be read.
    """
    root = root.resolve()
    top = next((folder for folder in (root, *root.parents) if (folder / ".git").exists()), None)
    if top is None:
        return ()
    exclude = read_ignore_file(_git_folder(top / ".git") / "info" / "exclude")
    files = (exclude,) if exclude else ()
    path, folder = "", top
    for name in root.relative_to(top).parts:
        if (file := read_ignore_file(folder / ".gitignore", base=path)) is not None:
            files = (*files, file)
        path, folder = f"{path}{name}/", folder / name
        if is_ignored(files, path, name + "/"):
            return ()
    return tuple(file.seen_from(path) for file in files)


def _git_folder(dot_git: Path) -> Path:
    """`.git` is a file in worktrees and submodules (gitrepository-layout(5)); the common folder holds `info`."""
    if dot_git.is_dir():
        return dot_git
    pointer = dot_git.read_text(encoding="utf-8", errors="surrogateescape").removeprefix("gitdir:").strip()
    folder = dot_git.parent / pointer
    common = folder / "commondir"
    return folder / common.read_text(encoding="utf-8").strip() if common.is_file() else folder
