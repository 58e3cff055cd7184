"""Timeouts: what limits how long a request may take, and how long that is in words."""

from __future__ import annotations

from collections.abc import Iterator

from assay.scanner.dataflow.constants import constant, definitions
from assay.scanner.framework import Sited
from assay.scanner.frameworks.http_clients.sending import Sent
from assay.scanner.linker.project import Project, last_name, literal_item
from assay.scanner.linker.scopes import Scope
from assay.scanner.model.place import Evidence
from assay.scanner.readers.python import form

_OBJECTS = frozenset({"Timeout", "ClientTimeout"})
_READING = ("read", "sock_read")
_TIMERS = frozenset({"wait_for", "timeout", "timeout_at", "fail_after", "move_on_after"})
_DEEPEST = 4


def duration(node: form.Expr, scope: Scope, project: Project, depth: int = _DEEPEST) -> str | None:
    """`10 s`, `3 s to connect, 10 s to read`, `a computed timeout`; None where it says to wait for ever."""
    found = constant(node, scope, project)
    if found is not None:
        return _seconds(found.value)
    if isinstance(node, form.Display) and len(node.items) == 2:
        connect, read = (duration(item, scope, project, depth - 1) for item in node.items)
        return f"{connect} to connect, {read} to read" if connect and read else read and f"{read} to read"
    if isinstance(node, form.Call) and last_name(node.func) in _OBJECTS:
        return _of_object(node, scope, project, depth)
    known = definitions(node, scope, project) if depth else []
    if len(known) == 1 and known[0][0] is not node:
        return duration(*known[0], project, depth - 1)
    return "a computed timeout"


def _of_object(node: form.Call, scope: Scope, project: Project, depth: int) -> str | None:
    """`httpx.Timeout(10, connect=5)`, `aiohttp.ClientTimeout(total=30)`: the whole wait, else its parts, of which
    reading is the one that counts.
    """
    reading = next((value for name in _READING if (value := node.keyword(name)) is not None), None)
    reads = duration(reading, scope, project, depth - 1) if reading is not None else None
    whole = node.argument(0, "total") or node.keyword("timeout")
    if whole is not None:
        stated = duration(whole, scope, project, depth - 1)
        if stated is not None and (reading is None or reads is not None or node.keyword("total") is not None):
            return stated
    if reads is None:
        return None
    parts = [
        f"{part} to {argument.name}"
        for argument in node.args
        if argument.name is not None and (part := duration(argument.value, scope, project, depth - 1)) is not None
        if argument.value is not whole
    ]
    return ", ".join(parts)


def _seconds(value: object) -> str | None:
    if value is None:
        return None
    return f"{value:g} s" if isinstance(value, int | float) else "a computed timeout"


def timeout_of(sent: Sent, project: Project) -> Sited | None:
    """The `timeout` that a call states, itself or in the options that it unpacks."""
    stated = sent.argument(sent.sending.timeout_at, *sent.library.timeout_names)
    if stated is not None:
        return stated
    for argument in sent.call.args:
        if argument.star == 2 and (found := _unpacked(argument.value, sent.scope, project)) is not None:
            return found
    return None


def _unpacked(options: form.Expr, scope: Scope, project: Project, depth: int = _DEEPEST) -> Sited | None:
    """`timeout` of `**options`: of a literal dict, of those that it or a function puts together, or what the function
    puts into the name.
    """
    for value, around in [(options, scope), *definitions(options, scope, project)]:
        if (item := _option(value)) is not None:
            return Sited(item, around)
        for part in _parts(value, around, project) if depth else ():
            if (found := _unpacked(part.node, part.scope, project, depth - 1)) is not None:
                return found
    function, name = scope.enclosing_function, form.dotted(options)
    for node in function.nodes if function is not None and name is not None else ():
        if (put := put_into(node, name)) is not None:
            return Sited(put, scope)
    return None


def _parts(node: form.Expr, scope: Scope, project: Project) -> Iterator[Sited]:
    if isinstance(node, form.Dict):
        yield from (Sited(value, scope) for key, value in zip(node.keys, node.values, strict=True) if key is None)
    function = project.callee_function(node, scope) if isinstance(node, form.Call) else None
    for returned in function.returns if function is not None else ():
        if returned.value is not None and function is not None:
            yield Sited(returned.value, function.scope)


def _option(node: form.Expr) -> form.Expr | None:
    if isinstance(node, form.Call) and last_name(node.func) == "dict":
        return node.keyword("timeout")
    return literal_item(node, "timeout")


def put_into(node: form.Expr | form.Stmt, mapping: str | None = None) -> form.Expr | None:
    """The value that `mapping.setdefault("timeout", value)`, `mapping.update(timeout=value)` or
    `mapping["timeout"] = value` puts there.
    """
    key: form.Expr
    value: form.Expr | None
    match node:
        case form.Call(func=form.Attr(value=owner, attr="setdefault")) if len(node.positional) == 2:
            key, value = node.positional
        case form.Call(func=form.Attr(value=owner, attr="update")):
            stated = node.keyword("timeout")
            return stated if mapping in (None, form.dotted(owner)) else None
        case form.Assign(targets=[form.Subscript(value=owner, index=key)], value=value):
            pass
        case _:
            return None
    is_timeout = isinstance(key, form.Const) and key.value == "timeout"
    return value if is_timeout and mapping in (None, form.dotted(owner)) else None


def timer_around(call: form.Call, scope: Scope) -> Evidence | None:
    """`async with asyncio.timeout(5):` or `wait_for(..., 5)` around a call."""
    function = scope.enclosing_function
    for node in function.nodes if function is not None else ():
        if not (node.start <= call.start and call.end <= node.end) or node is call:
            continue
        timers = [item.value for item in node.items] if isinstance(node, form.With) else [node]
        for timer in timers:
            if isinstance(timer, form.Call) and last_name(timer.func) in _TIMERS:
                return scope.module.evidence(timer, "a time limit around the call")
    return None
