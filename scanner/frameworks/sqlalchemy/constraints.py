"""What keys, indexes and constraints say of columns: which lead an index, and which are unique alone."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from assay.scanner.dataflow.constants import Given
from assay.scanner.frameworks.sqlalchemy.columns import Declared, Made, target_of
from assay.scanner.linker.project import Project, last_name
from assay.scanner.linker.scopes import Scope
from assay.scanner.model.place import Location
from assay.scanner.model.schema import Key, KeyKind
from assay.scanner.model.table import Column
from assay.scanner.readers.python import form

_CONSTRAINTS = frozenset({"Index", "UniqueConstraint", "PrimaryKeyConstraint", "ForeignKeyConstraint"})


@dataclass(frozen=True, slots=True)
class Constraint:
    """An index or constraint over columns by their keys or names, in order."""

    kind: str
    columns: tuple[str, ...]
    is_unique: bool = False
    targets: tuple[str | None, ...] = ()
    is_partial: bool = False
    condition: frozenset[str] = frozenset()
    location: Location | None = None


def constraint(call: form.Call, scope: Scope, project: Project, given: Given | None = None) -> Constraint | None:
    """What `Index(...)`, `UniqueConstraint(...)` and their like say; None for any other call."""
    kind = last_name(call.func) or ""
    made = Made(call, scope, given or {})
    if kind not in _CONSTRAINTS:
        return None
    if kind == "ForeignKeyConstraint":
        columns, targets = call.argument(0, "columns"), call.argument(1, "refcolumns")
        if not isinstance(columns, form.Display) or not isinstance(targets, form.Display):
            return None
        named = [_column_named(c, made, project) for c in columns.items]
        pointed = tuple(target_of(t, made, project) for t in targets.items)
        return Constraint(kind, tuple(n or "" for n in named), targets=pointed)
    where = next((a.value for a in call.args if a.name is not None and a.name.endswith("_where")), None)
    parts = call.positional[1:] if kind == "Index" else call.positional
    names = [_column_named(part, made, project) for part in parts]
    if not names:
        return None
    is_unique = kind != "Index" or made.says("unique", project)
    return Constraint(
        kind,
        tuple(n or "" for n in names),
        is_unique,
        is_partial=where is not None,
        condition=_asked_in(where, made, project) if where is not None else frozenset(),
        location=scope.module.location(call),
    )


def _asked_in(where: form.Expr, made: Made, project: Project) -> frozenset[str]:
    """The columns that a condition looks at: `text("deleted_at IS NULL")`, `User.deleted_at.is_(None)`."""
    words: set[str] = set()
    for node in form.walk(where):
        text = made.text(node, project) if isinstance(node, form.Const | form.Template) else None
        words.update(re.findall(r"\w+", text or ""))
        if isinstance(node, form.Attr):
            words.add(node.attr)
    return frozenset(words)


def _column_named(node: form.Expr, made: Made, project: Project) -> str | None:
    """A column by its string, its attribute, or under `.desc()`; None for an expression such as `func.lower(name)`."""
    if isinstance(node, form.Call) and isinstance(node.func, form.Attr) and node.func.attr in ("desc", "asc"):
        node = node.func.value
    return made.text(node, project) or last_name(node)


def constrained(declared: Mapping[str, Declared], constraints: list[Constraint]) -> tuple[Column, ...]:
    """The columns with what keys, indexes and constraints say of them.

    The first column of an index is the one it serves. The only column of a key or of a unique constraint is unique.
    """
    keys = tuple(key for key, d in declared.items() if d.is_key)
    stated = next((c.columns for c in constraints if c.kind == "PrimaryKeyConstraint"), keys)
    columns = {key: d.column for key, d in declared.items()}
    whole = [c for c in constraints if not c.is_partial]
    for found in [*whole, Constraint("PrimaryKeyConstraint", stated, is_unique=True)]:
        members = [next((k for k, c in columns.items() if name in (k, c.name)), None) for name in found.columns]
        if found.kind == "ForeignKeyConstraint":
            for member, target in zip(members, found.targets, strict=False):
                if member is not None:
                    columns[member] = replace(columns[member], fk_to=columns[member].fk_to or target)
        elif members and (first := members[0]) is not None:
            unique = columns[first].unique or (found.is_unique and len(members) == 1)
            columns[first] = replace(columns[first], indexed=True, unique=unique)
    return tuple(columns.values())


def keys_of(declared: Mapping[str, Declared], constraints: list[Constraint]) -> tuple[Key, ...]:
    """The primary key, indexes and unique constraints, by the columns' names in the database."""
    named = {key: d.column.name for key, d in declared.items()}
    keys = tuple(key for key, d in declared.items() if d.is_key)
    primary = next((c.columns for c in constraints if c.kind == "PrimaryKeyConstraint"), keys)
    found = [Key(tuple(named.get(c, c) for c in primary), KeyKind.PRIMARY)] if primary else []
    for declaration in declared.values():
        column = declaration.column
        if column.indexed and not declaration.is_key:
            found.append(
                Key((column.name,), KeyKind.UNIQUE if column.unique else KeyKind.INDEX, None, location=column.location)
            )
    for each in constraints:
        if each.kind in ("Index", "UniqueConstraint"):
            kind = KeyKind.UNIQUE if each.is_unique else KeyKind.INDEX
            columns = tuple(named.get(c, c) for c in each.columns)
            found.append(Key(columns, kind, None, each.is_partial, each.condition, each.location))
    return tuple(found)
