"""What an expression can evaluate to, as far as rows of a table are concerned: the domain that `reads` computes in."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import IntEnum
from typing import TypeVar

from assay.scanner.dataflow.page_inputs import PageInput
from assay.scanner.framework import Rows, Sited
from assay.scanner.linker.scopes import How, Scope
from assay.scanner.model.place import Evidence
from assay.scanner.model.query import Bound, Order
from assay.scanner.readers.python import form


class Shape(IntEnum):
    """What the value looks like from outside, most list-like last."""

    NOTHING = 0
    OBJECT = 1
    WRAPPER = 2
    LIST = 3


@dataclass(frozen=True, slots=True)
class Returned:
    """What an expression can evaluate to, as far as rows are concerned."""

    rows: tuple[Rows, ...] = ()
    shape: Shape = Shape.NOTHING
    bounded: tuple[Evidence, ...] = ()
    unknown: tuple[Evidence, ...] = ()
    inputs: tuple[PageInput, ...] = ()

    def __or__(self, other: Returned) -> Returned:
        if self is NOTHING:
            return other
        if other is NOTHING:
            return self
        return Returned(
            union(self.rows, other.rows),
            max(self.shape, other.shape),
            union(self.bounded, other.bounded),
            union(self.unknown, other.unknown),
            union(self.inputs, other.inputs),
        )

    def shaped(self, shape: Shape) -> Returned:
        return replace(self, shape=shape) if self.shape is not shape else self

    @property
    def without_rows(self) -> Returned:
        """One value out of it: a count, an element. Page inputs stay known."""
        return Returned(inputs=self.inputs)


NOTHING = Returned()


_T = TypeVar("_T")


def union(a: tuple[_T, ...], b: tuple[_T, ...]) -> tuple[_T, ...]:
    """Both, each once, in order."""
    return a + tuple(x for x in b if x not in a) if b else a


def with_inputs(returned: Returned, nodes: tuple[form.Expr, ...], scope: Scope) -> Returned:
    """The value with expressions noted that say how many rows a page has."""
    inputs = tuple(PageInput((Sited(node, scope),)) for node in nodes)
    return replace(returned, inputs=union(returned.inputs, inputs)) if inputs else returned


def of_unknown_size(returned: Returned) -> Returned:
    """The value after something unknown was done to its rows."""
    return replace(returned, rows=tuple(passed_through_unknown(r) for r in returned.rows))


def passed_through_unknown(rows: Rows) -> Rows:
    """Rows that a function which could not be followed was given: it may have limited or ordered them."""
    bound = Bound.UNKNOWN if rows.bound is Bound.UNLIMITED else rows.bound
    return replace(perhaps_ordered(rows), bound=bound)


def perhaps_ordered(rows: Rows) -> Rows:
    """Rows that something unknown was given. Once they are cut into a page it is too late to order them."""
    is_too_late = rows.order is not Order.NONE or rows.bound is Bound.LIMITED
    return rows if is_too_late else replace(rows, order=Order.UNKNOWN)


_NARROWING = frozenset({
    "filter", "filter_by", "where", "having", "join", "outerjoin", "exclude", "get_queryset",
})  # fmt: skip


def narrowed(rows: Rows, method: str, call: form.Call | None, scope: Scope) -> Rows:
    """Note that a filter compares with something the function was given."""
    if rows.narrowed or call is None or method not in _NARROWING:
        return rows
    for argument in call.args:
        for node in form.walk(argument.value):
            if isinstance(node, form.Name) and any(
                b.how is How.PARAMETER or b.how is How.ASSIGN for b in scope.lookup(node.id)
            ):
                return replace(rows, narrowed=True)
    return rows


_MOST_BOUND = (Bound.UNLIMITED, Bound.UNKNOWN, Bound.LIMITED)
_MOST_ORDERED = (Order.NONE, Order.UNKNOWN, Order.DEFAULT, Order.EXPLICIT)


def refined(earlier: Returned, later: Returned) -> Returned:
    """A name's value after one more assignment: a later form of the same read takes the earlier one's place.

    `if limit: q = q.limit(limit)` counts as limited: the limit reaches the query, and that is what is asked.
    """
    if not earlier.rows or not later.rows:
        return earlier | later
    rows = list(earlier.rows)
    for row in later.rows:
        same = next((i for i, r in enumerate(rows) if r.place.location == row.place.location), None)
        if same is None:
            rows.append(row)
        elif _rank(row) >= _rank(rows[same]):
            rows[same] = row
    return replace(earlier | later, rows=tuple(rows))


def _rank(rows: Rows) -> tuple[int, int]:
    return _MOST_BOUND.index(rows.bound), _MOST_ORDERED.index(rows.order)
