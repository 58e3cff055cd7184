"""The statements of a function, by what they do to names and to its result."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

from assay.scanner.dataflow.constants import Given, constant
from assay.scanner.dataflow.refusals.functions import refusal
from assay.scanner.linker.project import Project, last_name
from assay.scanner.linker.scopes import Scope
from assay.scanner.readers.python import form

_GROWING = frozenset({"append", "add", "extend", "insert", "update", "setdefault"})
_CHANGING = frozenset({"POST", "PUT", "PATCH", "DELETE"})
_LEAVING = frozenset({"abort", "check_object_permissions", "check_permissions"})
NOTHING: Given = {}
_Tests: TypeAlias = tuple[form.Expr, ...]


@dataclass(slots=True)
class Body:
    """What names are assigned, on what conditions, and what decides about the result."""

    assigned: dict[str, list[form.Expr]] = field(default_factory=dict)
    conditions: dict[str, list[form.Expr]] = field(default_factory=dict)
    results: list[form.Expr] = field(default_factory=list)

    def assign(self, target: form.Expr, value: form.Expr, tests: _Tests) -> None:
        for name in _roots(target):
            self.assigned.setdefault(name, []).append(value)
            if tests:
                self.conditions.setdefault(name, []).extend(tests)


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """Reads the body of the function that a scope belongs to. `given` are names that are known there, so that branches
    which they rule out don't count.
    """

    scope: Scope
    project: Project
    given: Given = field(default_factory=dict)

    def body(self) -> Body:
        """Empty outside of functions."""
        found = Body()
        if self.scope.function is not None:
            self._read(self.scope.function.node.body, (), found)
        return found

    def _read(self, statements: list[form.Stmt], tests: _Tests, body: Body) -> None:
        for node in statements:
            match node:
                case form.Return(value=value):
                    body.results += [*([value] if value is not None else []), *tests]
                case form.Raise():
                    body.results += tests
                case form.Assert(test=test):
                    body.results.append(test)
                case form.Assign(targets=targets, value=value) if value is not None:
                    for target in targets:
                        body.assign(target, value, tests)
                case form.AugAssign(target=target, value=value):
                    body.assign(target, value, tests)
                case form.ExprStmt(value=value):
                    self._alone(value, tests, body)
                case form.If():
                    self._branches(node, tests, body)
                case _:
                    for block, decisive in _inside(node, tests, body):
                        self._read(block, (*tests, *decisive), body)

    def _branches(self, node: form.If, tests: _Tests, body: Body) -> None:
        decided = False if _asks_for_a_post(node.test) else self.decided(node.test)
        if decided is not False:
            self._read(node.body, (*tests, node.test), body)
        if decided is not True:
            self._read(node.orelse, (*tests, node.test), body)
        if decided is None and (_leaves(node.body) or _leaves(node.orelse)):
            body.results.append(node.test)

    def _alone(self, value: form.Expr, tests: _Tests, body: Body) -> None:
        call = value.value if isinstance(value, form.Await) else value
        if isinstance(call, form.Yield):
            body.results += [*([call.value] if call.value is not None else []), *tests]
        if not isinstance(call, form.Call):
            return
        if isinstance(call.func, form.Attr) and call.func.attr in _GROWING:
            for arg in call.args:
                body.assign(call.func.value, arg.value, tests)
        callee = self.project.callee_function(call, self.scope)
        refuses = callee is not None and refusal(callee, self.project) is not None
        if refuses or last_name(call.func) in _LEAVING:
            body.results += [call, *tests]

    def decided(self, test: form.Expr) -> bool | None:
        """How a test of a known argument turns out."""
        if not self.given:
            return None
        match test:
            case form.Unary(op="not", operand=operand):
                inner = self.decided(operand)
                return None if inner is None else not inner
            case form.Compare(left=left, ops=["is" | "is not" as op], rights=[form.Const(value=None)]):
                known = constant(left, self.scope, self.project, self.given)
                return (known.value is None) is (op == "is") if known is not None else None
        known = constant(test, self.scope, self.project, self.given)
        return bool(known.value) if known is not None and not known.configured else None


def _asks_for_a_post(test: form.Expr) -> bool:
    """What is done for a POST isn't kept for others."""
    match test:
        case form.Compare(left=form.Attr(attr="method"), ops=["==" | "in"], rights=[asked]):
            named = {n.value for n in form.walk(asked) if isinstance(n, form.Const)}
            return bool(named) and named <= _CHANGING
        case form.Call(func=form.Attr(attr="validate_on_submit")):
            return True
        case form.Boolean(op="and", values=values):
            return any(_asks_for_a_post(value) for value in values)
    return False


def _inside(node: form.Stmt, tests: _Tests, body: Body) -> Iterator[tuple[list[form.Stmt], _Tests]]:
    """The blocks of a compound statement, each with what decides about it; what it binds is put down."""
    match node:
        case form.For(target=target, iter=iterated, body=repeated, orelse=orelse):
            body.assign(target, iterated, tests)
            yield from ((repeated, ()), (orelse, ()))
        case form.While(test=test, body=repeated, orelse=orelse):
            yield from ((repeated, (test,)), (orelse, ()))
        case form.With(items=items, body=within):
            for item in items:
                if item.target is not None:
                    body.assign(item.target, item.value, tests)
            yield within, ()
        case form.Try(body=tried, handlers=handlers, orelse=orelse, final=final):
            yield from ((part, ()) for part in (tried, *(h.body for h in handlers), orelse, final))
        case form.Match(subject=subject, cases=cases):
            for case in cases:
                for name in case.binds:
                    body.assign(name, subject, tests)
                yield case.body, (subject,)


def _roots(target: form.Expr) -> Iterator[str]:
    if isinstance(target, form.Display):
        for item in target.items:
            yield from _roots(item)
        return
    while isinstance(target, form.Attr | form.Subscript | form.Starred):
        target = target.value
    if isinstance(target, form.Name) and target.id not in ("self", "cls"):
        yield target.id


def _leaves(statements: list[form.Stmt]) -> bool:
    """Whether a branch goes no further: what it is asked for decides about all that follows."""
    if not statements:
        return False
    last = statements[-1]
    call = last.value if isinstance(last, form.ExprStmt) else None
    is_abort = isinstance(call, form.Call) and form.dotted(call.func) in ("abort", "flask.abort")
    return isinstance(last, form.Return | form.Raise) or is_abort
