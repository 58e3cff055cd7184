"""Branches that run only when an optional argument was given, or only when it was not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from assay.scanner.linker.scopes import FunctionSymbol
from assay.scanner.readers.python import form


@dataclass(frozen=True, slots=True)
class NoneBranch:
    """The offsets `start`..`end` run when `name` is not None (`when_given`), or when it is."""

    name: str
    when_given: bool
    start: int
    end: int


@lru_cache(maxsize=4096)
def branches_on_none(function: FunctionSymbol) -> tuple[NoneBranch, ...]:
    """The branches of `if name:`, `if name is None:` and the like in the function."""
    return tuple(b for node in function.nodes if isinstance(node, form.If) for b in _branches(node))


def _branches(node: form.If) -> Iterator[NoneBranch]:
    tested = _tested_name(node.test)
    if tested is None:
        return
    name, body_when_given = tested
    for body, when_given in ((node.body, body_when_given), (node.orelse, not body_when_given)):
        if body:
            yield NoneBranch(name, when_given, body[0].start, body[-1].end)


def _tested_name(test: form.Expr) -> tuple[str, bool] | None:
    """The name, and whether the body runs when it was given."""
    match test:
        case form.Name(id=name):
            return name, True
        case form.Unary(op="not", operand=form.Name(id=name)):
            return name, False
        case form.Compare(left=form.Name(id=name), ops=[("is" | "is not") as op], rights=[form.Const(value=None)]):
            return name, op == "is not"
    return None
