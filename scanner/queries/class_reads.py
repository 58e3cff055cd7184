"""Queries of Peewee and Tortoise, which begin at the model's class: `User.select().where(...)`, `User.filter(...)`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from assay.scanner.linker.project import Project, last_name
from assay.scanner.linker.scopes import How, Scope
from assay.scanner.model.role import Role
from assay.scanner.model.table import Table
from assay.scanner.queries.conditions import Tables
from assay.scanner.queries.reads import Read
from assay.scanner.readers.python import form

_FRAMEWORKS = frozenset({"Peewee", "Tortoise ORM"})
_NAMES = ("where", "filter", "get", "get_or_none", "first", "exists", "order_by", "limit", "paginate", "latest",
          "earliest")  # fmt: skip
_FIRST = frozenset({"limit", "paginate", "first", "latest", "earliest"})
_JOINING = frozenset({"join", "join_from", "left_outer_join", "switch"})
_DEEPEST = 12


@dataclass(frozen=True, slots=True)
class ClassReads:
    """Finds them in one project."""

    project: Project
    tables: Tables

    def all(self) -> Iterator[Read]:
        """Each as far as it goes; not those that others go on from."""
        found: list[tuple[Table, form.Expr, list[tuple[form.Call, Scope]]]] = []
        for call, scope in self.project.calls_named(*_NAMES) if self.tables.any_of(_FRAMEWORKS) else ():
            if scope.module.role is Role.PROD:
                followed = self._followed(call, scope)
                if followed is not None:
                    found.append(followed)
        gone_on = {step for _, _, steps in found for step, _ in steps[:-1]}
        for table, root, steps in found:
            last, scope = steps[-1]
            if last not in gone_on:
                names = {last_name(step.func) or "" for step, _ in steps}
                yield Read(
                    table,
                    root,
                    scope,
                    tuple(steps),
                    scope.module.location(root),
                    takes_first=not names.isdisjoint(_FIRST),
                    is_whole=names.isdisjoint(_JOINING),
                )

    def _followed(self, call: form.Call, scope: Scope) -> tuple[Table, form.Expr, list[tuple[form.Call, Scope]]] | None:
        """The model that a chain of calls begins with, over names for its first part."""
        steps: list[tuple[form.Call, Scope]] = []
        node: form.Expr = call
        for _ in range(_DEEPEST):
            if isinstance(node, form.Call) and isinstance(node.func, form.Attr):
                steps.append((node, scope))
                node = node.func.value
            elif isinstance(node, form.Await):
                node = node.value
            elif (table := self.tables.of_class(node, scope)) is not None:
                return (table, node, steps[::-1]) if table.framework in _FRAMEWORKS else None
            elif isinstance(node, form.Name):
                before = [
                    b
                    for b in scope.lookup(node.id, node.start)
                    if b.how is How.ASSIGN and b.value is not None and b.value.end <= node.start
                ]
                if not before or before[-1].value is None:
                    return None
                node, scope = before[-1].value, before[-1].scope
            else:
                return None
        return None
