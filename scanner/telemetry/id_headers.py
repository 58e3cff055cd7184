"""Headers that carry the id of a request: where code reads the caller's, and where it gives one back."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from assay.scanner.dataflow.constants import string_items, string_value
from assay.scanner.linker.project import Project, last_name
from assay.scanner.linker.scopes import FunctionSymbol, Scope
from assay.scanner.model.place import Evidence
from assay.scanner.readers.python import form

_HEADER = re.compile(
    r"(http[-_])?(x[-_])?([a-z]+[-_])?(request|correlation|trace|amzn[-_]trace|transaction)[-_]?(id|parent|context)",
    re.IGNORECASE,
)
"""Names of the headers that carry one: `X-Request-ID`, `HTTP_X_CORRELATION_ID`, `traceparent`."""
_ID = re.compile(r"(request|correlation|trace)[-_]?id")
_HEADER_NAME = re.compile(r"_*header_(name|key)", re.IGNORECASE)
"""What holds the header's name where it is an option."""
_READING = frozenset({"get", "getlist", "get_header", "getone", "pop"})
_WRITING = frozenset({"append", "setdefault", "update", "add", "set_header", "add_header", "extend", "set"})
_AFTER = frozenset({"after_request", "after_app_request", "after_this_request", "middleware", "on_response"})


def functions_around(function: FunctionSymbol, project: Project) -> list[FunctionSymbol]:
    """The function, those inside and around it, the other methods of its class, what all of these call, and the hooks
    of its module that run after a request.
    """
    owner, outer = function.owner, function.outer.function
    near = [function, *(owner.methods.values() if owner is not None else ()), *((outer,) if outer is not None else ())]
    near += [inner for each in near for inner in each.nested]
    calls = [(node, each.scope) for each in near for node in each.walk() if isinstance(node, form.Call)]
    called = (project.callee_function(call, scope) for call, scope in calls)
    hooks = (f for f in function.module.functions if any(_name(d) in _AFTER for d in f.decorators))
    return list(dict.fromkeys([*near, *(f for f in called if f is not None), *hooks]))


def _name(decorator: form.Expr) -> str | None:
    return last_name(decorator.func if isinstance(decorator, form.Call) else decorator)


def read(functions: Iterable[FunctionSymbol], project: Project) -> Iterator[Evidence]:
    """Where a header that carries an id is read, or looked for among the raw headers of ASGI."""
    for function in functions:
        module, names = function.module, _Names(function.scope, project)
        taken = next((p for p in function.parameters if _is_taken(p)), None)
        if taken is not None:
            yield Evidence(module.span(taken.start, taken.start), "the caller's id is a parameter")
        set_here = {id(t) for n in function.walk() if isinstance(n, form.Assign) for t in n.targets}
        for node in function.walk():
            match node:
                case form.Call(func=form.Attr(attr=method, value=owner), args=[form.Arg(value=key), *_]):
                    is_raw = isinstance(key, form.Opaque) and "header" in (form.dotted(owner) or "headers").lower()
                    if method in _READING and (is_raw or names.header(key)):
                        yield module.evidence(node, "the caller's id is read here")
                case form.Subscript(index=key):
                    if id(node) not in set_here and names.header(key):
                        yield module.evidence(node, "the caller's id is read here")
                case form.For(iter=listed) | form.Comprehension(generators=[form.Generator(iter=listed)]):
                    if names.header_among(listed):
                        yield module.evidence(listed, "the caller's id is looked for here")
                case form.Compare():
                    if any(isinstance(n, form.Opaque) or names.header(n) for n in form.walk(node)):
                        yield module.evidence(node, "the caller's id is looked for here")


def _is_taken(param: form.Param) -> bool:
    """FastAPI's `x_request_id: Annotated[str, Header()]`, and one by another name with an `alias`."""
    given = (node for node in (param.annotation, param.default) if node is not None)
    header = next((n for g in given for n in form.walk(g) if _is_header(n)), None)
    alias = header.keyword("alias") if isinstance(header, form.Call) else None
    name = alias.value if isinstance(alias, form.Const) else param.name
    return header is not None and isinstance(name, str) and _HEADER.fullmatch(name) is not None


def _is_header(node: form.Expr | form.Stmt) -> bool:
    return isinstance(node, form.Call) and last_name(node.func) == "Header"


def written(functions: Iterable[FunctionSymbol], project: Project) -> Iterator[Evidence]:
    """Where a header that carries an id is set."""
    for function in functions:
        module, names = function.module, _Names(function.scope, project)
        for node in function.walk():
            match node:
                case form.Assign(targets=targets):
                    if any(isinstance(t, form.Subscript) and names.header(t.index) for t in targets):
                        yield module.evidence(node, "the id goes back to the caller")
                case form.Call(func=form.Attr(attr=method, value=owner)) if method in _WRITING:
                    is_raw = "header" in (form.dotted(owner) or "").lower()
                    inside = (n for a in node.args for n in form.walk(a.value))
                    if any((is_raw and isinstance(n, form.Opaque)) or names.header(n) for n in inside):
                        yield module.evidence(node, "the id goes back to the caller")


@dataclass(frozen=True, slots=True)
class _Names:
    scope: Scope
    project: Project

    def header(self, node: form.Expr | form.Stmt | None) -> bool:
        """Whether the expression names a header that carries an id."""
        match node:
            case form.Const(value=str() as text):
                return _HEADER.fullmatch(text) is not None
            case form.Name(id=name) | form.Attr(attr=name):
                if "header" in name.lower() and _ID.search(name.lower()):
                    return True
                is_option = _HEADER_NAME.fullmatch(name) is not None
                known = string_value(node, self.scope, self.project) if is_option or name.isupper() else None
                return is_option if known is None else _HEADER.fullmatch(known) is not None
        return False

    def header_among(self, listed: form.Expr) -> bool:
        """Whether what a loop goes through are names of headers, one of which carries an id."""
        names = string_items(listed, self.scope, self.project)
        return any(name is not None and _HEADER.fullmatch(name) for name in names)
