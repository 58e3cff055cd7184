"""Failures that say nothing of trouble at the other side, so that trying again at once does no harm to it."""

from __future__ import annotations

from assay.scanner.dataflow.lexicon import words
from assay.scanner.linker.project import Project, last_name
from assay.scanner.linker.scopes import Scope
from assay.scanner.model.place import Evidence
from assay.scanner.readers.python import form
from assay.scanner.retries.arguments import resolved

_CONFLICTS = frozenset(
    {
        "IntegrityError", "StaleDataError", "WatchError", "UniqueViolation", "SerializationFailure",
        "SerializationError", "DeadlockDetected", "TransactionAborted", "OptimisticLockError", "ConcurrentUpdateError",
        "ConflictError", "LockError", "ConcurrencyError", "RowVersionConflict",
    }
)  # fmt: skip
"""Collisions with other writers, which are over when they are seen."""
_UNREADABLE = frozenset(
    {
        "JSONDecodeError", "UnicodeDecodeError", "DecodeError", "ParseError", "OutputParserException",
        "ValidationError", "ValueError", "KeyError", "IndexError", "TypeError",
    }
)  # fmt: skip
"""An answer came, and wasn't what it should be."""
_SIGNING_IN = frozenset(
    {"login", "relogin", "signin", "authenticate", "reauthenticate", "authorize", "refresh", "renew", "token"}
)


def is_mild(node: form.Expr) -> bool:
    """Whether all failures that the expression names are mild ones."""
    named = (last_name(n) or "" for n in form.walk(node) if isinstance(n, form.Name | form.Attr))
    errors = {name for name in named if name[:1].isupper()}
    return bool(errors) and errors <= _CONFLICTS | _UNREADABLE


def mildly_handled(handlers: list[form.Handler], scope: Scope, project: Project) -> Evidence | None:
    """Where all handlers take mild failures, or sign in again before the next attempt."""
    for handler in handlers:
        caught = resolved(handler.type, scope, project).node if handler.type is not None else None
        if not (caught is not None and is_mild(caught)) and not _signs_in(handler):
            return None
    return scope.module.evidence(handlers[0].body[0], "only this is tried again") if handlers else None


def _signs_in(handler: form.Handler) -> bool:
    called = (n.func for n in form.walk_body(handler.body) if isinstance(n, form.Call))
    return any(not _SIGNING_IN.isdisjoint(words(last_name(func) or "")) for func in called)
