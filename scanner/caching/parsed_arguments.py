"""Arguments that Flask-RESTX and Flask-RESTful parse out of a request: `parser.parse_args()`, and where each lies.

https://flask-restx.readthedocs.io/en/latest/parsing.html#argument-locations
"""

from __future__ import annotations

from assay.scanner.dataflow.constants import string_items, string_value
from assay.scanner.linker.project import Project, last_name
from assay.scanner.linker.scopes import Scope
from assay.scanner.model.cached_result import InputKind
from assay.scanner.readers.python import form

_LOCATIONS = {
    "headers": InputKind.HEADER,
    "cookies": InputKind.COOKIE,
    "args": InputKind.QUERY,
    "values": InputKind.QUERY,
    "form": InputKind.BODY,
    "json": InputKind.BODY,
    "files": InputKind.BODY,
}


def parsed_argument(node: form.Expr, scope: Scope, project: Project) -> tuple[InputKind, str] | None:
    """The place and name of `args["page"]`, `args.page` and `self.args.page`; None for anything else."""
    match node:
        case form.Subscript(value=owner, index=form.Const(value=str() as name)) | form.Attr(value=owner, attr=name):
            pass
        case form.Call(
            func=form.Attr(value=owner, attr="get"), args=[form.Arg(value=form.Const(value=str() as name)), *_]
        ):
            pass
        case _:
            return None
    parser = _parser_of(owner, scope)
    if parser is None:
        return None
    for call, around in scope.module.calls_by_name.get("add_argument", ()):
        first = call.argument(0, "name")
        is_of_parser = isinstance(call.func, form.Attr) and last_name(call.func.value) == parser
        if is_of_parser and first is not None and string_value(first, around, project) == name:
            return _location(call, around, project), name
    return None


def _parser_of(owner: form.Expr, scope: Scope) -> str | None:
    """The parser's name, where the expression holds what it parsed."""
    function = scope.function
    if function is None:
        return None
    match owner:
        case form.Name(id=name):
            values = [b.value for b in scope.bindings.get(name, ())]
        case form.Attr(value=form.Name(id="self"), attr=attr):
            values = [
                n.value
                for n in function.nodes
                if isinstance(n, form.Assign)
                for t in n.targets
                if isinstance(t, form.Attr) and t.attr == attr
            ]
        case _:
            return None
    for value in values:
        if isinstance(value, form.Call) and isinstance(value.func, form.Attr) and value.func.attr == "parse_args":
            return last_name(value.func.value)
    return None


def _location(call: form.Call, scope: Scope, project: Project) -> InputKind:
    stated = call.keyword("location")
    if stated is None:
        return InputKind.QUERY
    text = string_value(stated, scope, project)
    named = [text] if text is not None else string_items(stated, scope, project)
    return next((_LOCATIONS[n] for n in named if n in _LOCATIONS), InputKind.QUERY)
