"""Engines, pools and binds of replicas, by the names that they are kept under and the addresses that they are given.

https://docs.sqlalchemy.org/en/20/core/engines.html, https://flask-sqlalchemy.readthedocs.io/en/stable/binds/
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeGuard

from assay.scanner.databases.clients import Client, clients
from assay.scanner.databases.replicas.names import is_replica
from assay.scanner.dataflow.constants import definitions
from assay.scanner.dataflow.offline import offline_reason
from assay.scanner.gathered import Gathered
from assay.scanner.linker.project import Project, last_name
from assay.scanner.linker.scopes import How, Scope
from assay.scanner.model.role import Role
from assay.scanner.readers.python import form

_BINDS = "SQLALCHEMY_BINDS"
_DEEPEST = 3


@dataclass(frozen=True, slots=True, eq=False)
class Engine:
    """A call that makes a connection to a replica, or a bind. `holders` are what it is kept in: a name of a module, an
    attribute, or the function that gives it. `key` is set where it is one of several in a mapping, or a bind.
    """

    name: str
    kind: str
    node: form.Expr
    scope: Scope
    holders: tuple[str, ...]
    key: str | None = None
    is_item: bool = False
    """It is an item of something that holds other things too: `app["read_pool"]`, a bind of Flask-SQLAlchemy."""


def engines(gathered: Gathered) -> tuple[tuple[Engine, ...], tuple[Client, ...]]:
    """Those of replicas, and the clients that are none."""
    found: list[Engine] = []
    others: list[Client] = []
    for client in clients(gathered):
        if client.library.is_raw or not client.library.is_relational or offline_reason(client.scope) is not None:
            continue
        made = list(_made(client, gathered.project))
        found += made
        if not made:
            others.append(client)
    # A second engine for the same address is prepared for a replica, and is none yet.
    primaries = {address for client in others if (address := _spelled(client.call))}
    found = [engine for engine in found if _spelled(engine.node) not in primaries]
    return (*_binds(gathered), *found), tuple(others)


def _spelled(node: form.Expr) -> tuple[object, ...]:
    """The address as it is written; nothing where the function around it is given one."""
    url = _url(node) if isinstance(node, form.Call) else None
    host = node.keyword("host") if isinstance(node, form.Call) else None
    if url is None or isinstance(url, form.Name):
        return ()
    parts = [*form.walk(url), *(form.walk(host) if host is not None else ())]
    return tuple(part.value if isinstance(part, form.Const) else last_name(part) for part in parts if _says(part))


def _says(part: form.Expr | form.Stmt) -> TypeGuard[form.Const | form.Name | form.Attr]:
    return isinstance(part, form.Const | form.Name | form.Attr)


def _made(client: Client, project: Project) -> Iterator[Engine]:
    told: set[form.Call] = set()
    for call, scope in _calls(client.call, client.scope, project, _DEEPEST):
        if call in told or scope.module.role is not Role.PROD or offline_reason(scope) is not None:
            continue
        told.add(call)
        holders, key, is_item = _holders(call, scope)
        named = [key] if key is not None else list(holders)
        replica = next((n for n in (*named, *_address(call, scope, project)) if is_replica(n)), None)
        if replica is not None and not any(_is_primary(n) for n in named):
            yield Engine(named[0] if named else replica, client.library.kind, call, scope, holders, key, is_item)


def _is_primary(name: str) -> bool:
    return any(word in name.lower() for word in ("write", "primary", "master"))


def _calls(call: form.Call, scope: Scope, project: Project, depth: int) -> Iterator[tuple[form.Call, Scope]]:
    """The call, or those of the function around it where that one is given the address."""
    url = _url(call)
    function = scope.function
    is_given = url is not None and function is not None and any(
        isinstance(n, form.Name) and any(b.how is How.PARAMETER for b in scope.lookup(n.id)) for n in form.walk(url)
    )  # fmt: skip
    callers = project.callers(function) if is_given and function is not None and depth else []
    if not callers or function is None or function.name == "__init__":
        yield call, scope
        return
    for outer, at in callers:
        yield from _calls(outer, at, project, depth - 1)


def _url(call: form.Call) -> form.Expr | None:
    for name in ("url", "dsn", "database_url", "uri", "conninfo"):
        if (value := call.keyword(name)) is not None:
            return value
    return call.positional[0] if call.positional else None


def _address(call: form.Call, scope: Scope, project: Project) -> Iterator[str]:
    """The names and texts that its address is made of."""
    url = _url(call)
    todo = [(url, scope, 2)] if url is not None else []
    while todo:
        node, at, depth = todo.pop()
        for part in form.walk(node):
            match part:
                case form.Const(value=str() as text):
                    yield text.rpartition("@")[2]
                case form.Name(id=name):
                    yield name
                    if depth:
                        todo += [(value, where, depth - 1) for value, where in definitions(part, at, project)]
                case form.Attr(attr=attr):
                    yield attr


def _holders(call: form.Call, scope: Scope) -> tuple[tuple[str, ...], str | None, bool]:
    """The names that the engine is kept under, the key where they hold several, and whether it was put among others."""
    found: list[str] = []
    key: str | None = None
    is_item = False
    for statement, at in scope.module.assignments:
        value = statement.value
        if at is not scope or value is None or not value.start <= call.start < value.end:
            continue
        for target in statement.targets:
            if isinstance(target, form.Subscript):
                name, key, is_item = last_name(target.value), _text(target.index), True
            else:
                name = last_name(target)
            found += [name] if name is not None else []
        for mapping in form.walk(value):
            if isinstance(mapping, form.Dict):
                key = next((_text(k) for k, v in _pairs(mapping) if v.start <= call.start < v.end), key)
        if at.function is not None and any(isinstance(t, form.Name) for t in statement.targets):
            found.append(at.function.name)  # it may give what it made
    if not found and scope.function is not None:
        found.append(scope.function.name)
    return tuple(found), key, is_item


def _pairs(mapping: form.Dict) -> Iterator[tuple[form.Expr, form.Expr]]:
    return ((k, v) for k, v in zip(mapping.keys, mapping.values, strict=True) if k is not None)


def _text(node: form.Expr) -> str | None:
    if isinstance(node, form.Const):
        return node.value if isinstance(node.value, str) else None
    return last_name(node)


def _binds(gathered: Gathered) -> Iterator[Engine]:
    """Flask-SQLAlchemy's, beside the one database that needs no name."""
    if "flask_sqlalchemy" not in gathered.project.imported_packages:
        return
    for module in gathered.project.modules.values():
        if module.role is not Role.PROD:
            continue
        given = {call.keyword(_BINDS) for call, _ in module.calls_named(("from_mapping", "update"))}
        for mapping, scope in module.dicts:
            if mapping in given or _is_setting(mapping, scope):
                for key, value in _pairs(mapping):
                    name = _text(key)
                    if name is not None and is_replica(name):
                        yield Engine(name, "bind", value, scope, ("engines",), name, True)


def _is_setting(mapping: form.Dict, scope: Scope) -> bool:
    for statement, _ in scope.module.assignments:
        if statement.value is mapping:
            return any(
                (_text(t.index) if isinstance(t, form.Subscript) else last_name(t)) == _BINDS for t in statement.targets
            )
    return False
