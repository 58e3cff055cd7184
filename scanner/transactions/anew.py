"""Changes of columns that don't depend on what the row held before: it was set to something else, or is a new row."""

from __future__ import annotations

from assay.scanner.linker.project import Project
from assay.scanner.linker.scopes import ClassSymbol, FunctionSymbol
from assay.scanner.queries.regions import statements_around
from assay.scanner.readers.python import form


def is_counted_anew(
    target: form.Attr, node: form.Stmt, function: FunctionSymbol, cls: ClassSymbol | None, project: Project
) -> bool:
    """Whether the function sets the column to something else on every way to the change.

    What counts in a loop may have set it for all rows in a loop before, itself or by a method of theirs: `row.reset()`.
    """
    way = statements_around(function.node.body, node.start)
    is_in_loop = any(isinstance(block[index], form.For | form.While) for block, index in way)
    for block, index in way:
        for statement in block[:index]:
            if _sets(statement, target):
                return True
            if (
                is_in_loop
                and isinstance(statement, form.For)
                and any(_sets_any(inner, target) or _resets(inner, target, cls, project) for inner in statement.body)
            ):
                return True
    return False


def is_copy(target: form.Attr, node: form.Stmt, function: FunctionSymbol) -> bool:
    """`row.pk = None` before: what is saved is a new row."""
    owner = form.dotted(target.value)
    return any(
        isinstance(n, form.Assign)
        and n.start < node.start
        and isinstance(n.value, form.Const)
        and n.value.value is None
        and any(
            isinstance(t, form.Attr) and t.attr in ("pk", "id") and form.dotted(t.value) == owner for t in n.targets
        )
        for n in function.nodes
    )


def _sets(statement: form.Stmt, target: form.Attr) -> bool:
    """Whether it gives the column of the row a value that isn't computed from the one before."""
    if not isinstance(statement, form.Assign):
        return False
    owner = form.dotted(target)
    is_it = any(form.dotted(t) == owner for t in statement.targets)
    return is_it and (statement.value is None or not _reads(statement.value, owner))


def _reads(node: form.Expr, owner: str | None) -> bool:
    return any(isinstance(n, form.Attr) and form.dotted(n) == owner for n in form.walk(node))


def _sets_any(statement: form.Stmt, target: form.Attr) -> bool:
    """Whether it gives the column of any row a value to begin with: `row.n = 0`."""
    if not isinstance(statement, form.Assign) or not isinstance(statement.value, form.Const | form.Call):
        return False
    if any(isinstance(n, form.Attr) and n.attr == target.attr for n in form.walk(statement.value)):
        return False
    return any(isinstance(t, form.Attr) and t.attr == target.attr for t in statement.targets)


def _resets(statement: form.Stmt, target: form.Attr, cls: ClassSymbol | None, project: Project) -> bool:
    """Whether it calls a method of the row's class that does so."""
    call = statement.value if isinstance(statement, form.ExprStmt) else None
    if cls is None or not isinstance(call, form.Call) or not isinstance(call.func, form.Attr):
        return False
    method = project.method(cls, call.func.attr)
    return method is not None and any(_sets_any(inner, target) for inner in method.node.body)
