"""How statements of a loop leave it, or let it go on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from assay.scanner.linker.project import last_name
from assay.scanner.readers.python import form

_STATUS = frozenset({"ok", "status", "status_code", "is_success", "is_error"})


def goes_on(body: Sequence[form.Stmt]) -> bool:
    """Whether some way through it doesn't leave the loop."""
    for statement in body:
        match statement:
            case form.Return() | form.Raise():
                return False
            case form.Jump(keyword="break"):
                return False
            case form.Jump(keyword="continue"):
                return True
            case form.If(body=then, orelse=orelse):
                if any(_continues(s) for s in (*then, *orelse)):
                    return True
                if orelse and not goes_on(then) and not goes_on(orelse):
                    return False
            case form.With(body=inner) | form.Try(body=inner, handlers=[]):
                if not goes_on(inner):
                    return False
    return True


def _continues(statement: form.Stmt) -> bool:
    return any(isinstance(n, form.Jump) and n.keyword == "continue" for n in _own(statement))


def exits(statement: form.Stmt) -> bool:
    """Whether it may leave the loop: an inner loop's `break` only leaves that one."""
    nodes = form.walk(statement, into_definitions=False)
    return any(isinstance(n, form.Return | form.Raise) for n in nodes) or any(
        isinstance(n, form.Jump) and n.keyword == "break" for n in _own(statement)
    )


def succeeds(statement: form.Stmt) -> bool:
    """Whether it leaves the loop after an answer, whatever that says: what waits for a certain one polls."""
    match statement:
        case form.Return() | form.Jump(keyword="break"):
            return True
        case form.With(body=body) | form.Try(body=body):
            return any(map(succeeds, body))
        case form.If(test=test, body=then, orelse=orelse):
            leaves = any(map(succeeds, then)), any(map(succeeds, orelse))
            return all(leaves) or (
                any(leaves)
                and any(isinstance(n, form.Name | form.Attr) and last_name(n) in _STATUS for n in form.walk(test))
            )
    return False


def _own(statement: form.Stmt) -> Iterator[form.Expr | form.Stmt]:
    """What is in it, without what is in loops and definitions."""
    stack: list[form.Expr | form.Stmt] = [statement]
    while stack:
        node = stack.pop()
        yield node
        if not isinstance(node, form.For | form.While | form.Function | form.Class | form.Lambda):
            stack.extend(node.children())


def tests_of_exits(body: Sequence[form.Stmt]) -> Iterator[form.Expr]:
    """What is asked before the loop is left, or gone on with."""
    for node in form.walk_body([*body], into_definitions=False):
        if isinstance(node, form.If):
            branches = (*node.body, *node.orelse)
            if any(exits(s) or _continues(s) for s in branches):
                yield node.test
