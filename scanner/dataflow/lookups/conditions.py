"""By which columns a query picks its row, and what each is compared with."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from assay.scanner.linker.project import last_name
from assay.scanner.readers.python import form

PRIMARY = "pk"
_PICKING = frozenset(
    """get aget filter exclude filter_by where get_or_none get_by_id find_one find_one_or_none get_one get_one_or_none
    find_one_and_update find_one_and_delete find_one_and_replace Q find scalar execute fetchrow fetch_one get_by
    get_or_create""".split()
)
"""Calls whose arguments say which rows are meant."""
_BY_KEY = frozenset({"get", "get_or_404", "get_by_id", "find_one", "get_one", "get_one_or_none", "aget"})
_NO_COLUMNS = frozenset(
    {"ident", "options", "with_for_update", "populate_existing", "description", "session", "entity", "defaults"}
)


@dataclass(frozen=True, slots=True, eq=False)
class Condition:
    """`column` is empty where the code doesn't name one: a parameter of an SQL text."""

    column: str
    value: form.Expr


def conditions(parts: Iterable[form.Expr]) -> Iterator[Condition]:
    """What the expressions that make a query compare: `filter(owner=user)`, `Order.id == order_id`, `{"_id": id}`."""
    for part in parts:
        for node in form.walk(part):
            yield from stated(node)


def stated(node: form.Expr | form.Stmt) -> Iterator[Condition]:
    """The conditions that one expression states by itself."""
    match node:
        case form.Compare(left=left, rights=[right], ops=["==" | "in"]):
            yield Condition(last_name(left) or "", right)
            yield Condition(last_name(right) or "", left)
        case form.Call(func=func) if _picks(last_name(func) or ""):
            yield from _of_call(node)
        case form.Dict(keys=keys, values=values):
            for key, value in zip(keys, values, strict=True):
                if isinstance(key, form.Const) and isinstance(key.value, str):
                    yield Condition(key.value, value)


def _picks(name: str) -> bool:
    return name in _PICKING or name.endswith("or_404")


def _of_call(call: form.Call) -> Iterator[Condition]:
    name = last_name(call.func) or ""
    for argument in call.args:
        if argument.name == "ident":
            yield Condition(PRIMARY, argument.value)
        elif argument.name is not None and argument.name not in _NO_COLUMNS:
            yield Condition(argument.name, argument.value)
    if name.endswith("or_404"):  # `get_object_or_404(Order.by_number, number)`
        yield from (Condition(PRIMARY, value) for value in call.positional)
    elif name in _BY_KEY and call.positional:
        yield Condition(PRIMARY, call.positional[-1])
    elif name in ("execute", "fetchrow", "fetch_one"):
        yield from (Condition("", value) for value in call.positional[1:])
