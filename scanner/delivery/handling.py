"""Code that works on a message: what it tries, how it ends, what acknowledges, what says that something failed."""

from __future__ import annotations

from collections.abc import Iterator

from assay.scanner.dataflow.blocks import is_debug_condition
from assay.scanner.dataflow.lexicon import words
from assay.scanner.linker.project import Project, last_name
from assay.scanner.linker.scopes import Module, Scope
from assay.scanner.model.place import Evidence
from assay.scanner.readers.python import form

ACKNOWLEDGING = frozenset(
    {
        "ack", "ack_sync", "basic_ack", "acknowledge", "delete_message", "delete_message_batch", "complete_message",
        "commit", "store_offsets", "xack", "delete_messages",
    }
)  # fmt: skip
GIVING_BACK = frozenset(
    {
        "nack", "basic_nack", "reject", "basic_reject", "nak", "term", "requeue", "retry", "abandon_message",
        "dead_letter_message", "reject_log_error", "requeue_log_error", "change_message_visibility", "seek",
        "modify_ack_deadline", "abort",
    }
)  # fmt: skip
_RETURNING = GIVING_BACK - {"seek", "abort", "term"}
"""Names that say so wherever they stand: a file has a `seek` too."""
_FAILING = frozenset("error errors failed fail failure exception errored crashed broken unable cannot invalid".split())
_SENTENCE = 5
"""Words, the `#` among them."""


def attempts(
    body: list[form.Stmt], before: list[form.Stmt], after: list[form.Stmt], around: tuple[form.With, ...]
) -> Iterator[tuple[form.Try, list[form.Stmt], list[form.Stmt], tuple[form.With, ...]]]:
    """The `try` statements at the top of a body, or inside of `with`, and what runs before and after them."""
    for index, statement in enumerate(body):
        rest = [*body[index + 1 :], *after]
        earlier = [*before, *body[:index]]
        if isinstance(statement, form.Try):
            yield statement, earlier, rest, around
        elif isinstance(statement, form.With):
            yield from attempts(statement.body, earlier, rest, (*around, statement))


def leaves(body: list[form.Stmt]) -> bool:
    """Whether what follows isn't reached from the end of the body."""
    last = body[-1]
    return isinstance(last, form.Return | form.Raise) or (isinstance(last, form.Jump) and last.keyword != "pass")


def is_entered(statement: form.With) -> bool:
    """`async with message.process():`, which acknowledges at its end."""
    return any(is_named(item.value, frozenset({"process"})) for item in statement.items)


def running(body: list[form.Stmt]) -> Iterator[form.Expr | form.Stmt]:
    """What runs in production: no nested definitions, nothing that only debugging runs."""
    stack: list[form.Expr | form.Stmt] = list(reversed(body))
    while stack:
        node = stack.pop()
        yield node
        if isinstance(node, form.Function | form.Class | form.Lambda):
            continue
        is_debugging = isinstance(node, form.If) and is_debug_condition(node.test)
        stack.extend(reversed(node.orelse if is_debugging and isinstance(node, form.If) else node.children()))


def is_named(node: form.Expr | form.Stmt, names: frozenset[str]) -> bool:
    """Whether it calls something of one of the names."""
    return isinstance(node, form.Call) and last_name(node.func) in names


def acknowledges(node: form.Expr | form.Stmt, scope: Scope, project: Project) -> bool:
    """Whether it acknowledges, if by a function of the project, or notes by which receipt an SQS message is deleted."""
    if isinstance(node, form.Const):
        return node.value == "ReceiptHandle"
    return is_named(node, ACKNOWLEDGING) or _reaches(node, ACKNOWLEDGING - {"commit"}, scope, project)


def gives_back(node: form.Expr | form.Stmt, scope: Scope, project: Project) -> bool:
    """Whether it raises, or hands the message back to the queue, if by a function of the project that does so."""
    if isinstance(node, form.Raise) or is_named(node, GIVING_BACK):
        return True
    callee = project.callee_function(node, scope) if isinstance(node, form.Call) else None
    is_raising = callee is not None and isinstance(callee.node.body[-1], form.Raise)
    return is_raising or _reaches(node, _RETURNING, scope, project)


def _reaches(node: form.Expr | form.Stmt, names: frozenset[str], scope: Scope, project: Project) -> bool:
    """Whether it calls a function of the project that calls something of one of the names."""
    callee = project.callee_function(node, scope) if isinstance(node, form.Call) else None
    return callee is not None and any(is_named(inner, names) for inner in callee.nodes)


def comment_in(handler: form.Handler, module: Module) -> Evidence | None:
    """A sentence in the handler's body, which may say why."""
    first = module.facts.position(handler.start)[0]
    last = module.facts.position(handler.body[-1].end)[0]
    for comment in module.facts.comments:
        if first < module.facts.position(comment.start)[0] <= last and len(comment.text.split()) >= _SENTENCE:
            return Evidence(module.span(comment.start, comment.start + len(comment.text)), "the comment")
    return None


def tells(node: form.Expr, bound: str | None) -> bool:
    """Whether it says that something went wrong, and what."""
    for inner in form.walk(node):
        match inner:
            case form.Name(id=name) if bound is not None and name == bound:
                return True
            case form.Call(func=func) if last_name(func) in ("format_exc", "exc_info", "format_exception"):
                return True
    return holds_trouble(node)


def holds_trouble(node: form.Expr) -> bool:
    """Whether a text or a name in it speaks of a failure."""
    for inner in form.walk(node):
        match inner:
            case form.Const(value=str() as text) if not _FAILING.isdisjoint(words(text)):
                return True
            case form.Template(parts=parts):
                if any(isinstance(part, str) and not _FAILING.isdisjoint(words(part)) for part in parts):
                    return True
            case form.Attr(attr=name) | form.Name(id=name) if not _FAILING.isdisjoint(words(name)):
                return True
    return False
