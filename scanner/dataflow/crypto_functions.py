"""The functions for digests, random values and passwords that library models name, and where they are called."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from assay.scanner.dataflow.constants import constant
from assay.scanner.libraries import Condition, HashFunction, Library, PasswordFunction, RandomFunction
from assay.scanner.linker.project import Project, last_part
from assay.scanner.linker.scopes import FunctionSymbol, Scope
from assay.scanner.linker.values import BoundMethod, External
from assay.scanner.model.role import Role
from assay.scanner.readers.python import form

_ANY = "*."
_F = TypeVar("_F", HashFunction, RandomFunction, PasswordFunction)
_Table = Mapping[str, Sequence[_F]]


@dataclass(slots=True)
class CryptoFunctions:
    """What library models say of each dotted name; the first entry counts whose conditions hold."""

    hashes: dict[str, list[HashFunction]] = field(default_factory=dict)
    randoms: dict[str, list[RandomFunction]] = field(default_factory=dict)
    passwords: dict[str, list[PasswordFunction]] = field(default_factory=dict)

    @classmethod
    def of(cls, libraries: Iterable[Library], imported: frozenset[str]) -> CryptoFunctions:
        """Methods of no named type count where `imported` has a package of their library."""
        functions = cls()
        for library in libraries:
            is_imported = not imported.isdisjoint(library.packages)
            _add(functions.hashes, library.hashes, is_imported)
            _add(functions.randoms, library.randoms, is_imported)
            _add(functions.passwords, library.passwords, is_imported)
        return functions

    @property
    def hashing(self) -> frozenset[str]:
        """The last names of functions whose digest hides nothing that can be guessed: those without a key."""
        found = (last_part(name) for name, entries in self.hashes.items() if not entries[0].keyed)
        return frozenset(name for name in found if name != "new")


def _add(table: dict[str, list[_F]], entries: Iterable[_F], is_imported: bool) -> None:
    for entry in entries:
        for name in entry.dotted:
            if is_imported or not name.startswith(_ANY):
                table.setdefault(name, []).append(entry)


def calls_of(table: _Table[_F], project: Project) -> Iterator[tuple[form.Call, Scope, str, Sequence[_F]]]:
    """Calls in production code of the functions in the table, with the name that they are called by there."""
    for call, scope in project.calls_named(*sorted({last_part(name) for name in table})):
        if scope.module.role is Role.PROD:
            name = name_in(table, call, scope, project)
            if name is not None:
                yield call, scope, name, table[name]


def name_in(table: _Table[_F], call: form.Call, scope: Scope, project: Project) -> str | None:
    """The name in the table of what is called, None where it isn't there."""
    callee = project.infer(call.func, scope)
    if isinstance(callee, External) and callee.name in table:
        return callee.name
    if not isinstance(call.func, form.Attr) or isinstance(callee, FunctionSymbol | BoundMethod):
        return None
    loose = _ANY + call.func.attr
    return loose if loose in table else None


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
