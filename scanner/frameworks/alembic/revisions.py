"""Alembic: the revisions of a schema, what each builds on, and what it does to the schema on the way up and down.

https://alembic.sqlalchemy.org/en/latest/ops.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from assay.scanner.dataflow.constants import Given, definitions, list_items, one_or_many, string_value
from assay.scanner.dataflow.expansion import arguments, expansions
from assay.scanner.framework import Context, Framework
from assay.scanner.frameworks.alembic.operations import Operation, steps_of
from assay.scanner.linker.project import last_name, last_part
from assay.scanner.linker.scopes import Binding, FunctionSymbol, Module, Scope
from assay.scanner.linker.values import External, Instance
from assay.scanner.model.migration import UNKNOWN_PARENT, Migration, SchemaChange
from assay.scanner.model.place import Evidence
from assay.scanner.readers.python import form
from assay.scanner.schema.sql import changes_schema

_NAME = "Alembic"
_BATCH = "batch_alter_table"
_CONNECTION = "alembic.op.get_bind"
_NO_CHANGE = frozenset({"get_bind", "get_context", "f", "inline_literal", "run_async", _BATCH})
_ALL_AT_ONCE = frozenset({"create_all", "drop_all"})
"""Of a `MetaData`: what the models say on the day that it runs."""
_DEEPEST = 6
# Which argument names the table, and which what is changed in it; a batch operation knows its table already.
_TABLE_FIRST = frozenset({"add_column", "drop_column", "alter_column"})
_TABLE_ALONE = frozenset(
    {"create_table", "drop_table", "rename_table", "bulk_insert", "create_table_comment", "drop_table_comment"}
)
_TABLE_SECOND = frozenset(
    {
        "create_index", "drop_index", "create_foreign_key", "create_primary_key", "create_unique_constraint",
        "create_check_constraint", "create_exclude_constraint", "drop_constraint",
    }
)  # fmt: skip
_TABLE_NAMES = ("table_name", "source_table", "old_table_name", "table")
_COLUMN_NAMES = ("column_name", "column", "index_name", "constraint_name")


@dataclass(frozen=True, slots=True)
class _Place:
    """Where operations are read: a function's body, what its parameters were given, and the tables of open batches."""

    function: FunctionSymbol
    given: Given
    batches: Mapping[str, form.Call]
    active: tuple[FunctionSymbol, ...]
    is_conditional: bool = False
    in_transaction: bool = True

    @property
    def scope(self) -> Scope:
        return self.function.scope


def _migrations(context: Context) -> Iterator[Migration]:
    for module in context.project.modules.values():
        if {"revision", "down_revision"} <= module.scope.bindings.keys():
            yield from _Revision(context, module).migration()


class _Revision:
    """One file of a `versions` folder."""

    def __init__(self, context: Context, module: Module) -> None:
        self._context = context
        self._project = context.project
        self._module = module

    def migration(self) -> Iterator[Migration]:
        binding = self._module.scope.bindings["revision"][-1]
        if binding.value is None:
            return
        name = string_value(binding.value, self._module.scope, self._project)
        location = self._module.span(binding.offset, binding.value.end)
        if name is None:
            self._context.unresolved(location, "the name of this revision is computed at run time")
            return
        up, down = self._functions("upgrade"), self._functions("downgrade")
        parents = self._parents(self._module.scope.bindings["down_revision"][-1])
        yield Migration(
            name=name,
            parents=tuple(p for p in parents if p != UNKNOWN_PARENT),
            is_placed=UNKNOWN_PARENT not in parents,
            framework=_NAME,
            location=location,
            role=self._module.role,
            changes=tuple(change for f in up for change in self._in_function(f)),
            reversals=tuple(change for f in down for change in self._in_function(f)),
            is_reversible=all(_is_empty(f) for f in up) or any(not _is_empty(f) and not _raises(f) for f in down),
            labels=self._labels(),
            refusal=next((found for f in down if (found := _refusal(f)) is not None), None),
        )

    def _parents(self, binding: Binding) -> tuple[str, ...]:
        """One revision, several where branches merge, none at the beginning; UNKNOWN_PARENT for what can't be told."""
        if binding.value is None:
            return ()
        scope = self._module.scope
        nodes = list_items(binding.value, scope, self._project) or [(binding.value, scope)]
        found = [string_value(*node, self._project) for node in nodes]
        known = tuple(name for name in found if name is not None)
        is_first = isinstance(binding.value, form.Const) and binding.value.value is None
        if len(known) < len(found) and not is_first:
            message = "what this revision builds on is computed at run time"
            self._context.unresolved(self._module.span(binding.offset, binding.value.end), message)
            return (*known, UNKNOWN_PARENT)
        return known

    def _labels(self) -> tuple[str, ...]:
        """The branches that it is meant to begin."""
        bindings = self._module.scope.bindings.get("branch_labels", [])
        value = bindings[-1].value if bindings else None
        if value is None:
            return ()
        found = one_or_many(value, self._module.scope, self._project)
        return tuple(t for node in found if (t := string_value(*node, self._project)) is not None)

    def _functions(self, name: str) -> list[FunctionSymbol]:
        """The function, and those for each database that Flask-Migrate's looks up by `globals()`."""
        bindings = self._module.scope.bindings.get(name, [])
        function = bindings[-1].function if bindings else None
        if function is None:
            return []
        nodes = function.walk()
        if not any(isinstance(n, form.Call) and last_name(n.func) == "globals" for n in nodes):
            return [function]
        return [f for f in self._module.functions if f.owner is None and f.name.startswith(f"{name}_")]

    # --- operations ---

    def _in_function(self, function: FunctionSymbol) -> Iterator[SchemaChange]:
        nodes = function.walk()
        place = _Place(function, {}, {}, (function,), in_transaction=not any(_commits(node) for node in nodes))
        yield from self._in_body(function.node.body, place)

    def _in_body(self, body: list[form.Stmt], place: _Place) -> Iterator[SchemaChange]:
        for statement in body:
            if isinstance(statement, form.Function | form.Class):
                continue
            inside = place
            if isinstance(statement, form.With):
                inside = replace(
                    place,
                    batches={**place.batches, **self._batches(statement)},
                    in_transaction=place.in_transaction and not _commits_by_itself(statement),
                )
            elif isinstance(statement, form.If | form.While | form.Try):
                inside = replace(place, is_conditional=True)
                if any(isinstance(node, form.Return) for node in form.walk(statement)):
                    place = inside  # what follows only runs where this didn't return
            for part in statement.children():
                if isinstance(part, form.Stmt):
                    yield from self._in_body([part], inside)
                else:
                    yield from self._in_expression(part, inside)

    def _batches(self, statement: form.With) -> dict[str, form.Call]:
        """`with op.batch_alter_table("user") as batch_op`."""
        return {
            item.target.id: item.value
            for item in statement.items
            if isinstance(item.target, form.Name) and isinstance(item.value, form.Call)
            if last_name(item.value.func) == _BATCH
        }

    def _in_expression(self, node: form.Expr | form.Stmt, place: _Place) -> Iterator[SchemaChange]:
        for call in form.walk(node):
            if not isinstance(call, form.Call):
                continue
            operation = self._operation(call, place)
            if operation is not None:
                yield from self._changes(operation, call, place)
            else:
                yield from self._helped(call, place)

    def _operation(self, call: form.Call, place: _Place) -> str | None:
        """The operation's own name; `execute` also for statements on the migration's connection."""
        if not isinstance(call.func, form.Attr):
            return None
        owner = call.func.value
        value = self._project.infer(owner, place.scope)
        is_batch = isinstance(owner, form.Name) and owner.id in place.batches
        if is_batch or (isinstance(value, External) and value.name == "alembic.op"):
            return call.func.attr if call.func.attr not in _NO_CHANGE else None
        if call.func.attr in _ALL_AT_ONCE:
            return call.func.attr
        is_connection = isinstance(value, Instance) and value.type_name == _CONNECTION
        is_sql = call.func.attr in ("execute", "exec_driver_sql")
        return "execute" if is_sql and (is_connection or _changes_tables(call)) else None

    def _helped(self, call: form.Call, place: _Place) -> Iterator[SchemaChange]:
        """The operations of a function of the project that the revision calls."""
        function = self._project.callee_function(call, place.scope)
        if function is None or function in place.active or len(place.active) > _DEEPEST:
            return
        given = {**place.given, **arguments(call, place.scope, function, self._project)}
        inside = replace(place, function=function, given=given, batches={}, active=(*place.active, function))
        yield from self._in_body(function.node.body, inside)

    def _changes(self, operation: str, call: form.Call, place: _Place) -> Iterator[SchemaChange]:
        """One for each turn of a loop around it."""
        batch = None
        if isinstance(call.func, form.Attr) and isinstance(call.func.value, form.Name):
            batch = place.batches.get(call.func.value.id)
        module = place.function.module
        for turn in expansions(call, place.scope, self._project, callers=0):
            given = {**place.given, **turn}
            named, changed = _arguments_of(operation, call, batch)
            table = self._table(named, place, given)
            if table is None and named is not None:
                self._context.unresolved(
                    module.location(call), f"which table {operation} changes is computed at run time"
                )
            steps = steps_of(Operation(operation, call, table, place.scope, given, batch is not None, self._project))
            yield SchemaChange(
                operation,
                module.location(call),
                table,
                self._text(changed, place, given),
                steps,
                place.is_conditional,
                place.in_transaction,
            )

    def _table(self, node: form.Expr | None, place: _Place, given: Given) -> str | None:
        """A table by its name, or by `sa.table("name", ...)` that a statement is built on."""
        if node is None:
            return None
        text = self._text(node, place, given)
        if text is not None:
            return text
        for definition, scope in [(node, place.scope), *definitions(node, place.scope, self._project)]:
            if isinstance(definition, form.Call) and definition.positional:
                return string_value(definition.positional[0], scope, self._project, given)
        return None

    def _text(self, node: form.Expr | None, place: _Place, given: Given) -> str | None:
        """A string, one marked as final by `op.f("ix_user_name")`, or the name of a `Column("name", ...)`."""
        if isinstance(node, form.Call) and node.positional and last_part(last_name(node.func) or "") in ("f", "Column"):
            node = node.positional[0]
        return string_value(node, place.scope, self._project, given) if node is not None else None


def _arguments_of(
    operation: str, call: form.Call, batch: form.Call | None
) -> tuple[form.Expr | None, form.Expr | None]:
    """The expressions that name the table, and the column, index or constraint that is meant."""
    positional = list(call.positional)
    named = next((v for name in _TABLE_NAMES if (v := call.keyword(name)) is not None), None)
    changed = next((v for name in _COLUMN_NAMES if (v := call.keyword(name)) is not None), None)
    if batch is not None:
        return batch.argument(0, "table_name"), changed or next(iter(positional), None)
    if operation in _TABLE_ALONE:
        return named or next(iter(positional), None), None
    if operation in _TABLE_FIRST:
        table = named or (positional.pop(0) if positional else None)
        return table, changed or next(iter(positional), None)
    if operation in _TABLE_SECOND:
        what = changed or (positional.pop(0) if positional else None)
        return named or next(iter(positional), None), what
    return None, None


def _commits(node: form.Expr | form.Stmt) -> bool:
    """`op.execute("COMMIT")`, `op.get_bind().commit()`: it ends the transaction that Alembic began."""
    if isinstance(node, form.Const):
        return isinstance(node.value, str) and node.value.strip().rstrip(";").upper() == "COMMIT"
    return isinstance(node, form.Call) and last_name(node.func) == "commit" and not node.args


def _changes_tables(call: form.Call) -> bool:
    """Whether a session or a connection of the revision's own is given a statement that changes tables."""
    nodes = form.walk(call.positional[0]) if call.positional else ()
    return any(isinstance(n, form.Const) and isinstance(n.value, str) and changes_schema(n.value) for n in nodes)


def _commits_by_itself(statement: form.With) -> bool:
    """`with op.get_context().autocommit_block()`."""
    return any(
        isinstance(item.value, form.Call) and last_name(item.value.func) == "autocommit_block"
        for item in statement.items
    )


def _is_empty(function: FunctionSymbol) -> bool:
    """Whether it holds nothing but `pass`, a docstring or a bare `return`."""
    return all(
        isinstance(s, form.Jump)
        or (isinstance(s, form.ExprStmt) and isinstance(s.value, form.Const | form.Opaque))
        or (isinstance(s, form.Return) and s.value is None)
        for s in function.node.body
    )


def _refusal(function: FunctionSymbol) -> Evidence | None:
    """Where the function says why it can't be done: `raise RuntimeError("the texts are gone")`."""
    for statement in function.node.body:
        if isinstance(statement, form.Raise) and isinstance(statement.exc, form.Call) and statement.exc.args:
            return function.module.evidence(statement, "going back is refused on purpose")
    return None


def _raises(function: FunctionSymbol) -> bool:
    """Whether it refuses: it always raises."""
    return any(isinstance(statement, form.Raise) for statement in function.node.body)


ALEMBIC = Framework(_NAME, ("alembic",), migrations=_migrations, is_listed=False)
