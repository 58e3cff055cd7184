"""Where a numeric column of a row gets a value that is computed from its own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from assay.scanner.linker.project import Project, last_name
from assay.scanner.linker.scopes import FunctionSymbol, How, Scope
from assay.scanner.model.role import Role
from assay.scanner.model.table import Table
from assay.scanner.readers.python import form
from assay.scanner.transactions.anew import is_copy, is_counted_anew
from assay.scanner.transactions.rows import MappedRows, Row

_DEEPEST = 5
_MOST_CALLERS = 8
_AROUND = frozenset({"after_request", "teardown_request", "teardown_appcontext", "middleware"})
_PASSING = frozenset(
    """max min int float Decimal round abs sum str Greatest Least greatest least func literal Value coalesce Coalesce
    Cast cast""".split()
)
"""Functions whose result is computed from what they are given."""
_UPDATING = ("update", "aupdate", "values", "update_one", "update_all", "update_or_create", "aupdate_or_create")
_SAVING = frozenset({"save", "asave", "bulk_update", "abulk_update", "merge", "update", "save_base", "persist"})
_FLUSHING = frozenset({"commit", "flush", "add", *_SAVING})
_COMPARING = frozenset({"filter", "filter_by", "where", "get"})
_VERSIONS = frozenset({"version", "version_id", "lock_version", "row_version", "revision", "etag"})


@dataclass(frozen=True, slots=True, eq=False)
class Increment:
    """A change of `column`. `row` is the row it is read from, None where the database computes the new value.

    `read` is where the value is read, `compared` a condition under which alone the change is made.
    """

    node: form.Node
    scope: Scope
    table: Table
    column: str
    row: Row | None
    owner: form.Expr | None = None
    read: form.Expr | None = None
    compared: form.Call | None = None
    takes: bool = False
    """Something is subtracted."""


class Increments:
    """Finds them in one project."""

    def __init__(self, project: Project, rows: MappedRows) -> None:
        self._project = project
        self._rows = rows

    def all(self) -> Iterator[Increment]:
        """In order of path and position."""
        for _, module in sorted(self._project.modules.items()):
            if module.role is not Role.PROD:
                continue
            found = [
                *(self._augmented(node, scope) for node, scope in module.augmented),
                *(i for node, scope in module.assignments for i in self._assigned(node, scope)),
                *(i for node, scope in module.calls_named(_UPDATING) for i in self._updated(node, scope)),
            ]
            yield from sorted((i for i in found if i is not None), key=lambda i: i.node.start)

    def _augmented(self, node: form.AugAssign, scope: Scope) -> Increment | None:
        target = node.target
        if node.op not in ("+", "-") or not isinstance(target, form.Attr) or target.attr not in self._rows.numbers:
            return None
        return self._of_row(node, target, scope, target)

    def _assigned(self, node: form.Assign, scope: Scope) -> Iterator[Increment]:
        for target in node.targets:
            if node.value is None or not isinstance(target, form.Attr) or target.attr not in self._rows.numbers:
                continue
            owner = form.dotted(target.value)
            for found, place in self._computed_from(node.value, scope, target.attr):
                if self._is_of_database(found, place):
                    row = self._rows.row(target.value, scope, target.attr)
                    if row is not None and not row.is_new:
                        yield Increment(node, scope, row.table, target.attr, None, takes=_takes(node.value))
                elif isinstance(found, form.Attr) and owner is not None and form.dotted(found.value) == owner:
                    increment = self._of_row(node, target, scope, found)
                    if increment is not None:
                        yield increment
                else:
                    continue
                break

    def _of_row(self, node: form.Stmt, target: form.Attr, scope: Scope, read: form.Expr) -> Increment | None:
        function = scope.enclosing_function
        if function is None or is_copy(target, node, function):
            return None
        row = self._rows.row(target.value, scope, target.attr)
        if row is None or row.is_new or not self._is_kept(row, target, function):
            return None
        if is_counted_anew(target, node, function, self._rows.class_of(row.table), self._project):
            return None
        return Increment(node, scope, row.table, target.attr, row, target.value, read)

    def _is_kept(self, row: Row, target: form.Attr, function: FunctionSymbol) -> bool:
        """Whether the new value gets into the database: with a commit in SQLAlchemy, else where the row is saved."""
        calls = [n for n in function.nodes if isinstance(n, form.Call)]
        if row.table.framework != "SQLAlchemy":
            return any(_saves(c, target) for c in calls)
        if any(last_name(c.func) in _FLUSHING for c in calls):
            return True
        return not row.is_guessed and (self._commits_around or self._is_committed_by_callers(function))

    def _is_committed_by_callers(self, function: FunctionSymbol) -> bool:
        callers = {s.enclosing_function for _, s in self._project.callers(function)[:_MOST_CALLERS]}
        return any(
            isinstance(node, form.Call) and last_name(node.func) in _FLUSHING
            for caller in callers
            if caller is not None
            for node in caller.nodes
        )

    @cached_property
    def _commits_around(self) -> bool:
        """Whether a dependency, a context manager or a middleware commits for all requests."""
        for call, scope in self._project.calls_named("commit", "begin"):
            function = scope.enclosing_function
            if function is None or function.module.role is not Role.PROD or not isinstance(call.func, form.Attr):
                continue
            called = {last_name(d.func if isinstance(d, form.Call) else d) for d in function.decorators}
            if not called.isdisjoint(_AROUND) or any(isinstance(n, form.Yield) for n in function.nodes):
                return True
            awaited = (n.func for n in function.nodes if isinstance(n, form.Call))
            if any(isinstance(f, form.Name) and f.id == "call_next" for f in awaited):
                return True
        return False

    def _updated(self, node: form.Call, scope: Scope) -> Iterator[Increment]:
        """`Order.objects.filter(...).update(n=...)`, `update(Order).values(n=...)`."""
        if not isinstance(node.func, form.Attr):
            return
        for name, value in _values(node):
            if name not in self._rows.numbers:
                continue
            for found, place in self._computed_from(value, scope, name):
                table = self._rows.asked(node.func.value, scope)
                if self._is_of_database(found, place):
                    if table is not None:
                        compared = _compared(node, name)
                        yield Increment(node, scope, table, name, None, compared=compared, takes=_takes(value))
                elif isinstance(found, form.Attr):
                    row = self._rows.row(found.value, place, name)
                    if row is None or row.is_new or (table is not row.table and not _is_given(found.value, node)):
                        continue
                    compared = _compared(node, name)
                    yield Increment(node, scope, row.table, name, row, found.value, found, compared)
                else:
                    continue
                break

    def _is_of_database(self, node: form.Expr, scope: Scope) -> bool:
        """`F("n")`, `Order.n`, `orders.c.n`: what stands for the column, and not for a value."""
        if isinstance(node, form.Call):
            return last_name(node.func) == "F"
        if not isinstance(node, form.Attr):
            return False
        owner = node.value
        if isinstance(owner, form.Attr) and owner.attr in ("c", "columns"):
            return True
        if form.dotted(owner) in ("self.model", "cls", "self.model_class", "self.Model"):
            return True
        return self._rows.model(owner, scope) is not None

    def _computed_from(
        self, node: form.Expr, scope: Scope, column: str, depth: int = _DEEPEST, *, is_computed: bool = False
    ) -> Iterator[tuple[form.Expr, Scope]]:
        """The reads of the column that something is added to or taken from."""
        if not depth:
            return
        if isinstance(node, form.Name):
            yield from self._of_name(node, scope, column, depth, is_computed=is_computed)
        elif _is_read(node, column):
            if is_computed:
                yield node, scope
        else:
            is_computed = is_computed or (isinstance(node, form.Binary) and node.op in ("+", "-"))
            for part in _parts(node):
                yield from self._computed_from(part, scope, column, depth, is_computed=is_computed)

    def _of_name(
        self, node: form.Name, scope: Scope, column: str, depth: int, *, is_computed: bool
    ) -> Iterator[tuple[form.Expr, Scope]]:
        """`left = row.n - 1; row.n = left`."""
        before = [b for b in scope.bindings.get(node.id, ()) if b.offset < node.start]
        is_computed = is_computed or any(b.how is How.AUGMENT for b in before)
        for binding in reversed(before):
            if binding.how is How.ASSIGN and binding.value is not None and binding.value.end <= node.start:
                yield from self._computed_from(binding.value, scope, column, depth - 1, is_computed=is_computed)
                return


def _is_read(node: form.Expr, column: str) -> bool:
    """`row.n`, `F("n")`."""
    if isinstance(node, form.Call) and last_name(node.func) == "F":
        named = node.positional[0] if node.positional else None
        return isinstance(named, form.Const) and named.value == column
    return isinstance(node, form.Attr) and node.attr == column


def _parts(node: form.Expr) -> Sequence[form.Expr]:
    """Of what the value is made."""
    match node:
        case form.Binary(left=left, right=right):
            return left, right
        case form.Call(args=args) if last_name(node.func) in _PASSING:
            return [a.value for a in args]
        case form.Conditional(body=body, orelse=orelse):
            return body, orelse
        case form.Boolean(values=values):
            return values
        case form.Unary(operand=value) | form.Await(value=value) | form.Walrus(value=value):
            return (value,)
    return ()


def _values(call: form.Call) -> Iterator[tuple[str, form.Expr]]:
    """Keywords, and the items of dictionaries: `{Order.n: Order.n + 1}`, `defaults={"n": ...}`."""
    for argument in call.args:
        if argument.name is not None:
            yield argument.name, argument.value
        if isinstance(argument.value, form.Dict) and not argument.star:
            for key, value in zip(argument.value.keys, argument.value.values, strict=True):
                name = key.value if isinstance(key, form.Const) else last_name(key) if key is not None else None
                if isinstance(name, str):
                    yield name, value


def _is_given(row: form.Expr, call: form.Call) -> bool:
    """`repository.update(row, n=row.n + 1)`."""
    return any(form.dotted(given) == form.dotted(row) is not None for given in call.positional)


def _takes(node: form.Expr) -> bool:
    return any(isinstance(n, form.Binary) and n.op == "-" for n in form.walk(node))


def _compared(call: form.Call, column: str) -> form.Call | None:
    """The filter of an update that asks whether the row still is what was read: `filter(pk=1, version=3)`."""
    for step in form.walk(call.func):
        if isinstance(step, form.Call) and last_name(step.func) in _COMPARING:
            asked = set(_asked(step))
            if column in asked or not asked.isdisjoint(_VERSIONS):
                return step
    return None


def _asked(step: form.Call) -> Iterator[str]:
    """The columns that a filter compares: `balance__gte=1`, `Q(balance__gte=1)`, `Account.balance >= 1`."""
    for argument in step.args:
        if argument.name is not None:
            yield argument.name.partition("__")[0]
            continue
        for node in form.walk(argument.value):
            if isinstance(node, form.Attr):
                yield node.attr
            elif isinstance(node, form.Call):
                yield from ((a.name or "").partition("__")[0] for a in node.args)


def _saves(call: form.Call, target: form.Attr) -> bool:
    """`row.save()`, `bulk_update(rows, ...)`, `repository.save(row)`; `super().save()` of the row's own class."""
    name = last_name(call.func) or ""
    if name not in _SAVING or not _keeps(call, target.attr):
        return False
    owner = form.dotted(target.value)
    saved = call.func.value if isinstance(call.func, form.Attr) else None
    if isinstance(saved, form.Call) and last_name(saved.func) == "super":
        return owner == "self"
    of_call = [saved, *(a.value for a in call.args)]
    return name.startswith(("bulk", "abulk")) or any(n is not None and form.dotted(n) == owner for n in of_call)


def _keeps(call: form.Call, column: str) -> bool:
    """Not with `save(update_fields=["name"])`."""
    fields = call.keyword("update_fields") or call.keyword("fields")
    if not isinstance(fields, form.Display):
        return True
    return any(isinstance(f, form.Const) and f.value == column for f in fields.items)
