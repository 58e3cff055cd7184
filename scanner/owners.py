"""Who owns which file, as a repository's CODEOWNERS says it: the last pattern that fits a path wins.

GitHub: "About code owners"; GitLab: "Syntax of Code Owners file", whose sections each name owners of their own.
"""

from __future__ import annotations

import re
import stat
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from pathspec.patterns.gitignore import GitIgnorePatternError
from pathspec.patterns.gitignore.spec import GitIgnoreSpecPattern

from assay.scanner.results import is_team

__all__ = ["PLACES", "Owners", "owners_in", "parsed"]

PLACES = (".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS", ".gitlab/CODEOWNERS")
"""Where it is looked for, below the top of the repository; the first one counts."""
MAX_BYTES = 3_000_000
"""GitHub reads no larger one."""

_SECTION = re.compile(r"\^?\[[^\]]*\](?:\[\d+\])?(?P<owners>.*)")
_WORD = re.compile(r"(?:\\.|[^\s\\])+")
_OWNER = re.compile(r"@[\w./-]+|@@[\w./-]+|[^\s@]+@[^\s@]+")


@dataclass(frozen=True, slots=True)
class _Entry:
    """One line: files, and who owns them. `section` is empty outside of any."""

    section: str
    pattern: GitIgnoreSpecPattern
    owners: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Owners:
    """The lines of a CODEOWNERS file that could be read."""

    entries: tuple[_Entry, ...] = ()

    def of(self, path: str) -> tuple[str, ...]:
        """Who owns the file, by its path from the top of the repository, in the order in which they are named."""
        found: dict[str, tuple[str, ...]] = {}
        for entry in self.entries:
            if entry.pattern.match_file(path) is not None:
                found[entry.section] = entry.owners
        return tuple(dict.fromkeys(owner for owners in found.values() for owner in owners))

    def by_path(self, paths: Iterable[str], prefix: str) -> dict[str, tuple[str, ...]]:
        """The owners of those files that have any; `prefix` is where the paths begin in the repository."""
        known = ((path, self.of(prefix + path)) for path in sorted(set(paths)))
        return {path: owners for path, owners in known if owners} if self.entries else {}

    def teams(self, roots: Iterable[str], paths: Iterable[str], prefix: str) -> dict[str, str]:
        """By root, who owns most of the files below it that are below no deeper one, unless most are nobody's. Of one
        file's owners the first team counts, else the first person.
        """
        found: dict[str, Counter[str]] = {root: Counter() for root in roots}
        for path in paths if self.entries else ():
            root = max((root for root in found if _is_below(path, root)), key=len, default=None)
            if root is not None:
                found[root][_first(self.of(prefix + path))] += 1
        most = {
            root: min(counts, key=lambda who: (-counts[who], not who, who)) for root, counts in found.items() if counts
        }
        return {root: team for root, team in most.items() if team}


def owners_in(top: Path) -> Owners:
    """What the repository whose top the folder is says; nobody owns anything where it says nothing that can be read."""
    for place in PLACES:
        file = top / place
        try:
            status = file.lstat()
            if stat.S_ISREG(status.st_mode) and status.st_size <= MAX_BYTES:
                return parsed(file.read_bytes().decode("utf-8-sig", "replace"))
        except OSError:
            continue
    return Owners()


def parsed(text: str) -> Owners:
    """The lines that name files. A line with a mistake in it is skipped, as GitHub does."""
    entries: list[_Entry] = []
    section = ""
    defaults: tuple[str, ...] = ()
    for line in text.splitlines():
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        if heading := _SECTION.fullmatch(line):
            section, defaults = line.partition("]")[0].lower(), _owners(heading["owners"])
            continue
        name, *_ = _WORD.findall(line) or [""]
        owners = _owners(line[len(name) :].partition(" #")[0])
        pattern = _pattern(name)
        if pattern is not None:
            entries.append(_Entry(section, pattern, owners or defaults))
    return Owners(tuple(entries))


def _is_below(path: str, root: str) -> bool:
    return root == "." or path.startswith(f"{root}/")


def _first(owners: tuple[str, ...]) -> str:
    return next((owner for owner in owners if is_team(owner)), next(iter(owners), ""))


def _owners(text: str) -> tuple[str, ...]:
    return tuple(word for word in text.split() if _OWNER.fullmatch(word))


def _pattern(name: str) -> GitIgnoreSpecPattern | None:
    """GitHub takes no negation (`!`); what isn't gitignore's syntax fits nothing."""
    if not name or name.startswith("!"):
        return None
    try:
        pattern = GitIgnoreSpecPattern(name)
    except (GitIgnorePatternError, ValueError):
        return None
    return pattern if pattern.include else None
