"""The expressions of a few kinds in all production code, gathered once: what secrets are looked for in."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TypeAlias

from assay.scanner.dataflow.nesting import Node, inside
from assay.scanner.linker.project import Project
from assay.scanner.linker.remembered import remembered
from assay.scanner.linker.scopes import Scope
from assay.scanner.model.role import Role
from assay.scanner.readers.python import form

Text: TypeAlias = form.Const | form.Template
_SHORTEST = 8
"""Characters of the shortest text with a credential in it: `a://:b@c`."""
_KINDS = frozenset(
    {form.Const, form.ExprStmt, form.Assign, form.Dict, form.Compare, form.Template, form.Function, form.Class}
)


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
            for scope in module.scopes:
                _gather(scope, hint, found)
            found.calls += [(call, scope) for call, scope in module.calls if _is_telling(call)]
    return found


def _is_telling(call: form.Call) -> bool:
    args = call.args
    return len(args) > 1 or (len(args) == 1 and (args[0].name is not None or type(args[0].value) is form.Dict))


def _gather(scope: Scope, hint: re.Pattern[str], found: Gathered) -> None:
    """A walk that wastes no time on names, attributes and calls, which are two thirds of all nodes."""
    stack: list[Node] = list(reversed(scope.body))
    while stack:
        node = stack.pop()
        while isinstance(node, form.Attr | form.Call):
            if isinstance(node, form.Attr):
                node = node.value
            else:
                stack.extend([argument.value for argument in reversed(node.args)])
                node = node.func
        kind = type(node)
        if kind is form.Name:
            continue
        if kind in _KINDS:
            if isinstance(node, form.Function | form.Class):
                stack.extend(reversed(inside(node)))
                continue
            if _note(node, scope, hint, found):
                continue
        stack.extend(reversed(node.children()))


def _note(node: Node, scope: Scope, hint: re.Pattern[str], found: Gathered) -> bool:
    """Keep the node where it is one of those; whether nothing inside of it is of interest."""
    match node:
        case form.Const(value=value):
            if isinstance(value, str) and len(value) >= _SHORTEST and hint.search(value) is not None:
                found.texts.append((node, scope))
            return True
        case form.ExprStmt(value=value):
            return isinstance(value, form.Const)
        case form.Assign():
            found.assignments.append((node, scope))
        case form.Dict():
            found.dicts.append((node, scope))
        case form.Compare(ops=["==" | "!="]):
            found.comparisons.append((node, scope))
        case form.Template(parts=parts):
            if any(isinstance(part, str) and "://" in part for part in parts):
                found.texts.append((node, scope))
    return False
