"""What pytest and unittest collect: test functions, and the fixtures and methods that run around them."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from assay.scanner.linker.project import Project, last_name
from assay.scanner.linker.scopes import ClassSymbol, FunctionSymbol, Module, Scope
from assay.scanner.model.role import Role
from assay.scanner.readers.python import form

_MODULES = re.compile(r"test.*\.py|.*_tests?\.py")
_CLASSES = re.compile(r"Test.*|.*Tests?|.*TestCases?|.*TestMixin|.*TestBase")
_FIXTURES = frozenset({"fixture", "yield_fixture", "async_fixture"})
_UNITTEST = frozenset({"unittest.TestCase", "unittest.IsolatedAsyncioTestCase", "unittest.case.TestCase"})
_UNITTEST_NAME = re.compile(r".*\.(\w*TestCase|AsyncTestCase)")
_LIBRARIES = frozenset({"unittest", "pytest", "django", "rest_framework"})
_SUPPORT = frozenset({"unittest", "pytest", "django.test", "rest_framework.test"})
SET_UP = (
    "setUp", "setUpClass", "setUpTestData", "asyncSetUp", "setup_method", "setup_class", "get_app", "setup", "set_up",
)  # fmt: skip
"""Methods that run before each test of a class, or once before all of them."""


@dataclass(frozen=True, slots=True, eq=False)
class Collected:
    """A test, by its function, and the classes whose runs of it count: none for a function of a module."""

    function: FunctionSymbol
    classes: tuple[ClassSymbol, ...]

    @property
    def name(self) -> str:
        return self.function.qualname


class Suite:
    """The tests of a project."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self.modules = [m for m in project.modules.values() if m.role is Role.TEST or _supports_tests(m)]
        self.module_set = frozenset(self.modules)

    @cached_property
    def tests(self) -> tuple[Collected, ...]:
        """In order of path and position."""
        return tuple(found for module in self.modules for found in self._of_module(module))

    def _of_module(self, module: Module) -> Iterator[Collected]:
        is_collected = _MODULES.fullmatch(posixpath.basename(module.path)) is not None
        for function in module.functions:
            if not function.name.startswith("test") or is_fixture(function):
                continue
            owner = function.owner
            if owner is not None:
                classes = tuple(self._running(owner, function))
                if classes and _is_plain(owner):
                    yield Collected(function, classes)
            elif is_collected and function.outer is module.scope and not _is_helper(function):
                yield Collected(function, ())

    def _running(self, owner: ClassSymbol, function: FunctionSymbol) -> Iterator[ClassSymbol]:
        """The classes that the runners collect and that have the method from there."""
        below = self._subclasses.get(owner, ())
        for cls in (owner, *below):
            if cls.outer.cls is not None and below and cls is owner:
                continue  # kept inside another class so that it isn't collected by itself
            if self._is_test_class(cls) and (cls is owner or self.project.method(cls, function.name) is function):
                yield cls

    @cached_property
    def _subclasses(self) -> dict[ClassSymbol, list[ClassSymbol]]:
        """Of the tests' classes alone: going through the whole project's would take long."""
        found: dict[ClassSymbol, list[ClassSymbol]] = {}
        for module in self.modules:
            for cls in module.classes:
                for base in self.project.mro(cls)[1:]:
                    if isinstance(base, ClassSymbol):
                        found.setdefault(base, []).append(cls)
        return found

    def _is_test_class(self, cls: ClassSymbol) -> bool:
        return _CLASSES.fullmatch(cls.name) is not None or self.is_unittest(cls)

    def is_unittest(self, cls: ClassSymbol) -> bool:
        return any(n in _UNITTEST or _UNITTEST_NAME.fullmatch(n) for n in self.project.base_names(cls))

    # --- fixtures ---

    @cached_property
    def fixtures(self) -> dict[str, list[FunctionSymbol]]:
        """pytest's fixtures, by the name that tests ask for them under."""
        found: dict[str, list[FunctionSymbol]] = {}
        for module in self.modules:
            for function in module.functions:
                if is_fixture(function):
                    found.setdefault(_fixture_name(function), []).append(function)
        return found

    def fixture(self, name: str, asking: FunctionSymbol) -> FunctionSymbol | None:
        """The fixture that the function gets by that name: of its module, else of the nearest conftest."""
        known = [f for f in self.fixtures.get(name, ()) if f is not asking]
        if len(known) < 2:
            return known[0] if known else None
        path = asking.module.path
        own = [f for f in known if f.module.path == path]
        return own[-1] if own else max(known, key=lambda f: _shared_folder(f.module.path, path))

    def automatic_fixtures(self, function: FunctionSymbol) -> Iterator[FunctionSymbol]:
        """Fixtures with `autouse` in reach of the function."""
        for fixture in self._automatic:
            folder = posixpath.dirname(fixture.module.path)
            is_shared = posixpath.basename(fixture.module.path) == "conftest.py"
            near = function.module.path.startswith(f"{folder}/" if folder else "")
            if fixture.module is function.module or (is_shared and near):
                yield fixture

    @cached_property
    def _automatic(self) -> list[FunctionSymbol]:
        fixtures = (f for found in self.fixtures.values() for f in found)
        return [f for f in fixtures if any(_keyword(d, "autouse") for d in f.decorators)]


def _supports_tests(module: Module) -> bool:
    """Whether a module of the service's own holds what tests derive from: it imports a test library."""
    return not module.imported_packages.isdisjoint(_LIBRARIES) and any(b.module in _SUPPORT for b in module.imports)


def is_fixture(function: FunctionSymbol) -> bool:
    """Whether a decorator makes it one of pytest's fixtures."""
    return any(last_name(d.func if isinstance(d, form.Call) else d) in _FIXTURES for d in function.decorators)


def _fixture_name(function: FunctionSymbol) -> str:
    for decorator in function.decorators:
        given = decorator.keyword("name") if isinstance(decorator, form.Call) else None
        if isinstance(given, form.Const) and isinstance(given.value, str):
            return given.value
    return function.name


def _keyword(decorator: form.Expr, name: str) -> bool:
    given = decorator.keyword(name) if isinstance(decorator, form.Call) else None
    return isinstance(given, form.Const) and given.value is True


def _is_plain(owner: ClassSymbol) -> bool:
    """Not a class inside a function: it is made by what runs there."""
    scope: Scope | None = owner.outer
    while scope is not None:
        if scope.function is not None:
            return False
        scope = scope.parent
    return True


def _is_helper(function: FunctionSymbol) -> bool:
    """A context manager or property that is only called like a test."""
    return any((form.dotted(d) or "").endswith(("contextmanager", "property")) for d in function.decorators)


def _shared_folder(one: str, other: str) -> int:
    """How many folders two paths have in common, where the first one's folder is around the other; else -1."""
    folder = posixpath.dirname(one)
    return len(folder) if not folder or other.startswith(f"{folder}/") else -1
