"""Which services a tree holds: deployable code bases, found by their entry points or named by the configuration."""

from __future__ import annotations

import posixpath
import tomllib
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from assay.scanner.linker.project import Project
from assay.scanner.linker.scopes import ClassSymbol, Module, Scope
from assay.scanner.linker.values import External
from assay.scanner.model.place import Location
from assay.scanner.model.role import Role
from assay.scanner.readers.python import form

_ROOT_MARKERS = frozenset(
    {"pyproject.toml", "setup.py", "setup.cfg", "Pipfile", "Procfile", "manage.py", "requirements.txt", "poetry.lock"}
)


@dataclass(frozen=True, slots=True)
class ServiceRoot:
    """Where a service lives: `root` is a folder relative to the scanned root, `.` for that itself."""

    name: str
    root: str
    location: Location


class Ownership:
    """Which service a file belongs to: the one whose folder it lies in, else the one that imports it."""

    def __init__(self, roots: tuple[ServiceRoot, ...], project: Project) -> None:
        self._roots = roots
        # Of configured services with one folder the first is meant.
        self._by_folder = {"" if r.root == "." else r.root: r for r in reversed(roots)}
        self._imported_by = self._importers(project)

    @property
    def first(self) -> ServiceRoot:
        """The first service of the whole tree, for what belongs to all of them."""
        return self._roots[0]

    def of(self, path: str) -> ServiceRoot | None:
        """None for a file that no service uses, as far as can be seen: a tool beside it, another service's."""
        return self.around(path) or self._imported_by.get(path)

    def around(self, path: str) -> ServiceRoot | None:
        """The service whose folder the file lies in."""
        folder = innermost(path, self._by_folder)
        return self._by_folder[folder] if folder is not None else None

    def _importers(self, project: Project) -> dict[str, ServiceRoot]:
        """Files outside every service, each with the first service that imports it, directly or not."""
        found: dict[str, ServiceRoot] = {}
        for root in self._roots:
            todo = [m for m in project.modules.values() if self.around(m.path) is root]
            while todo:
                for imported in project.imports(todo.pop()):
                    if self.around(imported.path) is None and imported.path not in found:
                        found[imported.path] = root
                        todo.append(imported)
        return found


def find_services(
    project: Project,
    applications: frozenset[str],
    paths: Collection[str],
    configured: Mapping[str, str],
    hints: Iterable[str],
    tree_name: str,
    metadata: Mapping[str, bytes],
    neighbours: Collection[str] = (),
) -> tuple[ServiceRoot, ...]:
    """The configured services, or those that application objects and `manage.py` files show, sorted by root.

    Calling one of `applications` makes the process a backend. `hints` are folders that a Dockerfile, a Procfile or a
    compose file builds or starts; `metadata` holds the bytes of `pyproject.toml` files by path, for the name of a
    service at the scanned root. `neighbours` are roots of services elsewhere, which need names of their own too.
    """
    entries = _entry_points(project, applications)
    if configured:
        return tuple(ServiceRoot(name, root, _location(entries, root)) for name, root in sorted(configured.items()))
    marked = project_folders(paths, hints)
    roots = sorted({_root_of(entry.path, marked) for entry in entries})
    names = {root: _name(root, tree_name, metadata) for root in (*roots, *neighbours)}
    count = Counter(names.values())
    return tuple(
        # Two folders of one name are told apart by their paths.
        ServiceRoot(
            names[root] if count[names[root]] == 1 else root,
            root,
            _location([e for e in entries if _root_of(e.path, marked) == root], root),
        )
        for root in roots
    )


def innermost(path: str, folders: Collection[str]) -> str | None:
    """The innermost of the folders that the path lies in, or None; the scanned root is empty, and around everything."""
    folder = path.rpartition("/")[0]
    while folder and folder not in folders:
        folder = folder.rpartition("/")[0]
    return folder if folder in folders else None


def project_folders(paths: Collection[str], hints: Iterable[str]) -> set[str]:
    """The folders that something marks as a project of its own; the scanned root is always one, and is not listed."""
    return _marked_folders(paths) | {h for h in hints if h != "."}


def _entry_points(project: Project, applications: frozenset[str]) -> list[Location]:
    """Where application objects are made in production code, and Django's `manage.py` files."""
    own = [c for c in project.classes if not applications.isdisjoint(project.base_names(c))]
    names = sorted({name.rsplit(".", 1)[-1] for name in applications} | {c.name for c in own})
    found = [
        scope.module.location(call)
        for call, scope in project.calls_named(*names)
        if scope.module.role is Role.PROD and _makes_application(call, scope, project, {*applications, *own})
    ]
    scripts = (m for m in project.modules.values() if posixpath.basename(m.path) == "manage.py")
    return found + [Location.whole_file(m.path) for m in scripts if _imports_django(m)]


def _makes_application(call: form.Call, scope: Scope, project: Project, known: set[str | ClassSymbol]) -> bool:
    callee = project.infer(call.func, scope)
    if isinstance(callee, External):
        return callee.name in known
    return isinstance(callee, ClassSymbol) and callee in known


def _imports_django(module: Module) -> bool:
    scopes = [module.scope, *(f.scope for f in module.functions)]
    return any(b.module.startswith("django") for s in scopes for bs in s.bindings.values() for b in bs)


def _marked_folders(paths: Collection[str]) -> set[str]:
    folders, packages, with_setup = set(), set(), set()
    for path in paths:
        folder, _, name = path.rpartition("/")
        if name == "__init__.py":
            packages.add(folder)
        elif name == "setup.py":
            with_setup.add(folder)
        elif name in _ROOT_MARKERS or name.startswith("Dockerfile"):
            folders.add(folder)
    return folders | (with_setup - packages)  # a package's module of that name sets up something else


def _root_of(path: str, marked: Collection[str]) -> str:
    """The nearest folder above an entry point that something marks as a project, else the scanned root."""
    return innermost(path, marked) or "."


def _name(root: str, tree_name: str, metadata: Mapping[str, bytes]) -> str:
    if root != ".":
        return posixpath.basename(root)
    try:
        project = tomllib.loads(metadata.get("pyproject.toml", b"").decode()).get("project", {})
    except (UnicodeDecodeError, tomllib.TOMLDecodeError):
        project = {}
    name = project.get("name") if isinstance(project, dict) else None
    return name if isinstance(name, str) else tree_name


def _location(entries: list[Location], root: str) -> Location:
    """The entry point nearest to the root, an application object rather than `manage.py`."""
    inside = [e for e in entries if root == "." or e.path.startswith(root + "/")]
    if not inside:
        return Location.whole_file(root)
    return min(inside, key=lambda e: (e.path.endswith("manage.py"), e.path.count("/"), e))
