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


def carried_by(request: OutboundCall, gathered: Gathered) -> Iterator[Evidence]:
    """Credentials in the call's own arguments."""
    module = gathered.project.modules.get(request.location.path)
    found = _call_at(module, request) if module is not None else None
    if found is None or module is None:
        return
    call, scope = found
    if call.keyword("auth") is not None:
        yield module.evidence(call, "it carries credentials: `auth`")
    for argument in call.args:
        if argument.name in _ARGUMENTS:
            for node in _spelled_out(argument.value, scope):
                name = _secret_key(node)
                if name is not None:
                    yield module.evidence(call, f"it carries credentials: `{name}`")
                    break


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
        if _HEADERS.fullmatch(text) or _SECRETS & set(words(text)):
            return text
    return None
