"""Small linked projects, given as text."""

from __future__ import annotations

from textwrap import dedent

from assay.scanner.framework import Context, Framework, Route
from assay.scanner.linker.modules import ModuleIndex
from assay.scanner.linker.project import Project
from assay.scanner.linker.scopes import Module
from assay.scanner.model.role import Role
from assay.scanner.readers.python.reader import read


def project_of(files: dict[str, str]) -> Project:
    """The project of these files, by path; common indentation is taken off."""
    index = ModuleIndex(list(files))
    return Project(
        [Module(path, index.name_of(path), Role.PROD, read(dedent(text).encode())) for path, text in files.items()]
    )


def routes_of(framework: Framework, main: str, **modules: str) -> list[Route]:
    """The routes that a framework finds in `main.py` and modules by name; `__` in a name stands for `/`."""
    return list(framework.routes(context_of(main, **modules)))


def context_of(main: str, **modules: str) -> Context:
    """A context over `main.py` and modules by name; `__` in a name stands for `/`."""
    others = {f"{name.replace('__', '/')}.py": text for name, text in modules.items()}
    return Context(project_of({"main.py": main, **others}))


def paths_of(routes: list[Route]) -> list[str]:
    """`GET /users` for each method of each route, sorted."""
    return sorted(f"{method} {route.path}" for route in routes for method in route.methods)
