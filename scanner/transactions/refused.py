"""Handlers that write for good, and then answer that the request was wrong."""

from __future__ import annotations

from collections.abc import Sequence

from assay.scanner.dataflow.status_codes import status_code
from assay.scanner.linker.project import Project, last_name
from assay.scanner.linker.scopes import FunctionSymbol, Scope
from assay.scanner.readers.python import form
from assay.scanner.transactions.dependence import creates, derived, is_made_again, mentions, rows_of
from assay.scanner.transactions.events import Event
from assay.scanner.transactions.paths import follows

_REFUSING = frozenset({400, 404, 409, 422})
"""Statuses that say that what was asked for can't be done; 401, 403 and 429 may well count attempts before."""
_KEYWORDS = ("status", "status_code", "code")
_ERRORS = frozenset({"ValidationError", "BadRequest", "NotFound", "Http404", "HttpResponseBadRequest", "ParseError"})
_RAISING = frozenset({"HTTPException", "HttpError", "APIException", "abort"})


def refusal_after(
    event: Event, function: FunctionSymbol, events: Sequence[Event], project: Project
) -> form.Expr | form.Stmt | None:
    """The answer that refuses the request after the event has made a row, with nothing undone on the way."""
    makes = [w for w in event.writes if w.is_sure and creates(w, event, function, project)]
    if not makes or all(is_made_again(w.model) for w in makes):
        return None
    if event.helper is not None and is_made_again(event.helper.name):
        return None
    body = function.node.body
    rows = frozenset(rows_of(event, function))
    for node in function.nodes:
        if node.start <= event.node.end or not _refuses(node, function.scope, project):
            continue
        if not follows(body, event.start, node.start):
            continue
        if _asks_of(derived(rows, function, event.start, node.start), node, function):
            continue
        undone = (e for e in events if e.is_rollback or any(w.action == "delete" for w in e.writes))
        if not any(event.start < e.start < node.start and follows(body, e.start, node.start) for e in undone):
            return node
    return None


def _refuses(node: form.Expr | form.Stmt, scope: Scope, project: Project) -> bool:
    match node:
        case form.Return(value=form.Call() as call):
            return _is_refusal(call, scope, project)
        case form.Return(value=form.Display(kind="tuple", items=[_, code, *_])):
            return status_code(code, scope, project) in _REFUSING
        case form.Raise(exc=form.Call() as call):
            return _is_refusal(call, scope, project)
        case form.ExprStmt(value=form.Call(func=form.Name(id="abort")) as call):
            return _is_refusal(call, scope, project)
    return False


def _is_refusal(call: form.Call, scope: Scope, project: Project) -> bool:
    name = last_name(call.func)
    if name in _ERRORS:
        return True
    given = [call.keyword(k) for k in _KEYWORDS]
    codes = [g for g in given if g is not None] + (call.positional[:1] if name in _RAISING else [])
    return any(status_code(code, scope, project) in _REFUSING for code in codes)


def _asks_of(rows: frozenset[str], node: form.Expr | form.Stmt, function: FunctionSymbol) -> bool:
    """Whether a test around the answer asks about what was made: `if not created:`."""
    return any(
        isinstance(n, form.If) and n.start <= node.start < n.end and mentions(n.test, rows) for n in function.nodes
    )
