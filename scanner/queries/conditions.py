"""What the calls of a query ask of columns: each condition with the column that it is about."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from enum import Enum, auto
from typing import TypeAlias

from assay.scanner.dataflow.constants import definitions
from assay.scanner.linker.project import Project, last_name, last_part
from assay.scanner.linker.scopes import ClassSymbol, Scope
from assay.scanner.model.place import Location
from assay.scanner.model.role import Role
from assay.scanner.model.schema import KeyKind
from assay.scanner.model.table import Column, Table
from assay.scanner.readers.python import form


class Test(Enum):
    """How a column is compared."""

    EQUAL = auto()
    AMONG = auto()
    """It is one of several values."""
    FROM = auto()
    """It is not less than something."""
    LOOSE = auto()
    """In a way that most rows may pass: upwards, with NULL, as not equal."""


@dataclass(frozen=True, slots=True, eq=False)
class Condition:
    """A comparison of one column."""

    table: Table
    column: Column
    test: Test
    node: form.Expr
    scope: Scope
    is_fixed: bool = False
    """The code itself says with what, so that the rows are a share of the table."""

    @property
    def is_loose(self) -> bool:
        """Whether most rows may pass it, or many."""
        return self.is_fixed or self.test is Test.LOOSE

    @property
    def location(self) -> Location:
        """The place that speaks of the column."""
        return self.scope.module.location(self.node)


@dataclass(frozen=True, slots=True, eq=False)
class Either:
    """Alternatives, one of which a row has to pass; each is conditions that all have to hold."""

    ways: tuple[tuple[Part, ...], ...]


Part: TypeAlias = Condition | Either | None
"""None is a condition that can't be told."""

# https://docs.djangoproject.com/en/stable/ref/models/querysets/#field-lookups
_EQUAL = frozenset({"", "exact", "iexact"})
_AMONG = frozenset({"in", "date", "year", "month", "week", "day"})
_FROM = frozenset({"gt", "gte", "range"})
_LOOSE = frozenset({"lt", "lte", "isnull", "not", "not_in", "not_isnull"})
_SEARCHING = frozenset(
    {
        "contains", "icontains", "startswith", "istartswith", "endswith", "iendswith", "regex", "iregex", "search",
        "trigram_similar", "has_key", "overlap", "contained_by", "hour", "time", "quarter", "week_day",
    }
)  # fmt: skip
_TESTS = ((Test.EQUAL, _EQUAL), (Test.AMONG, _AMONG), (Test.FROM, _FROM))
_LOOKUPS = _EQUAL | _AMONG | _FROM | _LOOSE | _SEARCHING
_WRAPPERS = frozenset({"col", "lower", "upper", "date", "cast", "LOWER", "UPPER", "Lower", "Upper", "F"})
_OPTIONS = frozenset({"defaults", "using_db", "lock", "nowait"})


class Tables:
    """Tables by their models' names, where these say which one is meant."""

    def __init__(self, tables: Iterable[Table], project: Project) -> None:
        self._project = project
        self._by_model: dict[str, Table | None] = {}
        for table in tables:
            if table.role is Role.PROD and table.is_managed:
                self._by_model[table.model] = None if table.model in self._by_model else table

    def any_of(self, frameworks: Collection[str]) -> bool:
        """Whether one of these libraries maps any."""
        return any(t is not None and t.framework in frameworks for t in self._by_model.values())

    def named(self, name: str) -> Table | None:
        """The table of that name in the database."""
        found = [t for t in self._by_model.values() if t is not None and t.name == name]
        return found[0] if len(found) == 1 else None

    def of(self, model: str) -> Table | None:
        """The table that the model of that name maps."""
        return self._by_model.get(model)

    def of_class(self, node: form.Expr, scope: Scope) -> Table | None:
        """The table of the model that an expression names."""
        value = self._project.infer(node, scope)
        if not isinstance(value, ClassSymbol):
            return None
        bases = (base.name for base in self._project.mro(value) if isinstance(base, ClassSymbol))
        return next((table for name in bases if (table := self.of(name)) is not None), None)


def column_of(table: Table, name: str) -> Column | None:
    """The column of that name, or the one in which a foreign key of that name is stored."""
    columns = {c.name: c for c in table.columns}
    if name == "pk":
        name = next((k.columns[0] for k in table.keys if k.kind is KeyKind.PRIMARY and k.columns), "id")
    return columns.get(name) or columns.get(name.removesuffix("_id")) or columns.get(f"{name}_id")


@dataclass(frozen=True, slots=True)
class Conditions:
    """Reads them in one project."""

    project: Project
    tables: Tables

    def of(self, call: form.Call, scope: Scope, table: Table, skipped: int = 0) -> list[Part]:
        """Those of a call whose arguments are conditions: `filter(...)`, `get(...)`. All of them have to hold."""
        found: list[Part] = []
        for argument in call.args[skipped:]:
            if argument.star:
                found.append(None)
            elif argument.name is None:
                found += self._expression(argument.value, scope, table)
            elif argument.name not in _OPTIONS:
                found.append(self._lookup(argument.name, argument.value, scope, table))
        return found

    # --- keywords ---

    def _lookup(self, name: str, value: form.Expr, scope: Scope, table: Table) -> Part:
        """`author=`, `created_at__gte=`, `author__email=`."""
        first, *rest = name.split("__")
        column = column_of(table, first)
        if column is None or column.type.endswith("JSONField") or "ManyToMany" in column.type:
            return None
        if rest and rest[0] not in _LOOKUPS:
            target = self.tables.of(last_part(column.fk_to)) if column.fk_to is not None else None
            if rest[0] in ("id", "pk"):
                rest = rest[1:]
            elif target is not None:
                return self._lookup("__".join(rest), value, scope, target)
            else:
                return None
        lookup = rest[-1] if rest else ""
        if lookup in _SEARCHING or lookup not in _LOOKUPS:
            return None
        test = next((test for test, lookups in _TESTS if lookup in lookups), Test.LOOSE)
        return Condition(table, column, test, value, scope, _is_fixed(value))

    # --- expressions ---

    def _expression(self, node: form.Expr, scope: Scope, table: Table, depth: int = 4) -> list[Part]:
        match node:
            case form.Binary(op="&", left=left, right=right):
                return [*self._expression(left, scope, table), *self._expression(right, scope, table)]
            case form.Binary(op="|", left=left, right=right):
                return [Either(tuple(tuple(self._expression(side, scope, table)) for side in (left, right)))]
            case form.Unary() | form.Const():
                return []  # what is negated leaves most rows
            case form.Compare(left=left, ops=[op], rights=[right]):
                return self._compared(left, op, right, scope)
            case form.Binary(op="<<", left=left, right=right):
                return self._compared(left, "in", right, scope)  # peewee's IN
            case form.Name() if depth and len(stated := definitions(node, scope, self.project)) == 1:
                return self._expression(*stated[0], table, depth - 1)
            case form.Attr() if self._column(node, scope) is not None:
                return []  # a yes or no by itself
            case form.Call():
                return self._called(node, scope, table)
        return [None]

    def _called(self, call: form.Call, scope: Scope, table: Table) -> list[Part]:
        name = last_name(call.func) or ""
        if name == "Q":
            return self.of(call, scope, table)
        if name in ("and_", "or_") and not any(a.star for a in call.args):
            ways = [self._expression(a.value, scope, table) for a in call.args]
            return [p for way in ways for p in way] if name == "and_" else [Either(tuple(tuple(w) for w in ways))]
        if name in ("not_", "Not"):
            return []
        if not isinstance(call.func, form.Attr):
            return [None]
        found = self._column(call.func.value, scope)
        if found is None:
            return [None]
        if name in ("in_", "between") and call.positional:
            test = Test.AMONG if name == "in_" else Test.FROM
            return [Condition(*found, test, call.func.value, scope, _is_fixed(call.positional[0]))]
        if name in ("is_", "is_not", "isnot", "not_in", "notin_", "is_null", "is_distinct_from"):
            return []
        return [None]

    def _compared(self, left: form.Expr, op: str, right: form.Expr, scope: Scope) -> list[Part]:
        one, other = self._column(left, scope), self._column(right, scope)
        if one is not None and other is not None:
            return []  # it joins two tables
        found = one or other
        if found is None:
            return [None]
        upwards = (">", ">=") if one is not None else ("<", "<=")
        test = {"==": Test.EQUAL, "in": Test.AMONG}.get(op, Test.FROM if op in upwards else Test.LOOSE)
        value, node = (right, left) if one is not None else (left, right)
        return [Condition(*found, test, node, scope, _is_fixed(value))]

    def _column(self, node: form.Expr, scope: Scope) -> tuple[Table, Column] | None:
        """`User.email`, `func.lower(User.email)`, `col(User.email)`, `users.c.email`."""
        while isinstance(node, form.Call) and last_name(node.func) in _WRAPPERS and node.positional:
            node = node.positional[0]
        if not isinstance(node, form.Attr):
            return None
        table = self.tables.of_class(node.value, scope)
        if table is None and isinstance(node.value, form.Attr) and node.value.attr in ("c", "columns"):
            table = self.tables.of(last_name(node.value.value) or "")
        column = column_of(table, node.attr) if table is not None else None
        return (table, column) if table is not None and column is not None else None

    # --- orders ---

    def sorted_by(self, call: form.Call, scope: Scope, table: Table) -> Condition | None:
        """The column that comes first in `order_by(...)`, of the table itself."""
        if not call.args or call.args[0].star or call.args[0].name is not None:
            return None
        node = call.args[0].value
        first = node
        while isinstance(node, form.Call):
            if isinstance(node.func, form.Attr) and node.func.attr in _DIRECTIONS and not node.positional:
                node = node.func.value
            elif last_name(node.func) in ("desc", "asc", "col", "F", "nullslast", "nulls_last") and node.positional:
                node = node.positional[0]
            else:
                return None
        while isinstance(node, form.Unary):
            node = node.operand  # peewee's `-Post.created`
        if isinstance(node, form.Const) and isinstance(node.value, str):
            column = column_of(table, node.value.lstrip("-+"))
            return Condition(table, column, Test.LOOSE, first, scope) if column is not None else None
        found = self._column(node, scope)
        return Condition(*found, Test.LOOSE, first, scope) if found is not None and found[0] is table else None


_DIRECTIONS = frozenset({"desc", "asc", "nulls_last", "nulls_first", "nullslast", "nullsfirst"})


def _is_fixed(node: form.Expr) -> bool:
    match node:
        case form.Const():
            return True
        case form.Attr(value=owner, attr=attr):
            return attr.isupper() or (attr == "value" and _is_fixed(owner)) or (last_name(owner) or "a")[0].isupper()
        case form.Name(id=name):
            return name.isupper()
        case form.Display(items=items):
            return all(_is_fixed(item) for item in items)
    return False


def leaves(parts: Iterable[Part]) -> Iterator[Condition]:
    """All conditions, those of alternatives included."""
    for part in parts:
        if isinstance(part, Condition):
            yield part
        elif isinstance(part, Either):
            for way in part.ways:
                yield from leaves(way)
