"""Ways through a consumer of SQS on which a message isn't deleted, and so comes back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from assay.scanner.dataflow.handlers import Handlers
from assay.scanner.dataflow.lexicon import words
from assay.scanner.dataflow.loggers import Loggers
from assay.scanner.delivery.consumed import Consumed
from assay.scanner.delivery.errors import any_never_passes
from assay.scanner.delivery.handling import ACKNOWLEDGING, is_named
from assay.scanner.linker.project import Project, last_name
from assay.scanner.model.log import Breadth
from assay.scanner.readers.python import form

_PASSED_OVER = frozenset(
    """skip skipping skipped already ignore ignoring ignored duplicate duplicates unknown unsupported invalid exists
    drop dropping discard discarding""".split()
)
_PARSING = frozenset(
    """loads load parse decode validate deserialize decompress get json model unpack dict str int b64decode
    fromstring from split strip replace items keys exception""".split()
)
"""Words of calls that only read what a message says."""


class Undeleted:
    """Answers for one project."""

    def __init__(self, project: Project, handlers: Handlers) -> None:
        self._project = project
        self._handlers = handlers
        self._loggers = Loggers(project)

    def deleting(self, each: Consumed) -> Consumed:
        """The consumer, or the function that it gives its messages to, if that one deletes them."""
        nodes = each.function.nodes
        if any(_deletes(node) for node in nodes):
            return each
        calls = (node for node in nodes if isinstance(node, form.Call))
        callees = (self._project.callee_function(call, each.function.scope) for call in calls)
        found = (c for c in callees if c is not None and any(_names_receipt(node) for node in c.nodes))
        return next((replace(each, function=callee, loop=None) for callee in found), each)

    def ways(self, each: Consumed) -> Iterator[tuple[form.Stmt, bool]]:
        """The last statements of handlers that don't delete, and whether it is the data that was wrong."""
        if not any(_deletes(node) for node in each.function.nodes):
            return
        for statement in form.walk_body(each.body, into_definitions=False):
            if isinstance(statement, form.If) and _is_passed_over(statement.body, each):
                yield statement.body[-1], True
            if not isinstance(statement, form.Try):
                continue
            for handler in statement.handlers:
                nodes = list(form.walk_body([*handler.body, *statement.final], into_definitions=False))
                if any(_deletes(n) or isinstance(n, form.Raise) for n in nodes):
                    continue
                last = handler.body[-1]
                is_skipped = _is_left(last, each)
                is_last = each.body[-1] is statement and any(_deletes(n) for n in form.walk_body(statement.body))
                if is_skipped or is_last:
                    types = self._handlers.types(handler, each.function.scope)
                    is_broad = self._handlers.breadth(types) is not Breadth.NARROW
                    hopeless = self._only_reads(statement.body, each) if is_broad else any_never_passes(types)
                    yield last, hopeless

    def _only_reads(self, body: list[form.Stmt], each: Consumed) -> bool:
        """Whether it only finds out what the message says."""
        calls = [n for n in form.walk_body(body, into_definitions=False) if isinstance(n, form.Call)]
        calls = [c for c in calls if self._loggers.log_call(c, each.function.scope) is None]
        names = [last_name(call.func) or "" for call in calls]
        return bool(names) and all(not _PARSING.isdisjoint(words(name)) for name in names)


def _names_receipt(node: form.Expr | form.Stmt) -> bool:
    return isinstance(node, form.Const) and node.value == "ReceiptHandle"


def _deletes(node: form.Expr | form.Stmt) -> bool:
    return _names_receipt(node) or is_named(node, ACKNOWLEDGING | {"delete"})


def _is_left(last: form.Stmt, each: Consumed) -> bool:
    """Whether the message is left: by what goes on to the next one, or back to the loop that is elsewhere."""
    if each.loop is None:
        return isinstance(last, form.Return)
    return isinstance(last, form.Jump) and last.keyword == "continue"


def _is_passed_over(body: list[form.Stmt], each: Consumed) -> bool:
    """Whether the branch only says that it won't handle the message, and goes on to the next."""
    last = body[-1]
    if not _is_left(last, each) or len(body) < 2:
        return False
    nodes = list(form.walk_body(body))
    texts = [n.value for n in nodes if isinstance(n, form.Const) and isinstance(n.value, str)]
    texts += [p for n in nodes if isinstance(n, form.Template) for p in n.parts if isinstance(p, str)]
    said = any(not _PASSED_OVER.isdisjoint(words(text)) for text in texts)
    return said and not any(_deletes(n) for n in nodes)
