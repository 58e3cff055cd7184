"""Schemas of bodies: marshmallow's, RESTX's models and pydantic's, and whether they promise many."""

from __future__ import annotations

from dataclasses import dataclass

from assay.scanner.dataflow.constants import Given, definitions, string_value
from assay.scanner.dataflow.expansion import resolved
from assay.scanner.framework import Sited
from assay.scanner.linker.project import Project, last_name
from assay.scanner.linker.scopes import ClassSymbol, Scope
from assay.scanner.linker.values import External, Instance, Literal
from assay.scanner.readers.python import form
from assay.scanner.web.annotations import IDENTITIES, WRAPPER_FIELDS, content, spelled

_SWITCHES = ("many", "as_list")
_MODELS = frozenset({"model", "clone", "inherit", "schema_model", "Model", "OrderedModel"})
"""What makes a model of Flask-RESTX; its name comes first."""
_DEEPEST = 5


@dataclass(frozen=True, slots=True)
class Schema:
    """A schema by name, and whether a body of it is a collection; None where that isn't said."""

    name: str | None
    is_many: bool | None = None


NO_SCHEMA = Schema(None)


def schema_of(node: form.Expr, scope: Scope, project: Project, given: Given, depth: int = _DEEPEST) -> Schema:
    """What a schema says, where it is given as `UserSchema`, `UserSchema(many=True)`, `[user_model]`, or by a name."""
    if not depth:
        return NO_SCHEMA
    match node:
        case form.Const():
            return NO_SCHEMA
        case form.Display(items=[only]):
            return Schema(schema_of(only, scope, project, given, depth - 1).name, is_many=True)
        case form.Subscript():
            return Schema(spelled(node), content(Sited(node, scope), project).is_collection)
    value = resolved(node, scope, project, given)
    match value:
        case ClassSymbol():
            return Schema(value.name, _wraps_many(value, Sited(node, scope), project))
        case External(name=name):
            return Schema(name.rsplit(".", 1)[-1])
        case Literal(node=form.Dict() as fields):
            return Schema(None, _has_list(fields))
        case Instance(origin=form.Call() as made) if value.scope is not None:
            return _made(value, made, value.scope, project, given)
    return _unresolved(node, scope, project, given, depth)


def _unresolved(node: form.Expr, scope: Scope, project: Project, given: Given, depth: int) -> Schema:
    """Of a name whose value isn't known: what its definition looks like."""
    for defined in definitions(node, scope, project):
        found = schema_of(*defined, project, given, depth - 1)
        if found != NO_SCHEMA:
            return found
    called = last_name(node.func) if isinstance(node, form.Call) else last_name(node)
    return Schema(called, _switched(node)) if isinstance(node, form.Call) or called else NO_SCHEMA


def _made(value: Instance, made: form.Call, scope: Scope, project: Project, given: Given) -> Schema:
    """`UserSchema(many=True)`, `api.model("User", {...})`."""
    if last_name(made.func) in _MODELS:
        named, fields = made.argument(0, "name"), made.positional[-1:]
        mapped = resolved(fields[0], scope, project, given) if fields else None
        many = _has_list(mapped.node) if isinstance(mapped, Literal) and isinstance(mapped.node, form.Dict) else None
        return Schema(string_value(named, scope, project, given) if named is not None else None, many)
    own = value.cls.name if value.cls is not None else last_name(made.func)
    if _switched(made):
        return Schema(own, is_many=True)
    return Schema(own, _wraps_many(value.cls, Sited(made.func, scope), project) if value.cls is not None else None)


def _switched(node: form.Expr) -> bool | None:
    """`many=True` in a call."""
    switches = [node.keyword(name) for name in _SWITCHES] if isinstance(node, form.Call) else []
    return True if any(isinstance(s, form.Const) and s.value is True for s in switches) else None


def _wraps_many(cls: ClassSymbol, named: Sited, project: Project) -> bool | None:
    """A schema that holds one list beside page numbers is one of many; None where its fields don't tell."""
    fields = {
        name: bindings[-1]
        for owner in reversed(project.mro(cls))
        if isinstance(owner, ClassSymbol)
        for name, bindings in owner.scope.bindings.items()
    }
    if not IDENTITIES.isdisjoint(fields):
        return None
    if any(b.value is not None and _is_list(b.value) for name, b in fields.items() if name in WRAPPER_FIELDS):
        return True
    if any(b.annotation is not None for b in fields.values()):
        return content(named, project).is_collection or None
    return None


def _has_list(fields: form.Dict) -> bool | None:
    names = {k.value: v for k, v in zip(fields.keys, fields.values, strict=True) if isinstance(k, form.Const)}
    if not IDENTITIES.isdisjoint(str(name) for name in names):
        return None
    return True if any(name in WRAPPER_FIELDS and _is_list(value) for name, value in names.items()) else None


def _is_list(field: form.Expr) -> bool:
    """`fields.List(...)`, `Nested(UserSchema, many=True)`."""
    return isinstance(field, form.Call) and (last_name(field.func) == "List" or bool(_switched(field)))
