"""Activations of functions: what parameters and names stand for in one call."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from assay.scanner.dataflow.returned import Returned
from assay.scanner.linker.scopes import FunctionSymbol
from assay.scanner.readers.python import form


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One activation: the function, what its parameters stand for, and the frame its free variables live in."""

    function: FunctionSymbol
    arguments: dict[str, Returned] = field(default_factory=dict)
    callables: dict[str, FunctionSymbol] = field(default_factory=dict)
    absent: frozenset[str] = frozenset()
    """Parameters that the call leaves at their default of None."""
    present: frozenset[str] = frozenset()
    """Parameters that the call surely gives something other than None."""
    closure: Frame | None = None
    names: dict[str, Returned] = field(default_factory=dict)
    """What local names stand for, as far as it is worked out."""
    values: dict[form.Expr, Returned] = field(default_factory=dict)

    def owning(self, name: str) -> Frame | None:
        """The frame whose function binds the name, from the inside out."""
        frame: Frame | None = self
        while frame is not None:
            if name in frame.function.scope.bindings:
                return frame
            frame = frame.closure
        return None


def left_at_none(call: form.Call, arguments: Iterable[tuple[form.Param, form.Expr | None]]) -> frozenset[str]:
    """The parameters that a call with these arguments leaves at a default of None."""
    if any(a.star for a in call.args):
        return frozenset()
    return frozenset(
        param.name
        for param, argument in arguments
        if argument is None and isinstance(param.default, form.Const) and param.default.value is None
    )


def surely_sent(handler: FunctionSymbol) -> frozenset[str]:
    """The parameters that a framework always gives the handler: those without a default, unless None is allowed."""
    return frozenset(
        p.name
        for p in handler.parameters
        if p.default is None and len(handler.scope.bindings.get(p.name, ())) == 1 and not _is_optional(p.annotation)
    )


def surely_given(
    function: FunctionSymbol, arguments: Iterable[tuple[form.Param, form.Expr | None]], present: frozenset[str]
) -> frozenset[str]:
    """The parameters that a call with these arguments gives a value; `present` are the names that surely have one."""
    return frozenset(
        param.name
        for param, argument in arguments
        if len(function.scope.bindings.get(param.name, ())) == 1
        and (
            (isinstance(argument, form.Name) and argument.id in present)
            or (isinstance(argument, form.Const) and bool(argument.value))
        )
    )


def _is_optional(annotation: form.Expr | None) -> bool:
    return annotation is not None and any(
        (isinstance(node, form.Const) and node.value is None) or (isinstance(node, form.Name) and node.id == "Optional")
        for node in form.walk(annotation)
    )


def loop_statements(function: FunctionSymbol) -> Iterator[tuple[form.For, form.Stmt]]:
    """Simple statements inside loops, each with every loop around it."""
    for loop in function.loops:
        for node in form.walk_body(loop.body, into_definitions=False):
            if isinstance(node, form.ExprStmt | form.Assign):
                yield loop, node


def fills(statement: form.Stmt, name: str) -> bool:
    """Whether it adds to the list or dict of that name."""
    if isinstance(statement, form.ExprStmt) and isinstance(statement.value, form.Call):
        func = statement.value.func
        return (
            isinstance(func, form.Attr)
            and func.attr in ("append", "extend", "add", "insert", "update", "setdefault")
            and isinstance(func.value, form.Name)
            and func.value.id == name
        )
    if isinstance(statement, form.Assign):
        return any(
            isinstance(t, form.Subscript) and isinstance(t.value, form.Name) and t.value.id == name
            for t in statement.targets
        )
    return False
