"""Options: keyword arguments that calls are given by `**options`, as far as the dict can be seen."""

from __future__ import annotations

from collections.abc import Iterator

from assay.scanner.dataflow.constants import definitions
from assay.scanner.linker.project import Project, literal_item
from assay.scanner.linker.scopes import Scope
from assay.scanner.readers.python import form


def option(call: form.Call, name: str, scope: Scope, project: Project) -> tuple[form.Expr, Scope] | None:
    """What `**options` of the call gives a parameter of that name; the last word where several statements say."""
    found = [
        given for arg in call.args if arg.star == 2 for given in _given(arg.value, name, scope, project, call.start)
    ]
    return found[-1] if found else None


def _given(
    options: form.Expr, name: str, scope: Scope, project: Project, before: int
) -> Iterator[tuple[form.Expr, Scope]]:
    """By `{"name": ...}`, `dict(name=...)`, `options.update(name=...)` or `options["name"] = ...`."""
    for node, node_scope in [(options, scope), *definitions(options, scope, project)]:
        item = node.keyword(name) if isinstance(node, form.Call) else literal_item(node, name)
        if item is not None:
            yield item, node_scope
    for statement in form.walk_body(scope.body, into_definitions=False) if isinstance(options, form.Name) else ():
        if statement.end > before or not isinstance(options, form.Name):
            continue
        match statement:
            case form.Call(func=form.Attr(value=form.Name(id=owner), attr="update")) if owner == options.id:
                item = statement.keyword(name)
            case form.Assign(targets=[form.Subscript(value=form.Name(id=owner), index=form.Const(value=key))]):
                item = statement.value if owner == options.id and key == name else None
            case _:
                item = None
        if item is not None:
            yield item, scope
