"""Quantities that go from one row to another, and so are changed on both sides or on none."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from assay.scanner.dataflow.lexicon import words
from assay.scanner.linker.project import last_name
from assay.scanner.linker.scopes import FunctionSymbol
from assay.scanner.readers.python import form
from assay.scanner.transactions.events import Event

_QUANTITIES = frozenset(
    """balance balances stock credit credits quantity qty amount funds wallet inventory points seats""".split()
)
_SAVING = frozenset({"save", "asave", "insert", "create"})
_UPDATING = frozenset({"update", "aupdate", "values"})


def moved_quantity(first: Event, second: Event, function: FunctionSymbol) -> str | None:
    """`source.balance -= n`, `target.balance += n`: one is less, the other more; or a row that notes what was taken."""
    one, other = _counted(first, function), _counted(second, function)
    if one is not None and other is not None and one.row != other.row and one.is_less != other.is_less:
        return one.column
    found = one or other
    rest = second if one is not None else first
    if found is not None and any(w.action == "create" and w.is_sure and w.model for w in rest.writes):
        return found.column
    return None


class _Counted(NamedTuple):
    """A quantity that a write stores: of which row, as the code spells it, and whether it becomes less."""

    row: str
    column: str
    is_less: bool


def _counted(event: Event, function: FunctionSymbol) -> _Counted | None:
    path = _receiver(event.node)
    if path is None:
        return _counted_in_sql(event.node)
    return next((c for start, c in _differences(function) if c.row == path and start <= event.start), None)


@lru_cache(maxsize=32)
def _differences(function: FunctionSymbol) -> tuple[tuple[int, _Counted], ...]:
    """Where the function counts quantities up or down."""
    changes = ((node.start, _difference(node)) for node in function.nodes)
    return tuple((start, counted) for start, counted in changes if counted is not None)


def _difference(node: form.Expr | form.Stmt) -> _Counted | None:
    """`row.balance -= n`, `row.balance = row.balance - n`."""
    match node:
        case form.AugAssign(target=form.Attr() as target, op=op):
            pass
        case form.Assign(targets=[form.Attr() as target], value=form.Binary(op=op, left=form.Attr() as held)):
            if form.dotted(held) != form.dotted(target):
                return None
        case _:
            return None
    row = form.dotted(target.value)
    return _Counted(row, target.attr, op.startswith("-")) if row is not None and _is_quantity(target.attr) else None


def _counted_in_sql(node: form.Expr | form.Stmt) -> _Counted | None:
    """`Account.objects.filter(pk=a).update(balance=F("balance") - n)`, `execute(update(Account)....values(...))`."""
    if isinstance(node, form.Call) and last_name(node.func) == "execute" and node.positional:
        node = node.positional[0]
    if (
        not isinstance(node, form.Call)
        or not isinstance(node.func, form.Attr)
        or node.func.attr not in (*_UPDATING, "values")
    ):
        return None
    for given in node.args:
        value = given.value
        if given.name is not None and isinstance(value, form.Binary) and _is_quantity(given.name):
            return _Counted(_spelled(node.func.value), given.name, value.op == "-")
    return None


def _is_quantity(column: str) -> bool:
    return not _QUANTITIES.isdisjoint(words(column))


def _spelled(node: form.Expr) -> str:
    """Its names and constants: the same for two expressions that pick the same rows."""
    parts = (
        n.id if isinstance(n, form.Name) else n.attr if isinstance(n, form.Attr) else repr(n.value)
        for n in form.walk(node)
        if isinstance(n, form.Name | form.Attr | form.Const)
    )
    return " ".join(parts)


def _receiver(node: form.Expr | form.Stmt) -> str | None:
    """`row` of `row.save()` and of `row.balance -= n`."""
    match node:
        case form.Call(func=form.Attr(value=owner, attr=attr)) if attr in _SAVING:
            return form.dotted(owner)
        case form.AugAssign(target=form.Attr(value=owner)) | form.Assign(targets=[form.Attr(value=owner)]):
            return form.dotted(owner)
    return None
