"""What a file builds on: other files of the repository, and profiles that installed packages bring along.

A package's profile is data. The package is found where Python keeps installed ones, and none of its code is run.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.machinery import PathFinder
from pathlib import Path
from typing import Any

from assay.scanner.config.documents import ConfigError, Document, nearest
from assay.scanner.config.layers import Layer, checked
from assay.scanner.config.lines import KeyPath

PYPROJECT = "pyproject.toml"
_PROFILE = re.compile(r"(?P<package>[A-Za-z_][\w-]*):(?P<profile>[\w-]+)")
_INSTALLED = frozenset({"site-packages", "dist-packages"})


@dataclass(frozen=True, slots=True)
class Extending:
    """Follows `extends`. `root` is the scanned folder, `top` the folder that files must lie in (None: anywhere)."""

    root: Path
    top: Path | None

    def layers(self, layer: Layer, file: Path) -> list[Layer]:
        """The layer with those it builds on, the lowest first. Raises ConfigError."""
        return self._layers(layer, file, (file.resolve(),))

    def _layers(self, layer: Layer, file: Path, chain: tuple[Path, ...]) -> list[Layer]:
        found: list[Layer] = []
        names = layer.values.get("extends")
        for index, name in enumerate(names if isinstance(names, list) else ()):
            if not isinstance(name, str):
                continue
            path: KeyPath = ("extends", index)
            below, its_file = self._read(layer.document, path, name, file.parent)
            if its_file.resolve() in chain:
                raise layer.document.error(path, f"{name!r} leads back to this file, so none would be the lowest")
            found += self._layers(checked(below), its_file, (*chain, its_file.resolve()))
        return [*found, layer]

    def _read(self, document: Document, path: KeyPath, name: str, folder: Path) -> tuple[Layer, Path]:
        if (profile := _PROFILE.fullmatch(name)) is not None:
            file = self._profile(document, path, profile["package"], profile["profile"])
            shown = f"{file.parent.name}/{file.name}"
        elif name.endswith(".toml"):
            file = self._file(document, path, name, folder)
            shown = os.path.relpath(file, self.root)
        else:
            raise document.error(
                path, f"{name!r} is neither a TOML file nor a profile such as 'acme_standards:backend'"
            )
        try:
            return read_layer(file, shown), file
        except OSError as error:
            raise document.error(path, f"{name!r} can't be read: {error.strerror}") from error

    def _file(self, document: Document, path: KeyPath, name: str, folder: Path) -> Path:
        file = folder / name
        if self.top is not None and not file.resolve().is_relative_to(self.top):
            raise document.error(
                path, f"{name!r} lies outside the repository; what several share is a profile of an installed package"
            )
        if not file.exists():
            raise document.error(path, f"there is no file {name!r}; it is looked for from this file's folder")
        return file

    def _profile(self, document: Document, path: KeyPath, package: str, profile: str) -> Path:
        module = package.replace("-", "_")
        # No dots: for `a.b`, Python would import `a` to find `b`.
        spec = PathFinder.find_spec(module, self._search_path())
        if spec is None:
            raise document.error(path, f"there is no installed package {module!r}; install it beside Assay")
        folders = [Path(folder) for folder in spec.submodule_search_locations or ()]
        if not folders:
            raise document.error(path, f"{module!r} is a single module; profiles lie in a package's folder")
        for folder in folders:
            if (file := folder / f"{profile}.toml").is_file():
                return file
        held = sorted(file.stem for folder in folders for file in folder.glob("*.toml"))
        hint = nearest(profile, held) or (f"; it has {', '.join(held)}" if held else "; it has none")
        raise document.error(path, f"the package {module!r} has no profile {profile!r}{hint}")

    def _search_path(self) -> list[str]:
        """Where installed packages are: the scanned tree must not be able to pass for one."""
        here = Path.cwd()
        return [entry for entry in sys.path if entry and self._holds_installed(Path(entry).resolve(), here)]

    def _holds_installed(self, folder: Path, here: Path) -> bool:
        if not _INSTALLED.isdisjoint(folder.parts):
            return True
        return folder != here and not folder.is_relative_to(self.top or self.root)


def read_layer(file: Path, shown: str) -> Layer:
    """What the file configures. Raises OSError, and ConfigError for what is no TOML."""
    document = Document(shown, text_of(file, shown), ("tool", "assay") if file.name == PYPROJECT else ())
    values: Any = document.parsed()
    for key in document.prefix:
        values = values.get(key, {}) if isinstance(values, dict) else {}
    if not isinstance(values, dict):
        raise document.error((), "it must be a table")
    return Layer(document, values)


def text_of(file: Path, shown: str) -> str:
    """Raises OSError, and ConfigError for what is no text."""
    try:
        return file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigError(shown, None, "", f"it is not UTF-8: {error.reason} at byte {error.start}") from error


def names(layers: Iterable[Layer]) -> tuple[str, ...]:
    """What their files are called, the nearest first, each once."""
    return tuple(dict.fromkeys(layer.document.name for layer in reversed(list(layers))))
