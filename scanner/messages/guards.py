"""What keeps a second run of a function from doing something again."""

from __future__ import annotations

from collections.abc import Iterator

from assay.scanner.dataflow.lexicon import words
from assay.scanner.linker.project import last_name
from assay.scanner.linker.scopes import FunctionSymbol
from assay.scanner.model.place import Evidence
from assay.scanner.queries.regions import statements_around
from assay.scanner.readers.python import form
from assay.scanner.transactions.paths import ends

_DONE = frozenset(
    {
        "sent", "processed", "done", "status", "state", "completed", "complete", "handled", "delivered", "seen",
        "exists", "exist", "paid", "charged", "already", "finished", "notified", "imported", "created", "duplicate",
        "retries", "redelivered", "attempt", "attempts", "published", "applied", "executed", "emailed", "idempotent",
        "idempotency", "dedup", "once", "locked", "acquired", "pending", "step", "phase", "progress",
    }
)  # fmt: skip
"""Words of conditions that ask whether something has been done."""
_OF_ANSWERS = frozenset({"response", "resp", "res", "result", "reply", "r"})
_ONCE = frozenset({"once", "idempotent", "idempotency", "dedup", "deduplicate", "singleton", "unique", "idem"})
_UNIQUE = frozenset(
    {"IntegrityError", "UniqueViolation", "DuplicateKeyError", "AlreadyExists", "UniqueViolationError", "Conflict"}
)
_KEYS = ("idempoten", "dedup", "request_id", "request-id", "message_id", "message-id", "ignore_conflicts")
_SAVING = frozenset({"save", "asave", "update", "aupdate", "commit", "delete", "adelete"})


class Guards:
    """Those in one function."""

    def __init__(self, function: FunctionSymbol, within: form.Stmt | None = None) -> None:
        """`within` is the loop that takes the messages, whose turns are the runs."""
        self._function = function
        self._within = within

    def against(self, node: form.Node) -> Evidence | None:
        """What keeps the function from running the node for a second time; None where nothing is seen."""
        found = next(self._all(node), None)
        return self._function.module.evidence(*found) if found is not None else None

    def _all(self, node: form.Node) -> Iterator[tuple[form.Node, str]]:
        for decorator in self._function.decorators:
            if not _ONCE.isdisjoint(words((form.dotted(_called(decorator)) or "").replace(".", "_"))):
                yield decorator, "a message is worked on once only"
        if isinstance(node, form.Call) and _has_key(node):
            yield node, "a key tells whoever gets it that it is the same again"
        for part in self._function.nodes:
            if isinstance(part, form.If) and self._asks(part, node):
                yield part.test, "it asks whether that has been done"
            elif isinstance(part, form.Call) and part.start < node.start and _claims(part):
                yield part, "only the first run goes on behind this"
            elif isinstance(part, form.Try) and part.body[0].start <= node.start < part.body[-1].end:
                for handler in part.handlers:
                    if handler.type is not None and not _UNIQUE.isdisjoint(_names(handler.type)):
                        yield handler.type, "what is there already is refused"
        yield from self._noted(node)

    def _asks(self, part: form.If, node: form.Node) -> bool:
        """Whether the node runs only where the condition finds that it hasn't been done."""
        is_inside = part.start <= node.start < part.end and not part.test.start <= node.start < part.test.end
        is_behind = part.end <= node.start and part.body and ends(part.body)
        if not is_inside and not is_behind:
            return False
        return _is_of_done(part.test) or (bool(is_behind) and self._is_found(part.test))

    def _is_found(self, test: form.Expr) -> bool:
        """`existing`, `existing is not None`, of what a query gave: where it is there the run ends."""
        match test:
            case form.Compare(left=left, ops=["is not"], rights=[form.Const(value=None)]):
                return self._is_found(left)
            case form.Walrus(value=value):
                return isinstance(value, form.Call | form.Await)
            case form.Name(id=name):
                values = [b.value for b in self._function.scope.bindings.get(name, ())]
                return any(isinstance(value, form.Call | form.Await) for value in values)
            case form.Call(func=form.Attr(attr="exists" | "aexists" | "sismember" | "get")):
                return True
            case form.Call(func=func):
                return "exists" in words(last_name(func) or "") or words(last_name(func) or "")[:1] in (
                    ("get",),
                    ("is",),
                )
        return False

    def _noted(self, node: form.Node) -> Iterator[tuple[form.Node, str]]:
        """In a loop: what is done is noted before the next turn, and isn't found again."""
        for block, index in reversed(statements_around(self._function.node.body, node.start)):
            statement = block[index]
            if isinstance(statement, form.For) and statement is not self._within:
                for part in form.walk_body(statement.body):
                    if isinstance(part, form.Call) and part.start > node.start and last_name(part.func) in _SAVING:
                        yield part, "it is noted before the next turn"


def _is_of_done(test: form.Expr) -> bool:
    for node in form.walk(test):
        if isinstance(node, form.Attr) and last_name(node.value) in _OF_ANSWERS:
            continue
        name = node.id if isinstance(node, form.Name) else node.attr if isinstance(node, form.Attr) else ""
        parts = words(name)
        if parts[-1:] != ("code",) and not _DONE.isdisjoint(parts):
            return True
    return False


def _claims(call: form.Call) -> bool:
    """`cache.add(key, 1)`, `redis.set(key, 1, nx=True)`, `already_done(event)`."""
    name, owner = last_name(call.func) or "", call.func.value if isinstance(call.func, form.Attr) else None
    if name in ("setnx", "get_or_create", "update_or_create", "aget_or_create"):
        return True
    if name == "add" and "cache" in words(last_name(owner) or "" if owner is not None else ""):
        return True
    return call.keyword("nx") is not None or not _ONCE.isdisjoint(words(name))


def _has_key(call: form.Call) -> bool:
    names = [a.name for a in call.args if a.name]
    nodes = [n.value for a in call.args for n in form.walk(a.value) if isinstance(n, form.Const)]
    nodes += [n.id for a in call.args for n in form.walk(a.value) if isinstance(n, form.Name)]
    texts = [str(text).lower() for text in (*names, *nodes)]
    return any(key in text for key in _KEYS for text in texts)


def _called(decorator: form.Expr) -> form.Expr:
    return decorator.func if isinstance(decorator, form.Call) else decorator


def _names(node: form.Expr) -> set[str]:
    return {last_name(n) or "" for n in form.walk(node) if isinstance(n, form.Name | form.Attr)}
