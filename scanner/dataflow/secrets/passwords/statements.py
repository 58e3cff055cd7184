"""SQL statements that store passwords, or compare them with stored ones."""

from __future__ import annotations

import re
from collections.abc import Iterator

from assay.scanner.dataflow.secrets.destinations import own_name
from assay.scanner.dataflow.secrets.names import is_password
from assay.scanner.dataflow.secrets.passwords.forms import PasswordForms
from assay.scanner.dataflow.secrets.passwords.place import PasswordPlace
from assay.scanner.linker.project import Project, last_name
from assay.scanner.linker.scopes import Scope
from assay.scanner.model.crypto import Act, Keeping
from assay.scanner.model.role import Role
from assay.scanner.readers.python import form

_EXECUTIONS = ("execute", "executemany", "fetchrow", "fetch_one", "fetch_all", "fetchval", "raw", "query")
_COLUMN = r"\b(?:password|passwd|pwd)\b"
_STORES = re.compile(rf"\binsert\s+into\b.*{_COLUMN}|\bupdate\b.*\bset\b.*{_COLUMN}\s*=", re.IGNORECASE | re.DOTALL)
_COMPARES = re.compile(rf"\bwhere\b.*{_COLUMN}\s*=", re.IGNORECASE | re.DOTALL)
_DEEPEST = 8
"""Names and sums between a call and the text that it executes."""


def password_statements(project: Project, forms: PasswordForms) -> Iterator[PasswordPlace]:
    """Those in production code that have a password as it was typed."""
    for call, scope in project.calls_named(*_EXECUTIONS):
        if scope.module.role is not Role.PROD or not call.positional:
            continue
        text, values = _text(call.positional[0], scope, _DEEPEST)
        act = Act.STORE if _STORES.search(text) else Act.COMPARE if _COMPARES.search(text) else None
        if act is None:
            continue
        if len(call.positional) > 1:
            values += _parameters(call.positional[1], scope)
        for node, inner in values:
            kept = forms.of(node, inner) if is_password(own_name(node) or "") else None
            if kept is not None and kept.keeping is Keeping.PLAIN:
                yield PasswordPlace(call, scope, "SQL statement", act, kept.keeping, kept.by, (kept.evidence,))
                break


def _text(node: form.Expr, scope: Scope, depth: int) -> tuple[str, list[tuple[form.Expr, Scope]]]:
    """What is written out of a text, and what is put into it."""
    match node:
        case form.Const(value=str() as text):
            return text, []
        case form.Template(parts=parts):
            written = "".join(part if isinstance(part, str) else "?" for part in parts)
            return written, [(hole.value, scope) for hole in node.holes]
        case form.Binary(left=left, right=right) if depth:
            (one, first), (other, second) = _text(left, scope, depth - 1), _text(right, scope, depth - 1)
            return one + other, [*first, *second]
        case form.Display(items=items):
            return "", [(item, scope) for item in items]
        case form.Call(func=form.Attr(value=inner, attr="format"), args=args) if depth:
            return _text(inner, scope, depth - 1)[0], [(arg.value, scope) for arg in args]
        case form.Call(func=func, args=[only, *_]) if last_name(func) == "text" and depth:
            return _text(only.value, scope, depth - 1)
        case form.Name() if depth and (before := _assigned(node, scope)) is not None:
            return _text(*before, depth - 1)
    return "", [(node, scope)]


def _parameters(node: form.Expr, scope: Scope) -> list[tuple[form.Expr, Scope]]:
    """What is bound to the placeholders of a statement."""
    before = _assigned(node, scope) if isinstance(node, form.Name) else None
    found, found_scope = before or (node, scope)
    match found:
        case form.Display(items=values) | form.Dict(values=values):
            return [(value, found_scope) for value in values]
    return []


def _assigned(node: form.Name, scope: Scope) -> tuple[form.Expr, Scope] | None:
    """What the name was given last before it stands there."""
    earlier = [b for b in scope.lookup(node.id) if b.value is not None and b.value.end < node.start]
    return (earlier[-1].value, earlier[-1].scope) if earlier and earlier[-1].value is not None else None
