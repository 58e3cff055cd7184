"""Requests by http, and what they carry."""

from __future__ import annotations

import re
from collections.abc import Iterator

from assay.scanner.dataflow.lexicon import words
from assay.scanner.gathered import Gathered
from assay.scanner.linker.scopes import Module, Scope
from assay.scanner.model.outbound import OutboundCall
from assay.scanner.model.place import Evidence
from assay.scanner.readers.python import form

_SECRETS = frozenset(
    {"token", "password", "passwd", "secret", "apikey", "authorization", "credentials", "jwt", "bearer"}
)
_HEADERS = re.compile(r"authorization|x-api-key|x-auth-token|cookie|proxy-authorization", re.IGNORECASE)
_ARGUMENTS = frozenset({"headers", "data", "json", "params", "cookies"})
_KEYS = re.compile(r"(api|app|access|subscription)[-_]?key", re.IGNORECASE)
_IN_URL = re.compile(r"[?&](api_?key|(?:access_|auth_)?token|(?:client_)?secret|password)=", re.IGNORECASE)


def carried_by(request: OutboundCall, gathered: Gathered) -> Iterator[Evidence]:
    """Credentials in the call's own arguments."""
    module = gathered.project.modules.get(request.location.path)
    found = _call_at(module, request) if module is not None else None
    if found is None or module is None:
        return
    call, scope = found
    in_url = _IN_URL.search(request.url or "")
    if in_url is not None:
        yield module.evidence(call, f"it carries credentials: `{in_url[1]}`")
    client = call.func.value if isinstance(call.func, form.Attr) else None
    yield from _said_of(call, scope)
    if isinstance(client, form.Name):
        yield from _said_of_client(client.id, scope)


def _said_of_client(name: str, scope: Scope) -> Iterator[Evidence]:
    """Credentials that a client sends with each request: it is made with them, or they are added to its headers."""
    for binding in scope.lookup(name):
        if isinstance(binding.value, form.Call):
            yield from _said_of(binding.value, binding.scope)
        for node in form.walk_body(binding.scope.body, into_definitions=False):
            target = node.targets[0] if isinstance(node, form.Assign) and node.targets else None
            match target, node:
                case form.Subscript(value=owner, index=form.Const(value=str(key))), _:
                    if form.dotted(owner) == f"{name}.headers" and _HEADERS.fullmatch(key):
                        yield scope.module.evidence(target, f"it carries credentials: `{key}`")
                case form.Attr(attr="auth"), _ if form.dotted(target) == f"{name}.auth":
                    yield scope.module.evidence(target, "it carries credentials: `auth`")
                case _, form.Call(func=func) if form.dotted(func) == f"{name}.headers.update":
                    yield from _secrets_in(node, node.args[0].value, scope) if node.args else ()


def _said_of(call: form.Call, scope: Scope) -> Iterator[Evidence]:
    """In the arguments of a request, or of the client that sends it."""
    if call.keyword("auth") is not None:
        yield scope.module.evidence(call, "it carries credentials: `auth`")
    for argument in call.args:
        if argument.name in _ARGUMENTS:
            yield from _secrets_in(call, argument.value, scope)


def _secrets_in(call: form.Call, value: form.Expr, scope: Scope) -> Iterator[Evidence]:
    for node in _spelled_out(value, scope):
        name = _secret_key(node)
        if name is not None:
            yield scope.module.evidence(call, f"it carries credentials: `{name}`")
            return


def _call_at(module: Module, request: OutboundCall) -> tuple[form.Call, Scope] | None:
    where = request.location
    return next(
        ((call, scope) for call, scope in module.calls if module.location(call) == where),
        None,
    )


def _spelled_out(node: form.Expr, scope: Scope) -> Iterator[form.Expr | form.Stmt]:
    """The expression's parts; those of what a name was bound to."""
    yield from form.walk(node)
    if isinstance(node, form.Name):
        for binding in scope.lookup(node.id):
            if binding.value is not None:
                yield from form.walk(binding.value)


def _secret_key(node: form.Expr | form.Stmt) -> str | None:
    if not isinstance(node, form.Dict):
        return None
    for key in node.keys:
        text = key.value if isinstance(key, form.Const) and isinstance(key.value, str) else ""
        if _HEADERS.fullmatch(text) or _KEYS.fullmatch(text) or _SECRETS & set(words(text)):
            return text
    return None
