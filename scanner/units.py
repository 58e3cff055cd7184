"""The parts of a tree that can be linked one by one: each project folder with all that its code speaks of.

A service is linked with the modules that it imports, and with nothing else. So a change makes those services be linked
again that can see it, services are linked side by side, and memory goes with the largest of them, not with the tree.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from assay.scanner.linker.modules import ModuleIndex
from assay.scanner.readers.python.form import Mentions

__all__ = ["Unit", "units_of"]

_ALWAYS_SEEN = ("__init__.py", "manage.py")
"""What tells the import root of the modules beside it."""


@dataclass(frozen=True, slots=True)
class Unit:
    """A folder that may hold a service (`.` is the scanned root), the Python files that are its own, and `modules`:
    those and what they import, directly or not.
    """

    root: str
    own: tuple[str, ...]
    modules: frozenset[str] = field(hash=False)


def units_of(
    mentions: Mapping[str, Mentions],
    projects: Collection[str],
    applications: frozenset[str],
    without: Collection[str] = (),
) -> tuple[Unit, ...]:
    """The units, by root; a single one sees everything.

    `projects` are folders that something marks as a project; `applications` are dotted names whose call makes a process
    a backend. `without` are roots of units that hold no service after all. A folder whose code names no application is
    part of the project around it.
    """
    owners = {path: _nearest(path, projects) for path in mentions}
    telling = {owners[path] for path, said in mentions.items() if _may_make_an_application(path, said, applications)}
    roots = telling - {"" if root == "." else root for root in without}
    own: dict[str, list[str]] = {root: [] for root in sorted(roots)}
    for path in sorted(mentions):
        root = _nearest(path, roots)
        if root in own:
            own[root].append(path)
    if len(own) < 2:
        return tuple(Unit(root or ".", tuple(paths), frozenset(mentions)) for root, paths in own.items())
    sight = _Sight(mentions)
    return tuple(Unit(root or ".", tuple(paths), sight.from_(paths)) for root, paths in own.items())


def _nearest(path: str, folders: Collection[str]) -> str:
    """The innermost of the folders that the path lies in; the scanned root is empty, and around everything."""
    folder = path.rpartition("/")[0]
    while folder and folder not in folders:
        folder = folder.rpartition("/")[0]
    return folder


def _may_make_an_application(path: str, said: Mentions, applications: frozenset[str]) -> bool:
    """Whether it is Django's `manage.py`, or imports an application's class or a package that has one."""
    if path.rpartition("/")[2] == "manage.py" and any(module.startswith("django") for module, _, _ in said.imports):
        return True
    packages = {name.partition(".")[0] for name in applications}
    # Of `aiohttp.web.Application`, both `web` and `Application` can be imported from something.
    telling = {part for name in applications for part in name.split(".")[1:]} | {"*"}
    return any(
        level == 0 and module.partition(".")[0] in packages and (not names or not telling.isdisjoint(names))
        for module, level, names in said.imports
    )


class _Sight:
    """Which modules a module may speak of."""

    def __init__(self, mentions: Mapping[str, Mentions]) -> None:
        self._mentions = mentions
        self._index = ModuleIndex(mentions)
        self._below: dict[str, list[str]] = {}
        for path in mentions:
            folder = path.rpartition("/")[0]
            self._below.setdefault(folder, []).append(path)
        self._named: dict[str, frozenset[str]] = {}

    def from_(self, paths: Iterable[str]) -> frozenset[str]:
        """The paths and all that can be reached from them."""
        found = set(paths)
        todo = list(found)
        while todo:
            for path in self._spoken_of(todo.pop()) - found:
                found.add(path)
                todo.append(path)
        return frozenset(found)

    def _spoken_of(self, path: str) -> frozenset[str]:
        if path not in self._named:
            said = self._mentions[path]
            found = set(self._beside(path))
            for module, level, names in said.imports:
                found |= self._imported(module, level, names, path)
            for text in said.strings:
                found |= self._imported(text.partition(":")[0], 0, (), path)
            self._named[path] = frozenset(found)
        return self._named[path]

    def _imported(self, module: str, level: int, names: Iterable[str], importer: str) -> set[str]:
        if level:
            found = self._index.find_relative(module, level, importer)
            place = found or self._index.folder_of_relative(module, level, importer)
        else:
            found = self._index.find(module, importer)
            place = found or ""
        paths = {found} if found else set()
        if place:
            paths |= {below for name in names if (below := self._index.submodule(place, name))}
        if not level:
            # `a.b` of `import a.b.c`, and of the name of a class in it.
            parts = module.split(".")
            outer = (".".join(parts[:end]) for end in range(1, len(parts)))
            paths |= {path for name in outer if (path := self._index.find(name, importer))}
        return paths

    def _beside(self, path: str) -> Iterable[str]:
        """The packages it lies in."""
        folder = path.rpartition("/")[0]
        while True:
            for name in _ALWAYS_SEEN:
                candidate = f"{folder}/{name}" if folder else name
                if candidate in self._mentions:
                    yield candidate
            if not folder:
                return
            folder = folder.rpartition("/")[0]
