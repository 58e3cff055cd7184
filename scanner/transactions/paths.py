"""Whether one run of a body can pass two places, one after the other."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from assay.scanner.linker.project import last_name
from assay.scanner.queries.regions import statements_around
from assay.scanner.readers.python import form

_LEAVING = frozenset({"abort", "exit", "fail", "_exit"})


def follows(body: Sequence[form.Stmt], first: int, second: int) -> bool:
    """Whether a run that passes the offset `first` may go on to `second`, which comes later in the text.

    What a handler of an exception does follows nothing that its `try` has done: that one failed. Nor does what another
    branch does, or what comes after a block that returns or raises.
    """
    if first >= second:
        return False
    to_first, to_second = statements_around(body, first), statements_around(body, second)
    depth = 0
    while depth < min(len(to_first), len(to_second)) and to_first[depth] == to_second[depth]:
        depth += 1
    if depth < min(len(to_first), len(to_second)) and to_first[depth][0] is not to_second[depth][0]:
        around = to_first[depth - 1][0][to_first[depth - 1][1]]
        return isinstance(around, form.Try) and not _is_exclusive(around, first, second)
    # The blocks that `first` is in and `second` isn't: a run leaves them at their ends, or for good.
    is_in_loop = False
    for (outer, index), (block, _) in itertools.pairwise(to_first[depth:]):
        is_in_loop = is_in_loop or isinstance(outer[index], form.For | form.While)
        if ends(block, of_loop=not is_in_loop):
            return False
    return True


def _is_exclusive(statement: form.Try, first: int, second: int) -> bool:
    """Whether two places in different parts of a `try` are never both passed by a run that succeeds."""
    handled = [h for h in statement.handlers if h.start <= first < h.end or h.start <= second < h.end]
    is_last = any(s.start <= second < s.end for s in statement.final)
    tried = next((s for s in (statement.body, statement.orelse) if s and s[0].start <= first < s[-1].end), None)
    return not is_last and (bool(handled) or (tried is not None and ends(tried)))


def ends(block: Sequence[form.Stmt], *, of_loop: bool = True) -> bool:
    """Whether a run of the block goes on to nothing behind it: it returns or raises, or, where `of_loop` is set, leaves
    the turn of the loop that the block and what is behind it are in.
    """
    if not block:
        return False
    match block[-1]:
        case form.Return() | form.Raise():
            return True
        case form.Jump(keyword=keyword):
            return of_loop and keyword in ("continue", "break")
        case form.ExprStmt(value=form.Call(func=func)):
            return last_name(func) in _LEAVING
        case form.If(body=body, orelse=orelse):
            return ends(body, of_loop=of_loop) and ends(orelse, of_loop=of_loop)
        case form.With(body=body):
            return ends(body, of_loop=of_loop)
        case form.Try(body=body, handlers=handlers, final=final):
            return ends(final, of_loop=of_loop) or (
                ends(body, of_loop=of_loop) and all(ends(h.body, of_loop=of_loop) for h in handlers)
            )
    return False
