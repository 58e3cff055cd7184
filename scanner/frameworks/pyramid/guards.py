"""Pyramid's permissions: which views ask for one, and which are granted to everybody
(https://docs.pylonsproject.org/projects/pyramid/en/latest/narr/security.html).
"""

from __future__ import annotations

from collections.abc import Iterator

from assay.scanner.dataflow.constants import list_items, string_value
from assay.scanner.framework import Guard, Sited
from assay.scanner.linker.project import Project, last_part
from assay.scanner.linker.scopes import ClassSymbol, FunctionSymbol
from assay.scanner.linker.values import External, Instance, Value
from assay.scanner.readers.python import form

_NONE_REQUIRED = "NO_PERMISSION_REQUIRED"
_NONE_REQUIRED_TEXT = "__no_permission_required__"
_EVERYONE = ("Everyone", "system.Everyone")


def permission_guard(stated: Sited | None, factory: Value | None, project: Project) -> Guard | None:
    """The permission that a view asks for, unless the route's context grants it to everybody."""
    if stated is None or (isinstance(stated.node, form.Const) and stated.node.value is None):
        return None
    value = project.infer(stated.node, stated.scope)
    text = string_value(stated.node, stated.scope, project)
    if text == _NONE_REQUIRED_TEXT or (isinstance(value, External) and last_part(value.name) == _NONE_REQUIRED):
        return None
    name = text or form.dotted(stated.node) or "permission"
    if name in _open_permissions(factory, project):
        return None
    return Guard(name, stated.module.evidence(stated.node, f"the permission {name} is asked for"))


def _open_permissions(factory: Value | None, project: Project) -> set[str]:
    """What `__acl__` of the context that a factory makes allows to everyone."""
    context = project.result(factory) if isinstance(factory, FunctionSymbol) else factory
    cls = context.cls if isinstance(context, Instance) else context
    if not isinstance(cls, ClassSymbol):
        return set()
    found = set()
    for entry in _entries(cls, project):
        if isinstance(entry.node, form.Display) and len(entry.node.items) == 3:
            action, principal, permissions = (Sited(node, entry.scope) for node in entry.node.items)
            if _is(action, ("Allow",), project) and _is(principal, _EVERYONE, project):
                several = list_items(permissions.node, permissions.scope, project) or [(permissions.node, entry.scope)]
                found |= {text for item in several if (text := string_value(*item, project)) is not None}
    return found


def _entries(cls: ClassSymbol, project: Project) -> Iterator[Sited]:
    """The entries of `__acl__`, an attribute or a method."""
    stated = project.class_attribute(cls, "__acl__")
    if stated is not None:
        yield from (Sited(*item) for item in list_items(*stated, project))
    method = project.method(cls, "__acl__")
    for returned in method.returns if method is not None else ():
        if method is not None and returned.value is not None:
            yield from (Sited(*item) for item in list_items(returned.value, method.scope, project))


def _is(expression: Sited, names: tuple[str, ...], project: Project) -> bool:
    value = project.infer(expression.node, expression.scope)
    text = string_value(expression.node, expression.scope, project)
    return (last_part(value.name) if isinstance(value, External) else text) in names
