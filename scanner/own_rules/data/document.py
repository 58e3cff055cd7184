"""A YAML file with the line of each of its keys, so that a mistake is told where it stands."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import yaml

from assay.scanner.own_rules.errors import OwnRuleError, nearest

__all__ = ["Document", "Path", "read_document"]

Path = tuple[str | int, ...]
"""The keys and indexes that lead to a value."""


@dataclass(frozen=True, slots=True)
class Document:
    """The values, and the line of each path."""

    file: str
    value: object
    lines: Mapping[Path, int]

    def place(self, path: Path) -> str:
        """`file:line` of the value, or of the nearest one around it."""
        known = (self.lines[path[:end]] for end in range(len(path), -1, -1) if path[:end] in self.lines)
        return f"{self.file}:{next(known, 1)}"

    def error(self, path: Path, problem: str, meant: Iterable[str] = ()) -> OwnRuleError:
        """`meant` are the valid names, the nearest of which is suggested for the path's last part."""
        return OwnRuleError(self.place(path), problem + (nearest(str(path[-1]), meant) if path else ""))


def read_document(file: str, content: bytes) -> Document:
    """Raises OwnRuleError for what is no YAML, and for a key that is there twice."""
    try:
        loader = yaml.SafeLoader(content)
        node = loader.get_single_node()
        if node is None:
            raise OwnRuleError(file, "the file is empty")
        lines = dict(_lines(file, node, (), frozenset()))
        return Document(file, loader.construct_document(node), lines)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = file if mark is None else f"{file}:{mark.line + 1}"
        raise OwnRuleError(place, f"it is no YAML: {getattr(error, 'problem', None) or error}") from error
    except RecursionError as error:
        raise OwnRuleError(file, "it is nested too deeply") from error


def _lines(file: str, node: yaml.Node, path: Path, around: frozenset[int]) -> Iterator[tuple[Path, int]]:
    if id(node) in around:
        raise OwnRuleError(f"{file}:{node.start_mark.line + 1}", "an alias stands inside of what it stands for")
    around |= {id(node)}
    if not path:
        yield path, node.start_mark.line + 1
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            name, line = str(key.value), key.start_mark.line + 1
            if name in seen:
                raise OwnRuleError(f"{file}:{line}", f"the key {name!r} is there twice")
            seen.add(name)
            yield (*path, name), line
            yield from _lines(file, value, (*path, name), around)
    elif isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            yield (*path, index), item.start_mark.line + 1
            yield from _lines(file, item, (*path, index), around)
