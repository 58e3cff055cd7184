"""Rows that are looked up and, where there is none, made: two requests at once both find nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from assay.scanner.dataflow.numbering import Ordinals, around
from assay.scanner.linker.project import Project, last_name
from assay.scanner.linker.scopes import FunctionSymbol, Scope
from assay.scanner.model.find_or_create import FindOrCreateCall
from assay.scanner.model.role import Role
from assay.scanner.model.schema import Key
from assay.scanner.model.table import Table
from assay.scanner.queries.conditions import Condition, Conditions, Test, column_of
from assay.scanner.queries.indexes import Indexes
from assay.scanner.queries.offline import Offline
from assay.scanner.queries.reads import Read, is_conditional
from assay.scanner.queries.regions import statements_around
from assay.scanner.queries.requests import Requests
from assay.scanner.readers.python import form
from assay.scanner.schema.find_or_create import lock_before

_ASKING = frozenset({"filter", "filter_by", "where", "get", "get_or_none", "aget", "exists"})
_CREATING = frozenset({"create", "acreate"})
_IS_THERE = frozenset({"exists", "aexists", "count", "first", "afirst"})
_REFUSING = frozenset({"abort", "fail", "error"})
_KEYS_READ = ("SQLAlchemy", "Django ORM")
_NAME = "insert"


@dataclass(frozen=True, slots=True)
class AbsentRows:
    """Finds them in what requests run."""

    project: Project
    conditions: Conditions
    indexes: Indexes
    requests: Requests
    offline: Offline

    def all(self, reads: Iterable[Read]) -> Iterator[FindOrCreateCall]:
        """One for each look-up that is followed by an insert."""
        ordinals = Ordinals()
        for read in reads:
            found = self._of(read, ordinals)
            if found is not None:
                yield found

    def _of(self, read: Read, ordinals: Ordinals) -> FindOrCreateCall | None:
        found = self._insert(read)
        asked = self._asked(read) if found is not None else None
        if found is None or not asked:
            return None
        made, maker, function = found
        given = {c.name for a in made.args if a.name is not None and (c := column_of(read.table, a.name)) is not None}
        columns = tuple(dict.fromkeys(c.column.name for c in asked))
        if given.isdisjoint(columns) and not made.has_double_star:
            return None  # it makes another row than the one that is missing
        keys = [k for k in self.indexes.keys(read.table) if k.is_unique and k.columns and "" not in k.columns]
        covering = next((k for k in keys if not k.is_partial and _covers(k, columns, given)), None)
        partial = next((k for k in keys if _covers(k, columns, given)), None)
        if covering is None and any(c.is_fixed for c in asked):
            return None  # what may be there twice, in another state
        if not self.requests.leading_to(function) or self.offline.reason(read.scope, is_asked_of_callers=False):
            return None
        name = around(read.scope)
        return FindOrCreateCall(
            function=name,
            ordinal=ordinals.next(name, read.table.model),
            method=_NAME,
            model=read.table.model,
            location=asked[0].location,
            role=read.scope.module.role,
            asked=columns,
            covering=covering,
            conditional=partial,
            unclear=self._unclear(read, columns),
            lock=lock_before(made, maker),
            inserted=maker.module.evidence(made, "both insert"),
        )

    def _insert(self, read: Read) -> tuple[form.Call, Scope, FunctionSymbol] | None:
        """What makes the row, and the function that looks for it before: the query's own, or one that calls it."""
        last = read.steps[-1][0] if read.steps else None
        function = read.scope.function
        if function is None or last is None or not read.is_whole:
            return None
        looks = [(last, read.scope)]
        if _returns(function, last):
            looks += [c for c in self.project.callers(function) if c[1].module.role is Role.PROD]
        for look, scope in looks:
            looking = scope.function
            absent = _absent(looking.node.body, look) if looking is not None else ()
            for made, maker in self._made(absent, scope, read.table):
                if looking is not None and made.args:
                    return made, maker, looking
        return None

    def _unclear(self, read: Read, asked: Sequence[str]) -> str | None:
        table = read.table
        if any(last_name(call.func) in _ASKING and is_conditional(call, scope, read) for call, scope in read.steps):
            return "what it asks for differs from case to case"
        if table.framework not in _KEYS_READ and len(asked) > 1:
            return f"keys over several columns of {table.name} are not known"
        if any("" in k.columns for k in self.indexes.keys(table) if k.is_unique):
            return "one is over an expression"
        return None if table.is_whole and self.indexes.is_whole(table) else "not all keys are in sight"

    def _asked(self, read: Read) -> list[Condition]:
        """The columns that it compares with one value each; none where it asks for anything else."""
        found: list[Condition] = []
        for call, scope in read.steps:
            if last_name(call.func) not in _ASKING:
                continue
            for part in self.conditions.of(call, scope, read.table):
                if not isinstance(part, Condition) or part.test is not Test.EQUAL or part.table is not read.table:
                    return []
                found.append(part)
        return found

    def _made(
        self, block: Sequence[form.Stmt | form.Expr], scope: Scope, table: Table, depth: int = 1
    ) -> Iterator[tuple[form.Call, Scope]]:
        """Calls that make a row of the table, in the block and in what it calls."""
        for part in block:
            for node in form.walk(part, into_definitions=False):
                if not isinstance(node, form.Call):
                    continue
                if self._is_making(node, scope, table):
                    yield node, scope
                elif depth and (helper := self.project.callee_function(node, scope)) is not None:
                    yield from self._made(helper.node.body, helper.scope, table, depth - 1)

    def _is_making(self, call: form.Call, scope: Scope, table: Table) -> bool:
        made: form.Expr = call.func
        if last_name(made) in _CREATING and isinstance(made, form.Attr):
            made = made.value
            made = made.value if isinstance(made, form.Attr) and last_name(made) == "objects" else made
        return last_name(made) == table.model and self.conditions.tables.of_class(made, scope) is table


def _covers(key: Key, asked: Sequence[str], given: set[str]) -> bool:
    """Whether it holds no second row for what is asked, or for what both requests insert."""
    columns = set(key.columns)
    return columns <= set(asked) or (columns <= given | set(asked) and not columns.isdisjoint(asked))


def _returns(function: FunctionSymbol, call: form.Call) -> bool:
    """Whether the function gives back what the call finds, by a name or at once."""
    names = {
        target.id
        for statement in function.node.body
        if isinstance(statement, form.Assign) and statement.start <= call.start < statement.end
        for target in statement.targets
        if isinstance(target, form.Name)
    }
    return any(
        node is call or (isinstance(node, form.Name) and node.id in names)
        for statement in function.returns
        if statement.value is not None
        for node in form.walk(statement.value)
    )


def _absent(body: Sequence[form.Stmt], call: form.Call) -> Sequence[form.Stmt | form.Expr]:
    """What runs where the call has found nothing."""
    way = statements_around(body, call.start)
    if not way:
        return ()
    block, index = way[-1]
    statement = block[index]
    if isinstance(statement, form.If):
        is_tested = statement.test.start <= call.start < statement.test.end
        return _branch(statement, block[index + 1 :], _is_negated(statement.test)) if is_tested else ()
    outer = way[-2][0][way[-2][1]] if len(way) > 1 else None
    if isinstance(outer, form.Try) and block is outer.body:
        handled = next((h.body for h in outer.handlers if _is_of_absence(h.type)), ())
        if handled:
            return handled
    if isinstance(statement, form.Assign | form.Return) and isinstance(statement.value, form.Boolean):
        first, *others = statement.value.values
        is_first = statement.value.op == "or" and first.start <= call.start < first.end
        return others if is_first else ()
    if not isinstance(statement, form.Assign) or not isinstance(statement.targets[0], form.Name):
        return ()
    name = statement.targets[0].id
    for place in range(index + 1, len(block)):
        following = block[place]
        if isinstance(following, form.If) and _tests(following.test, name):
            return _branch(following, block[place + 1 :], _is_negated(following.test))
        if isinstance(following, form.Assign) and any(form.dotted(t) == name for t in following.targets):
            return ()
    return ()


def _branch(test: form.If, rest: Sequence[form.Stmt], is_negated: bool) -> Sequence[form.Stmt]:
    if is_negated:
        return test.body
    return [*test.orelse, *rest] if test.orelse or _ends(test.body) else ()


def _ends(block: Sequence[form.Stmt]) -> bool:
    last = block[-1] if block else None
    if isinstance(last, form.ExprStmt) and isinstance(last.value, form.Call):
        return last_name(last.value.func) in _REFUSING
    if isinstance(last, form.Jump):
        return last.keyword != "pass"
    return isinstance(last, form.Return | form.Raise)


def _tests(test: form.Expr, name: str) -> bool:
    """Whether nothing but the name is tested: `found`, `not found`, `found is None`, `found.exists()`."""
    if isinstance(test, form.Unary) and test.op == "not":
        test = test.operand
    if isinstance(test, form.Compare) and isinstance(test.rights[0], form.Const) and test.rights[0].value is None:
        test = test.left
    if isinstance(test, form.Await):
        test = test.value
    if isinstance(test, form.Call) and isinstance(test.func, form.Attr) and test.func.attr in _IS_THERE:
        test = test.func.value
    return isinstance(test, form.Name) and test.id == name


def _is_of_absence(error: form.Expr | None) -> bool:
    """Whether an exception of this type says that there is no such row."""
    kinds = error.items if isinstance(error, form.Display) else [error] if error is not None else []
    return any((last_name(kind) or "").endswith(("DoesNotExist", "NoResultFound")) for kind in kinds)


def _is_negated(test: form.Expr) -> bool:
    """Whether the test holds where nothing was found."""
    if isinstance(test, form.Unary) and test.op == "not":
        return True
    is_none = isinstance(test, form.Compare) and isinstance(test.rights[0], form.Const)
    return is_none and isinstance(test, form.Compare) and test.ops[0] in ("is", "==")
