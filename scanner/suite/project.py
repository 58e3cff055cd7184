"""The tests of a tree linked with the code that they test.

They are a project of their own: what tests hand to the service's functions, derive from its classes or set up in its
place says nothing about the service.
"""

from __future__ import annotations

from collections.abc import Mapping

from assay.scanner.linker.modules import ModuleIndex
from assay.scanner.linker.project import Project
from assay.scanner.linker.remembered import remembered
from assay.scanner.linker.scopes import Module
from assay.scanner.model.role import Role
from assay.scanner.readers.python.quick import TestFacts


def tests_among(files: Mapping[str, object]) -> tuple[tuple[str, TestFacts], ...]:
    """The tests among the facts of a tree, by path."""
    return tuple(sorted((path, facts) for path, facts in files.items() if isinstance(facts, TestFacts)))


@remembered
def with_tests(tests: tuple[tuple[str, TestFacts], ...], project: Project) -> Project:
    """The service's modules and those of the tests; another unit's are unknown, as a library's would be."""
    index = ModuleIndex([*project.modules, *(path for path, _ in tests)])
    found = (Module(path, index.name_of(path), Role.TEST, facts.module) for path, facts in tests)
    return Project([*project.modules.values(), *found], index)
