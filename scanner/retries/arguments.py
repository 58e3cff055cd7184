"""The expressions that a call is given: in place, in a mapping, under a name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from assay.scanner.dataflow.constants import constant, definitions
from assay.scanner.linker.project import Project
from assay.scanner.linker.scopes import How, Scope
from assay.scanner.model.place import Evidence
from assay.scanner.readers.python import form

_DEEPEST = 4


@dataclass(frozen=True, slots=True, eq=False)
class Given:
    """An argument, as the expression that it comes to."""

    node: form.Expr
    scope: Scope

    def shown(self, text: str) -> Evidence:
        return self.scope.module.evidence(self.node, text)


class Arguments:
    """Of one call, and of `others` that complete it: uses of a `partial(...)`."""

    def __init__(
        self, call: form.Call, scope: Scope, project: Project, others: Sequence[tuple[form.Call, Scope]] = ()
    ) -> None:
        self.call = call
        self.scope = scope
        self.project = project
        self._calls = [(call, scope), *others]

    def get(self, name: str, position: int | None = None) -> Given | None:
        """The argument of that name or place, followed to what it was given as."""
        for call, scope in self._calls:
            node = call.argument(position, name) if position is not None else call.keyword(name)
            if node is not None:
                return resolved(node, scope, self.project)
            for mapping in (a.value for a in call.args if a.star == 2):
                found = _item(mapping, scope, name, self.project)
                if found is not None:
                    return resolved(found.node, found.scope, self.project)
        return None

    def number(self, name: str, position: int | None = None) -> float | None:
        """What it comes to, where that is a number."""
        given = self.get(name, position)
        return number(given, self.project) if given is not None else None

    def is_none(self, name: str, position: int | None = None) -> bool:
        """Whether it is given, and is None."""
        given = self.get(name, position)
        return given is not None and isinstance(given.node, form.Const) and given.node.value is None

    @property
    def is_open(self) -> bool:
        """Whether a mapping that can't be seen may hold more."""
        return any(
            argument.star == 1 or (argument.star == 2 and not _mappings(argument.value, scope, self.project))
            for call, scope in self._calls
            for argument in call.args
        )


def number(given: Given, project: Project) -> float | None:
    """The number that the expression comes to: by itself, or as the default of a setting."""
    known = constant(given.node, given.scope, project)
    value = known.value if known is not None else None
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def resolved(node: form.Expr, scope: Scope, project: Project, depth: int = _DEEPEST) -> Given:
    """What a name was given, or the default of a parameter; itself where that isn't one expression."""
    known = definitions(node, scope, project)
    if not known and isinstance(node, form.Name):
        bound = scope.lookup(node.id)
        known = [(b.value, b.scope) for b in bound if b.how is How.PARAMETER and b.value is not None]
    if len(known) != 1 or known[0][0] is node or not depth:
        return Given(node, scope)
    return resolved(*known[0], project, depth - 1)


def _item(node: form.Expr, scope: Scope, key: str, project: Project) -> Given | None:
    for mapping, around in _mappings(node, scope, project):
        match mapping:
            case form.Dict(keys=keys, values=values):
                for at, value in zip(keys, values, strict=True):
                    if isinstance(at, form.Const) and at.value == key:
                        return Given(value, around)
            case form.Call() if (stated := mapping.keyword(key)) is not None:
                return Given(stated, around)
    return None


def _mappings(node: form.Expr, scope: Scope, project: Project) -> list[tuple[form.Expr, Scope]]:
    """Mappings that are written out."""
    given = [(node, scope), *definitions(node, scope, project)]
    return [(n, s) for n, s in given if isinstance(n, form.Dict) or _is_dict_call(n)]


def _is_dict_call(node: form.Expr) -> bool:
    return isinstance(node, form.Call) and form.dotted(node.func) == "dict"
