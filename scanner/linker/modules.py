"""Which file an import means, whatever folder the project puts on its path."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from itertools import takewhile

_NAMESAKES = frozenset(
    """aiohttp alembic boto3 celery django docker elasticsearch fastapi flask gunicorn httpx huey jinja2 jwt kafka
    kubernetes locust markdown openai pydantic pytest redis requests rq sentry_sdk slack sqlalchemy starlette stripe
    uvicorn""".split()
)
"""Libraries that files are named for: `deploy/settings/celery.py` isn't what `import celery` means elsewhere."""


class ModuleIndex:
    """Finds project modules by dotted name.

    A project's import roots are not written down anywhere, so every folder that is not itself a package may be one, and
    the folder of a `manage.py` is one even so: running a script puts its folder on the path. Of several candidates the
    one nearest to the importing file is meant. Where only some of them are `seen`, the others are not to be found.
    """

    def __init__(self, paths: Iterable[str], seen: Iterable[str] | None = None) -> None:
        self._paths = frozenset(paths)
        self._seen = self._paths if seen is None else frozenset(seen)
        self._packages = {_folder(p) for p in self._paths if _file_name(p) == "__init__.py"}
        self._packages -= {_folder(p) for p in self._paths if _file_name(p) == "manage.py"}
        self._by_suffix: dict[str, list[str]] = {}
        self._found: dict[tuple[str, str], str | None] = {}
        self._found_relative: dict[tuple[str, int, str], str | None] = {}
        for path in sorted(self._paths):
            module = _without_suffix(path)
            root, name = "", module
            while name:
                if root not in self._packages:
                    self._by_suffix.setdefault(name, []).append(path)
                folder, _, name = name.partition("/")
                root = _join(root, folder)

    @property
    def paths(self) -> frozenset[str]:
        """All that can be found."""
        return self._seen

    def name_of(self, path: str) -> str:
        """The dotted name under the innermost import root: packages count from where `__init__.py` files begin."""
        module = _without_suffix(path)
        if not module:
            return "__init__"
        root = _folder(module)
        while root and root in self._packages:
            root = _folder(root)
        return (module[len(root) + 1 :] if root else module).replace("/", ".")

    def find(self, dotted_name: str, importer: str) -> str | None:
        """The path of the module that `import dotted_name` in `importer` means; None when it is not in the project."""
        question = (dotted_name, _folder(importer))  # all modules of a folder mean the same by a name
        if question not in self._found:
            self._found[question] = self._if_seen(self._find(dotted_name, _folder(importer)))
        return self._found[question]

    def _find(self, dotted_name: str, here: str) -> str | None:
        name = dotted_name.replace(".", "/")
        candidates = self._by_suffix.get(name) or self._in_packages_of(here, name)
        if dotted_name.split(".", 1)[0] in sys.stdlib_module_names:
            # Only a script's own folder comes before the standard library on the path.
            if here in self._packages:
                return None
            candidates = [c for c in candidates if here in (_folder(c), _folder(_folder(c)))]
        elif dotted_name.split(".", 1)[0] in _NAMESAKES:
            around = set(_upwards(here))
            candidates = [c for c in candidates if _root(c, name) in around]
        return max(candidates, key=lambda c: (_common_folders(c, here), -c.count("/"), c), default=None)

    def _in_packages_of(self, here: str, name: str) -> list[str]:
        """A module in a package around the importing file that is a root too: a server is started inside its folder.

        A single name says too little: `app/redis.py` is not what `import redis` in `app/main.py` means.
        """
        if "/" not in name:
            return []
        packages = [folder for folder in _upwards(here) if folder in self._packages]
        return [path for folder in packages for path in _files_of(_join(folder, name)) if path in self._paths]

    def find_relative(self, module: str, level: int, importer: str) -> str | None:
        """The path that `from ..module import x` in `importer` means, or of the package for an empty module."""
        question = (module, level, _folder(importer))
        if question not in self._found_relative:
            self._found_relative[question] = self._if_seen(self._find_relative(module, level, _folder(importer)))
        return self._found_relative[question]

    def _find_relative(self, module: str, level: int, here: str) -> str | None:
        folder = _above(here, level)
        if not module:
            package = _join(folder, "__init__.py")
            return package if package in self._paths else None
        return self._first(_files_of(_join(folder, module.replace(".", "/"))))

    def folder_of_relative(self, module: str, level: int, importer: str) -> str:
        """The folder that a relative import means where there is no such file; `.` is the root."""
        folder = _above(_folder(importer), level)
        return _join(folder, module.replace(".", "/")) if module else folder or "."

    def sibling(self, name: str, importer: str) -> str | None:
        """`name.py` beside the importing file, itself excepted: what a script in a package's folder means by it."""
        candidate = _join(_folder(importer), f"{name}.py")
        return candidate if candidate in self._seen and candidate != importer else None

    def submodule(self, package: str, name: str) -> str | None:
        """The path of `name` inside the package (or namespace folder) whose file or folder is `package`."""
        if _file_name(package) == "__init__.py":
            package = _folder(package)
        elif package.endswith(".py"):
            return None
        return self._if_seen(self._first(_files_of(_join("" if package == "." else package, name))))

    def _if_seen(self, path: str | None) -> str | None:
        return path if path in self._seen else None

    def _first(self, candidates: Iterable[str]) -> str | None:
        return next((c for c in candidates if c in self._paths), None)


# Paths are relative, with `/`, and the root's is empty: as plain strings they cost a tenth of what `pathlib`'s do, and
# every import asks for some.


def _folder(path: str) -> str:
    return path.rpartition("/")[0]


def _file_name(path: str) -> str:
    return path.rpartition("/")[2]


def _join(folder: str, name: str) -> str:
    return f"{folder}/{name}" if folder else name


def _files_of(module: str) -> tuple[str, str]:
    return f"{module}.py", f"{module}/__init__.py"


def _above(folder: str, level: int) -> str:
    """The folder that so many dots mean."""
    for _ in range(level - 1):
        folder = _folder(folder)
    return folder


def _upwards(folder: str) -> Iterator[str]:
    yield folder
    while folder:
        folder = _folder(folder)
        yield folder


def _without_suffix(path: str) -> str:
    """The module's path as imports spell it, with `/`: a package's is its folder's."""
    return _folder(path) if _file_name(path) == "__init__.py" else path.removesuffix(".py")


def _root(path: str, name: str) -> str:
    """The folder under which the file has that name."""
    return _without_suffix(path).removesuffix(name).rstrip("/")


def _common_folders(path: str, folder: str) -> int:
    pairs = zip(_folder(path).split("/"), folder.split("/"), strict=False)
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
