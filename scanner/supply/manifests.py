"""Which files declare the packages of a service, and what they come to together."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from assay.scanner.model.place import Evidence
from assay.scanner.readers.dependencies import DependencyFacts, Pin, Requirement

_NOT_RUNTIME = re.compile(
    r"(^|[-_.\d])(dev|devel|develop|development|tests?|testing|lint|linters?|docs?|ci|local|typing|types|mypy|bench"
    r"|tools?|optional|examples?)([-_.\d]|$)"
)
_FOLDERS = ("requirements", "requirement", "reqs", "deps")
"""Folders of a project that hold nothing but requirements files."""


@dataclass(frozen=True, slots=True)
class Declared:
    """One file that declares what a service runs with."""

    path: str
    facts: DependencyFacts


class Manifests:
    """The files of a tree that declare dependencies, by path."""

    def __init__(self, files: Mapping[str, DependencyFacts], offside: Collection[str]) -> None:
        """`offside` are paths of tests, examples and tools."""
        self._files = files
        self._runtime = {
            path: facts
            for path, facts in files.items()
            if path not in offside and not _NOT_RUNTIME.search(_stem(path)) and not facts.is_lock
        }

    def of(self, root: str) -> list[Declared]:
        """What declares the packages of the service in that folder: files there, or in the nearest folder above."""
        for folder in _upwards(root):
            found = [Declared(path, self._runtime[path]) for path in sorted(self._in(folder, self._runtime))]
            used = {path for d in found for path in (*d.facts.includes, *d.facts.constraints)}
            declaring = [d for d in found if (d.facts.requirements or d.facts.includes) and d.path not in used]
            if declaring:
                return self._without_sources(declaring)
        return []

    def _without_sources(self, declared: list[Declared]) -> list[Declared]:
        """Without files that another one beside them repeats with a version for each package."""
        exact = [
            {_key(r.name) for _, r in self.requirements(d)}
            for d in declared
            if all(r.pin in (Pin.EXACT, Pin.LOCAL) for _, r in self.requirements(d))
        ]
        kept = [d for d in declared if not self._is_repeated(d, exact)]
        return kept or declared

    def _is_repeated(self, declared: Declared, exact: list[set[str]]) -> bool:
        requirements = [r for _, r in self.requirements(declared)]
        is_exact = all(r.pin in (Pin.EXACT, Pin.LOCAL) for r in requirements)
        names = {_key(r.name) for r in requirements}
        return not is_exact and bool(names) and any(names <= others for others in exact)

    def locks_of(self, root: str) -> list[str]:
        """Lock files beside the service or above it: a workspace keeps one for all its members."""
        locks = {path for path, facts in self._files.items() if facts.is_lock and not _NOT_RUNTIME.search(_stem(path))}
        for folder in _upwards(root):
            found = sorted(self._in(folder, locks))
            if found:
                return found
        return []

    def requirements(self, declared: Declared) -> Iterator[tuple[str, Requirement]]:
        """The file's own and those of the files that it includes, each with the path of where it stands."""
        todo, seen = [declared.path], set[str]()
        while todo:
            path = todo.pop()
            facts = self._files.get(path)
            if facts is None or path in seen:
                continue
            seen.add(path)
            todo += facts.includes
            yield from ((path, r) for r in facts.requirements)

    def held_by_constraints(self, declared: Declared) -> frozenset[str]:
        """Names of packages whose version a constraints file fixes."""
        constraints = [c for facts in self._with_includes(declared) for c in facts.constraints]
        fixed = (r for path in constraints if (facts := self._files.get(path)) for r in facts.requirements)
        return frozenset(_key(r.name) for r in fixed if r.pin is Pin.EXACT)

    def is_held(self, requirement: Requirement, constrained: frozenset[str]) -> bool:
        return requirement.pin in (Pin.EXACT, Pin.LOCAL) or _key(requirement.name) in constrained

    def _with_includes(self, declared: Declared) -> list[DependencyFacts]:
        paths = dict.fromkeys([declared.path, *(path for path, _ in self.requirements(declared))])
        return [self._files[path] for path in paths]

    @staticmethod
    def _in(folder: str, paths: Iterable[str]) -> Iterator[str]:
        for path in paths:
            parent = posixpath.dirname(path)
            if parent == folder or (posixpath.dirname(parent) == folder and posixpath.basename(parent) in _FOLDERS):
                yield path


def is_published(declared: Iterable[Declared]) -> bool:
    """Whether one of the files describes a package to an index."""
    return any(d.facts.is_package for d in declared)


def evidence_of(path: str, requirement: Requirement) -> Evidence:
    """What a requirement in that file says of its version."""
    said = {
        Pin.EXACT: "one version",
        Pin.LOCAL: "a folder of this tree",
        Pin.RANGE: "a range of versions",
        Pin.FREE: "any version",
    }
    return requirement.span.evidence(path, f"{requirement.text}: {said[requirement.pin]}")


def _key(name: str) -> str:
    """The name as indexes compare it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name.partition("[")[0]).lower()


def _stem(path: str) -> str:
    return posixpath.basename(path).lower().rpartition(".")[0]


def _upwards(root: str) -> Iterator[str]:
    folder = "" if root == "." else root
    yield folder
    while folder:
        folder = posixpath.dirname(folder)
        yield folder
