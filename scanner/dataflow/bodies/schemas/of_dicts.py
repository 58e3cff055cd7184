"""Dicts that code writes by hand for an answer: `{"id": user.id, "name": user.name}`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from assay.scanner.dataflow.bodies.credentials import credential
from assay.scanner.dataflow.bodies.schemas.schema import Library, Schema, SchemaField
from assay.scanner.linker.scopes import FunctionSymbol, Scope
from assay.scanner.readers.python import form

_COLUMNS = frozenset({"__table__", "__mapper__", "_meta", "__dict__"})


def written_dict(node: form.Dict | form.Call, scope: Scope, around: FunctionSymbol) -> Schema | None:
    """The fields of a dict display, or of `jsonify(id=user.id)`, that show an attribute or an item of something."""
    fields = {f.name: f for f in _fields(_pairs(node), scope)}
    if not fields:
        return None
    return Schema(around.qualname, Library.DICT, scope.module.location(node), scope.module.role, fields)


def _pairs(node: form.Dict | form.Call) -> Iterator[tuple[form.Expr | str, form.Expr]]:
    if isinstance(node, form.Dict):
        yield from ((key, value) for key, value in zip(node.keys, node.values, strict=True) if key is not None)
    else:
        yield from ((arg.name, arg.value) for arg in node.args if arg.name is not None)


def _fields(pairs: Iterable[tuple[form.Expr | str, form.Expr]], scope: Scope) -> Iterator[SchemaField]:
    for key, value in pairs:
        name = key if isinstance(key, str) else key.value if isinstance(key, form.Const) else None
        shown = _shown(value, credential(name) is not None) if isinstance(name, str) else None
        if isinstance(name, str) and shown is not None:
            yield SchemaField(name, scope.module.location(value if isinstance(key, str) else key), is_stored=shown)


def _shown(value: form.Expr, is_credential: bool) -> bool | None:
    """Whether it is what an object holds; None for what is worked out, which may show less, and for what the object
    calls otherwise: `{"secret": book.text}`.
    """
    match value:
        case form.Attr(value=owner, attr=name):
            dotted = form.dotted(owner) or ""
            if is_credential and credential(name) is None:
                return None
            return not any(word in dotted for word in ("config", "settings", "form", "request"))
        case form.Subscript(index=form.Const(value=str() as name)):
            return None if is_credential and credential(name) is None else True
        case form.Name():
            return False
    return None


def writes_columns(node: form.Comprehension) -> bool:
    """Whether it goes through all columns: `{c.name: getattr(self, c.name) for c in self.__table__.columns}`."""
    if node.kind != "dict" or node.generators[0].ifs:
        return False
    iterated = node.generators[0].iter
    return any(isinstance(n, form.Attr) and n.attr in _COLUMNS for n in form.walk(iterated))
