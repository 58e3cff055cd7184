"""Lists of names that code puts together, to the last item or not at all."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from assay.scanner.dataflow.constants import constant, definitions, string_value
from assay.scanner.linker.project import Project
from assay.scanner.linker.scopes import ClassSymbol, Scope
from assay.scanner.readers.python import form

_DEEPEST = 8
_MADE_OF = frozenset({"list", "tuple", "set", "frozenset", "sorted"})
_FIELDS = frozenset({"fields", "get_fields", "concrete_fields", "local_fields"})

Columns = Callable[[form.Expr, Scope], Sequence[str] | None]
"""The columns of the mapped class that an expression stands for; None where it is none, or they can't be told."""


def names_in(
    node: form.Expr, scope: Scope, project: Project, columns: Columns, depth: int = _DEEPEST
) -> list[str] | None:
    """The strings of a list, a tuple, a set, of sums and differences of them, and of comprehensions over the fields of
    a model; None where one of them can't be told.
    """
    if not depth:
        return None

    def inside(inner: form.Expr) -> list[str] | None:
        return names_in(inner, scope, project, columns, depth - 1)

    match node:
        case form.Display(items=items):
            return _joined([inside(i.value) if isinstance(i, form.Starred) else _one(i, scope, project) for i in items])
        case form.Binary(op="+" | "|", left=left, right=right):
            return _joined([inside(left), inside(right)])
        case form.Binary(op="-", left=left, right=right):
            kept, dropped = inside(left), inside(right)
            return [name for name in kept if name not in dropped] if kept is not None and dropped is not None else None
        case form.Call(func=form.Name(id=made), args=[only]) if made in _MADE_OF:
            return inside(only.value)
        case form.Dict(keys=keys):
            return _joined([_one(key, scope, project) if key is not None else None for key in keys])
        case form.Comprehension(generators=[generator]):
            return _of_columns(node, generator, scope, project, columns, depth)
        case form.Name() | form.Attr():
            found = definitions(node, scope, project) or _class_definitions(node, scope, project)
            return names_in(*found[-1], project, columns, depth - 1) if len(found) == 1 else None
    return None


def _one(node: form.Expr, scope: Scope, project: Project) -> list[str] | None:
    text = string_value(node, scope, project)
    return [text] if text is not None else None


def _joined(parts: list[list[str] | None]) -> list[str] | None:
    if any(part is None for part in parts):
        return None
    return list(dict.fromkeys(name for part in parts for name in part or ()))


def _class_definitions(node: form.Name | form.Attr, scope: Scope, project: Project) -> list[tuple[form.Expr, Scope]]:
    """`Base.Meta.fields`: an attribute of a class inside a class."""
    if not isinstance(node, form.Attr):
        return []
    owner = project.infer(node.value, scope)
    found = project.class_attribute(owner, node.attr) if isinstance(owner, ClassSymbol) else None
    return [found] if found is not None else []


def _of_columns(
    node: form.Comprehension,
    generator: form.Generator,
    scope: Scope,
    project: Project,
    columns: Columns,
    depth: int,
) -> list[str] | None:
    """`[f.name for f in User._meta.fields if f.name != "password"]`, and the same over a list of names."""
    if not isinstance(generator.target, form.Name):
        return None
    variable = generator.target.id
    found = _iterated(generator.iter, scope, project, columns, depth)
    if found is None or _asked_of(node.element, variable) is None:
        return None
    for condition in generator.ifs:
        kept = _tested(condition, variable, scope, project, columns, depth)
        if kept is None:
            return None
        found = [name for name in found if kept(name)]
    return found


def _iterated(node: form.Expr, scope: Scope, project: Project, columns: Columns, depth: int) -> list[str] | None:
    listed = node.func if isinstance(node, form.Call) and not node.args else node
    if isinstance(listed, form.Attr) and listed.attr in _FIELDS:
        meta = listed.value
        if isinstance(meta, form.Attr) and meta.attr == "_meta":
            names = columns(meta.value, scope)
            return list(names) if names is not None else None
    return names_in(node, scope, project, columns, depth - 1)


def _asked_of(node: form.Expr, variable: str) -> form.Expr | None:
    """The expression where it is the loop's item or its name: `f`, `f.name`, `f.attname`."""
    owner = node.value if isinstance(node, form.Attr) and node.attr in ("name", "attname") else node
    return node if isinstance(owner, form.Name) and owner.id == variable else None


def _tested(
    test: form.Expr, variable: str, scope: Scope, project: Project, columns: Columns, depth: int
) -> Callable[[str], bool] | None:
    match test:
        case form.Unary(op="not", operand=operand):
            inner = _tested(operand, variable, scope, project, columns, depth)
            return (lambda name: not inner(name)) if inner is not None else None
        case form.Boolean(op=op, values=values):
            found = [_tested(value, variable, scope, project, columns, depth) for value in values]
            parts = [part for part in found if part is not None]
            if len(parts) < len(found):
                return None
            return lambda name: (all if op == "and" else any)(part(name) for part in parts)
        case form.Compare(left=left, ops=[op], rights=[right]) if _asked_of(left, variable) is not None:
            if op in ("in", "not in"):
                names = names_in(right, scope, project, columns, depth - 1)
                return (lambda name: (name in names) is (op == "in")) if names is not None else None
            known = constant(right, scope, project)
            if known is not None and op in ("==", "!="):
                return lambda name: (name == known.value) is (op == "==")
    return None
