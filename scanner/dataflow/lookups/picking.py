"""Whether a query picks the one object that the path names, and not one of many that belong to it."""

from __future__ import annotations

from assay.scanner.dataflow.lookups.conditions import PRIMARY, Condition, conditions
from assay.scanner.dataflow.lookups.labels import Labels, is_caller, names_id
from assay.scanner.dataflow.lookups.owners import Owners
from assay.scanner.dataflow.lookups.queries import STATEMENTS, Query
from assay.scanner.linker.project import last_name
from assay.scanner.linker.scopes import ClassSymbol
from assay.scanner.readers.python import form

_IDS = frozenset({"", PRIMARY, "id", "_id", "uuid", "guid", "oid"})
_ANY_OF_MANY = frozenset({"first", "last", "afirst", "alast", *STATEMENTS})


def is_picked_by_id(found: Query, labels: Labels, wanted: str, view: ClassSymbol | None, owners: Owners) -> bool:
    """By a column of its own that holds the id; or by nothing that a client could choose beside it."""
    if found.is_of_view:
        return view is not None
    match found.node.func:
        case form.Attr(value=form.Name(id=cursor)) if cursor in labels.ids:
            return True
    compared = list(conditions(found.parts))
    by_id = [c for c in compared if names_id(c.value, labels, wanted)]
    if any(_is_own(c, found.model, wanted, owners) for c in by_id):
        return True
    others = [c for c in compared if c not in by_id]
    is_exact = last_name(found.node.func) not in _ANY_OF_MANY
    return bool(by_id) and is_exact and all(_is_settled(c, labels) for c in others)


def _is_own(condition: Condition, model: ClassSymbol | None, wanted: str, owners: Owners) -> bool:
    column = condition.column
    if column in _IDS:
        return True
    if model is None:
        return column == wanted or not column.endswith("_id")
    is_elsewhere = "__" in column.strip("_") or owners.refers(model.name, column)
    return not is_elsewhere and not owners.has_another(wanted, model.name)


def _is_settled(condition: Condition, labels: Labels) -> bool:
    """Whether a further condition is no choice of the client's: a constant, another part of the path, the caller."""
    value = condition.value
    if isinstance(value, form.Const | form.Attr) or is_caller(value, labels):
        return True
    return isinstance(value, form.Name) and (value.id in labels.callers or value.id.endswith(("_id", "slug", "pk")))
