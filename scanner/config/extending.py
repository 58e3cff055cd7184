"""What a file builds on: other files beside it, and profiles that installed packages bring along."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assay.scanner.config.documents import ConfigError, Document
from assay.scanner.config.layers import Layer, checked
from assay.scanner.config.lines import KeyPath
from assay.scanner.config.profiles import NoProfileError, profile_file

PYPROJECT = "pyproject.toml"
_PROFILE = re.compile(r"(?P<package>[A-Za-z_][\w-]*):(?P<profile>[\w-]+)")
_MOST = 100
"""A few files that extend each other twice each would be read for ever."""


@dataclass(frozen=True, slots=True)
class Home:
    """Where files lie that may extend each other, such as "the repository": in `folder`, or anywhere for None.

    Messages name them as they are seen from the folder `seen_from`.
    """

    name: str
    folder: Path | None
    seen_from: Path

    def holds(self, file: Path) -> bool:
        return self.folder is None or file.resolve().is_relative_to(self.folder)

    def shown(self, file: Path) -> str:
        return os.path.relpath(file, self.seen_from)


@dataclass(frozen=True, slots=True)
class Extending:
    """Follows `extends`. What lies in `tree` can't pass for an installed package."""

    tree: Path

    def layers(self, layer: Layer, file: Path, home: Home, around: tuple[Path, ...] = ()) -> list[Layer]:
        """The layer of the file with those it builds on, the lowest first. Raises ConfigError.

        `around` are the files that led to it.
        """
        chain = (*around, file.resolve())
        found: list[Layer] = []
        for path, name in _entries(layer):
            its_file, its_home = self._named(layer.document, path, name, file.parent, home)
            if its_file.resolve() in chain:
                raise layer.document.error(path, f"{name!r} leads back to this file, so none would be the lowest")
            try:
                below = checked(read_layer(its_file, its_home.shown(its_file)))
            except OSError as error:
                raise layer.document.error(path, f"{name!r} can't be read: {error.strerror}") from error
            found += self.layers(below, its_file, its_home, chain)
            if len(found) > _MOST:
                raise layer.document.error(path, f"that makes more than {_MOST} files in all")
        return [*found, layer]

    def _named(self, document: Document, path: KeyPath, name: str, folder: Path, home: Home) -> tuple[Path, Home]:
        """The file that an entry means, and where it lies."""
        if (profile := _PROFILE.fullmatch(name)) is not None:
            try:
                file = profile_file(profile["package"], profile["profile"], self.tree)
            except NoProfileError as error:
                raise document.error(path, str(error)) from error
            package = file.parent.resolve()
            return file, Home(f"the package {package.name!r}", package, package.parent)
        if not name.endswith(".toml"):
            raise document.error(
                path, f"{name!r} is neither a TOML file nor a profile such as 'acme_standards:backend'"
            )
        file = folder / name
        if not home.holds(file):
            problem = f"{name!r} lies outside {home.name}; what several share is a profile of an installed package"
            raise document.error(path, problem)
        if not file.exists():
            raise document.error(path, f"there is no file {name!r}; it is looked for from this file's folder")
        return file, home


def _entries(layer: Layer) -> Iterator[tuple[KeyPath, str]]:
    """Those of the right type; others are told when the layer is read."""
    entries = layer.values.get("extends")
    for index, entry in enumerate(entries if isinstance(entries, list) else ()):
        if isinstance(entry, str):
            yield ("extends", index), entry


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
    if file.exists() and not (file.is_file() or file.is_dir()):
        # Nobody may ever write into a pipe that is read.
        raise ConfigError(shown, None, "", "it is no regular file (a pipe, socket or device)")
    try:
        return file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigError(shown, None, "", f"it is not UTF-8: {error.reason} at byte {error.start}") from error


def names(layers: Iterable[Layer]) -> tuple[str, ...]:
    """What their files are called, the nearest first, each once."""
    return tuple(dict.fromkeys(layer.document.name for layer in reversed(list(layers))))
