"""Archives: whether somebody looks at their members before they are unpacked.

Which member is refused, and why, is not followed: that the members are looked at leaves it to a person.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from assay.scanner.dataflow.taint.values import Thing, Value, doubtful
from assay.scanner.readers.python import form

if TYPE_CHECKING:
    from assay.scanner.dataflow.taint.arguments import Arguments
    from assay.scanner.dataflow.taint.evaluation import Evaluation

_LISTINGS = frozenset({"getmembers", "getnames", "next"})
LOOKED_AT = "its members are looked at before"
_NAMED = "a client may name the file, and not have made it"


def opened(evaluation: Evaluation, _: form.Node, arguments: Arguments) -> Value:
    """`tarfile.open(name, mode, fileobj)`: it is what the file object holds."""
    named, file = arguments.get(0, "name"), arguments.get(2, "fileobj")
    traces = evaluation.traces(*[file] if file is not None else [])
    traces += doubtful(evaluation.traces(*[named] if named is not None else []), _NAMED)
    return Thing("tarfile.TarFile", traces)


def members_are_looked_at(call: form.Node, body: list[form.Stmt]) -> bool:
    """Whether the function asks the archive that `call` unpacks for its members, gives it a filter, or hands it to a
    function that may.
    """
    archive = _archive(call)
    return archive is not None and any(_looks_into(node, archive) for node in form.walk_body(body))


def _archive(call: form.Node) -> str | None:
    """The variable of the archive in `archive.extractall()`."""
    if isinstance(call, form.Call) and isinstance(call.func, form.Attr):
        return form.dotted(call.func.value)
    return None


def _looks_into(node: form.Expr | form.Stmt, archive: str) -> bool:
    match node:
        case form.Assign(targets=[form.Attr(attr="extraction_filter", value=owner)]):
            return form.dotted(owner) == archive
        case form.For():
            return form.dotted(node.iter) == archive
        case form.Comprehension():
            return any(form.dotted(generator.iter) == archive for generator in node.generators)
        case form.Call(func=form.Attr(attr=attr, value=owner)) if attr in _LISTINGS:
            return form.dotted(owner) == archive
        case form.Call():
            return any(form.dotted(argument.value) == archive for argument in node.args)
    return False
