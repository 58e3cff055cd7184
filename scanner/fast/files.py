"""The files that are named, as they are and as they were at a commit."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import Path, PurePath

from assay.scanner.discovery import BadRootError
from assay.scanner.git import Git


class OutsideError(BadRootError):
    """A named file is not there, or not in the scanned tree; the message is for the user."""


def contents_at(git: Git, commit: str, paths: Iterable[str]) -> dict[str, bytes]:
    """What some files held at the commit; nothing of those that weren't there."""
    # The names are given line by line.
    asked = [path for path in paths if "\n" not in path]
    names = "".join(f"{commit}:{git.prefix}{path}\n" for path in asked)
    told = git.answer("cat-file", "--batch", given=names.encode(errors="surrogateescape")) if asked else b""
    found, at = {}, 0
    for path in asked:
        end = told.index(b"\n", at)
        header, at = told[at:end], end + 1
        size = re.search(rb" blob (\d+)$", header)
        if size:
            found[path] = told[at : at + int(size[1])]
            at += int(size[1]) + 1
    return found


def path_inside(root: Path, file: Path) -> str:
    """The file's path relative to the root. Links are not followed: a scan doesn't either."""
    if not os.path.lexists(file):
        raise OutsideError(f"there is no {file}")
    path = PurePath(os.path.relpath(file, root)).as_posix()
    if path.startswith("../"):
        raise OutsideError(f"{file} is not in {root}, the folder that is scanned")
    return path
