"""What is asked for: how tests of a request's path and method turn out for one route."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from assay.scanner.dataflow.constants import Given, constant, list_items, one_or_many, string_value
from assay.scanner.linker.project import Project
from assay.scanner.linker.scopes import ClassSymbol, Module, Scope
from assay.scanner.readers.python import form

_PATHS = frozenset({"path", "path_info", "uri_template", "canonical", "rule"})
_TRIMMING = frozenset({"rstrip", "strip", "lower", "removesuffix"})
_COMPARED: dict[str, Callable[[str, list[str]], bool]] = {
    "startswith": lambda text, others: text.startswith(tuple(others)),
    "endswith": lambda text, others: text.endswith(tuple(others)),
}
_NOTHING: Given = {}


@dataclass(frozen=True, slots=True)
class Asked:
    """A route, as code that runs before it sees the request: the path as the framework spells it, and the method.

    `view` is the class or module that answers, where such code is given the object by the name `resource`.
    """

    path: str
    method: str
    view: ClassSymbol | Module | None = None

    def turns_out(self, test: form.Expr, scope: Scope, project: Project, given: Given = _NOTHING) -> bool | None:
        """How the test turns out for this route; None where that hangs on something else."""
        match test:
            case form.Unary(op="not", operand=operand):
                inner = self.turns_out(operand, scope, project, given)
                return None if inner is None else not inner
            case form.Boolean(op=op, values=values):
                return _joined(op, [self.turns_out(value, scope, project, given) for value in values])
            case form.Compare(left=left, ops=["==" | "in" as op], rights=[right]):
                return self._compared(left, op, right, scope, project, given)
            case form.Compare(left=left, ops=["!=" | "not in" as op], rights=[right]):
                inner = self._compared(left, "==" if op == "!=" else "in", right, scope, project, given)
                return None if inner is None else not inner
            case form.Call(func=form.Attr(value=owner, attr=method), args=[only]) if method in _COMPARED:
                items = one_or_many(only.value, scope, project, given)
                others = [string_value(*item, project, given) for item in items]
                text, known = self._text(owner, scope), [other for other in others if other is not None]
                return _COMPARED[method](text, known) if text is not None and len(known) == len(others) else None
            case form.Attr(value=form.Name(id="resource"), attr=attr):
                return self._attribute(attr, project)
            case form.Call(
                func=form.Name(id="getattr"), args=[form.Arg(value=form.Name(id="resource")), name, *default]
            ):
                return self._attribute_or(name.value, [arg.value for arg in default], project)
            case form.Call(func=form.Name(id="any"), args=[form.Arg(value=form.Comprehension() as loop)]):
                return self._any(loop, scope, project, given)
        return None

    def _attribute(self, name: str, project: Project) -> bool | None:
        """Whether the view's attribute is true."""
        stated: tuple[form.Expr, Scope] | None = None
        if isinstance(self.view, ClassSymbol):
            stated = project.class_attribute(self.view, name)
        elif self.view is not None:
            bindings = self.view.scope.bindings.get(name, [])
            stated = (bindings[-1].value, self.view.scope) if bindings and bindings[-1].value is not None else None
        known = constant(*stated, project) if stated is not None else None
        return bool(known.value) if known is not None else None

    def _attribute_or(self, name: form.Expr, default: list[form.Expr], project: Project) -> bool | None:
        """The same, or whether the default is that a view without the attribute has."""
        if not isinstance(name, form.Const) or not isinstance(name.value, str) or self.view is None:
            return None
        if self._has(name.value, project) or not default or not isinstance(default[0], form.Const):
            return self._attribute(name.value, project)
        return bool(default[0].value)

    def _has(self, name: str, project: Project) -> bool:
        if isinstance(self.view, ClassSymbol):
            return bool(project.class_member(self.view, name) or project.instance_attributes(self.view, name))
        return self.view is not None and name in self.view.scope.bindings

    def _text(self, node: form.Expr, scope: Scope, depth: int = 4) -> str | None:
        """The path or method, where the expression is one."""
        match node:
            case form.Attr(attr="method") | form.Subscript(index=form.Const(value="method")):
                return self.method
            case form.Subscript(index=form.Const(value="path")):  # ASGI's `scope["path"]`
                return self.path
            case form.Attr(attr=attr) if attr in _PATHS:
                return self.path
            case form.Call(func=form.Attr(value=inner, attr=trimming)) if trimming in _TRIMMING:
                return self._text(inner, scope, depth)
            case form.Name(id=name) if depth:
                values = [b.value for b in scope.bindings.get(name, ()) if b.param is None]
                return self._text(values[0], scope, depth - 1) if len(values) == 1 and values[0] is not None else None
        return None

    def _compared(
        self, left: form.Expr, op: str, right: form.Expr, scope: Scope, project: Project, given: Given
    ) -> bool | None:
        text = self._text(left, scope)
        if text is None:
            whole, part = self._text(right, scope), string_value(left, scope, project, given)
            if whole is None or part is None:
                return None
            return part == whole if op == "==" else part in whole
        items = [string_value(*item, project, given) for item in list_items(right, scope, project, given)]
        others = items if op == "in" else [string_value(right, scope, project, given)]
        if text in others:
            return True
        return None if None in others or not others else False

    def _any(self, loop: form.Comprehension, scope: Scope, project: Project, given: Given) -> bool | None:
        generator, *more = loop.generators
        if more or generator.ifs or not isinstance(generator.target, form.Name):
            return None
        bindings = scope.lookup(generator.target.id, loop.start)
        items = list_items(generator.iter, scope, project, given)
        if not bindings or not items:
            return None
        name = (bindings[0].scope, generator.target.id)
        return _joined("or", [self.turns_out(loop.element, scope, project, {**given, name: item}) for item in items])


def _joined(op: str, parts: list[bool | None]) -> bool | None:
    """`and` and `or` over parts that may be unknown."""
    decisive = op == "or"
    if decisive in parts:
        return decisive
    return None if None in parts else not decisive
