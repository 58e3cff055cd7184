"""Calls that copy many fields at once into a row."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from assay.scanner.dataflow.bodies.requests.sent import Sent
from assay.scanner.dataflow.bodies.schemas.tables import Tables
from assay.scanner.linker.project import last_name
from assay.scanner.linker.scopes import ClassSymbol, FunctionSymbol, Scope
from assay.scanner.linker.values import Instance
from assay.scanner.model.place import Evidence
from assay.scanner.model.table import Table
from assay.scanner.readers.python import form

_SPREADING = frozenset(
    {
        "create", "acreate", "update", "update_or_create", "get_or_create", "insert", "values", "create_user",
        "acreate_user", "create_superuser",
    }
)  # fmt: skip
"""Methods of managers, queries and statements that take columns by name."""
_TAKING = frozenset(
    {
        "sqlmodel_update", "values", "bulk_insert_mappings", "insert_one", "update_one", "update_many",
        "find_one_and_update", "replace_one", "find_one_and_replace",
    }
)  # fmt: skip
"""Methods that take a dict of columns, or of fields of a MongoDB document."""
_QUERIES = frozenset({"filter", "filter_by", "query", "where", "update", "insert", "select", "get_queryset"})


@dataclass(frozen=True, slots=True, eq=False)
class Copy:
    """`call` in `function` copies what `sent` holds into a row of `table`, whose class is `model`. `fixed` are columns
    that the code sets itself.
    """

    call: form.Call
    function: FunctionSymbol
    sent: Sent
    table: Table | None
    model: str
    fixed: frozenset[str] = frozenset()
    is_stored: bool = True
    """False where the object is known to be no row."""
    inner: Evidence | None = None
    """Where a function that `call` calls does the copying."""

    def called_by(self, call: form.Call, function: FunctionSymbol) -> Copy:
        """The same copy where a body is handed to the function that makes it."""
        inner = self.inner or self.function.module.evidence(self.call, f"{self.function.name}() writes each field")
        return replace(self, call=call, function=function, inner=inner)


def copy_of(call: form.Call, arg: form.Arg, sent: Sent, function: FunctionSymbol, tables: Tables) -> Copy | None:
    """The copy that a call makes of a whole body that is its argument; None where it makes none."""
    project, scope = tables.project, function.scope
    name = last_name(call.func) or ""
    fixed = frozenset(a.name for a in call.args if a.name is not None)
    callee = project.infer(call.func, scope)
    if isinstance(callee, ClassSymbol) and tables.of(callee) is not None:
        return Copy(call, function, sent, tables.of(callee), callee.name, fixed) if arg.star == 2 else None
    if not isinstance(call.func, form.Attr):
        return None
    owner = call.func.value
    if name == "model" and arg.star == 2 and last_name(owner) == "self" and sent.schema is not None:
        return Copy(call, function, sent, None, "", fixed)  # of a repository that serves any model
    if name in ("model_validate", "from_orm", "parse_obj"):
        cls = project.infer(owner, scope)
        table = tables.of(cls)
        given = _keys(call.keyword("update"))
        is_row = isinstance(cls, ClassSymbol) and table is not None
        return Copy(call, function, sent, table, table.model, given) if is_row and table is not None else None
    is_spread = arg.star == 2 and name in _SPREADING
    is_taken = arg.star == 0 and (name in _TAKING or (name == "update" and _is_query(owner)))
    if not is_spread and not is_taken:
        return None
    table = _table_behind(owner, scope, tables) or _table_of_own(owner, name, scope, tables)
    if name == "sqlmodel_update":
        fixed |= _keys(call.keyword("update"))
    if table is None and not (name in _TAKING or _is_query(owner) or _is_manager(owner)):
        return None
    return Copy(call, function, sent, table, table.model if table is not None else "", fixed)


def attribute_set(call: form.Call, sent: Sent, function: FunctionSymbol, tables: Tables) -> Copy | None:
    """`setattr(row, name, value)` where the client chooses the name."""
    given = call.positional
    if last_name(call.func) != "setattr" or len(given) != 3 or isinstance(given[1], form.Const):
        return None
    if isinstance(given[0], form.Name) and given[0].id == "self" and function.owner is not None:
        cls: ClassSymbol | None = function.owner
    else:
        value = tables.project.infer(given[0], function.scope)
        cls = value.cls if isinstance(value, Instance) else None
    table = tables.of(cls) if cls is not None else _table_behind(given[0], function.scope, tables)
    is_stored = cls is None or table is not None or bool(tables.project.subclasses(cls))
    return Copy(call, function, sent, table, table.model if table is not None else "", is_stored=is_stored)


def is_allowed(call: form.Call, function: FunctionSymbol, is_sent: Callable[[form.Expr], bool]) -> bool:
    """Whether a test lets only some names through: `if name in ALLOWED: setattr(user, name, value)`."""
    name = call.positional[1] if len(call.positional) == 3 else None
    if not isinstance(name, form.Name):
        return False
    for node in function.nodes:
        if isinstance(node, form.Compare) and node.ops[0] in ("in", "not in"):
            is_name = isinstance(node.left, form.Name) and node.left.id == name.id
            if is_name and not isinstance(node.rights[0], form.Call) and not is_sent(node.rights[0]):
                return True
    return False


def _table_behind(node: form.Expr, scope: Scope, tables: Tables) -> Table | None:
    """The table of the row, the manager or the query that an expression stands for."""
    value = tables.project.infer(node, scope)
    if isinstance(value, Instance) and value.cls is not None:
        return tables.of(value.cls)
    for inner in form.walk(node):
        if isinstance(inner, form.Name | form.Attr):
            table = tables.of_expression(inner, scope)
            if table is not None:
                return table
    return None


def _table_of_own(node: form.Expr, method: str, scope: Scope, tables: Tables) -> Table | None:
    """The table of a row with a method of its own by that name: `user.update(**data)`."""
    cls = tables.row_class(node, scope)
    return tables.of(cls) if cls is not None and tables.project.method(cls, method) is not None else None


def _is_query(node: form.Expr) -> bool:
    return any(isinstance(n, form.Call) and last_name(n.func) in _QUERIES for n in form.walk(node)) or _is_manager(node)


def _is_manager(node: form.Expr) -> bool:
    return any(isinstance(n, form.Attr) and n.attr in ("objects", "query", "__dict__") for n in form.walk(node))


def _keys(node: form.Expr | None) -> frozenset[str]:
    keys = node.keys if isinstance(node, form.Dict) else []
    return frozenset(k.value for k in keys if isinstance(k, form.Const) and isinstance(k.value, str))
