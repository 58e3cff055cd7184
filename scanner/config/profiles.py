"""Profiles that installed packages bring along: TOML files in a package's folder, found without running its code."""

from __future__ import annotations

import sys
from importlib.machinery import PathFinder
from pathlib import Path

from assay.scanner.config.documents import nearest

_INSTALLED = frozenset({"site-packages", "dist-packages"})


class NoProfileError(Exception):
    """There is no such profile; the message is the end of one for the user."""


def profile_file(package: str, profile: str, tree: Path) -> Path:
    """The profile's file. What lies in the scanned `tree` can't pass for a package. Raises NoProfileError."""
    module = package.replace("-", "_")
    # A name has no dots: for `a.b`, Python would import `a` to find `b`.
    spec = PathFinder.find_spec(module, _search_path(tree))
    if spec is None:
        raise NoProfileError(f"there is no installed package {module!r}; install it beside Assay")
    folders = [Path(folder) for folder in spec.submodule_search_locations or ()]
    if not folders:
        raise NoProfileError(f"{module!r} is a single module; profiles lie in a package's folder")
    for folder in folders:
        if (file := folder / f"{profile}.toml").is_file():
            return file
    held = sorted(file.stem for folder in folders for file in folder.glob("*.toml"))
    hint = nearest(profile, held) or (f"; it has {', '.join(held)}" if held else "; it has none")
    raise NoProfileError(f"the package {module!r} has no profile {profile!r}{hint}")


def _search_path(tree: Path) -> list[str]:
    """Where Python looks for packages, but for the working directory and the scanned tree."""
    return [entry for entry in sys.path if entry and _may_hold_packages(Path(entry).resolve(), tree)]


def _may_hold_packages(folder: Path, tree: Path) -> bool:
    """A virtual environment may well lie in the tree."""
    if not _INSTALLED.isdisjoint(folder.parts):
        return True
    return folder != Path.cwd() and not folder.is_relative_to(tree)
