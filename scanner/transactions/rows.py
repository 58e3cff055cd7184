"""Of which table the row is that an expression stands for, and whether it was read or is new."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from assay.scanner.dataflow.effects.generic_views import model_of_view
from assay.scanner.dataflow.lexicon import words
from assay.scanner.linker.project import Project, last_name
from assay.scanner.linker.scopes import Binding, ClassSymbol, FunctionSymbol, How, Scope
from assay.scanner.linker.values import External, Instance
from assay.scanner.model.role import Role
from assay.scanner.model.table import Table
from assay.scanner.readers.python import form

_DEEPEST = 4
_MAKING = frozenset(
    """create acreate bulk_create abulk_create model_validate from_orm parse_obj copy deepcopy model_copy from_dict
    build construct""".split()
)
"""Methods that make a row, or a copy that no other request has."""
_NUMBERS = ("int", "integer", "numeric", "decimal", "float", "double", "real", "money", "number")
"""How names of numeric column types end, `Field` left off."""
_CHANGING = frozenset({"update", "put", "patch", "edit", "change"})
"""Words in the names of functions that change a row."""
_MANAGERS = ("Manager", "QuerySet", "BaseManager")
_PROXIES = frozenset({"request", "self", "g", "info", "context", "connection"})


def _is_number(type_: str) -> bool:
    return type_.lower().removesuffix("field").endswith(_NUMBERS)


@dataclass(frozen=True, slots=True)
class Row:
    """A row of `table`. `is_new` says that the code around made it; `source` is the expression that gave it."""

    table: Table
    is_new: bool = False
    source: form.Expr | None = None
    is_guessed: bool = False
    """Only the name and its column tell."""


class MappedRows:
    """Tells it of expressions."""

    def __init__(self, project: Project, tables: Iterable[Table]) -> None:
        self._project = project
        self._tables = [t for t in tables if t.role is Role.PROD]
        self._by_place = {(t.location, t.model): t for t in self._tables}
        self._by_model: dict[str, Table] = {t.model: t for t in self._tables}
        self.numbers: Mapping[str, list[Table]] = _numbers(self._tables)
        """The tables that have a numeric column, by its name."""

    def of_class(self, cls: ClassSymbol) -> Table | None:
        """The table of a mapped class, or of the one that it derives from."""
        for base in self._project.mro(cls):
            if isinstance(base, ClassSymbol):
                found = self._by_place.get((base.location, base.name))
                if found is not None:
                    return found
        return None

    def class_of(self, table: Table) -> ClassSymbol | None:
        """The class that maps the table."""
        classes = self._project.classes_named(table.model)
        return next((c for c in classes if c.location == table.location), None)

    def model(self, node: form.Expr, scope: Scope) -> Table | None:
        """The table of the class that the expression names: `Order`."""
        value = self._project.infer(node, scope)
        return self.of_class(value) if isinstance(value, ClassSymbol) else None

    def asked(self, node: form.Expr, scope: Scope) -> Table | None:
        """The table that a query speaks of: `Order.objects.filter(...)`, `session.get(Order, key)`."""
        for part in form.walk(node):
            if isinstance(part, form.Name) and (part.id[:1].isupper() or part.id == "cls"):
                found = self.model(part, scope)
                if found is not None:
                    return found
        return None

    def row(self, node: form.Expr, scope: Scope, column: str, depth: int = _DEEPEST) -> Row | None:
        """None where it is no row of a table that has the numeric column, or can't be told."""
        found = self._row(node, scope, column, depth)
        return found if found is not None and found.table in self.numbers.get(column, ()) else None

    def any_row(self, node: form.Expr, scope: Scope) -> Row | None:
        """Whichever table it is of."""
        return self._row(node, scope, "", _DEEPEST)

    def _row(self, node: form.Expr, scope: Scope, column: str, depth: int) -> Row | None:
        if not depth:
            return None
        match node:
            case form.Await(value=value) | form.Walrus(value=value):
                return self._row(value, scope, column, depth)
            case form.Boolean(values=values):
                found = [r for v in values if (r := self._row(v, scope, column, depth)) is not None]
                return next((r for r in found if not r.is_new), found[0] if found else None)
            case form.Conditional(body=body, orelse=orelse):
                return self._row(body, scope, column, depth) or self._row(orelse, scope, column, depth)
            case form.Name():
                return self._named(node, scope, column, depth)
            case form.Call():
                return self._called(node, scope, column, depth)
            case form.Subscript(value=value, index=form.Const()):
                return self._row(value, scope, column, depth - 1)
            case form.Attr():
                return self._related(node, scope, column, depth)
        return None

    def _named(self, node: form.Name, scope: Scope, column: str, depth: int) -> Row | None:
        known = scope.lookup(node.id, node.start)
        before = [b for b in known if b.scope is not scope or b.offset <= node.start] or known
        found = [row for b in before if (row := self._bound(b, column, depth)) is not None]
        read = [row for row in found if not row.is_new]
        if read:
            return read[-1]
        if found:
            return found[-1]
        if any(b.how in (How.IMPORT, How.CLASS, How.FUNCTION) for b in before) or not before:
            return None
        if any(_may_be_new(b.value, scope) for b in before if b.value is not None):
            return None
        if node.id == "instance" and any(b.how is How.PARAMETER for b in before):
            table = self._of_serializer(scope)
            if table is not None:
                return Row(table)
        guessed = self._guessed(node, scope, column)
        # A loop's names are short: `item` may be anything's.
        is_loop = any(b.how is How.FOR for b in before)
        return guessed if guessed is None or not is_loop or _is_named(node.id, guessed.table) else None

    def _bound(self, binding: Binding, column: str, depth: int) -> Row | None:
        if binding.how in (How.ASSIGN, How.UNPACK, How.FOR) and binding.value is not None:
            if binding.how is How.UNPACK and binding.index != 0:
                return None
            found = self._row(binding.value, binding.scope, column, depth - 1)
            if found is not None:
                return found
        value = self._project.binding_value(binding)
        table = self.of_class(value.cls) if isinstance(value, Instance) and value.cls is not None else None
        return Row(table, source=binding.value) if table is not None else None

    def _called(self, node: form.Call, scope: Scope, column: str, depth: int) -> Row | None:
        table = self.model(node.func, scope)
        if table is not None:
            return Row(table, is_new=True, source=node)
        if last_name(node.func) in _MAKING:
            table = self.asked(node, scope)
            return Row(table, is_new=True, source=node) if table is not None else None
        if last_name(node.func) in ("get_object", "aget_object") and isinstance(node.func, form.Attr):
            table = self._of_view(node.func.value, scope)
            if table is not None:
                return Row(table, source=node)
        function = self._project.callee_function(node, scope)
        value = self._project.infer(node, scope)
        if isinstance(value, Instance) and value.cls is not None:
            table = self.of_class(value.cls)
            if table is None:
                return None
            is_new = function is not None and self._is_made_by(function, column, depth)
            return Row(table, is_new=is_new, source=node)
        if function is not None:
            found = self._returned(function, column, depth)
            if found is not None or not self._is_of_manager(function):
                return replace(found, source=node) if found is not None else None
        table = self.asked(node, scope)
        return Row(table, source=node) if table is not None else None

    def _is_of_manager(self, function: FunctionSymbol) -> bool:
        """A method of a manager asks for rows of whichever model it is called for."""
        owner = function.owner
        bases = self._project.base_names(owner) if owner is not None else ()
        return any(name.startswith("django.db.models.") and name.endswith(_MANAGERS) for name in bases)

    def _of_view(self, node: form.Expr, scope: Scope) -> Table | None:
        """The table of the class around, of Django's views or of REST framework: `self`, `super()`."""
        method = scope.enclosing_function
        is_own = form.dotted(node) == "self" or (isinstance(node, form.Call) and last_name(node.func) == "super")
        if not is_own or method is None or method.owner is None:
            return None
        return self._by_model.get(model_of_view(method.owner, self._project))

    def _of_serializer(self, scope: Scope) -> Table | None:
        """The table of the rows that `update(self, instance, validated_data)` is given."""
        method = scope.enclosing_function
        if method is None or method.owner is None or method.name != "update":
            return None
        return self._by_model.get(model_of_view(method.owner, self._project))

    def _is_made_by(self, function: FunctionSymbol, column: str, depth: int) -> bool:
        found = self._returned(function, column, depth)
        return found is not None and found.is_new

    def _returned(self, function: FunctionSymbol, column: str, depth: int) -> Row | None:
        found = [
            row
            for statement in function.returns
            if statement.value is not None
            and (row := self._row(statement.value, function.scope, column, depth - 1)) is not None
        ]
        return next((r for r in found if not r.is_new), found[0] if found else None)

    def _related(self, node: form.Attr, scope: Scope, column: str, depth: int) -> Row | None:
        """`order.customer`, `request.user`."""
        value = self._project.infer(node, scope)
        if isinstance(value, Instance) and value.cls is not None:
            table = self.of_class(value.cls)
            return Row(table, source=node) if table is not None else None
        if node.attr in ("object", "instance"):
            table = self._of_view(node.value, scope)
            if table is not None:
                return Row(table, source=node)
        owner = self._row(node.value, scope, column, depth - 1)
        if owner is not None:
            targets = [r.target for r in owner.table.relations if r.name == node.attr and not r.to_many]
            table = self._by_model.get(targets[0]) if targets else None
            return Row(table, source=node) if table is not None else None
        return self._guessed(node, scope, column)

    def _guessed(self, node: form.Name | form.Attr, scope: Scope, column: str) -> Row | None:
        """By its name, where what gave it can't be told: the one model of that name that has the column."""
        value = self._project.infer(node, scope)
        if isinstance(value, Instance) and (value.cls is not None or not _is_loose(value.type_name)):
            return None
        if isinstance(value, ClassSymbol | FunctionSymbol):
            return None
        if isinstance(value, External) and not _is_loose(value.name):
            return None
        said = list(words(last_name(node) or ""))
        if not said or said[0] in _PROXIES:
            return None
        fitting = [t for t in self.numbers.get(column, ()) if _names(said, t)]
        return Row(fitting[0], is_guessed=True) if len(fitting) == 1 else None


def _is_loose(name: str) -> bool:
    """A library's object that stands for one of the project's: `flask_login.current_user`, `request.user`."""
    return name.split(".", 1)[0] not in ("builtins", "datetime", "decimal", "collections", "pydantic", "dataclasses")


def _names(said: list[str], table: Table) -> bool:
    """`current_user` and `db_user` for User, `activation` for AccountActivation."""
    model = list(words(table.model))
    shorter = min(len(said), len(model))
    return said[-shorter:] == model[-shorter:]


def _may_be_new(node: form.Expr, scope: Scope) -> bool:
    """`order.items.create(...)`, and `serializer.save()` unless it is for a change."""
    node = node.value if isinstance(node, form.Await) else node
    if not isinstance(node, form.Call):
        return False
    name, function = last_name(node.func), scope.enclosing_function
    if name in ("save", "asave") and function is not None:
        return _CHANGING.isdisjoint(words(function.name))
    return name in _MAKING


def _is_named(name: str, table: Table) -> bool:
    return len(words(name)) > 1 and words(name) == words(table.model)


def _numbers(tables: Iterable[Table]) -> dict[str, list[Table]]:
    found: dict[str, list[Table]] = {}
    for table in tables:
        for name in _numeric(table):
            found.setdefault(name, []).append(table)
    return found


def _numeric(table: Table) -> Iterator[str]:
    for column in table.columns:
        if _is_number(column.type) and column.fk_to is None:
            yield column.name
