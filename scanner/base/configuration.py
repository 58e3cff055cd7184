"""How a commit configures the tree: what a change is judged by is not for that change alone to say."""

from __future__ import annotations

import os
import posixpath
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import Any

from assay.scanner.base.tree import content_at
from assay.scanner.config import FILE_NAMES, Config, load_config
from assay.scanner.git import Git
from assay.scanner.rulebook import Rulebook

__all__ = ["configuration_at"]

_PYPROJECT = "pyproject.toml"
_MOST = 100
"""Files, as many as a tree may have that extend each other."""


def configuration_at(root: Path, commit: str, rulebook: Rulebook, file: Path | None = None) -> Config | None:
    """What the commit configures for the scanned root; `file` is read instead of what is found there.

    None where the file lies outside the repository, so that no change of it can tell. Raises ConfigError and GitError.
    """
    git = Git(root)
    prefix = git.prefix
    repository = root.resolve().parents[len(PurePosixPath(prefix).parts) - 1] if prefix else root.resolve()
    with TemporaryDirectory(prefix="assay-config-") as name:
        top = Path(name).resolve()
        # It ends the search upwards.
        (top / ".git").mkdir()
        there = top / prefix
        there.mkdir(parents=True, exist_ok=True)
        tree = _Tree(repository, commit, top)
        if file is not None:
            if not file.resolve().is_relative_to(repository):
                return None
            path = file.resolve().relative_to(repository).as_posix()
            found = tree.take(path, services_in=prefix)
            return load_config(there, rulebook, file=top / path, isolated=False) if found else Config()
        for folder in _way_down(prefix):
            for name in FILE_NAMES:
                tree.take(folder + name, services_in=folder)
        return load_config(there, rulebook)


def _way_down(prefix: str) -> Iterator[str]:
    """`""`, `"services/"`, `"services/orders/"`."""
    yield ""
    for end, letter in enumerate(prefix, start=1):
        if letter == "/":
            yield prefix[:end]


@dataclass(slots=True)
class _Tree:
    """A folder with those files of a commit that configure something."""

    repository: Path
    commit: str
    top: Path
    taken: set[str] = field(default_factory=set)

    def take(self, path: str, services_in: str) -> bool:
        """Write the file, what it extends, and the folders of services that it names; whether there is such a file."""
        if path in self.taken or len(self.taken) == _MOST:
            return path in self.taken
        content = content_at(self.repository, self.commit, path)
        if content is None:
            return False
        self.taken.add(path)
        file = self.top / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
        values = _values(path, content)
        folder = posixpath.dirname(path)
        for name in _texts(values.get("extends")):
            if name.endswith(".toml") and (below := _inside(folder, name)):
                self.take(below, services_in)
        services = values.get("services")
        for service in services.values() if isinstance(services, dict) else ():
            root = service.get("root") if isinstance(service, dict) else None
            if isinstance(root, str) and (inner := _inside(services_in, root)):
                (self.top / inner).mkdir(parents=True, exist_ok=True)
        return True


def _values(path: str, content: bytes) -> dict[str, Any]:
    """What the file says; nothing where it is no TOML, which whoever loads it tells."""
    try:
        values: Any = tomllib.loads(content.decode("utf-8-sig"))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError):
        return {}
    for key in ("tool", "assay") if posixpath.basename(path) == _PYPROJECT else ():
        values = values.get(key) if isinstance(values, dict) else None
    return values if isinstance(values, dict) else {}


def _texts(values: object) -> Iterator[str]:
    yield from (value for value in values if isinstance(value, str)) if isinstance(values, list) else ()


def _inside(folder: str, name: str) -> str | None:
    """The path in the repository; None for what lies outside."""
    path = posixpath.normpath(posixpath.join(folder, name.replace(os.sep, "/")))
    return None if path.startswith(("../", "/")) or path in (".", "..") or "\0" in path else path
