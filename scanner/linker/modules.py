"""Which file an import means, whatever folder the project puts on its path."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import PurePosixPath


class ModuleIndex:
    """Finds project modules by dotted name.

    A project's import roots are not written down anywhere, so every folder that is not itself a package may be one, and
    the folder of a `manage.py` is one even so: running a script puts its folder on the path. Of several candidates the
    one nearest to the importing file is meant.
    """

    def __init__(self, paths: Iterable[str]) -> None:
        self._paths = {PurePosixPath(p) for p in paths}
        self._packages = {p.parent for p in self._paths if p.name == "__init__.py"}
        self._packages -= {p.parent for p in self._paths if p.name == "manage.py"}
        self._by_suffix: dict[tuple[str, ...], list[PurePosixPath]] = {}
        self._found: dict[tuple[str, str], str | None] = {}
        for path in sorted(self._paths):
            parts = _module_parts(path)
            for start in range(len(parts)):
                root = PurePosixPath(*parts[:start])
                if root not in self._packages or start == len(parts):
                    self._by_suffix.setdefault(parts[start:], []).append(path)

    def name_of(self, path: str) -> str:
        """The dotted name under the innermost import root: packages count from where `__init__.py` files begin."""
        file = PurePosixPath(path)
        parts = _module_parts(file)
        folder = file.parent.parent if file.name == "__init__.py" else file.parent
        start = len(parts) - 1
        while folder in self._packages and start > 0:
            folder = folder.parent
            start -= 1
        return ".".join(parts[start:]) or file.stem

    def find(self, dotted_name: str, importer: str) -> str | None:
        """The path of the module that `import dotted_name` in `importer` means; None when it is not in the project."""
        question = (dotted_name, importer.rpartition("/")[0])  # all modules of a folder mean the same by a name
        if question not in self._found:
            self._found[question] = self._find(dotted_name, PurePosixPath(importer))
        return self._found[question]

    def _find(self, dotted_name: str, here: PurePosixPath) -> str | None:
        parts = tuple(dotted_name.split("."))
        candidates = self._by_suffix.get(parts) or self._in_packages_of(here, parts)
        if not candidates:
            return None
        if dotted_name.split(".", 1)[0] in sys.stdlib_module_names:
            # Only a script's own folder comes before the standard library on the path.
            candidates = [c for c in candidates if c.parent == here.parent or c.parent.parent == here.parent]
            candidates = [c for c in candidates if here.parent not in self._packages]
            if not candidates:
                return None
        return str(max(candidates, key=lambda c: (_common_folders(c, here), -len(c.parts), str(c))))

    def _in_packages_of(self, here: PurePosixPath, parts: tuple[str, ...]) -> list[PurePosixPath]:
        """A module in a package around the importing file that is a root too: a server is started inside its folder.

        A single name says too little: `app/redis.py` is not what `import redis` in `app/main.py` means.
        """
        packages = [folder for folder in here.parents if folder in self._packages] if len(parts) > 1 else []
        found = [folder.joinpath(*parts[:-1], f"{parts[-1]}.py") for folder in packages]
        found += [folder.joinpath(*parts, "__init__.py") for folder in packages]
        return [path for path in found if path in self._paths]

    def find_relative(self, module: str, level: int, importer: str) -> str | None:
        """The path that `from ..module import x` in `importer` means, or of the package for an empty module."""
        folder = PurePosixPath(importer).parent
        for _ in range(level - 1):
            folder = folder.parent
        target = folder.joinpath(*module.split(".")) if module else folder
        for candidate in (target.with_suffix(".py") if module else None, target / "__init__.py"):
            if candidate is not None and candidate in self._paths:
                return str(candidate)
        return None

    def sibling(self, name: str, importer: str) -> str | None:
        """`name.py` beside the importing file, itself excepted: what a script in a package's folder means by it."""
        candidate = PurePosixPath(importer).with_name(f"{name}.py")
        return str(candidate) if candidate in self._paths and str(candidate) != importer else None

    def submodule(self, package: str, name: str) -> str | None:
        """The path of `name` inside the package (or namespace folder) whose file or folder is `package`."""
        folder = PurePosixPath(package)
        if folder.name == "__init__.py":
            folder = folder.parent
        elif folder.suffix == ".py":
            return None
        for candidate in (folder / f"{name}.py", folder / name / "__init__.py"):
            if candidate in self._paths:
                return str(candidate)
        return None


def _module_parts(path: PurePosixPath) -> tuple[str, ...]:
    if path.name == "__init__.py":
        return path.parent.parts
    return (*path.parent.parts, path.stem)


def _common_folders(a: PurePosixPath, b: PurePosixPath) -> int:
    count = 0
    for x, y in zip(a.parent.parts, b.parent.parts, strict=False):
        if x != y:
            break
        count += 1
    return count
