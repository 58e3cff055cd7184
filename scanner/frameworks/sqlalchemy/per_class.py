"""What a function that runs once for each class (`declared_attr`) returns for one of them: its switches are constants
of the class.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from assay.scanner.frameworks.sqlalchemy.mapped import own_member
from assay.scanner.linker.project import Project, last_name
from assay.scanner.linker.scopes import ClassSymbol, FunctionSymbol, How
from assay.scanner.readers.python import form


def returned_for(function: FunctionSymbol, cls: ClassSymbol, project: Project, *, is_heir: bool) -> list[form.Expr]:
    """The expressions that it may return for the class; `is_heir` says whether an ancestor has a table."""
    if not function.node.params:
        return []
    runner = _Runner(function.node.params[0].name, cls, project, is_heir)
    found: list[form.Expr] = []
    runner.run(function.node.body, found)
    return [part for node in found for part in runner.chosen(node)]


@dataclass(frozen=True, slots=True)
class _Runner:
    this: str
    cls: ClassSymbol
    project: Project
    is_heir: bool

    def run(self, body: list[form.Stmt], found: list[form.Expr]) -> bool:
        """Collect what may be returned; whether the end of the body surely isn't reached."""
        for statement in body:
            match statement:
                case form.Return(value=value):
                    if value is not None:
                        found.append(value)
                    return True
                case form.Raise():
                    return True
                case form.If(test=test, body=then, orelse=otherwise):
                    holds = self.holds(test)
                    ends = [
                        self.run(b, found)
                        for b, taken in ((then, True), (otherwise, False))
                        if holds is not (not taken)
                    ]
                    if all(ends):
                        return True
                case form.With(body=inner) | form.For(body=inner) | form.Try(body=inner):
                    self.run(inner, found)
        return False

    def chosen(self, node: form.Expr) -> Iterator[form.Expr]:
        """The sides of `a if test else b` that the class may take."""
        if not isinstance(node, form.Conditional):
            yield node
            return
        holds = self.holds(node.test)
        if holds is not False:
            yield from self.chosen(node.body)
        if holds is not True:
            yield from self.chosen(node.orelse)

    def holds(self, test: form.Expr) -> bool | None:
        """Whether a test is true for the class; None where it can't be told."""
        match test:
            case form.Unary(op="not", operand=operand):
                inner = self.holds(operand)
                return None if inner is None else not inner
            case form.Boolean(op=op, values=values):
                return self._joined(op, [self.holds(value) for value in values])
            case form.Call(func=func) if last_name(func) == "has_inherited_table":
                return self.is_heir
            case form.Compare(left=left, ops=["is" | "is not" as op], rights=[form.Const(value=None)]):
                value = self._constant(left)
                return None if value is None else (value.value is None) is (op == "is")
            case form.Compare(left=left, ops=[op], rights=[form.Const(value=other)]) if op in _COMPARISONS:
                value = self._constant(left)
                return None if value is None else _COMPARISONS[op](value.value, other)
            case form.Attr() | form.Call():
                value = self._constant(test)
                return None if value is None else bool(value.value)
        return None

    def _joined(self, op: str, values: list[bool | None]) -> bool | None:
        decisive = op == "or"
        if decisive in values:
            return decisive
        return None if None in values else not decisive

    def _constant(self, node: form.Expr) -> form.Const | None:
        """`cls.name` where the class or one of its bases sets it to a literal, and `len(cls.names)`."""
        if isinstance(node, form.Call) and last_name(node.func) == "len" and node.positional:
            listed = self._assigned(node.positional[0])
            return _constant_at(node, len(listed.items)) if isinstance(listed, form.Display) else None
        if isinstance(node, form.Attr) and node.attr == "__name__":
            return _constant_at(node, self.cls.name)
        value = self._assigned(node)
        if isinstance(value, form.Display):
            return _constant_at(node, bool(value.items))
        return value if isinstance(value, form.Const) else None

    def _assigned(self, node: form.Expr) -> form.Expr | None:
        """What the nearest class assigns to `cls.name`."""
        if not isinstance(node, form.Attr) or form.dotted(node.value) != self.this:
            return None
        binding = own_member(self.cls, node.attr, self.project)
        return binding.value if binding is not None and binding.how is How.ASSIGN else None


def _constant_at(node: form.Expr, value: str | int | bool) -> form.Const:
    return form.Const(start=node.start, end=node.end, value=value)


def _compared(compare: Callable[[int, int], bool]) -> Callable[[object, object], bool | None]:
    return lambda one, other: compare(one, other) if isinstance(one, int) and isinstance(other, int) else None


_COMPARISONS: dict[str, Callable[[object, object], bool | None]] = {
    "==": lambda one, other: one == other,
    "!=": lambda one, other: one != other,
    ">": _compared(operator.gt),
    ">=": _compared(operator.ge),
    "<": _compared(operator.lt),
    "<=": _compared(operator.le),
}
