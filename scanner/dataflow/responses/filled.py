"""Dicts that are filled step by step: `answer = {"success": True}`, and later on `answer["success"] = False`."""

from __future__ import annotations

from functools import lru_cache

from assay.scanner.dataflow.blocks import Block
from assay.scanner.linker.scopes import FunctionSymbol, How, Scope
from assay.scanner.readers.python import form


def items_at(name: form.Name, scope: Scope, block: Block) -> form.Dict | None:
    """What the dict of that name holds for certain where it is answered with; None where nothing is put into it.

    `block` is the innermost one around the name. What the dict begins with counts where no statement changes it.
    """
    function = scope.function
    changed = changed_keys(function).get(name.id) if function is not None else None
    if changed is None:
        return None
    bindings = scope.lookup(name.id, name.start)
    begins = bindings[0].value if len(bindings) == 1 and bindings[0].how is How.ASSIGN else None
    known: dict[str, form.Expr] = {}
    if isinstance(begins, form.Dict):
        for key, value in zip(begins.keys, begins.values, strict=True):
            if isinstance(key, form.Const) and isinstance(key.value, str) and key.value not in changed:
                known[key.value] = value
    for statement in block.body:
        item = _item(statement)
        if item is not None and item[0] == name.id and statement.start < name.start:
            known[item[1]] = item[2]
    keys: list[form.Expr | None] = [form.Const(start=name.start, end=name.end, value=key) for key in known]
    return form.Dict(start=name.start, end=name.end, keys=keys, values=list(known.values()))


@lru_cache(maxsize=8192)
def changed_keys(function: FunctionSymbol) -> dict[str, set[str]]:
    """The keys that statements of the function set, by the name of the dict."""
    found: dict[str, set[str]] = {}
    for node in function.nodes:
        item = _item(node)
        if item is not None:
            found.setdefault(item[0], set()).add(item[1])
    return found


def _item(node: form.Expr | form.Stmt) -> tuple[str, str, form.Expr] | None:
    match node:
        case form.Assign(
            targets=[form.Subscript(value=form.Name(id=name), index=form.Const(value=str() as key))], value=value
        ) if value is not None:
            return name, key, value
    return None
