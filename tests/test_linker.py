"""Linking: names, classes and values mean in the linked project what they mean to Python."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from textwrap import dedent

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
import importlib, json, sys, types
seen = {}
for name in sys.argv[1:]:
    try:
        module = importlib.import_module(name)
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
    """Modules that define, import, re-export, alias and hide a few names of one another, cycles included."""
    return {path: "".join(draw(st.lists(_statement(path), max_size=6))) for path in MODULES}


@st.composite
def _statement(draw: st.DrawFn, path: str) -> str:
    other = draw(st.sampled_from([name for name in MODULES.values() if name != MODULES[path]]))
    name, alias = draw(st.sampled_from(NAMES)), draw(st.sampled_from(NAMES))
    relative = _relative(path, other)
    return draw(
        st.sampled_from(
            [
                f"def {name}(): pass\n",
                f"class {name}:\n    class Inner: pass\n",
                f"{alias} = {name}\n",
                f"from {other} import {name}\n",
                f"from {other} import {name} as {alias}\n",
                f"from {relative} import {name} as {alias}\n",
                f"from {relative} import *\n",
                f"from {other} import *\n",
                f"import {other}\n",
                f"import {other} as {alias}\n",
                f"import {other} as m\n{alias} = m.{name}\n",
                "from pkg import a, b\n",
                f"from pkg import sub\n{alias} = sub.{name}\n",
                f"from pkg.sub import c as {alias}\n",
                f"__all__ = ['{name}', '{alias}']\n",
                f"try:\n    from {other} import {name}\nexcept ImportError:\n    def {name}(): pass\n",
                f"if True:\n    from {other} import {name}\n",
            ]
        )
    )


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
@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
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
        if name_of(project.member(modules[module], name)) != expected:
            wrong[key] = (expected, found)
    assert wrong == {}
