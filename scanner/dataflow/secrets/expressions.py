"""The expressions of a few kinds in all production code, gathered once: what secrets are looked for in."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TypeAlias, TypeVar

from assay.scanner.linker.project import Project
from assay.scanner.linker.remembered import remembered
from assay.scanner.linker.scopes import Scope
from assay.scanner.model.role import Role
from assay.scanner.readers.python import form

Text: TypeAlias = form.Const | form.Template
_N = TypeVar("_N", bound=form.Node)


@dataclass(slots=True)
class Gathered:
    """Each with the scope that it stands in, in order of path and position. `texts` are those that `hint` is in;
    `comparisons` are for equality; `calls` are those with keywords, a dict or more than one argument.
    """

    texts: list[tuple[Text, Scope]] = field(default_factory=list)
    dicts: list[tuple[form.Dict, Scope]] = field(default_factory=list)
    assignments: list[tuple[form.Assign, Scope]] = field(default_factory=list)
    comparisons: list[tuple[form.Compare, Scope]] = field(default_factory=list)
    calls: list[tuple[form.Call, Scope]] = field(default_factory=list)


@remembered
def gathered(hint: re.Pattern[str], project: Project) -> Gathered:
    """All of them; documentation strings are no texts."""
    found = Gathered()
    for module in project.modules.values():
        if module.role is Role.PROD:
            found.texts += _by_position(pair for pair in module.texts if _is_hinted(pair[0], hint))
            found.dicts += _by_position(module.dicts)
            found.assignments += _by_position(module.assignments)
            found.comparisons += _by_position(pair for pair in module.comparisons if _is_for_equality(pair[0]))
            found.calls += [(call, scope) for call, scope in module.calls if _is_telling(call)]
    return found


def _by_position(pairs: Iterable[tuple[_N, Scope]]) -> list[tuple[_N, Scope]]:
    return sorted(pairs, key=lambda pair: pair[0].start)


def _is_hinted(text: Text, hint: re.Pattern[str]) -> bool:
    if isinstance(text, form.Template):
        return any(isinstance(part, str) and "://" in part for part in text.parts)
    return isinstance(text.value, str) and hint.search(text.value) is not None


def _is_for_equality(comparison: form.Compare) -> bool:
    return comparison.ops in (["=="], ["!="])


def _is_telling(call: form.Call) -> bool:
    args = call.args
    return len(args) > 1 or (len(args) == 1 and (args[0].name is not None or type(args[0].value) is form.Dict))
