"""What the statements of a body put into a list by name, step by step, as production runs them."""

from __future__ import annotations

from collections.abc import Iterator

from assay.scanner.linker.project import last_name
from assay.scanner.readers.python import form


def served_statements(body: list[form.Stmt]) -> Iterator[form.Stmt]:
    """Statements that run in production: a branch for `settings.DEBUG` alone is left out."""
    for statement in body:
        match statement:
            case form.If(test=test, body=then, orelse=orelse):
                if not _is_debug(test):
                    yield from served_statements(then)
                yield from served_statements(orelse)
            case form.Try(body=then, handlers=handlers, orelse=orelse, final=final):
                yield from served_statements(then)
                for handler in handlers:
                    yield from served_statements(handler.body)
                yield from served_statements(orelse)
                yield from served_statements(final)
            case form.For(body=then, orelse=orelse) | form.While(body=then, orelse=orelse):
                yield from served_statements(then)
                yield from served_statements(orelse)
            case form.With(body=then):
                yield from served_statements(then)
            case _:
                yield statement


def assembled(body: list[form.Stmt], name: str, before: int | None = None) -> list[tuple[form.Expr, bool]]:
    """The `additions` that make up the list of that name, at the offset `before` or at the end of the body.

    An assignment outside branches starts the list anew: in `urls = [path("v1/", include(urls))]` the inner name is the
    list as it was on the line before.
    """
    found: list[tuple[form.Expr, bool]] = []
    for statement in body:
        if before is not None and statement.start >= before:
            break
        is_done = before is None or statement.end <= before
        if is_done and isinstance(statement, form.Assign) and any(additions(statement, name)):
            found.clear()
        for served in served_statements([statement]):
            if before is None or served.end <= before:
                found += additions(served, name)
    return found


def _is_debug(test: form.Expr) -> bool:
    if isinstance(test, form.Boolean):
        return test.op == "and" and any(_is_debug(v) for v in test.values)
    return last_name(test) in ("DEBUG", "ENABLE_DEBUG_TOOLBAR")


def additions(statement: form.Stmt, name: str) -> Iterator[tuple[form.Expr, bool]]:
    """What a statement puts into the list of that name: expressions, and whether each is one item or a list."""
    match statement:
        case form.Assign(targets=targets, value=value) if value is not None:
            if any(isinstance(t, form.Name) and t.id == name for t in targets):
                yield value, False
        case form.AugAssign(target=form.Name(id=target), op="+=" | "+", value=value) if target == name:
            yield value, False
        case form.ExprStmt(value=form.Call(func=form.Attr(value=form.Name(id=owner), attr=attr)) as call):
            if owner == name and call.positional:
                if attr == "append":
                    yield call.positional[0], True
                elif attr == "insert":
                    yield call.positional[-1], True
                elif attr == "extend":
                    yield call.positional[0], False
