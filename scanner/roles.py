"""What each file is for, told from its path and the files around it: production, development, test, example or tool.

Only what is certain leaves production: `tools/` beside a `pyproject.toml` is tooling, `app/tools/` inside an importable
package may be a feature of the product. Paths are relative to the scanned root, so the root's own name never counts.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto

from pathspec.patterns.gitignore.spec import GitIgnoreSpecPattern

from assay.scanner.filekinds import FileKind
from assay.scanner.model.role import Role


@dataclass(frozen=True, slots=True)
class RoleDecision:
    """A role, and the reason for it in a few words."""

    role: Role
    reason: str


class Where(Enum):
    """Where a folder's name is enough."""

    ANYWHERE = auto()
    OUTSIDE_PACKAGES = auto()
    """Not below an importable package or another folder of modules: there, a name may be a feature of the product."""
    NO_PACKAGE = auto()
    """As above, and not importable itself: flat layouts keep product packages beside `main.py`."""


CODE_KINDS = frozenset(FileKind) - {
    FileKind.CI_WORKFLOW,
    FileKind.DOCUMENT,
    FileKind.HOSTED,
    FileKind.CODEOWNERS,
    FileKind.LANDMARK,
}
"""CI workflows and documents are what they are, wherever they lie."""
NOT_SHELL = CODE_KINDS - {FileKind.SHELL}
"""Images start through shell scripts that lie in `bin/` and `scripts/`."""
DEPLOYMENT_KINDS = frozenset(
    {FileKind.COMPOSE, FileKind.KUBERNETES, FileKind.DOCKERFILE, FileKind.ENV_FILE, FileKind.YAML_OTHER}
    | {FileKind.PLATFORM}
)


@dataclass(frozen=True, slots=True)
class FolderRow:
    """A folder whose whole content has a role. `name` is a regular expression over the lower-case folder name."""

    name: str
    role: Role
    where: Where
    reason: str
    kinds: frozenset[FileKind] = CODE_KINDS


FOLDERS: Sequence[FolderRow] = (
    FolderRow(
        r"load[-_]?(test|testing|tests|generator|gen)|locust|k6",
        Role.TOOL,
        Where.ANYWHERE,
        "a load generator drives the service and is no part of it",
    ),
    FolderRow(
        r"tests|unittests|__tests__", Role.TEST, Where.ANYWHERE, "pytest, unittest and Django all keep tests there"
    ),
    FolderRow(
        r".+[-_]tests|e2e",
        Role.TEST,
        Where.OUTSIDE_PACKAGES,
        "a suite of one sort; inside a package it may be data about tests",
    ),
    FolderRow(
        r"test", Role.TEST, Where.OUTSIDE_PACKAGES, "a suite; inside a package `test` may be a noun of the domain"
    ),
    FolderRow(
        r"testing",
        Role.TEST,
        Where.ANYWHERE,
        "a package of this name is support for tests (django.test, numpy.testing), wherever it lies",
    ),
    FolderRow(
        r"test[-_](utils|support|helpers|data|fixtures|app|project)|testdata|cypress|playwright",
        Role.TEST,
        Where.OUTSIDE_PACKAGES,
        "support for tests",
    ),
    FolderRow(r"\.devcontainer|\.vscode|\.idea|\.idx|\.gitpod", Role.DEV, Where.ANYWHERE, "an editor's set-up"),
    FolderRow(
        r"\..+",
        Role.TOOL,
        Where.ANYWHERE,
        "a hidden folder holds what a tool looks for: Python can't import from it by name",
        frozenset({FileKind.PYTHON}),
    ),
    FolderRow(
        r"dev|development|local|localdev|minikube|k3d|kind",
        Role.DEV,
        Where.ANYWHERE,
        "an overlay for a developer's machine",
        DEPLOYMENT_KINDS,
    ),
    FolderRow(
        r"examples?|samples?|docs[-_]src|tutorials?|cookbook|snippets",
        Role.EXAMPLE,
        Where.NO_PACKAGE,
        "code to be read; a package of this name may be what the product is about (medical samples)",
    ),
    FolderRow(
        r"docs?|documentation",
        Role.EXAMPLE,
        Where.NO_PACKAGE,
        "the documentation's set-up and snippets; a package `docs` may talk to a documents service. The description "
        "of the API often lies there, and is the product's",
        CODE_KINDS - {FileKind.OPENAPI},
    ),
    FolderRow(
        r"scripts?|hack|ci|\.ci|\.github|\.circleci|devtools|dev[-_]tools|release",
        Role.TOOL,
        Where.OUTSIDE_PACKAGES,
        "run by developers and CI; inside a package, scripts may be a feature",
        NOT_SHELL,
    ),
    FolderRow(
        r"tools?|bin",
        Role.TOOL,
        Where.NO_PACKAGE,
        "run by developers; a package of this name may be what the product offers (an agent's tools)",
        NOT_SHELL,
    ),
    FolderRow(
        r"benchmarks?|bench|perf", Role.TOOL, Where.OUTSIDE_PACKAGES, "measures the service and is no part of it"
    ),
    FolderRow(r"stubs|typings", Role.TOOL, Where.NO_PACKAGE, "type stubs describe other code"),
    FolderRow(r"notebooks?", Role.TOOL, Where.NO_PACKAGE, "explorations"),
)


@dataclass(frozen=True, slots=True)
class FileRow:
    """A file whose own name gives it a role. `name` is a regular expression over the lower-case file name, `folder`
    one over the path of its folder (with `/` at the end).
    """

    name: str
    role: Role
    where: Where
    reason: str
    kinds: frozenset[FileKind] = frozenset({FileKind.PYTHON})
    folder: str = ".*"


_NOT_COMMANDS = r"(?!(.*/)?management/commands/).*"

FILES: Sequence[FileRow] = (
    FileRow(
        r"tests?(_.*)?\.py|.*_tests?\.py",
        Role.TEST,
        Where.ANYWHERE,
        "unittest and pytest collect it by this name; a Django command of this name is run by hand",
        folder=_NOT_COMMANDS,
    ),
    FileRow(r"conftest\.py", Role.TEST, Where.ANYWHERE, "pytest's fixtures"),
    FileRow(
        r"testing\.py",
        Role.TEST,
        Where.ANYWHERE,
        "settings for test runs",
        folder=r"(.*/)?settings/",
    ),
    FileRow(r".*\.py", Role.TEST, Where.ANYWHERE, "behave's steps", folder=r"(.*/)?features/steps/"),
    FileRow(r"environment\.py", Role.TEST, Where.ANYWHERE, "behave's hooks", folder=r"(.*/)?features/"),
    FileRow(r"locust(file|_.*)?\.py|.*_locust\.py", Role.TOOL, Where.ANYWHERE, "a load generator"),
    FileRow(r".*_pb2(_grpc)?\.py", Role.TOOL, Where.ANYWHERE, "generated by protoc"),
    FileRow(r"versioneer\.py|ez_setup\.py|get-pip\.py", Role.TOOL, Where.OUTSIDE_PACKAGES, "vendored build tooling"),
    FileRow(
        r"setup\.py|noxfile\.py|fabfile\.py|dodo\.py|pavement\.py",
        Role.TOOL,
        Where.OUTSIDE_PACKAGES,
        "builds the project; a module of this name inside a package sets up something else. `tasks.py` is not here: "
        "beside `app.py` it holds Celery's tasks as often as Invoke's",
    ),
    FileRow(
        r"(local|dev|development|settings[-_](local|dev|development)|(local|dev|development)[-_]settings)\.py",
        Role.DEV,
        Where.ANYWHERE,
        "settings for a developer's machine",
        folder=r"(.*/)?settings/",
    ),
    FileRow(
        r"settings[-_](local|dev|development)\.py|(local|dev|development)[-_]settings\.py",
        Role.DEV,
        Where.ANYWHERE,
        "settings for a developer's machine",
    ),
    FileRow(r"settings[-_]tests?\.py|tests?[-_]settings\.py", Role.TEST, Where.ANYWHERE, "settings for test runs"),
    FileRow(
        r"(docker-)?compose.*[._-](override|dev|devel|development|local|debug)([._-].*)?\.ya?ml",
        Role.DEV,
        Where.ANYWHERE,
        "compose merges the override by itself on a developer's machine; the others say what they are for",
        frozenset({FileKind.COMPOSE}),
    ),
    FileRow(
        r"(docker-)?compose.*[._-](tests?|ci|e2e)([._-].*)?\.ya?ml",
        Role.TEST,
        Where.ANYWHERE,
        "the set-up of a test run",
        frozenset({FileKind.COMPOSE}),
    ),
    FileRow(
        r"dockerfile[._-](dev|devel|development|local|debug)|(dev|development|local)\.dockerfile",
        Role.DEV,
        Where.ANYWHERE,
        "an image for a developer's machine",
        frozenset({FileKind.DOCKERFILE}),
    ),
    FileRow(
        r"dockerfile[._-](tests?|ci|e2e|cypress|playwright)|(tests?|ci)\.dockerfile",
        Role.TEST,
        Where.ANYWHERE,
        "the image of a test run",
        frozenset({FileKind.DOCKERFILE}),
    ),
    FileRow(
        r".*(example|sample|template|dist)",
        Role.EXAMPLE,
        Where.ANYWHERE,
        "to be copied and filled in",
        frozenset({FileKind.ENV_FILE}),
    ),
    FileRow(
        r"\.env[._-](dev|development|local).*|(dev|development|local)\.env|\.flaskenv",
        Role.DEV,
        Where.ANYWHERE,
        "the environment of a developer's machine",
        frozenset({FileKind.ENV_FILE}),
    ),
    FileRow(
        r".*",
        Role.DEV,
        Where.ANYWHERE,
        "the environment of a developer's machine",
        frozenset({FileKind.ENV_FILE}),
        folder=r"(.*/)?\.?envs/\.?(dev|development|local)/",
    ),
    FileRow(
        r"\.env[._-](tests?|ci|testing).*|(tests?|ci)\.env",
        Role.TEST,
        Where.ANYWHERE,
        "the environment of a test run",
        frozenset({FileKind.ENV_FILE}),
    ),
    FileRow(
        r"(requirements|constraints)[-_.](.*[-_.])?(dev|development|docs?|lint|local)\..*|"
        r"(dev|development|docs?|lint|local)[-_.]requirements\..*",
        Role.DEV,
        Where.ANYWHERE,
        "packages that are not installed in production",
        frozenset({FileKind.PACKAGE_METADATA}),
    ),
    FileRow(
        r"(dev|development|docs?|lint|local)\.(txt|in)",
        Role.DEV,
        Where.ANYWHERE,
        "packages that are not installed in production",
        frozenset({FileKind.PACKAGE_METADATA}),
        folder=r"(.*/)?requirements/",
    ),
    FileRow(
        r"(requirements|constraints)[-_.](.*[-_.])?(tests?|testing|ci)\..*|(tests?|testing|ci)[-_.]requirements\..*",
        Role.TEST,
        Where.ANYWHERE,
        "packages that test runs need",
        frozenset({FileKind.PACKAGE_METADATA}),
    ),
    FileRow(
        r"(tests?|testing|ci)\.(txt|in)",
        Role.TEST,
        Where.ANYWHERE,
        "packages that test runs need",
        frozenset({FileKind.PACKAGE_METADATA}),
        folder=r"(.*/)?requirements/",
    ),
)

PRODUCTION = RoleDecision(Role.PROD, "nothing about its path says otherwise")

_PROJECT_MARKERS = frozenset(
    {"pyproject.toml", "setup.cfg", "manage.py", "Dockerfile", "Procfile", "Pipfile", "requirements.txt"}
)
"""A folder with one of these is a project's root; the modules in it don't make it a package."""

_BUILD_FILES = frozenset({"setup.py", "noxfile.py", "fabfile.py", "dodo.py", "pavement.py", "conftest.py"})


@dataclass(frozen=True, slots=True)
class RoleOverride:
    """A role that the configuration gives to paths; gitignore's glob syntax, relative to the scanned root."""

    glob: str
    role: Role


@dataclass(slots=True)
class Roles:
    """Decides roles for the files of one tree."""

    packages: frozenset[str]
    """Folders with an `__init__.py`; the root is the empty string."""
    module_folders: frozenset[str]
    """Folders that hold modules and are no project's root."""
    project_roots: frozenset[str]
    overrides: tuple[RoleOverride, ...] = ()
    _folders: dict[tuple[str, FileKind], RoleDecision | None] = field(default_factory=dict)
    _products: dict[str, bool] = field(default_factory=dict)

    @classmethod
    def of_tree(cls, paths: Iterable[str], overrides: tuple[RoleOverride, ...] = ()) -> Roles:
        """`paths` are all files of the tree, relative to its root."""
        packages, modules, roots = set(), set(), {""}
        for path in paths:
            folder, _, name = path.rpartition("/")
            if name == "__init__.py":
                packages.add(folder)
            if name in _PROJECT_MARKERS:
                roots.add(folder)
            elif name.endswith(".py") and name not in _BUILD_FILES:
                modules.add(folder)
        return cls(frozenset(packages), frozenset(modules - roots), frozenset(roots), overrides)

    def decide(self, path: str, kind: FileKind) -> RoleDecision:
        """The configuration's word first, then that of the outermost folder that has one, then the file name's."""
        for override, regex in _compiled_overrides(self.overrides):
            if regex.match(path):
                return RoleDecision(override.role, f"[files] roles gives it to {override.glob}")
        folder, _, name = path.rpartition("/")
        return self._of_folder(folder, kind) or self._of_name(folder, name.lower(), kind) or PRODUCTION

    def _of_folder(self, folder: str, kind: FileKind) -> RoleDecision | None:
        if not folder:
            return None
        key = (folder, kind)
        if key not in self._folders:
            parent, _, name = folder.rpartition("/")
            above = self._of_folder(parent, kind)
            self._folders[key] = above or self._of_folder_name(parent, name.lower(), folder, kind)
        return self._folders[key]

    def _of_folder_name(self, parent: str, name: str, folder: str, kind: FileKind) -> RoleDecision | None:
        for row, regex in _FOLDER_ROWS:
            if kind in row.kinds and regex.fullmatch(name) and self._is_at(row.where, parent, folder):
                return RoleDecision(row.role, row.reason)
        return None

    def _of_name(self, folder: str, name: str, kind: FileKind) -> RoleDecision | None:
        for row, regex, folder_regex in _FILE_ROWS[kind]:
            if (
                regex.fullmatch(name)
                and folder_regex.fullmatch(folder + "/" if folder else "")
                and self._is_at(row.where, folder, None)
            ):
                return RoleDecision(row.role, row.reason)
        return None

    def _is_at(self, where: Where, parent: str, folder: str | None) -> bool:
        if where is Where.ANYWHERE:
            return True
        if self._is_product(parent):
            return False
        return where is Where.OUTSIDE_PACKAGES or folder not in self.packages

    def _is_product(self, folder: str) -> bool:
        """Whether what lies in the folder may be importable as a part of the product."""
        if folder not in self._products:
            self._products[folder] = self._looks_like_product(folder)
        return self._products[folder]

    def _looks_like_product(self, folder: str) -> bool:
        if folder in self.packages or folder in self.module_folders:
            return True
        return folder not in self.project_roots and self._is_product(folder.rpartition("/")[0])


_FOLDER_ROWS = tuple((row, re.compile(row.name)) for row in FOLDERS)
_FILE_ROWS = {
    kind: tuple((row, re.compile(row.name), re.compile(row.folder)) for row in FILES if kind in row.kinds)
    for kind in FileKind
}


def _compiled_overrides(overrides: tuple[RoleOverride, ...]) -> list[tuple[RoleOverride, re.Pattern[str]]]:
    compiled = []
    for override in overrides:
        regex = GitIgnoreSpecPattern(override.glob).regex
        if regex is not None:
            compiled.append((override, regex))
    return compiled


_NUMBERED_OR_REVISION = re.compile(r"\d{4}_\w+\.py|(\d{4}[-_]?\d{2}[-_]?\d{2}.*_)?[0-9a-f]{8,}(_\w*)?\.py|\d+_\w+\.py")
_OFFLINE_NAMES = frozenset({"cli.py", "manage.py", "__main__.py"})
_OFFLINE_FOLDERS = frozenset({"cli", "scripts", "script", "bin"})


def is_migration(path: str) -> bool:
    """A step of a schema's history, or the environment that runs the steps (Django, Alembic, Aerich, Yoyo).

    A module `migrations/service.py` is not: the name alone may be a feature of the product.
    """
    *folders, name = path.split("/")
    if not name.endswith(".py"):
        return False
    if folders and folders[-1] == "versions" and _NUMBERED_OR_REVISION.fullmatch(name):
        return True
    if not {"migrations", "alembic"}.intersection(folders):
        return False
    return "versions" in folders or name in ("env.py", "__init__.py") or bool(_NUMBERED_OR_REVISION.fullmatch(name))


def is_offline(path: str) -> bool:
    """Run by a person, a deployment or a scheduler, not by a request: command lines, management commands, scripts and
    migrations. Where the call graph shows that a request reaches it, that counts for more.
    """
    *folders, name = path.split("/")
    if is_migration(path) or name in _OFFLINE_NAMES or _OFFLINE_FOLDERS.intersection(folders):
        return True
    return "/management/commands/" in f"/{path}"
