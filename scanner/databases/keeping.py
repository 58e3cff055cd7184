"""Whether a connection that is made on demand is kept for whoever asks next."""

from __future__ import annotations

from assay.scanner.databases.clients import Client
from assay.scanner.linker.project import last_name
from assay.scanner.linker.scopes import FunctionSymbol
from assay.scanner.model.place import Evidence
from assay.scanner.queries.helpers import keeps_answers
from assay.scanner.queries.regions import statements_around
from assay.scanner.readers.python import form

_OF_ONE_REQUEST = frozenset({"g", "request", "req", "ctx"})
"""Names of what lives as long as a request."""


def kept_by(client: Client) -> Evidence | None:
    """A decorator that remembers, or a test that nothing was made before: `if self._pool is None:`."""
    function = client.scope.function
    if function is None:
        return None
    module = function.module
    if keeps_answers(function):
        return module.evidence(function.decorators[0], "what it gives is remembered")
    for block, index in statements_around(function.node.body, client.call.start):
        statement = block[index]
        if isinstance(statement, form.If) and _asks_whether_made(statement.test):
            return module.evidence(statement.test, "it is made once, and kept")
        if isinstance(statement, form.Try) and any(_is_miss(h, client.call.start) for h in statement.handlers):
            return module.evidence(client.call, "it is made only where none is kept")
    return _earlier_return(client, function)


def _earlier_return(client: Client, function: FunctionSymbol) -> Evidence | None:
    """`if engine is not None: return engine` before it is made."""
    before = [s for s in function.node.body if isinstance(s, form.If) and s.end <= client.call.start]
    for branch in before:
        if any(isinstance(s, form.Return) for s in branch.body) and _lasting(branch.test):
            return function.module.evidence(branch.test, "it is made once, and kept")
    return None


def _asks_whether_made(test: form.Expr) -> bool:
    match test:
        case form.Unary(op="not", operand=operand):
            return _lasting(operand)
        case form.Compare(left=left, ops=["is" | "not in" | "=="], rights=[right]):
            return _lasting(left) or _lasting(right)
        case form.Boolean(values=values):
            return any(_asks_whether_made(v) for v in values)
    return False


def _is_miss(handler: form.Handler, offset: int) -> bool:
    """Whether the place runs where a dictionary or an object doesn't have it yet."""
    caught = last_name(handler.type) if handler.type is not None else None
    return handler.start <= offset < handler.end and caught in ("KeyError", "AttributeError", "LookupError")


def _lasting(test: form.Expr) -> bool:
    """Whether it speaks of what outlives a request, as the application does that has it: `request.app.state`."""
    if any(isinstance(n, form.Attr) and n.attr == "app" for n in form.walk(test)):
        return True
    names = {n.id for n in form.walk(test) if isinstance(n, form.Name)}
    return bool(names) and names.isdisjoint(_OF_ONE_REQUEST)
