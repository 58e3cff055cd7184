"""Families of entries: the text of a key with its parts left open, as `user:*:stats`."""

from __future__ import annotations

import re

from assay.scanner.dataflow.constants import definitions, string_value
from assay.scanner.linker.project import Project
from assay.scanner.linker.scopes import FunctionSymbol, Scope
from assay.scanner.linker.values import Instance
from assay.scanner.readers.python import form

_PERCENT = re.compile(r"%(\(\w+\))?[-#0 +]*\d*(\.\d+)?[a-zA-Z]")
_BRACES = re.compile(r"\{[^{}]*\}")
_OPEN = re.compile(r"\*+")
_DEEPEST = 6


def family(node: form.Expr | None, scope: Scope, project: Project) -> str | None:
    """None where nothing of the text is known, or where it can't be told which of several it is."""
    if node is None:
        return None
    found = _OPEN.sub("*", _text(node, scope, project, _DEEPEST))
    return None if _is_open(found) else found


def is_same(one: str, other: str) -> bool:
    """Whether two families may have an entry in common, as `user:*` and `user:*:stats` have."""
    return one == other or _covers(one, other) or _covers(other, one)


def _is_open(text: str) -> bool:
    """Whether nothing of it is known but what stands between parts."""
    return not text.strip("*:-_./ ")


def _covers(pattern: str, text: str) -> bool:
    return "*" in pattern and re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), text, re.DOTALL) is not None


def _text(node: form.Expr, scope: Scope, project: Project, depth: int) -> str:
    if not depth:
        return "*"
    match node:
        case form.Const(value=value):
            return str(value)
        case form.Template(parts=parts):
            inner = (p if isinstance(p, str) else _text(p.value, scope, project, depth - 1) for p in parts)
            return "".join(inner)
        case form.Binary(op="+", left=left, right=right):
            return _text(left, scope, project, depth - 1) + _text(right, scope, project, depth - 1)
        case form.Binary(op="%", left=left):
            return _PERCENT.sub("*", _text(left, scope, project, depth - 1))
        case form.Call(func=form.Attr(value=owner, attr="format")):
            return _BRACES.sub("*", _text(owner, scope, project, depth - 1))
        case form.Call(func=form.Attr(value=owner, attr="encode" | "strip" | "lower")):
            return _text(owner, scope, project, depth - 1)
        case form.Call():
            return _made_by(project.callee_function(node, scope), project, depth - 1)
        case form.Name() | form.Attr():
            return _named(node, scope, project, depth - 1)
    return "*"


def _made_by(function: FunctionSymbol | None, project: Project, depth: int) -> str:
    if function is None or function.name == "__init__":
        return "*"
    texts = {_text(r.value, function.scope, project, depth) for r in function.returns if r.value is not None}
    found = texts.pop() if len(texts) == 1 else "*"
    return f"<{function.id}>" if _is_open(found) else found


def _named(node: form.Name | form.Attr, scope: Scope, project: Project, depth: int) -> str:
    known = string_value(node, scope, project)
    if known is not None:
        return known
    found = definitions(node, scope, project)
    if len(found) == 1 and found[0][0] is not node:
        return _text(*found[0], project, depth)
    owner = project.infer(node.value, scope) if isinstance(node, form.Attr) and not found else None
    if isinstance(node, form.Attr) and isinstance(owner, Instance) and owner.cls is not None:
        return _made_by(project.method(owner.cls, node.attr), project, depth)
    return "*"
