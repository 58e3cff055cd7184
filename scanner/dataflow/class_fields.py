"""Fields as ORMs read them from class bodies: attributes that a call of a library's field class makes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from assay.scanner.dataflow.constants import constant, list_items, string_value
from assay.scanner.linker.project import Project, last_part
from assay.scanner.linker.scopes import ClassSymbol, FunctionSymbol, How, Scope
from assay.scanner.linker.values import BoundMethod, External
from assay.scanner.model.place import Location
from assay.scanner.readers.python import form


@dataclass(frozen=True, slots=True, eq=False)
class ClassField:
    """`type` is the class that is called, `kind` the library's own class that it goes back to."""

    name: str
    type: str
    kind: str
    call: form.Call
    scope: Scope

    @property
    def location(self) -> Location:
        return self.scope.module.location(self.call)

    def says(self, project: Project, *flags: str) -> bool:
        """Whether one of the keyword arguments is true."""
        values = (self.call.keyword(flag) for flag in flags)
        found = (constant(value, self.scope, project) for value in values if value is not None)
        return any(known is not None and known.value is True for known in found)

    def text(self, project: Project, *names: str) -> str | None:
        """The string that one of the keyword arguments gives."""
        values = (self.call.keyword(name) for name in names)
        texts = (string_value(value, self.scope, project) for value in values if value is not None)
        return next((text for text in texts if text is not None), None)


def class_fields(bases: list[ClassSymbol], project: Project, is_field: Callable[[str], bool]) -> dict[str, ClassField]:
    """The fields of classes, farthest base first; one that a nearer class sets to something else is gone.

    `is_field` knows the library's field classes by their dotted names.
    """
    found: dict[str, ClassField] = {}
    for base in bases:
        for name, bindings in base.scope.bindings.items():
            value = bindings[-1].value if bindings[-1].how is How.ASSIGN else None
            field = _field(name, value, base.scope, project, is_field)
            if field is not None:
                found[name] = field
            elif value is not None:
                found.pop(name, None)
    return found


def _field(
    name: str, node: form.Expr | None, scope: Scope, project: Project, is_field: Callable[[str], bool]
) -> ClassField | None:
    if not isinstance(node, form.Call):
        return None
    callee = project.infer(node.func, scope)
    match callee:
        case External(name=dotted) if is_field(dotted):
            return ClassField(name, last_part(dotted), last_part(dotted), node, scope)
        case ClassSymbol():
            kind = next((b.name for b in project.mro(callee) if isinstance(b, External) and is_field(b.name)), None)
            return ClassField(name, callee.name, last_part(kind), node, scope) if kind is not None else None
        case FunctionSymbol() | BoundMethod():
            function = callee.function if isinstance(callee, BoundMethod) else callee
            made = (_field(name, r.value, function.scope, project, is_field) for r in function.returns)
            return next((field for field in made if field is not None), None)
    return None


def own_option(cls: ClassSymbol, name: str) -> tuple[form.Expr, Scope] | None:
    """What the class's own `Meta` sets the option to."""
    meta = cls.own("Meta")[-1].cls if cls.own("Meta") else None
    bindings = meta.own(name) if meta is not None else []
    value = bindings[-1].value if bindings else None
    return (value, bindings[-1].scope) if value is not None else None


def string_groups(option: tuple[form.Expr, Scope] | None, project: Project) -> Iterator[tuple[form.Expr, list[str]]]:
    """Each item of an option such as `unique_together`, with the strings in it: of a flat tuple, all are one group."""
    items = list_items(*option, project) if option is not None else []
    flat = [text for item in items if (text := string_value(*item, project)) is not None]
    if flat and option is not None:
        yield option[0], flat
        return
    for node, scope in items:
        listed = (node.keyword("fields") or node) if isinstance(node, form.Call) else node
        inner = list_items(listed, scope, project)
        nested = [pair for pair in inner if isinstance(pair[0], form.Display)]
        parts = list_items(*nested[0], project) if nested else inner
        yield node, [text for part in parts if (text := string_value(*part, project)) is not None]
