"""What in a function stands for the id in the path, for who is asking, and for the object that was found."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from assay.scanner.dataflow.lexicon import words
from assay.scanner.dataflow.lookups.chains import assigned_names
from assay.scanner.dataflow.lookups.decorators import filled
from assay.scanner.dataflow.lookups.queries import is_session_name
from assay.scanner.dataflow.sources import injection
from assay.scanner.framework import Sited
from assay.scanner.linker.project import Project, last_name
from assay.scanner.linker.remembered import remembered
from assay.scanner.linker.scopes import FunctionSymbol, How, Module
from assay.scanner.readers.python import form

CALLER_WORDS = frozenset(
    """user users account member tenant org organization organisation workspace company team customer principal
    identity claims caller owner auth me profile uid viewer actor subject""".split()
)
_CARRIERS = frozenset({"request", "req", "g", "ctx", "state", "context", "info", "session", "websocket", "connection"})
"""What frameworks keep who is asking on."""
_CARRIED = CALLER_WORDS | frozenset(
    """token payload jwt credentials project site shop store school household group realm partner merchant client device
    business""".split()
)
_ASKING = frozenset(
    """current_user get_current_user get_jwt_identity get_jwt get_identity authorized_userid current_identity
    get_jwt_claims get_user_id current_tenant get_current_tenant current_org current_account get_current_account
    current_organization current_company current_team current_workspace current_customer logged_in_user
    authenticated_userid get_user_from_token get_token_payload""".split()
)
_TOKENS = frozenset({"token", "jwt"})
_READING = frozenset({"decode", "verify", "validate", "validator", "check", "parse", "read"})
_PATH_MAPPINGS = frozenset({"kwargs", "view_args", "match_info", "path_params", "matchdict", "path_kwargs"})
_NOT_CALLERS = frozenset({"db", "session", "service", "repository", "repo", "settings", "form", "manager", "dao"})
_CONVERTING = frozenset(
    """int str UUID ObjectId PydanticObjectId bson decode encode strip lower upper fromhex format decode_id from_hashid
    unquote urlsafe_base64_decode force_str smart_str""".split()
)
"""What makes of an id another form of it."""


@dataclass(frozen=True, slots=True)
class Labels:
    """Names of one function, each with what it stands for."""

    ids: set[str] = field(default_factory=set)
    callers: set[str] = field(default_factory=set)
    objects: set[str] = field(default_factory=set)

    @property
    def key(self) -> tuple[frozenset[str], frozenset[str], frozenset[str]]:
        return frozenset(self.ids), frozenset(self.callers), frozenset(self.objects)


def labels_in(function: FunctionSymbol, wanted: str, given: Labels, project: Project) -> Labels:
    """What `given` comes to in the function: with what a framework injects, and names that are assigned.

    `wanted` is the name of the path's parameter.
    """
    labels = Labels(set(given.ids), set(given.callers), set(given.objects))
    labels.callers.update(_injected_callers(function, project), _renamed_callers(function.module))
    for node in function.nodes:
        match node:
            case form.Assign(targets=targets, value=value) if value is not None:
                _spread([n for t in targets for n in assigned_names(t)], value, labels, wanted)
            case form.Walrus(target=target, value=value):
                _spread(list(assigned_names(target)), value, labels, wanted)
            case form.Call(func=form.Attr(value=form.Name(id=cursor), attr="execute"), args=args) if not (
                is_session_name(cursor)
            ):
                # A cursor's next row is what was asked for.
                if any(names_id(a.value, labels, wanted) for a in args):
                    labels.ids.add(cursor)
                if any(names_caller(a.value, labels) for a in args):
                    labels.callers.add(cursor)
    return labels


def _spread(names: list[str], value: form.Expr, labels: Labels, wanted: str) -> None:
    if is_form_of_id(value, labels, wanted):
        labels.ids.update(names)
    if names_caller(value, labels):
        labels.callers.update(names)


def is_form_of_id(node: form.Expr, labels: Labels, wanted: str) -> bool:
    """Whether the expression is the id, or the id in another form."""
    if _is_id(node, labels, wanted):
        return True
    match node:
        case form.Call(func=func, args=args) if last_name(func) in _CONVERTING:
            made_of = [a.value for a in args] + ([func.value] if isinstance(func, form.Attr) else [])
            return any(is_form_of_id(part, labels, wanted) for part in made_of)
        case form.Subscript(value=base) | form.Await(value=base):
            return is_form_of_id(base, labels, wanted)
        case form.Template():
            return any(is_form_of_id(hole.value, labels, wanted) for hole in node.holes)
        case form.Conditional(body=body, orelse=orelse):
            return is_form_of_id(body, labels, wanted) or is_form_of_id(orelse, labels, wanted)
    return False


def _injected_callers(function: FunctionSymbol, project: Project) -> Iterator[str]:
    """Parameters that a framework or a decorator fills with who is asking, told by their and their providers' names."""
    for param, provider in injected(function, project):
        named = {*words(param.name), *words(_spelled(provider.node))}
        if named & CALLER_WORDS and _NOT_CALLERS.isdisjoint(words(param.name)):
            yield param.name
    yield from (name for name in filled(function, project) if not CALLER_WORDS.isdisjoint(words(name)))


@remembered
def injected(function: FunctionSymbol, project: Project) -> tuple[tuple[form.Param, Sited], ...]:
    """The parameters that a framework fills, each with what it calls for that: the argument of `Depends(...)`."""
    found: list[tuple[form.Param, Sited]] = []
    for param in function.parameters:
        for node in (param.default, param.annotation):
            given = injection(node, function.outer, project)
            call = given.node if given is not None else None
            provider = call.argument(0, "dependency") if isinstance(call, form.Call) else None
            if given is not None and provider is not None:
                found.append((param, Sited(provider, given.scope)))
                break
    return tuple(found)


def _renamed_callers(module: Module) -> Iterator[str]:
    """`from flask_jwt_extended import current_user as me`."""
    for binding in module.imports:
        if binding.how is How.IMPORT_FROM and binding.name in _ASKING:
            yield from (name for name, found in module.scope.bindings.items() if binding in found)


def _spelled(node: form.Expr) -> str:
    return last_name(node.func if isinstance(node, form.Call) else node) or ""


def is_caller(node: form.Expr | form.Stmt, labels: Labels) -> bool:
    """Whether the expression itself is the caller, or something that comes with every request and names them."""
    match node:
        case form.Name(id=name):
            return name in labels.callers or name in _ASKING
        case form.Attr(value=form.Name(id="self"), attr=attr):
            return attr in _ASKING or not CALLER_WORDS.isdisjoint(words(attr.removesuffix("_id"))[-1:])
        case form.Attr(value=base, attr=attr):
            is_named = not _CARRIED.isdisjoint(words(attr.removesuffix("_id"))[-1:])
            return attr in _ASKING or (is_named and last_name(base) in _CARRIERS)
        case form.Subscript(value=base, index=form.Const(value=str() as key)):
            return last_name(base) in _CARRIERS and bool(_CARRIED.intersection(words(key)))
        case form.Call(
            func=form.Attr(value=base, attr="get"), args=[form.Arg(value=form.Const(value=str() as key)), *_]
        ):
            return last_name(base) in _CARRIERS and bool(_CARRIED.intersection(words(key)))
        case form.Call(func=func):
            return last_name(func) in _ASKING or _reads_token(func)
    return False


def _reads_token(func: form.Expr) -> bool:
    """`jwt.decode(...)`, `verify_token(...)`: what a token that comes with the request says of the caller."""
    if (form.dotted(func) or "").endswith("jwt.decode"):
        return True
    named = words(last_name(func) or "")
    return not _TOKENS.isdisjoint(named) and not _READING.isdisjoint(named)


def names_caller(node: form.Expr | form.Stmt, labels: Labels) -> bool:
    """Whether the caller is anywhere in it."""
    return any(is_caller(inner, labels) for inner in form.walk(node))


def names_id(node: form.Expr | form.Stmt, labels: Labels, wanted: str) -> bool:
    """Whether the id of the path is anywhere in it."""
    return any(_is_id(inner, labels, wanted) for inner in form.walk(node))


def _is_id(node: form.Expr | form.Stmt, labels: Labels, wanted: str) -> bool:
    match node:
        case form.Name(id=name):
            return name in labels.ids
        case form.Subscript(value=base, index=form.Const(value=str() as key)):
            return key == wanted and last_name(base) in _PATH_MAPPINGS
        case form.Subscript(value=base, index=form.Attr(attr="lookup_url_kwarg" | "lookup_field")):
            return last_name(base) in _PATH_MAPPINGS
        case form.Call(
            func=form.Attr(value=base, attr="get" | "pop"), args=[form.Arg(value=form.Const(value=key)), *_]
        ):
            return key == wanted and last_name(base) in _PATH_MAPPINGS
    return False


def names_object(node: form.Expr | form.Stmt, labels: Labels) -> bool:
    """Whether what was found is anywhere in it."""
    return any(isinstance(inner, form.Name) and inner.id in labels.objects for inner in form.walk(node))
