"""Tests that let a body through only with names of fields that code knows."""

from __future__ import annotations

from collections.abc import Iterator

from assay.scanner.linker.project import last_name
from assay.scanner.readers.python import form

_LEFT = frozenset({"<=", "<", "==", "!="})
_RIGHT = frozenset({">=", ">", "==", "!="})
_METHODS = frozenset({"difference", "issubset"})


def limited_by_test(test: form.Expr) -> Iterator[str]:
    """The names of the bodies whose keys a condition holds against a list: `set(data) - NAMES`, `data.keys() <= NAMES`,
    `any(key not in NAMES for key in data)`.
    """
    for node in form.walk(test):
        found: list[form.Expr] = []
        match node:
            case form.Binary(op="-", left=left):
                found.append(left)
            case form.Compare(left=left, ops=[op], rights=[right]):
                found += [side for side, ops in ((left, _LEFT), (right, _RIGHT)) if op in ops]
            case form.Call(func=form.Attr(value=owner, attr=attr)) if attr in _METHODS:
                found.append(owner)
            case form.Comprehension(generators=[generator], element=element) if _is_membership(
                element, generator.target
            ):
                yield from _body(generator.iter)
        for side in found:
            if isinstance(side, form.Call) and last_name(side.func) in ("set", "keys", "frozenset"):
                yield from _body(side)


def limited_by_loop(node: form.For) -> Iterator[str]:
    """`for key in data: if key not in NAMES: abort(400)`."""
    for statement in node.body:
        if isinstance(statement, form.If) and _is_membership(statement.test, node.target) and _refuses(statement.body):
            yield from _body(node.iter)


def _refuses(body: list[form.Stmt]) -> bool:
    for node in body:
        call = node.value if isinstance(node, form.ExprStmt) else None
        if isinstance(node, form.Raise | form.Return) or (
            isinstance(call, form.Call) and last_name(call.func) == "abort"
        ):
            return True
    return False


def _is_membership(test: form.Expr, target: form.Expr) -> bool:
    names = {node.id for node in form.walk(target) if isinstance(node, form.Name)}
    match test:
        case form.Compare(left=form.Name(id=name), ops=["in" | "not in"]):
            return name in names
    return False


def _body(node: form.Expr) -> Iterator[str]:
    """Of `data`, `data.keys()`, `set(data.items())`: `data`."""
    match node:
        case form.Name(id=name):
            yield name
        case form.Call(func=form.Attr(value=owner, attr="keys" | "items")):
            yield from _body(owner)
        case form.Call(func=form.Name(id="set" | "frozenset" | "list"), args=[only]):
            yield from _body(only.value)
