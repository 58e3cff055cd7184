"""Error answers: responses of handlers whose body says that something went wrong."""

from __future__ import annotations

import re
from collections.abc import Iterator

from assay.scanner.dataflow.blocks import Block
from assay.scanner.dataflow.numbering import Ordinals
from assay.scanner.dataflow.responses.filled import items_at
from assay.scanner.dataflow.responses.markers import Marker, marker
from assay.scanner.dataflow.responses.replies import Replies, Reply
from assay.scanner.dataflow.responses.serving import Served, Serving
from assay.scanner.dataflow.responses.statuses import folded
from assay.scanner.framework import Sited
from assay.scanner.linker.project import Project
from assay.scanner.linker.scopes import FunctionSymbol
from assay.scanner.model.answer import ErrorAnswer
from assay.scanner.model.place import Evidence, Location
from assay.scanner.readers.python import form

_OF_STATUSES = re.compile(r"\b(200|2xx|non-2xx)\b", re.IGNORECASE)
_PER_ITEM = "it lists what became of each of several things"
_REMOTE_CALL = "the protocol of remote calls puts errors into the body"
_WITH_ERROR = "its status comes from where the error does"
_REMOTE_CALL_KEYS = frozenset({"jsonrpc"})


def error_answers(serving: Serving, replies: Replies, project: Project) -> Iterator[ErrorAnswer]:
    """One for each place that makes such a response."""
    seen = set[Location]()
    ordinals = Ordinals()
    for served in serving.answering_clients:
        if not served.is_json:
            continue
        for reply in replies.of_function(served.function):
            found = error_marker(reply, replies, project)
            location = reply.site.module.location(reply.site.node)
            if found is None or reply.raised or location in seen:
                continue
            seen.add(location)
            function = reply.site.scope.function or served.function
            is_list = served.writes_tuples_as_lists and isinstance(reply.site.node, form.Display)
            status = served.default_status if is_list else reply.status_or(served.default_status)
            yield ErrorAnswer(
                function.id,
                ordinals.next(function.id, "error answer"),
                location,
                reply.site.module.role,
                found.text,
                found.node.module.evidence(found.node.node, f"the body holds {found.text}"),
                status,
                _excuse(found, reply, served, project) if status is None or status < 400 else None,
                _contract(function) if status is not None and status < 400 else None,
            )


def _contract(function: FunctionSymbol) -> Evidence | None:
    """A comment in the function that speaks of answering 200."""
    module, node = function.module, function.node
    for comment in module.facts.comments:
        if node.start <= comment.start < node.end and _OF_STATUSES.search(comment.text):
            return Evidence(module.span(comment.start, comment.start + len(comment.text)), "the comment")
    return None


def error_marker(reply: Reply, replies: Replies, project: Project) -> Marker | None:
    """What in the bodies tells of an error."""
    for body in reply.bodies:
        block = replies.block(body.module, body.node.start)
        filled = items_at(body.node, body.scope, block) if isinstance(body.node, form.Name) else None
        told = Sited(filled, body.scope) if filled is not None else body
        found = marker(told, project, reply.given, _present(block))
        if found is not None:
            return found
    return None


def _present(block: Block) -> frozenset[str]:
    """Names that hold something where the block runs: `if errors:` stands around it."""
    found: set[str] = set()
    for outer in block.within_function():
        if isinstance(outer.header, form.If) and not outer.is_otherwise:
            found |= set(_asked_for(outer.header.test))
    return frozenset(found)


def _asked_for(test: form.Expr) -> Iterator[str]:
    match test:
        case form.Name(id=name):
            yield name
        case form.Boolean(op="and", values=values):
            for value in values:
                yield from _asked_for(value)
        case form.Compare(left=form.Name(id=name), ops=["is not" | "!="], rights=[form.Const(value=None)]):
            yield name
        case form.Compare(left=form.Call(args=[only]), ops=[">"]) | form.Call(args=[only]):
            yield from _asked_for(only.value)


def _excuse(found: Marker, reply: Reply, served: Served, project: Project) -> str | None:
    if found.per_item or reply.status == 207:
        return _PER_ITEM
    bodies = [b.node for b in reply.bodies if isinstance(b.node, form.Dict)]
    if any(isinstance(key, form.Const) and key.value in _REMOTE_CALL_KEYS for body in bodies for key in body.keys):
        return _REMOTE_CALL
    if reply.is_stated and reply.status is None and not _may_succeed(reply, project):
        return _WITH_ERROR
    return served.why_success_may_tell_of_failure


def _may_succeed(reply: Reply, project: Project) -> bool:
    """Whether a name in the answer is given a status that means success, among others."""
    scope = reply.site.scope
    names = (n for n in form.walk(reply.site.node) if isinstance(n, form.Name))
    values = (b.value for n in names for b in scope.lookup(n.id, n.start) if b.scope is scope and b.value is not None)
    return any((status := folded(value, scope, project)) is not None and status < 400 for value in values)
