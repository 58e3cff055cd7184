"""Indexes and constraints over several fields, as a model's `Meta` and migrations state them.

https://docs.djangoproject.com/en/stable/ref/models/indexes/
"""

from __future__ import annotations

from collections.abc import Iterator

from assay.scanner.dataflow.constants import list_items, string_value
from assay.scanner.linker.project import Project, last_name
from assay.scanner.linker.scopes import Scope
from assay.scanner.model.schema import Key, KeyKind
from assay.scanner.readers.python import form

UNIQUE_TOGETHER = "unique_together"
INDEX_TOGETHER = "index_together"
_CHECKS = ("CheckConstraint", "ExclusionConstraint")


def key_of(node: form.Expr, scope: Scope, project: Project) -> Key | None:
    """What `models.Index(...)` or `models.UniqueConstraint(...)` states; None for a check, or what can't be told."""
    name = last_name(node.func) if isinstance(node, form.Call) else None
    if not isinstance(node, form.Call) or name is None or name.endswith(_CHECKS):
        return None
    kind = KeyKind.UNIQUE if name.endswith("UniqueConstraint") else KeyKind.INDEX
    if kind is KeyKind.INDEX and not name.endswith("Index"):
        return None
    fields = node.keyword("fields")
    listed = list_items(fields, scope, project) if fields is not None else []
    columns = [string_value(*item, project) for item in listed]
    expressions = [_column_in(e) for e in node.positional]
    if not columns and not expressions:
        return None
    named = node.keyword("name")
    condition = node.keyword("condition")
    return Key(
        columns=(*((c or "").removeprefix("-") for c in columns), *expressions),
        kind=kind,
        name=string_value(named, scope, project) if named is not None else None,
        is_partial=condition is not None,
        condition=_asked_in(condition) if condition is not None else frozenset(),
        location=scope.module.location(node),
    )


def is_check(node: form.Expr) -> bool:
    """Whether it is a constraint that is checked row by row."""
    return isinstance(node, form.Call) and (last_name(node.func) or "").endswith(_CHECKS)


def keys_in(node: form.Expr, scope: Scope, project: Project) -> list[Key]:
    """The keys of a list of indexes or constraints."""
    found = (key_of(item, at, project) for item, at in list_items(node, scope, project))
    return [key for key in found if key is not None]


def together(option: str, node: form.Expr, scope: Scope, project: Project) -> tuple[Key, ...]:
    """The keys of `unique_together = [("a", "b")]`, which may also be one plain tuple."""
    kind = KeyKind.UNIQUE if option == UNIQUE_TOGETHER else KeyKind.INDEX
    items = list_items(node, scope, project)
    groups = [
        tuple(string_value(*part, project) or "" for part in list_items(*item, project))
        for item in items
        if not isinstance(item[0], form.Const)
    ]
    if not groups:
        groups = [tuple(string_value(*item, project) or "" for item in items)]
    at = scope.module.location(node)
    return tuple(Key(group, kind, option, location=at) for group in groups if group)


def _column_in(node: form.Expr) -> str:
    """The field of `F("name").desc()` and `"name"`; an expression over one has no column's order."""
    if isinstance(node, form.Call) and isinstance(node.func, form.Attr) and node.func.attr in ("asc", "desc"):
        node = node.func.value
    if isinstance(node, form.Call) and last_name(node.func) in ("F", "OpClass") and node.positional:
        return _column_in(node.positional[0])
    return node.value.removeprefix("-") if isinstance(node, form.Const) and isinstance(node.value, str) else ""


def required_by(check: form.Expr) -> str | None:
    """The field of `CheckConstraint(check=Q(email__isnull=False))`, which says no more than that."""
    if not isinstance(check, form.Call):
        return None
    condition = check.keyword("condition") or check.keyword("check")
    lookups = list(_lookups(condition)) if condition is not None else []
    if len(lookups) != 1:
        return None
    name, value = lookups[0]
    is_required = name.endswith("__isnull") and isinstance(value, form.Const) and value.value is False
    return name.removesuffix("__isnull") if is_required else None


def _asked_in(condition: form.Expr) -> frozenset[str]:
    """The fields that `Q(deleted_at__isnull=True)` looks at."""
    return frozenset(name.split("__", 1)[0] for name, _ in _lookups(condition))


def _lookups(condition: form.Expr) -> Iterator[tuple[str, form.Expr]]:
    """Those of `Q(deleted_at__isnull=True)`, which migrations write as `Q(("deleted_at__isnull", True))`."""
    for node in form.walk(condition):
        for argument in node.args if isinstance(node, form.Call) else ():
            value = argument.value
            if argument.name is not None and not argument.name.startswith("_"):
                yield argument.name, value
            elif isinstance(value, form.Display) and len(value.items) == 2:
                name = value.items[0]
                if isinstance(name, form.Const) and isinstance(name.value, str):
                    yield name.value, value.items[1]
