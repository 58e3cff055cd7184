"""One file's part of the configuration, with its paths as they are seen from the scanned root."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

from assay.scanner.config import patterns
from assay.scanner.config.documents import Document
from assay.scanner.config.lines import KeyPath


@dataclass(frozen=True, slots=True)
class Layer:
    """What a document says. Where relocating gave a value another path than the document has, `moved` tells that."""

    document: Document
    values: dict[str, Any]
    moved: dict[KeyPath, KeyPath] = field(default_factory=dict)

    def path_in_document(self, path: KeyPath) -> KeyPath:
        """Where the document has it."""
        for end in range(len(path), 0, -1):
            if path[:end] in self.moved:
                return (*self.moved[path[:end]], *path[end:])
        return path


def checked(layer: Layer) -> Layer:
    """The same. Raises ConfigError for patterns that could match nothing."""
    for path, pattern in _patterns(layer.values):
        if (problem := patterns.problem_with(pattern)) is not None:
            raise layer.document.error(path, problem)
    return layer


def seen_from(layer: Layer, folders: Sequence[str]) -> Layer:
    """The layer of a file above the scanned root, which lies down the `folders`.

    What is said of other folders is left out. Values of the wrong type stay as they are, to be told when read.
    """
    if not folders:
        return layer
    relocated = _Relocated(deepcopy(layer.values), tuple(folders))
    relocated.run()
    return Layer(layer.document, relocated.values, relocated.moved)


@dataclass(slots=True)
class _Relocated:
    values: dict[str, Any]
    folders: tuple[str, ...]
    moved: dict[KeyPath, KeyPath] = field(default_factory=dict)

    def run(self) -> None:
        files = self.values.get("files")
        if isinstance(files, dict):
            for key in ("exclude", "extend-exclude"):
                if isinstance(files.get(key), list):
                    files[key] = self._excludes(("files", key), files[key])
            if isinstance(files.get("roles"), dict):
                files["roles"] = self._roles(files["roles"])
        evidence = self.values.get("evidence")
        if isinstance(evidence, dict) and isinstance(evidence.get("files"), list):
            evidence["files"] = self._evidence(evidence["files"])
        gate = self.values.get("gate")
        if isinstance(gate, dict) and isinstance(gate.get("paths"), list):
            gate["paths"] = self._gates(gate["paths"])
        if isinstance(self.values.get("services"), dict):
            self.values["services"] = dict(self._services(self.values["services"]))

    def _excludes(self, at: KeyPath, written: list[Any]) -> list[Any]:
        """A folder that somebody names is scanned, whatever is said of it further up."""
        found: list[Any] = []
        for index, pattern in enumerate(written):
            for seen in self._seen(pattern):
                if isinstance(seen, str) and seen.removeprefix("!") == patterns.EVERYTHING:
                    continue
                self.moved[*at, len(found)] = (*at, index)
                found.append(seen)
        return found

    def _evidence(self, written: list[Any]) -> list[Any]:
        """Files inside the scanned folder; what lies elsewhere was measured of something else."""
        found: list[Any] = []
        for index, file in enumerate(written):
            seen = self._folder(file) if isinstance(file, str) else file
            if seen is not None:
                self.moved["evidence", "files", len(found)] = ("evidence", "files", index)
                found.append(seen)
        return found

    def _roles(self, written: dict[str, Any]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for pattern, role in written.items():
            for seen in self._seen(pattern):
                if seen not in found:
                    found[seen] = role
                    self.moved["files", "roles", seen] = ("files", "roles", pattern)
        return found

    def _gates(self, written: list[Any]) -> list[Any]:
        found: list[Any] = []
        for index, gate in enumerate(written):
            has_pattern = isinstance(gate, dict) and isinstance(gate.get("path"), str)
            for seen in self._seen(gate["path"]) if has_pattern else (None,):
                self.moved["gate", "paths", len(found)] = ("gate", "paths", index)
                found.append(gate if seen is None else gate | {"path": seen})
        return found

    def _services(self, written: dict[str, Any]) -> Iterator[tuple[str, Any]]:
        for name, service in written.items():
            root = service.get("root") if isinstance(service, dict) else None
            if not isinstance(root, str) or not root or root.startswith("/") or ".." in root.split("/"):
                yield name, service
            elif (seen := self._folder(root)) is not None:
                yield name, service | {"root": seen}

    def _folder(self, root: str) -> str | None:
        parts = PurePosixPath(root).parts
        depth = len(self.folders)
        return PurePosixPath(*parts[depth:]).as_posix() if parts[:depth] == self.folders else None

    def _seen(self, pattern: Any) -> list[Any]:
        return patterns.seen_from(pattern, self.folders) if isinstance(pattern, str) else [pattern]


def _patterns(values: dict[str, Any]) -> Iterator[tuple[KeyPath, str]]:
    """Every pattern with its path; values of the wrong type are told when they are read."""
    files = values.get("files")
    if isinstance(files, dict):
        for key in ("exclude", "extend-exclude"):
            yield from _texts(("files", key), files.get(key))
        if isinstance(files.get("roles"), dict):
            yield from ((("files", "roles", pattern), pattern) for pattern in files["roles"])
    gate = values.get("gate")
    paths = gate.get("paths") if isinstance(gate, dict) else None
    for index, entry in enumerate(paths if isinstance(paths, list) else ()):
        pattern = entry.get("path") if isinstance(entry, dict) else None
        if isinstance(pattern, str) and pattern:
            yield ("gate", "paths", index, "path"), pattern


def _texts(at: KeyPath, values: Any) -> Iterator[tuple[KeyPath, str]]:
    for index, value in enumerate(values if isinstance(values, list) else ()):
        if isinstance(value, str):
            yield (*at, index), value
