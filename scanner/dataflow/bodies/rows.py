"""Which rows an expression gives whole: `db.get(User, 1)`, `session.scalars(select(User)).all()`."""

from __future__ import annotations

from collections.abc import Iterator

from assay.scanner.dataflow.bodies.schemas.tables import Tables
from assay.scanner.linker.project import last_name
from assay.scanner.linker.scopes import ClassSymbol, How, Scope
from assay.scanner.linker.values import Instance
from assay.scanner.readers.python import form

_GIVING = frozenset(
    """get get_one get_or_404 first first_or_404 one one_or_none one_or_404 all scalar scalar_one scalar_one_or_none
    scalars list fetchall to_list unique""".split()
)
"""Methods that end a query and give its rows, and `list`."""
_ASKING = frozenset({"query", "select", "get", "get_one", "get_or_404"})
"""Methods and functions whose first argument is the class of the rows."""
_DEEPEST = 4


def queried(node: form.Expr | None, scope: Scope, tables: Tables) -> ClassSymbol | None:
    """The mapped class whose rows a query gives, all of their columns; None where that can't be told."""
    if node is None:
        return None
    value = tables.project.infer(node, scope)
    if isinstance(value, Instance) and value.cls is not None:
        return value.cls if tables.of(value.cls) is not None else None
    for each in _values(node, scope):
        if isinstance(each, form.Call) and last_name(each.func) in _GIVING:
            found = {cls for call in _asked(each, scope, _DEEPEST) for cls in _class(call, scope, tables)}
            if len(found) == 1:
                return found.pop()
    return None


def _values(node: form.Expr, scope: Scope) -> Iterator[form.Expr]:
    """The expression, or what a name was given."""
    if isinstance(node, form.Await):
        yield from _values(node.value, scope)
    elif isinstance(node, form.Name):
        bindings = scope.lookup(node.id, node.start)
        given = [b.value for b in bindings if b.how is How.ASSIGN and b.value is not None]
        yield from (v.value if isinstance(v, form.Await) else v for v in given if not isinstance(v, form.Name))
    else:
        yield node


def _asked(node: form.Expr, scope: Scope, depth: int) -> Iterator[form.Call]:
    """The calls that name the class, along the chain of the query and through the names of its statement."""
    match node:
        case form.Await(value=inner):
            yield from _asked(inner, scope, depth)
        case form.Name() if depth:
            for value in _values(node, scope):
                yield from _asked(value, scope, depth - 1)
        case form.Call(func=func):
            if last_name(func) in _ASKING:
                yield node
            if isinstance(func, form.Attr):
                yield from _asked(func.value, scope, depth)
            if last_name(func) in ("execute", "scalars", "scalar", "exec", "list", "unique"):
                for argument in node.positional:
                    yield from _asked(argument, scope, depth)


def _class(call: form.Call, scope: Scope, tables: Tables) -> Iterator[ClassSymbol]:
    """Of `query(User)` User; none of `query(User.name)` and `select(User, Order)`."""
    positional = call.positional
    if not positional or (len(positional) > 1 and last_name(call.func) in ("query", "select")):
        return
    value = tables.project.infer(positional[0], scope)
    if isinstance(value, ClassSymbol) and tables.of(value) is not None:
        yield value
