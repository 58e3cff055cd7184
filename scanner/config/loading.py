"""Finds the files that configure a tree, lays them over each other, and reads what that says."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assay.scanner.config.checks import check
from assay.scanner.config.conversion import config_of
from assay.scanner.config.documents import ConfigError, Document
from assay.scanner.config.extending import PYPROJECT, Extending, Home, names, read_layer
from assay.scanner.config.layers import Layer, checked, seen_from
from assay.scanner.config.merging import Merged
from assay.scanner.config.structure import Config
from assay.scanner.rulebook import Rulebook

FILE_NAME = "assay.toml"
FILE_NAMES = (".assay.toml", FILE_NAME, PYPROJECT)
"""Any one of these may configure a folder."""
VARIABLES: Mapping[str, tuple[str, ...]] = {"ASSAY_EDITION": ("edition",), "ASSAY_GATE_MODE": ("gate", "mode")}
"""Environment variables and the keys that they set."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """The configuration, and where each of its values comes from."""

    config: Config
    merged: Merged


def load_config(
    root: Path, rulebook: Rulebook | None = None, *, file: Path | None = None, isolated: bool = False
) -> Config:
    """The configuration of the tree at `root`; the defaults when it has none. As `load`."""
    return load(root, rulebook, file=file, isolated=isolated).config


def load(
    root: Path,
    rulebook: Rulebook | None = None,
    *,
    file: Path | None = None,
    isolated: bool = False,
    environment: Mapping[str, str] = os.environ,
) -> Loaded:
    """Read the configuration of the tree at `root`.

    `file` is read instead of what is found there, and with `isolated` no file is. With a rulebook, all that the
    configuration names is checked against it. Raises ConfigError.
    """
    folder = root.resolve()
    if file is not None:
        layers = _named(folder, file)
    elif isolated:
        layers = []
    else:
        layers = [layer for found in _found(folder) for layer in found]
    layers += _of_environment(environment)
    merged, config = Merged(), Config()
    for number, layer in enumerate(layers, start=1):
        merged = merged.under(layer)
        # After each, so that a mistake is told although a nearer file hides it.
        config = config_of(merged, names(layers[:number]))
    _check_services(root, merged, config)
    if rulebook is not None:
        check(merged, config, rulebook)
    return Loaded(config, merged)


def _named(root: Path, file: Path) -> list[Layer]:
    """A file that somebody names speaks of the scanned tree, wherever it lies itself."""
    try:
        layer = checked(read_layer(file, str(file)))
    except OSError as error:
        raise ConfigError(str(file), None, "", f"it can't be read: {error.strerror}") from error
    return Extending(root).layers(layer, file, Home("", None, root))


def _found(root: Path) -> Iterator[list[Layer]]:
    """The layers of each folder that has any, from the repository's top down to the scanned root."""
    folders = _Folders.around(root)
    home = Home("the repository", folders.top, root)
    for folder, (file, layer) in reversed(folders.configured.items()):
        way_down = root.relative_to(folder).parts
        below = Extending(folders.top).layers(checked(layer), file, home)
        yield [seen_from(each, way_down) for each in below]


@dataclass(frozen=True, slots=True)
class _Folders:
    """The folders whose files count, from the scanned root upwards to `top`, with what configures each."""

    top: Path
    configured: dict[Path, tuple[Path, Layer]]

    @classmethod
    def around(cls, root: Path) -> _Folders:
        """Up to the repository's top, or to a file with `root = true`. Where neither ends the way up, what lies
        above is no part of the project.
        """
        configured: dict[Path, tuple[Path, Layer]] = {}
        for folder in (root, *root.parents):
            if (found := _in_folder(folder, root)) is not None:
                configured[folder] = found
            if (found is not None and found[1].values.get("root") is True) or (folder / ".git").exists():
                return cls(folder, configured)
        return cls(root, {folder: found for folder, found in configured.items() if folder == root})


def _in_folder(folder: Path, root: Path) -> tuple[Path, Layer] | None:
    """The one file that configures the folder; one without content configures nothing. Raises ConfigError."""
    found: tuple[Path, Layer] | None = None
    for name in FILE_NAMES:
        file = folder / name
        shown = os.path.relpath(file, root)
        layer = _shared(file, shown) if name == PYPROJECT else _own(file, shown)
        if layer is None or not layer.values:
            continue
        if found is not None:
            what = f"{shown} has a [tool.assay]" if name == PYPROJECT else f"there is {shown}"
            raise ConfigError(found[1].document.name, None, "", f"{what} too; keep one of the two")
        found = file, layer
    return found


def _own(file: Path, shown: str) -> Layer | None:
    try:
        return read_layer(file, shown)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise ConfigError(shown, None, "", f"it can't be read: {error.strerror}") from error


def _shared(file: Path, shown: str) -> Layer | None:
    """A `pyproject.toml` that can't be read matters only if it seems to configure Assay; else its reader reports it."""
    try:
        text = file.read_text(encoding="utf-8-sig") if file.is_file() else ""
    except (OSError, UnicodeDecodeError):
        return None
    return read_layer(file, shown) if "assay" in text else None


def _check_services(root: Path, merged: Merged, config: Config) -> None:
    """Raises ConfigError for a folder that there isn't, and for one that two services have."""
    owners: dict[str, str] = {}
    for name, service in config.services.items():
        path = ("services", name, "root")
        if not (root / service.root).is_dir():
            raise merged.error(path, f"there is no folder {service.root!r}")
        if (other := owners.setdefault(service.root, name)) != name:
            raise merged.error(path, f"the service {other!r} has this folder already")


def _of_environment(environment: Mapping[str, str]) -> Iterator[Layer]:
    for variable, path in VARIABLES.items():
        value: Any = environment.get(variable)
        if value:
            for key in reversed(path):
                value = {key: value}
            yield Layer(Document(variable, ""), value)
