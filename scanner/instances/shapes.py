"""How functions treat a variable of their module: what only writes it, what makes it once, what a cache is."""

from __future__ import annotations

from collections.abc import Iterator

from assay.scanner.linker.scopes import FunctionSymbol
from assay.scanner.readers.python import form

CHANGING = frozenset(
    {
        "add", "append", "appendleft", "clear", "discard", "extend", "insert", "pop", "popitem", "popleft", "remove",
        "setdefault", "update",
    }
)  # fmt: skip
"""Methods that change a container."""


def owners_of_writes(node: form.Node) -> Iterator[form.Expr]:
    """What only gets something put into it, or is put in place."""
    match node:
        case form.ExprStmt(value=form.Call(func=form.Attr(value=owner, attr=attr))) if attr in CHANGING:
            while isinstance(owner, form.Call) and isinstance(
                owner.func, form.Attr
            ):  # `carts.setdefault(k, []).append`
                owner = owner.func.value
            yield owner
        case form.Assign(targets=targets):
            for target in targets:
                yield from _written_in(target)
        case form.AugAssign(target=target) | form.Delete(target=target):
            yield from _written_in(target)


def _written_in(target: form.Expr) -> Iterator[form.Expr]:
    while isinstance(target, form.Subscript):
        target = target.value
    yield target


def is_lazy(function: FunctionSymbol, name: str) -> bool:
    """`if client is None: client = connect()`: the first call makes it, and all see the same kind of thing."""
    for node in function.nodes:
        if isinstance(node, form.If):
            parts = node.test.values if isinstance(node.test, form.Boolean) else [node.test]
            if any(_asks_whether_set(part, name) for part in parts):
                return True
    return False


def _asks_whether_set(test: form.Expr, name: str) -> bool:
    if isinstance(test, form.Unary) and test.op == "not":
        test = test.operand
    elif isinstance(test, form.Compare) and test.ops in (["is"], ["is not"], ["=="]):
        test = test.left
    return isinstance(test, form.Name) and test.id == name


def is_memo(function: FunctionSymbol, name: str) -> bool:
    """Whether the function gives back what it keeps there, as a cache does."""
    held = {
        t.id
        for n in function.nodes
        if isinstance(n, form.Assign) and n.value is not None and _looks_up(n.value, name)
        for t in n.targets
        if isinstance(t, form.Name)
    }
    held |= {
        n.value.id
        for n in function.nodes
        if isinstance(n, form.Assign) and isinstance(n.value, form.Name) and any(_is_item(t, name) for t in n.targets)
    }
    for returned in function.returns:
        for node in form.walk(returned.value) if returned.value is not None else ():
            if (isinstance(node, form.Name) and node.id in held) or _looks_up(node, name):
                return True
    return False


def _is_item(node: form.Expr | form.Stmt, name: str) -> bool:
    return isinstance(node, form.Subscript) and isinstance(node.value, form.Name) and node.value.id == name


def _looks_up(node: form.Expr | form.Stmt, name: str) -> bool:
    """`CACHE[key]`, `CACHE.get(key)`."""
    if _is_item(node, name):
        return True
    return (
        isinstance(node, form.Call)
        and isinstance(node.func, form.Attr)
        and node.func.attr in ("get", "setdefault")
        and isinstance(node.func.value, form.Name)
        and node.func.value.id == name
    )
