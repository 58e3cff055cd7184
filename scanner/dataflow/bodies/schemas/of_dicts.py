"""Dicts that code writes by hand for an answer: `{"id": user.id, "name": user.name}`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from assay.scanner.dataflow.bodies.credentials import Credential, credential
from assay.scanner.dataflow.bodies.schemas.schema import Library, Schema, SchemaField
from assay.scanner.linker.scopes import FunctionSymbol, Scope
from assay.scanner.readers.python import form

_COLUMNS = frozenset({"__table__", "__mapper__", "_meta", "__dict__"})


def written_dict(node: form.Dict | form.Call, scope: Scope, around: FunctionSymbol) -> Schema | None:
    """The fields of a dict display, or of `jsonify(id=user.id)`, that show an attribute or an item of something."""
    return _schema(_pairs(node), node, scope, around)


def filled_dict(name: str, function: FunctionSymbol) -> Iterator[Schema]:
    """The same of a dict that is filled later: `data["id"] = user.id`."""
    pairs = list(_filled(name, function))
    found = _schema(pairs, pairs[0][0], function.scope, function) if pairs else None
    if found is None:
        return
    tests = [node for node in function.nodes if isinstance(node, form.If)]
    chosen = {key.value for key, _ in pairs if any(test.start <= key.start < test.end for test in tests)}
    yield replace(found, fields={n: replace(f, is_chosen=f.name in chosen) for n, f in found.fields.items()})


def _filled(name: str, function: FunctionSymbol) -> Iterator[tuple[form.Const, form.Expr]]:
    for node in function.nodes:
        if isinstance(node, form.Assign) and node.value is not None:
            for target in node.targets:
                match target:
                    case form.Subscript(value=form.Name(id=owner), index=form.Const() as key) if owner == name:
                        yield key, node.value


def added_to(name: str, function: FunctionSymbol) -> Iterator[form.Expr]:
    """What a list gets later: `found.append(data)`."""
    for node in function.nodes:
        match node:
            case form.Call(func=form.Attr(value=form.Name(id=owner), attr="append"), args=[only]) if owner == name:
                yield only.value


def _schema(
    pairs: Iterable[tuple[form.Expr | str, form.Expr]], node: form.Expr, scope: Scope, around: FunctionSymbol
) -> Schema | None:
    fields = {f.name: f for f in _fields(pairs, scope)}
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
            place = scope.module.location(value if isinstance(key, str) else key)
            yield SchemaField(_meant(name, value), place, is_stored=shown)


def _meant(name: str, value: form.Expr) -> str:
    """The field's name, or the attribute's where only that tells of a password: `{"hash": user.password_hash}`."""
    if isinstance(value, form.Attr) and credential(name) is None and not value.attr.isupper():
        return value.attr if credential(value.attr) is Credential.PASSWORD else name
    return name  # of a constant, the name says what it means, and not what it holds


def _shown(value: form.Expr, is_credential: bool) -> bool | None:
    """Whether it is what an object holds; None for what is worked out, which may show less, and for what the object
    calls otherwise: `{"secret": book.text}`.
    """
    match value:
        case form.Attr(value=owner, attr=name):
            dotted = form.dotted(owner) or ""
            if name.isupper() or (is_credential and credential(name) is None):
                return None
            return not any(word in dotted for word in ("config", "settings", "form", "request"))
        case form.Subscript(value=owner, index=form.Const(value=str() as name)):
            if is_credential and credential(name) is None:
                return None
            return not any(word in (form.dotted(owner) or "") for word in ("form", "request"))
        case form.Name():
            return False
    return None


def writes_columns(node: form.Comprehension) -> bool:
    """Whether it goes through all columns: `{c.name: getattr(self, c.name) for c in self.__table__.columns}`."""
    if node.kind != "dict" or node.generators[0].ifs:
        return False
    iterated = node.generators[0].iter
    return any(isinstance(n, form.Attr) and n.attr in _COLUMNS for n in form.walk(iterated))
