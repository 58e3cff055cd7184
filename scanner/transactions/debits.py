"""Debits that the code checks before, in a step of their own."""

from __future__ import annotations

import re

from assay.scanner.linker.project import last_name
from assay.scanner.model.place import Evidence
from assay.scanner.model.row_change import Guard
from assay.scanner.readers.python import form
from assay.scanner.transactions.guards import Guards
from assay.scanner.transactions.increments import Increment
from assay.scanner.transactions.rows import MappedRows


class Debits:
    """Tells it of changes that the database computes."""

    def __init__(self, guards: Guards, rows: MappedRows) -> None:
        self._guards = guards
        self._rows = rows

    def checked(self, increment: Increment) -> Evidence | None:
        """Where the code looks whether there is enough, before it lets the database take some without a condition."""
        function = increment.scope.enclosing_function
        if increment.row is not None or not increment.takes or function is None or increment.compared is not None:
            return None
        if self._guards.around(function, increment.node.start).guard is not Guard.NONE or self._has_limit(increment):
            return None
        for node in function.nodes:
            if isinstance(node, form.If) and node.start < increment.node.start:
                for part in form.walk(node.test):
                    if isinstance(part, form.Compare) and self._compares(part, increment):
                        return increment.scope.module.evidence(part, "it is compared before, with what was read")
        return None

    def _compares(self, node: form.Compare, increment: Increment) -> bool:
        if node.ops[0] not in ("<", "<=", ">", ">="):
            return False
        for side in (node.left, node.rights[0]):
            if isinstance(side, form.Attr) and side.attr == increment.column:
                row = self._rows.row(side.value, increment.scope, increment.column)
                if row is not None and row.table is increment.table and not row.is_new:
                    return True
        return False

    def _has_limit(self, increment: Increment) -> bool:
        """The database refuses what is too small: a CHECK constraint, a column of positive numbers."""
        column = next((c for c in increment.table.columns if c.name == increment.column), None)
        if column is not None and column.type.startswith("Positive"):
            return True
        cls = self._rows.class_of(increment.table)
        return cls is not None and any(
            isinstance(node, form.Call)
            and last_name(node.func) == "CheckConstraint"
            and _mentions(node, increment.column)
            for node in form.walk_body(cls.node.body)
        )


def _mentions(call: form.Expr | form.Stmt, column: str) -> bool:
    names: list[str | None] = []
    for node in form.walk(call):
        if isinstance(node, form.Call):
            names += [a.name for a in node.args]
        elif isinstance(node, form.Const) and isinstance(node.value, str):
            names.append(node.value)
    return any(column in re.split(r"\W+|__", name) for name in names if name is not None)
