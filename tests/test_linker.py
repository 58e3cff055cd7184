"""Linking: names, classes and values mean in the linked project what they mean to Python."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assay.scanner.linker.project import Project
from assay.scanner.linker.scopes import ClassSymbol, FunctionSymbol, Module
from assay.scanner.linker.values import BoundMethod, External, Instance, Literal, Namespace, Value
from assay.scanner.readers.python import form
from tests.projects import project_of

# --- against Python's own import --------------------------------------------------------------------------------------

MODULES = {
    "pkg/__init__.py": "pkg",
    "pkg/a.py": "pkg.a",
    "pkg/b.py": "pkg.b",
    "pkg/sub/__init__.py": "pkg.sub",
    "pkg/sub/c.py": "pkg.sub.c",
}
NAMES = ("f", "g", "K", "_h")

WHAT_PYTHON_SEES = """
import importlib, json, sys, types, typing
typing.TYPE_CHECKING = True  # what a type checker sees is what the linker has to see
seen = {}
for name in sys.argv[1:]:
    try:
        importlib.import_module(name)
    except (ImportError, AttributeError, NameError):
        continue
for name in sys.argv[1:]:
    if name in sys.modules:
        for key, value in vars(sys.modules[name]).items():
            if isinstance(value, types.ModuleType) and value.__name__.startswith("pkg"):
                seen[name + " " + key] = value.__name__
            elif isinstance(value, (types.FunctionType, type)) and value.__module__.startswith("pkg"):
                seen[name + " " + key] = value.__module__ + ":" + value.__qualname__
print(json.dumps(seen))
"""


@st.composite
def packages(draw: st.DrawFn) -> dict[str, str]:
    """Modules that define, import, re-export, alias and hide a few names of one another, in every way of writing it.

    Names are bound again and again only where imports don't run in circles: what a circle makes of such a name depends
    on who is imported first.
    """
    in_circles = draw(st.booleans())
    order = draw(st.permutations(list(MODULES)))
    files: dict[str, str] = {}
    for place, path in enumerate(order):
        others = [MODULES[other] for other in (order if in_circles else order[:place]) if other != path]
        rebinds = not in_circles and draw(st.booleans())
        bound: set[str] = set()
        text = ""
        for _ in range(draw(st.integers(0, 6))):
            names, statement = draw(_statement(path, others, in_circles))
            if rebinds or (bound.isdisjoint(names) and "*" not in names):
                text += statement
                bound |= names
        free = [name for name in NAMES if name not in text]
        files[path] = text + draw(_exports(free, [MODULES[made] for made, has in files.items() if "__all__ =" in has]))
    return {path: files[path] for path in MODULES}


@st.composite
def _statement(draw: st.DrawFn, path: str, others: list[str], in_circles: bool) -> tuple[set[str], str]:
    """The names it binds, and the statement."""
    name, alias = draw(st.sampled_from(NAMES)), draw(st.sampled_from(NAMES))
    choices = [
        ({name}, f"def {name}(): pass\n"),
        ({name}, f"class {name}:\n    class Inner: pass\n"),
        ({alias}, f"{alias} = {name}\n"),
    ]
    if others:
        other = draw(st.sampled_from(others))
        relative = _relative(path, other)
        package, _, last = other.rpartition(".")
        choices += [
            ({name}, f"from {other} import {name}\n"),
            ({alias}, f"from {other} import {name} as {alias}\n"),
            ({alias}, f"from {relative} import {name} as {alias}\n"),
            ({"*"}, f"from {relative} import *\n"),
            ({"*"}, f"from {other} import *\n"),
            ({"pkg"}, f"import {other}\n"),
            ({alias}, f"import {other} as {alias}\n"),
            ({alias, "m"}, f"import {other} as m\n{alias} = m.{name}\n"),
            ({alias}, f"if True:\n    from {other} import {name} as {alias}\n"),
            ({alias}, f"import typing\nif typing.TYPE_CHECKING:\n    from {other} import {name} as {alias}\n"),
        ]
        if not in_circles:  # there, which of the two it is depends on who is imported first
            choices.append(
                (
                    {alias},
                    f"try:\n    from {other} import {name} as {alias}\nexcept ImportError:\n    def {alias}(): pass\n",
                )
            )
        if package:
            choices += [
                ({last}, f"from {package} import {last}\n"),
                ({last, alias}, f"from {package} import {last}\n{alias} = {last}.{name}\n"),
                ({"pkg", alias}, f"import {other}\n{alias} = {other}.{name}\n"),
            ]
    return draw(st.sampled_from(choices))


@st.composite
def _exports(draw: st.DrawFn, free: list[str], listing: list[str]) -> str:
    """What the module's last statements say of `__all__`, in one of the ways that it is written.

    `free` are the names that the module doesn't use yet, `listing` the other modules that have such a list.
    """
    if not free:
        return ""
    name, added = draw(st.sampled_from(NAMES)), draw(st.sampled_from(free))
    define = f"def {added}(): pass\n"
    choices = [
        "",
        f"{define}__all__ = ['{name}', '{added}']\n",
        f"{define}__all__ = ['{name}']\n__all__ += ('{added}',)\n",
        f"{define}__all__ = ['{name}']\n__all__.extend(['{added}'])\n",
        f"{define}__all__ = ['{name}']\n__all__.append('{added}')\n",
    ]
    if listing:
        other = draw(st.sampled_from(listing))
        star = f"from {other} import *\n"
        choices += [
            f"{star}import {other} as module\n__all__ = ['{name}'] + module.__all__\n",
            f"{star}import {other} as module\n__all__ = [*module.__all__, '{name}']\n",
            f"{star}from {other} import __all__ as listed\n__all__ = ['{name}']\n__all__ += listed\n",
            f"{star}from {other} import __all__\n__all__ = list(__all__)\n",
        ]
    return draw(st.sampled_from(choices))


def _relative(path: str, other: str) -> str:
    folders = path.count("/")
    return "." * folders + other.removeprefix("pkg").removeprefix(".")


def name_of(value: Value | None) -> str | None:
    match value:
        case FunctionSymbol() | ClassSymbol():
            return value.id
        case Module():
            return value.name
    return None


@given(packages())
@settings(deadline=None, max_examples=80, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_a_module_s_names_stand_for_what_python_s_import_gives_them(files: dict[str, str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        for path, text in files.items():
            (Path(folder) / path).parent.mkdir(parents=True, exist_ok=True)
            (Path(folder) / path).write_text(text, encoding="utf-8")
        run = subprocess.run(
            [sys.executable, "-S", "-E", "-c", WHAT_PYTHON_SEES, *MODULES.values()],
            cwd=folder, check=True, capture_output=True, text=True,
        )  # fmt: skip
    project = project_of(files)
    modules = {m.name: m for m in project.modules.values()}
    wrong = {}
    for key, expected in json.loads(run.stdout).items():
        module, name = key.split(" ")
        found = {name_of(value) for value in project.members(modules[module], name)}
        # Which branch of try and except binds the name can hang on who is imported first: both have to be known.
        either = "except ImportError" in files[modules[module].path] and expected in found
        if not either and name_of(project.member(modules[module], name)) != expected:
            wrong[key] = (expected, found)
    assert wrong == {}


# --- against Python's own method resolution ---------------------------------------------------------------------------


@given(st.lists(st.lists(st.integers(0, 7), max_size=3, unique=True), min_size=1, max_size=9))
@settings(deadline=None, max_examples=200)
def test_the_method_resolution_order_is_python_s(bases: list[list[int]]) -> None:
    source, classes = "", dict[str, type]()
    for number, wanted in enumerate(bases):
        parents = [f"C{w}" for w in wanted if f"C{w}" in classes]
        try:
            classes[f"C{number}"] = type(f"C{number}", tuple(classes[p] for p in parents), {})
        except TypeError:  # no consistent order: Python has no such class
            continue
        source += f"class C{number}({', '.join(parents)}): pass\n"
    project = project_of({"m.py": source})
    for cls in project.classes:
        expected = [c.__name__ for c in classes[cls.name].__mro__ if c is not object]
        assert [b.name for b in project.mro(cls)] == expected


def test_an_order_that_python_refuses_still_finds_every_base() -> None:
    project = project_of({"m.py": "class A: pass\nclass B(A): pass\nclass C(A, B, Unknown): pass\n"})
    (cls,) = (c for c in project.classes if c.name == "C")
    assert [b.name for b in project.mro(cls)] == ["C", "B", "A"]


def test_a_class_that_derives_from_itself_is_survived() -> None:
    project = project_of({"m.py": "class A(B): pass\nclass B(A): pass\n"})
    assert {b.name for cls in project.classes for b in project.mro(cls)} == {"A", "B"}


# --- examples ---------------------------------------------------------------------------------------------------------


def meaning(project: Project, name: str = "answer", path: str = "main.py") -> str | None:
    """What the last expression assigned to `name` anywhere in the module stands for, in a word."""
    found = None
    for scope in [project.modules[path].scope, *(f.scope for f in project.modules[path].functions)]:
        for binding in scope.bindings.get(name, []):
            assert binding.value is not None
            found = project.infer(binding.value, binding.scope)
    return in_a_word(found)


def in_a_word(value: Value | None) -> str | None:
    match value:
        case External(name=name):
            return name
        case FunctionSymbol() | ClassSymbol():
            return value.id
        case Module(name=name):
            return f"module {name}"
        case Namespace(folder=folder):
            return f"folder {folder}"
        case Instance(type_name=name):
            return f"a {name}"
        case BoundMethod(function=function):
            return f"bound {function.id}"
        case Literal(node=form.Const(value=constant)):
            return repr(constant)
        case Literal():
            return "literal"
    return None


def main(text: str, **others: str) -> str | None:
    return meaning(project_of({"main.py": text} | {f"{k.replace('__', '/')}.py": v for k, v in others.items()}))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("def f(): pass\nanswer = f", "main:f"),
        ("answer = open", "builtins.open"),
        ("def open(): pass\nanswer = open", "main:open"),
        ("answer = nowhere", None),
        # class scopes are skipped by what is nested in them
        ("x = 1\nclass A:\n    x = 2\n    def m(self):\n        answer = x", "1"),
        ("x = 1\nclass A:\n    x = 2\n    answer = x\nanswer = A.answer", "2"),
        ("def f():\n    def g(): pass\n    answer = g", "main:f.<locals>.g"),
        ("def f():\n    y = 1\n    def g():\n        answer = y", "1"),
        ("x = 1\ndef f():\n    x = 2\nanswer = x", "1"),
        ("x = 1\ndef f():\n    global x\n    x = 2\nanswer = x", "2"),
        ("x = None\ndef f():\n    global x\n    x = open('a')\ndef g():\n    answer = x", "a builtins.open"),
        ("def f():\n    x = 1\n    def g():\n        nonlocal x\n        x = 2\n    answer = x", "2"),
        ("x = 1\ndef f(x):\n    answer = x", None),
        ("type X = dict\nanswer = X", "builtins.dict"),
        ("try:\n    import a\nexcept ImportError:\n    a = None\nanswer = a", "a"),
        ("try:\n    from a import b\nexcept ImportError:\n    def b(): pass\nanswer = b", "a.b"),
        ("try:\n    pass\nexcept ValueError:\n    b = 1\nanswer = b", "1"),
        ("if TYPE_CHECKING:\n    from a import b\nanswer = b", "a.b"),
        ("(x := open)\nanswer = x", "builtins.open"),
        ("a, b = open, 2\nanswer = a", "builtins.open"),
        ("import os.path\nanswer = os.path.join", "os.path.join"),
        ("import os.path as p\nanswer = p.join", "os.path.join"),
        ("x = {'a': open}\nanswer = x['a']", "builtins.open"),
        ("x = [1, open]\nanswer = x[-1]", "builtins.open"),
        ("x = [y for y in (open,)]\nanswer = y", None),
    ],
)
def test_names_by_python_s_scopes(text: str, expected: str | None) -> None:
    assert main(text) == expected


def test_a_submodule_is_found_after_the_package_s_own_names() -> None:
    files = {
        "p/__init__.py": "from .a import a\n",
        "p/a.py": "def a(): pass\n",
        "p/b.py": "",
        "q/c.py": "def d(): pass\n",
    }
    text = "import p, p.b\nfrom p import a\nfrom p import b\nimport q.c\nx = a\ny = b\nz = p.b\nu = q.c.d\n"
    project = project_of(files | {"main.py": text})
    found = {name: meaning(project, name) for name in "xyzu"}
    assert found == {"x": "p.a:a", "y": "module p.b", "z": "module p.b", "u": "c:d"}


def test_a_package_in_whose_folder_the_server_is_started_is_a_root_too() -> None:
    """But for single names: those of libraries are names of a package's own modules again and again."""
    files = {"app/__init__.py": "", "app/api/__init__.py": "", "app/api/a.py": "def f(): pass\n", "app/redis.py": ""}
    text = "from api.a import f\nfrom api import a\nimport redis\nx = f\ny = a\nz = redis\n"
    project = project_of(files | {"app/main.py": text})
    scope = project.modules["app/main.py"].scope
    found = {name: in_a_word(project.infer(form.Name(start=0, end=0, id=name), scope)) for name in "xyz"}
    assert found == {"x": "app.api.a:f", "y": "module app.api.a", "z": "redis"}


def test_a_file_elsewhere_that_bears_a_library_s_name_is_not_the_library() -> None:
    """A script's own folder comes first on the path, and no other's does."""
    files = {"deploy/settings/celery.py": "", "scripts/celery.py": "", "shop/__init__.py": ""}
    text = "import celery\nx = celery\n"
    project = project_of(files | {"shop/worker.py": text, "scripts/run.py": text})
    found = {path: meaning(project, "x", path) for path in ("shop/worker.py", "scripts/run.py")}
    assert found == {"shop/worker.py": "celery", "scripts/run.py": "module celery"}


def test_a_package_that_imports_from_itself_means_its_submodule() -> None:
    project = project_of({"p/__init__.py": "from p import a\nx = a.f\n", "p/a.py": "def f(): pass\n"})
    package = project.modules["p/__init__.py"]
    assert in_a_word(project.member(package, "a")) == "module p.a"
    assert in_a_word(project.member(package, "x")) == "p.a:f"


def test_star_imports_count_where_they_stand_and_honour_dunder_all() -> None:
    functions = "".join(f"def {name}(): pass\n" for name in ("f", "_g", "h", "k"))
    files = {"lib.py": f"__all__ = ('f', '_g')\n__all__ += ['k']\n{functions}"}
    before = "from lib import *\ndef f(): pass\nx, y, z, u = f, _g, h, k\n"
    after = "def f(): pass\nfrom lib import *\nx = f\n"
    project = project_of(files | {"before.py": before, "after.py": after})
    assert [meaning(project, n, "before.py") for n in "xyzu"] == ["before:f", "lib:_g", None, "lib:k"]
    assert meaning(project, "x", "after.py") == "lib:f"


CLASSES = """
class Base:
    limit = 5
    def __init__(self, engine):
        self.engine = engine
        self.file = open("a")
    def method(self): return 1
    @property
    def shown(self): return open("b")
    def __enter__(self): return open("c")
    def __call__(self): return Other()
class Other:
    @classmethod
    def make(cls): return cls()
    @staticmethod
    def plain(x): return x
class Child(Base):
    def method(self):
        answer = {}
"""


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("self", "a main:Child"),
        ("self.method", "bound main:Child.method"),
        ("super().method", "bound main:Base.method"),
        ("super().method()", None),
        ("self.limit", "5"),
        ("self.file", "a builtins.open"),
        ("self.shown", "a builtins.open"),
        ("self()", "a main:Other"),
        ("Other.make", "main:Other.make"),
        ("Other().make", "bound main:Other.make"),
        ("Child.method", "main:Child.method"),
        ("getattr(self, 'method')", "bound main:Child.method"),
        ("self.nothing", None),
    ],
)
def test_attributes_by_python_s_classes(expression: str, expected: str | None) -> None:
    assert main(CLASSES.format(expression)) == expected


def test_what_a_with_statement_binds_is_what_enter_gives() -> None:
    text = CLASSES.format("1") + "def f():\n    with Base(1) as entered:\n        result = entered\n"
    assert meaning(project_of({"main.py": text}), "result") == "a builtins.open"


def test_annotated_dependencies_and_their_aliases_are_seen_through() -> None:
    text = """
        from typing import Annotated, Optional
        from fastapi import Depends
        from db import Session, get_session
        Db = Annotated[Session, Depends(get_session)]
        def a(s: Db): one = s
        def b(s: Annotated[Session, Depends()]): two = s
        def c(s: Optional["Session"]): three = s
        def d(s: Session | None = None): four = s
        def e(s=Depends(get_session)): five = s
        """
    project = project_of({"main.py": text, "db.py": "class Session: pass\ndef get_session():\n    yield Session()\n"})
    found = [meaning(project, name) for name in ("one", "two", "three", "four", "five")]
    assert found == ["a db:Session"] * 5


def test_a_parameter_is_what_its_callers_give() -> None:
    lib = "def f(x, *, y=None):\n    answer = x\n    other = y\n"
    project = project_of({"lib.py": lib, "main.py": "from lib import f\nf(open('a'), y=open)\n"})
    assert meaning(project, "answer", "lib.py") == "a builtins.open"
    assert meaning(project, "other", "lib.py") == "builtins.open"


def test_one_call_is_one_object_under_all_its_names() -> None:
    project = project_of(
        {"a.py": "class R: pass\nr = R()\n", "main.py": "from a import r as one\nimport a\nx = one\ny = a.r\n"}
    )
    scope = project.modules["main.py"].scope
    x, y = (project.infer(form.Name(start=0, end=0, id=name), scope) for name in "xy")
    assert isinstance(x, Instance)
    assert isinstance(y, Instance)
    assert x.origin is not None
    assert x.origin is y.origin


def test_a_name_that_hangs_on_itself_has_no_answer_and_ends() -> None:
    assert main("def f():\n    x = x\n    answer = x") is None
    assert main("from other import a as answer_\nanswer = answer_", other="from main import answer_ as a") is None
    assert (
        main("\n".join(["x0 = open", *(f"x{n} = x{n - 1}" for n in range(1, 30)), "answer = x29"])) == "builtins.open"
    )
