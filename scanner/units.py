"""The parts of a tree that have nothing to do with one another, so that each can be linked alone, with the same result.

Services that share a module are one unit: what one of them hands to it decides what it does.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from assay.scanner.linker.modules import ModuleIndex
from assay.scanner.readers.python.form import Mentions
from assay.scanner.services import innermost

__all__ = ["References", "Unit", "imports_an_application", "may_make_an_application", "units_of"]


@dataclass(frozen=True, slots=True)
class Unit:
    """Modules of which no other one speaks. `roots` are the folders in it that may be services; `.` is the scanned
    root.
    """

    roots: tuple[str, ...]
    modules: frozenset[str]


def units_of(
    mentions: Mapping[str, Mentions], projects: Collection[str], applications: frozenset[str]
) -> tuple[Unit, ...]:
    """The units, by root. `projects` are folders that something marks as a project; `applications` are dotted names
    whose call makes a process a backend.

    A project whose code names an application may be a service; its modules stay together, those of a project inside it
    that names none too. Modules that have nothing to do with one are in no unit, unless there is only one.
    """
    folders = {"" if folder == "." else folder for folder in projects} | {""}
    makers = (path for path, said in mentions.items() if may_make_an_application(path, said, applications))
    telling = {folder for path in makers if (folder := innermost(path, folders)) is not None}
    if len(telling) < 2:
        return tuple(Unit((folder or ".",), frozenset(mentions)) for folder in telling)
    together = _Together()
    references = References(mentions)
    for path in mentions:
        folder = innermost(path, telling)
        if folder is not None:
            together.join(path, f"{folder}/")
        for other in references.of(path):
            together.join(path, other)
    found: dict[str, list[str]] = {}
    for folder in sorted(telling):
        found.setdefault(together.name(f"{folder}/"), []).append(folder or ".")
    modules: dict[str, list[str]] = {}
    for path in mentions:
        modules.setdefault(together.name(path), []).append(path)
    return tuple(Unit(tuple(roots), frozenset(modules[name])) for name, roots in found.items())


def may_make_an_application(path: str, said: Mentions, applications: frozenset[str]) -> bool:
    """Whether it is Django's `manage.py`, or imports an application's class or the module that has it.

    `import aiohttp` is a client's: whoever writes `aiohttp.web.Application()` imports `aiohttp.web` somewhere.
    """
    if path.rpartition("/")[2] == "manage.py" and any(module.startswith("django") for module, _, _ in said.imports):
        return True
    packages = {name.partition(".")[0] for name in applications}
    # Of `aiohttp.web.Application`, both `web` and `Application` can be imported from something.
    telling = {part for name in applications for part in name.split(".")[1:]} | {"*"}
    modules = {name.rpartition(".")[0] for name in applications}
    return any(
        level == 0
        and module.partition(".")[0] in packages
        and (not telling.isdisjoint(names) if names else module in modules)
        for module, level, names in said.imports
    )


def imports_an_application(path: str, said: Mentions, applications: frozenset[str]) -> bool:
    """Whether it is Django's `manage.py`, or imports an application's class, or the module that has it."""
    if path.rpartition("/")[2] == "manage.py":
        return may_make_an_application(path, said, applications)
    classes = {(name.partition(".")[0], name.rpartition(".")[2]) for name in applications}
    modules = {name.rpartition(".")[0] for name in applications}
    return any(
        level == 0
        and (
            (module in modules and (not names or "*" in names))
            or any((module.partition(".")[0], name) in classes or f"{module}.{name}" in modules for name in names)
        )
        for module, level, names in said.imports
    )


class _Together:
    """Sets of names that were joined (https://en.wikipedia.org/wiki/Disjoint-set_data_structure)."""

    def __init__(self) -> None:
        self._above: dict[str, str] = {}

    def name(self, item: str) -> str:
        """The same for all that were joined, directly or not."""
        above = self._above.get(item, item)
        while above != item:
            further = self._above.get(above, above)
            self._above[item] = further
            item, above = above, further
        return item

    def join(self, one: str, other: str) -> None:
        self._above[self.name(one)] = self.name(other)


class References:
    """Which modules a module speaks of, as far as its imports and strings tell."""

    def __init__(self, mentions: Mapping[str, Mentions]) -> None:
        self._mentions = mentions
        self._index = ModuleIndex(mentions)
        self._within: dict[str, list[str]] = {}
        for path in mentions:
            self._within.setdefault(path.rpartition("/")[0], []).append(path)

    def of(self, path: str) -> Iterator[str]:
        said = self._mentions[path]
        for module, level, names in said.imports:
            yield from self._relative(module, level, names, path) if level else self._absolute(module, names, path)
        for text in said.strings:
            yield from self._absolute(text.partition(":")[0], (), path)

    def _relative(self, module: str, level: int, names: Iterable[str], importer: str) -> Iterator[str]:
        found = self._index.find_relative(module, level, importer)
        if found is not None:
            yield found
        yield from self._inside(found or self._index.folder_of_relative(module, level, importer), names)

    def _absolute(self, module: str, names: Iterable[str], importer: str) -> Iterator[str]:
        parts = module.split(".")
        outer = (".".join(parts[:end]) for end in range(1, len(parts) + 1))
        for name in (*outer, *(f"{module}.{name}" for name in names)):
            found = self._index.find(name, importer)
            if found is not None:
                yield found
        found = self._index.find(module, importer) or self._index.sibling(module, importer)
        if found is not None:
            yield found
            yield from self._inside(found, names)

    def _inside(self, place: str, names: Iterable[str]) -> Iterator[str]:
        for name in names:
            below = self._index.submodule(place, name)
            if below is not None:
                yield below
            elif name == "*" and place.endswith("/__init__.py"):
                # Its `__all__` may list modules of the package.
                yield from self._within[place.rpartition("/")[0]]
