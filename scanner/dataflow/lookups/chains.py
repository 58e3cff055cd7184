"""Queries as chains of calls, by way of the names that their parts were given; names and what is assigned to them."""

from __future__ import annotations

from collections.abc import Iterator

from assay.scanner.linker.scopes import How, Scope
from assay.scanner.readers.python import form

_DEEPEST = 4


def chain(node: form.Expr) -> Iterator[form.Expr]:
    """The steps of `a.b(...).c(...)`, the last first."""
    while True:
        yield node
        match node:
            case form.Call(func=form.Attr(value=inner)) | form.Attr(value=inner) | form.Await(value=inner):
                node = inner
            case _:
                return


def root_of(node: form.Expr) -> form.Expr:
    """What a chain begins with."""
    *_, root = chain(node)
    return root


def made_of(node: form.Expr, scope: Scope, depth: int = _DEEPEST) -> Iterator[form.Expr]:
    """The expression, and those that the names of queries in it were given before it."""
    yield node
    if not depth:
        return
    for name in _query_names(node):
        for value in assigned_to(name, scope):
            if value.end < node.start:
                yield from made_of(value, scope, depth - 1)


def _query_names(node: form.Expr) -> Iterator[form.Name]:
    """Names that stand for a query or a part of one: what conditions compare with is none."""
    match node:
        case form.Name(id=name):
            if name != "self":
                yield node
        case form.Attr(value=inner) | form.Await(value=inner) | form.Starred(value=inner) | form.Subscript(value=inner):
            yield from _query_names(inner)
        case form.Call(func=func):
            yield from _query_names(func) if isinstance(func, form.Attr) else ()
            for value in node.positional:
                yield from _query_names(value)
            yield from (a.value for a in node.args if a.star and isinstance(a.value, form.Name))
        case form.Binary(left=left, right=right):
            yield from _query_names(left)
            yield from _query_names(right)


def assigned_to(name: form.Name, scope: Scope) -> list[form.Expr]:
    """What the scope assigns to the name."""
    bindings = scope.bindings.get(name.id, ())
    return [b.value for b in bindings if b.how is How.ASSIGN and b.value is not None]


def assigned_names(target: form.Expr) -> Iterator[str]:
    """The plain names that an assignment binds."""
    match target:
        case form.Name(id=name):
            yield name
        case form.Display(items=items):
            for item in items:
                yield from assigned_names(item)
        case form.Starred(value=inner):
            yield from assigned_names(inner)
