"""Which files of the working tree had another name at the base, as git tells it by their content."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

from assay.scanner.filekinds import by_path
from assay.scanner.git import Git

__all__ = ["renames_since"]

_MOST = 2_000
"""Files on either side. More are held against each other only where they are the same to the byte."""
_NAMES = (
    "--name-status",
    "-z",
    "--diff-filter=R",
    "--no-relative",
    "--ignore-submodules=all",
    "--no-ext-diff",
    f"-l{_MOST}",
)
_NUL = "\0"


def renames_since(root: Path, commit: str) -> dict[str, str]:
    """The old path of each renamed file below the root by its new one, both relative to the root. Raises GitError.

    What came from outside the root is new to it, and has no old path. A file that isn't added yet counts as if it were.
    """
    git = Git(root)
    untracked = [path for path in git.untracked if by_path(path) is not None]
    with TemporaryDirectory(prefix="assay-index-") as folder:
        environment = _with_added(git, untracked, Path(folder)) if untracked else {}
        found = _renames(git, commit, environment)
    prefix = git.prefix
    return {
        new.removeprefix(prefix): old.removeprefix(prefix)
        for old, new in found
        if new.startswith(prefix) and old.startswith(prefix)
    }


def _renames(git: Git, commit: str, environment: dict[str, str]) -> list[tuple[str, str]]:
    told = git.answer(
        "diff-index", "--find-renames", *_NAMES, commit, "--", settings=git.without_filters(), environment=environment
    )
    words = os.fsdecode(told).split(_NUL)[:-1]
    return list(zip(words[1::3], words[2::3], strict=True))


def _with_added(git: Git, paths: list[str], folder: Path) -> dict[str, str]:
    """An index of our own that has the files too; the repository's stays as it is, and so do its objects."""
    index, objects = (_git_path(git, name) for name in ("index", "objects"))
    quoted = str(objects).replace("\\", "\\\\").replace('"', '\\"')
    environment = {
        "GIT_INDEX_FILE": str(folder / "index"),
        "GIT_OBJECT_DIRECTORY": str(folder / "objects"),
        "GIT_ALTERNATE_OBJECT_DIRECTORIES": f'"{quoted}"',
    }
    (folder / "objects").mkdir()
    if index.exists():
        shutil.copyfile(index, folder / "index")
    git.answer(
        *("add", "--intent-to-add", "--ignore-errors", "--pathspec-from-file=-", "--pathspec-file-nul"),
        settings=(*git.without_filters(), "--literal-pathspecs"),
        given=_NUL.join(paths).encode(errors="surrogateescape"),
        environment=environment,
    )
    return environment


def _git_path(git: Git, name: str) -> Path:
    """Where git keeps something; in a linked working tree that is not below `.git`."""
    path = os.fsdecode(git.answer("rev-parse", "--git-path", name).removesuffix(b"\n"))
    return (git.root / path).resolve()
