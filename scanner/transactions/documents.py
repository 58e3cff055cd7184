"""Updates of documents in MongoDB that give a field a value computed from its own.

https://www.mongodb.com/docs/manual/reference/operator/update/inc/
"""

from __future__ import annotations

from collections.abc import Iterator

from assay.scanner.linker.project import Project, last_name, literal_item
from assay.scanner.linker.scopes import How, Scope
from assay.scanner.model.role import Role
from assay.scanner.model.table import Table
from assay.scanner.readers.python import form
from assay.scanner.transactions.increments import Increment
from assay.scanner.transactions.rows import Row

_PACKAGES = frozenset({"pymongo", "motor", "flask_pymongo", "mongomock", "odmantic", "beanie"})
_UPDATES = ("update_one", "find_one_and_update", "update_many")
_READS = frozenset({"find_one", "find_one_or_404"})
_DEEPEST = 3


def document_updates(project: Project) -> Iterator[Increment]:
    """One for each such field."""
    if project.imported_packages.isdisjoint(_PACKAGES):
        return
    for call, scope in project.calls_named(*_UPDATES):
        asked, change = call.argument(0, "filter"), call.argument(1, "update")
        if scope.module.role is not Role.PROD or not isinstance(call.func, form.Attr) or change is None:
            continue
        table = _collection(call.func.value, call, scope)
        for field, _ in _items(literal_item(change, "$inc")):
            yield Increment(call, scope, table, field, None)
        for field, value in _items(literal_item(change, "$set")):
            read = _read_before(value, scope, field)
            if read is not None:
                compared = call if asked is not None and literal_item(asked, field) is not None else None
                yield Increment(call, scope, table, field, Row(table), None, read, compared)


def _collection(node: form.Expr, call: form.Call, scope: Scope) -> Table:
    name = last_name(node) or "a collection"
    if isinstance(node, form.Subscript) and isinstance(node.index, form.Const):
        name = str(node.index.value)
    return Table(
        name=name, model=name, location=scope.module.location(call), role=scope.module.role, framework="MongoDB"
    )


def _items(node: form.Expr | None) -> Iterator[tuple[str, form.Expr]]:
    if isinstance(node, form.Dict):
        for key, value in zip(node.keys, node.values, strict=True):
            if isinstance(key, form.Const) and isinstance(key.value, str):
                yield key.value, value


def _read_before(
    node: form.Expr, scope: Scope, field: str, depth: int = _DEEPEST, *, is_computed: bool = False
) -> form.Expr | None:
    """`document["balance"]` that something is added to or taken from."""
    if not depth:
        return None
    match node:
        case form.Binary(op=op, left=left, right=right):
            is_computed = is_computed or op in ("+", "-")
            found = (_read_before(part, scope, field, depth - 1, is_computed=is_computed) for part in (left, right))
            return next((f for f in found if f is not None), None)
        case form.Subscript(value=form.Name() as owner, index=form.Const(value=name)):
            return node if is_computed and name == field and _is_read(owner, scope) else None
        case form.Call(func=form.Attr(value=form.Name() as owner, attr="get"), args=[form.Arg(value=key), *_]):
            is_it = isinstance(key, form.Const) and key.value == field
            return node if is_computed and is_it and _is_read(owner, scope) else None
        case form.Name(id=name):
            before = [b for b in scope.bindings.get(name, ()) if b.offset < node.start and b.how is How.ASSIGN]
            value = before[-1].value if before else None
            return _read_before(value, scope, field, depth - 1, is_computed=is_computed) if value is not None else None
    return None


def _is_read(owner: form.Name, scope: Scope) -> bool:
    """Whether the name is a document that `find_one` gave."""
    values = [b.value for b in scope.lookup(owner.id, owner.start) if b.value is not None]
    read = (v.value if isinstance(v, form.Await) else v for v in values)
    return any(isinstance(v, form.Call) and last_name(v.func) in _READS for v in read)
