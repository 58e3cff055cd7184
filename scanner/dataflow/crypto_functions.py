"""The functions for digests, random values and passwords that library models name, and where they are called."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TypeVar

from assay.scanner.dataflow.constants import constant
from assay.scanner.dataflow.reach import packages_in_reach
from assay.scanner.libraries import Condition, HashFunction, Library, PasswordFunction, RandomFunction
from assay.scanner.linker.project import Project, last_part
from assay.scanner.linker.scopes import FunctionSymbol, Scope
from assay.scanner.linker.values import BoundMethod, External
from assay.scanner.model.role import Role
from assay.scanner.readers.python import form

_ANY = "*."
_F = TypeVar("_F", HashFunction, RandomFunction, PasswordFunction)
_Table = Mapping[str, Sequence[_F]]


class CryptoFunctions:
    """What library models say of each dotted name: the first entry counts whose conditions hold.

    A method of no named type (`*.set_password`) counts in modules that have to do with its library.
    """

    def __init__(self, libraries: Iterable[Library], project: Project) -> None:
        self._project = project
        self._packages: dict[str, frozenset[str]] = {}
        self.hashes: dict[str, list[HashFunction]] = {}
        self.randoms: dict[str, list[RandomFunction]] = {}
        self.passwords: dict[str, list[PasswordFunction]] = {}
        for library in libraries:
            self._add(self.hashes, library.hashes, library)
            self._add(self.randoms, library.randoms, library)
            self._add(self.passwords, library.passwords, library)

    def _add(self, table: dict[str, list[_F]], entries: Iterable[_F], library: Library) -> None:
        for entry in entries:
            for name in entry.dotted:
                table.setdefault(name, []).append(entry)
                if name.startswith(_ANY):
                    self._packages[name] = self._packages.get(name, frozenset()) | frozenset(library.packages)

    @property
    def hashing(self) -> frozenset[str]:
        """The last names of functions whose digest hides nothing that can be guessed: those without a key."""
        found = (last_part(name) for name, entries in self.hashes.items() if not entries[0].keyed)
        return frozenset(name for name in found if name != "new")

    def calls_of(self, table: _Table[_F]) -> Iterator[tuple[form.Call, Scope, str, Sequence[_F]]]:
        """Calls in production code of the functions in the table, with their names there, by path and position."""
        names = sorted({last_part(name) for name in table})
        calls = [c for c in self._project.calls_named(*names) if c[1].module.role is Role.PROD]
        for call, scope in sorted(calls, key=lambda c: (c[1].module.path, c[0].start)):
            name = self.name_in(table, call, scope)
            if name is not None:
                yield call, scope, name, table[name]

    def name_in(self, table: _Table[_F], call: form.Call, scope: Scope) -> str | None:
        """The name in the table of what is called, None where it isn't there."""
        callee = self._project.infer(call.func, scope)
        if isinstance(callee, External) and callee.name in table:
            return callee.name
        if not isinstance(call.func, form.Attr) or isinstance(callee, FunctionSymbol | BoundMethod):
            return None
        loose = _ANY + call.func.attr
        if loose not in table or self._packages[loose].isdisjoint(packages_in_reach(scope.module, self._project)):
            return None
        return loose


def meets(call: form.Call, conditions: Iterable[Condition], scope: Scope, project: Project) -> bool:
    """Whether the call's arguments are surely as all the conditions demand."""
    return all(_meets(call, condition, scope, project) for condition in conditions)


def _meets(call: form.Call, condition: Condition, scope: Scope, project: Project) -> bool:
    node = call.keyword(condition.argument)
    if node is None and condition.position is not None:
        node = call.argument(condition.position, condition.argument)
    if node is None:
        return "absent" in condition.values
    known = constant(node, scope, project)
    return known is not None and known.value in condition.values


def around(scope: Scope) -> str:
    """`module:qualified.name` of the code."""
    return f"{scope.module.name}:{scope.qualname}" if scope.qualname else scope.module.name
