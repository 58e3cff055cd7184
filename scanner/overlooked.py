"""Python of a change that no scan judges, although no configuration says so: what a gate should not pass in silence."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pathspec import GitIgnoreSpec

from assay.scanner.diagnostics import Diagnostic, Reason
from assay.scanner.discovery import SKIP_MARKERS, SKIPPED_FOLDERS, DiscoveryOptions
from assay.scanner.filekinds import FileKind, by_path
from assay.scanner.git import Git
from assay.scanner.model.role import Role
from assay.scanner.roles import Roles

__all__ = ["Overlooked", "overlooked"]

_IMPORT = re.compile(r"^[ \t]*(?:from|import)[ \t]+([\w.]+)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Overlooked:
    """Files that are passed over, and what to tell of others."""

    unread: tuple[Diagnostic, ...] = ()
    notices: tuple[str, ...] = ()


def overlooked(root: Path, commit: str, options: DiscoveryOptions) -> Overlooked:
    """What git says that changed since the commit, without what the configuration leaves out. Raises GitError."""
    left_out = GitIgnoreSpec.from_lines(options.exclude)
    paths = (path for path in _changed(root, commit) if by_path(path) is FileKind.PYTHON and (root / path).is_file())
    changed = [path for path in paths if not left_out.match_file(path)]
    if not changed:
        return Overlooked()
    unread = tuple(_unread(root, changed))
    return Overlooked(unread, tuple(_imported_tests(root, changed, options)))


def _unread(root: Path, changed: list[str]) -> Iterator[Diagnostic]:
    ignored = _ignored(root, changed)
    for path in changed:
        why = "git tracks it, and an ignore file names it" if path in ignored else _why_passed_over(root, path)
        if why:
            yield Diagnostic(path, None, Reason.PASSED_OVER, f"this change brings it, and no scan reads it: {why}")


def _changed(root: Path, commit: str) -> list[str]:
    git = Git(root)
    told = git.answer(
        *("diff-index", "--name-only", "-z", "--diff-filter=d", "--relative", "--ignore-submodules=all"),
        *("--no-ext-diff", commit, "--", "."),
        settings=git.without_filters(),
    )
    return sorted(os.fsdecode(told).split("\0")[:-1])


def _ignored(root: Path, paths: list[str]) -> frozenset[str]:
    given = "\0".join(paths).encode(errors="surrogateescape")
    told = Git(root).run("check-ignore", "--no-index", "--stdin", "-z", given=given).stdout
    return frozenset(os.fsdecode(told).split("\0")[:-1])


def _why_passed_over(root: Path, path: str) -> str:
    folder = Path()
    for name in Path(path).parts[:-1]:
        folder /= name
        if name in SKIPPED_FOLDERS:
            return f"no scan looks into a folder {name!r}"
        for marker in sorted(SKIP_MARKERS):
            if (root / folder / marker).exists():
                return f"{folder.as_posix()}/{marker} says that the folder is an environment or a cache"
    # What else a link leads to is read at its own place, or reported.
    target = (root / path).resolve()
    if (root / path).is_symlink() and target.is_relative_to(root.resolve()) and by_path(target.name) is None:
        return f"it is a link to {target.name}, which is no Python by its name"
    return ""


def _imported_tests(root: Path, changed: list[str], options: DiscoveryOptions) -> Iterator[str]:
    """Production code that is served from where tests are would be judged by nobody."""
    told = Git(root).answer("ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", "*.py")
    paths = os.fsdecode(told).split("\0")[:-1]
    roles = Roles.of_tree(paths, options.roles)
    tests = {path for path in paths if roles.decide(path, FileKind.PYTHON).role is Role.TEST}
    modules = {name: path for path in sorted(tests) for name in _names(path)}
    for path in paths:
        if path not in tests:
            for name in _names(path):
                modules.pop(name, None)
    for path in changed:
        if path in tests or roles.decide(path, FileKind.PYTHON).role is not Role.PROD:
            continue
        text = (root / path).read_text(encoding="utf-8", errors="replace")
        names = {match[1].strip(".") for match in _IMPORT.finditer(text)}
        for name in sorted(names & modules.keys()):
            yield (
                f"{path} imports {name}, and {modules[name]} is taken for a test, which nothing judges; "
                "[files.roles] says what a file is for"
            )


def _names(path: str) -> Iterator[str]:
    """What may import it: `backend.tests.people` and `tests.people` for `backend/tests/people.py`. A single word is too
    common to mean anything but a file at the top.
    """
    parts = path.removesuffix(".py").removesuffix("/__init__").split("/")
    yield ".".join(parts)
    yield from (".".join(parts[start:]) for start in range(1, len(parts) - 1))
