"""What the statements of a body put into a list by name, step by step, as production runs them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from assay.scanner.linker.project import last_name
from assay.scanner.readers.python import form


@dataclass(frozen=True, slots=True, eq=False)
class Addition:
    """An expression that is put into a list, as one item or as a list of them, in each turn of the loops around it."""

    node: form.Expr
    is_item: bool
    loops: tuple[form.For, ...] = ()


def served_statements(
    body: list[form.Stmt], loops: tuple[form.For, ...] = ()
) -> Iterator[tuple[form.Stmt, tuple[form.For, ...]]]:
    """Statements that run in production, with the loops around them: a branch for `settings.DEBUG` is left out."""
    for statement in body:
        match statement:
            case form.If(test=test, body=then, orelse=orelse):
                is_debug = _is_debug(test)
                if is_debug is not True:
                    yield from served_statements(then, loops)
                if is_debug is not False:
                    yield from served_statements(orelse, loops)
            case form.Try(body=then, handlers=handlers, orelse=orelse, final=final):
                for block in (then, *(h.body for h in handlers), orelse, final):
                    yield from served_statements(block, loops)
            case form.For(body=then, orelse=orelse):
                yield from served_statements(then, (*loops, statement))
                yield from served_statements(orelse, loops)
            case form.While(body=then, orelse=orelse):
                yield from served_statements(then, loops)
                yield from served_statements(orelse, loops)
            case form.With(body=then):
                yield from served_statements(then, loops)
            case _:
                yield statement, loops


def assembled(body: list[form.Stmt], name: str, before: int | None = None) -> list[Addition]:
    """The `additions` that make up the list of that name, at the offset `before` or at the end of the body.

    An assignment outside branches starts the list anew: in `urls = [path("v1/", include(urls))]` the inner name is the
    list as it was on the line before.
    """
    found: list[Addition] = []
    for statement in body:
        if before is not None and statement.start >= before:
            break
        is_done = before is None or statement.end <= before
        if is_done and isinstance(statement, form.Assign) and any(additions(statement, name)):
            found.clear()
        for served, loops in served_statements([statement]):
            if before is None or served.end <= before:
                found += additions(served, name, loops)
    return found


def _is_debug(test: form.Expr) -> bool | None:
    """True for a test that only development passes, False for one that only production does, None for any other."""
    match test:
        case form.Boolean(op="and", values=values):
            return True if any(_is_debug(v) for v in values) else None
        case form.Unary(op="not", operand=operand):
            inner = _is_debug(operand)
            return None if inner is None else not inner
    name = last_name(test) or ""
    return True if name == "DEBUG" or "DEBUG_TOOLBAR" in name else None


def additions(statement: form.Stmt, name: str, loops: tuple[form.For, ...] = ()) -> Iterator[Addition]:
    """What a statement puts into the list of that name."""
    match statement:
        case form.Assign(targets=targets, value=value) if value is not None:
            if any(isinstance(t, form.Name) and t.id == name for t in targets):
                yield Addition(value, False, loops)
        case form.AugAssign(target=form.Name(id=target), op="+=" | "+", value=value) if target == name:
            yield Addition(value, False, loops)
        case form.ExprStmt(value=form.Call(func=form.Attr(value=form.Name(id=owner), attr=attr)) as call):
            if owner == name and call.positional:
                if attr == "append":
                    yield Addition(call.positional[0], True, loops)
                elif attr == "insert":
                    yield Addition(call.positional[-1], True, loops)
                elif attr == "extend":
                    yield Addition(call.positional[0], False, loops)
