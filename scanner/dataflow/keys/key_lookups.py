"""Look-ups of rows by the keys that clients send."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from assay.scanner.linker.project import Project, last_name
from assay.scanner.linker.scopes import ClassSymbol, Scope
from assay.scanner.model.place import Evidence
from assay.scanner.model.role import Role
from assay.scanner.readers.python import form

_LOOKUPS = (
    "Q", "aget", "exists", "fetch_one", "filter", "filter_by", "find_one", "first", "get", "get_by",
    "get_object_or_404", "get_or_404", "get_or_none", "one", "where", "aget_object_or_404", "first_or_404",
)  # fmt: skip
"""Calls that look up a row by what their keywords say."""


@dataclass(frozen=True, slots=True)
class Lookup:
    """A row that is looked up by a column's value."""

    call: form.Node
    value: form.Expr
    scope: Scope

    @property
    def shown(self) -> Evidence:
        """The look-up as evidence."""
        return self.scope.module.evidence(self.call, "it is looked up here")


def lookups_by(names: set[str], project: Project) -> dict[str, list[Lookup]]:
    """Those by the columns of these names, by column."""
    found: dict[str, list[Lookup]] = defaultdict(list)
    for call, scope in project.calls_named(*_LOOKUPS):
        for argument in call.args if scope.module.role is Role.PROD else ():
            name = (argument.name or "").removesuffix("__exact")
            if name in names:
                found[name].append(Lookup(call, argument.value, scope))
    for module in project.modules.values():
        for node, scope in module.comparisons if module.role is Role.PROD else ():
            if node.ops == ["=="] and isinstance(node.left, form.Attr) and node.left.attr in names:
                found[node.left.attr].append(Lookup(node, node.rights[0], scope))
    return found


def is_of(lookup: Lookup, cls: ClassSymbol, project: Project) -> bool:
    """Whether the look-up is one of the class's rows."""
    around = lookup.scope.enclosing_function
    for node in form.walk(lookup.call) if isinstance(lookup.call, form.Call | form.Compare) else ():
        name = last_name(node) if isinstance(node, form.Name | form.Attr) else None
        if name == cls.name or (name == "cls" and around is not None and around.owner is cls):
            return isinstance(lookup.call, form.Call) or not _is_row(lookup.call)
        if isinstance(node, form.Attr) and name == "objects" and project.infer(node.value, lookup.scope) is cls:
            return True
    owner = (
        lookup.call.left.value
        if isinstance(lookup.call, form.Compare) and isinstance(lookup.call.left, form.Attr)
        else None
    )
    return owner is not None and project.infer(owner, lookup.scope) is cls


def _is_row(node: form.Node) -> bool:
    left = node.left if isinstance(node, form.Compare) else None
    return isinstance(left, form.Attr) and isinstance(left.value, form.Call)
