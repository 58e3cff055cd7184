"""Whether a row that is saved is a new one, and whether a handler of `post_save` asks for that."""

from __future__ import annotations

from assay.scanner.linker.project import Project, last_name
from assay.scanner.linker.scopes import Binding, FunctionSymbol, How
from assay.scanner.readers.python import form
from assay.scanner.transactions.dependence import creates
from assay.scanner.transactions.events import Event
from assay.scanner.transactions.paths import ends
from assay.scanner.transactions.writes import Write

_READING = frozenset(
    {"get", "aget", "first", "afirst", "last", "alast", "latest", "earliest", "get_object_or_404", "get_object"}
)


def is_new(write: Write, event: Event, function: FunctionSymbol, project: Project) -> bool | None:
    """Of the row that the event writes; None where it can't be told."""
    saving = event.node
    if creates(write, event, function, project):
        return True
    if not isinstance(saving, form.Call) or not isinstance(saving.func, form.Attr):
        return None
    owner = saving.func.value
    bound = function.scope.lookup(owner.id, owner.start) if isinstance(owner, form.Name) else ()
    is_read = bool(bound) and all(map(_is_read, bound))
    return False if is_read or saving.keyword("update_fields") is not None else None


def _is_read(binding: Binding) -> bool:
    """`Order.objects.get(pk=pk)`, or one of the rows that a loop goes through."""
    value = binding.value
    return binding.how is How.FOR or (isinstance(value, form.Call) and last_name(value.func) in _READING)


def asks_for_new(function: FunctionSymbol, offset: int) -> bool | None:
    """Whether the handler only gets there for new rows, or only for those that were there; None where for both."""
    for node in function.nodes:
        wanted = _wanted(node.test) if isinstance(node, form.If) else None
        if wanted is None or not isinstance(node, form.If):
            continue
        if node.body[0].start <= offset < node.body[-1].end:
            return wanted
        is_alone = not isinstance(node.test, form.Boolean)
        is_behind = node.end <= offset and ends(node.body)
        is_otherwise = bool(node.orelse) and node.orelse[0].start <= offset < node.orelse[-1].end
        if is_alone and (is_behind or is_otherwise):
            return not wanted
    return None


def _wanted(test: form.Expr) -> bool | None:
    """What a test asks of `created`, which the signal gives."""
    match test:
        case form.Name(id="created"):
            return True
        case form.Unary(op="not", operand=form.Name(id="created")):
            return False
        case form.Boolean(op="and", values=values):
            return next((wanted for value in values if (wanted := _wanted(value)) is not None), None)
    return None
