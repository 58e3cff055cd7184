"""Layers of the configuration laid over each other, with the place that each value comes from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from assay.scanner.config.documents import ConfigError, Document
from assay.scanner.config.layers import Layer
from assay.scanner.config.lines import KeyPath

_ADDED: dict[KeyPath, KeyPath] = {
    ("files", "extend-exclude"): ("files", "exclude"),
    ("rules", "extend-disable"): ("rules", "disable"),
}
"""Lists that add to another one instead of replacing it."""
_OF_ONE_FILE: tuple[KeyPath, ...] = (("extends",), ("root",), *_ADDED)
"""What a file says for itself, so that no other inherits it."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a value was written: `assay.toml:12`."""

    document: Document
    path: KeyPath

    @property
    def line(self) -> int | None:
        return self.document.line(self.path)

    def __str__(self) -> str:
        return self.document.name if self.line is None else f"{self.document.name}:{self.line}"


@dataclass(frozen=True, slots=True)
class Merged:
    """All layers as one. Paths are those of `values`."""

    values: dict[str, Any] = field(default_factory=dict)
    origins: dict[KeyPath, Origin] = field(default_factory=dict)

    def origin(self, path: KeyPath) -> Origin | None:
        """Where the value was written; None for a default."""
        return self.origins.get(path)

    def error(self, path: KeyPath, problem: str, meant: Iterable[str] = ()) -> ConfigError:
        """The mistake in the words and at the line of the file that made it."""
        for end in range(len(path), -1, -1):
            origin = self.origins.get(path[:end])
            if origin is not None:
                return origin.document.error((*origin.path, *path[end:]), problem, meant)
        raise AssertionError("without any layer, nothing is wrong")

    def under(self, layer: Layer) -> Merged:
        """The layer's values win, table by table and key by key; they come first in each table."""
        below = self.values
        origins = dict(self.origins)
        for path in _OF_ONE_FILE:
            below = _without(below, path)
            _forget(origins, path)
        values = _merge(below, layer.values)
        for path, value in _walk(layer.values):
            hidden = _at(below, path)
            if isinstance(hidden, list) or (isinstance(hidden, dict) and not isinstance(value, dict)):
                _forget(origins, path)
            origins[path] = Origin(layer.document, layer.path_in_document(path))
        for addition, path in _ADDED.items():
            added, before = _at(values, addition), _at(values, path)
            if isinstance(added, list) and isinstance(before, list | None):
                so_far = before or []
                values = _merge(values, {str(path[0]): {path[1]: [*so_far, *added]}})
                origins.setdefault(path, origins[addition])
                for index in range(len(added)):
                    origins[*path, len(so_far) + index] = origins[*addition, index]
        return Merged(values, origins)


def _merge(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    merged = {
        key: _merge(below[key], value) if isinstance(value, dict) and isinstance(below.get(key), dict) else value
        for key, value in above.items()
    }
    return merged | {key: value for key, value in below.items() if key not in above}


def _walk(value: Any, path: KeyPath = ()) -> Iterator[tuple[KeyPath, Any]]:
    """The value and all inside it; what is around comes first."""
    yield path, value
    inner: Iterable[tuple[str | int, Any]] = ()
    if isinstance(value, dict):
        inner = value.items()
    elif isinstance(value, list):
        inner = enumerate(value)
    for step, deeper in inner:
        yield from _walk(deeper, (*path, step))


def _at(values: Any, path: KeyPath) -> Any:
    for step in path:
        if not isinstance(values, dict) or step not in values:
            return None
        values = values[step]
    return values


def _without(values: dict[str, Any], path: KeyPath) -> dict[str, Any]:
    first, *rest = path
    if first not in values:
        return values
    kept = {key: value for key, value in values.items() if key != first}
    if rest and isinstance(values[str(first)], dict):
        kept[str(first)] = _without(values[str(first)], tuple(rest))
    return kept


def _forget(origins: dict[KeyPath, Origin], path: KeyPath) -> None:
    for known in [known for known in origins if known[: len(path)] == path]:
        del origins[known]
