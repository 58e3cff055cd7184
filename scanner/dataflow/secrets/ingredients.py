"""What a value is made of: the names of the things that go into it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from assay.scanner.dataflow.secrets.destinations import own_name
from assay.scanner.linker.project import Project, last_name
from assay.scanner.linker.scopes import How, Scope
from assay.scanner.model.place import Evidence
from assay.scanner.readers.python import form

_DEEPEST = 3
"""Assignments and calls between a value and a name that still says what it is."""
_MOST_CALLERS = 12
_TRANSPARENT = frozenset(
    {
        "b64encode", "bytearray", "bytes", "decode", "digest", "encode", "force_bytes", "force_str", "format",
        "get_secret_value", "hexdigest", "join", "lower", "repr", "smart_bytes", "smart_str", "str", "strip",
        "to_bytes", "upper",
    }
)  # fmt: skip
"""Functions that give back what they get, in another shape."""


@dataclass(frozen=True, slots=True)
class Ingredient:
    """Something that goes into a value, by its own name."""

    name: str
    node: form.Expr
    scope: Scope

    @property
    def evidence(self) -> Evidence:
        return self.scope.module.evidence(self.node, f"it is made of `{self.name}`")


def ingredients(node: form.Expr, scope: Scope, project: Project, depth: int = 0) -> Iterator[Ingredient]:
    """What goes into the expression, over joining and encoding; a name also stands for what it was assigned or what
    callers pass.
    """
    match node:
        case form.Const():
            return
        case form.Template():
            inner = [expression for hole in node.holes for expression in hole.expressions()]
        case form.Binary(left=left, right=right):
            inner = [left, right]
        case form.Boolean(values=values) | form.Display(items=values):
            inner = values
        case form.Conditional(body=body, orelse=orelse):
            inner = [body, orelse]
        case form.Await(value=value) | form.Starred(value=value):
            inner = [value]
        case form.Call() if last_name(node.func) in _TRANSPARENT:
            receiver = [node.func.value] if isinstance(node.func, form.Attr) else []
            inner = [*receiver, *(arg.value for arg in node.args)]
        case _:
            name = own_name(node)
            if name is not None:
                yield Ingredient(name, node, scope)
            if isinstance(node, form.Name) and depth < _DEEPEST:
                yield from _behind(node, scope, project, depth)
            return
    for part in inner:
        yield from ingredients(part, scope, project, depth)


def _behind(node: form.Name, scope: Scope, project: Project, depth: int) -> Iterator[Ingredient]:
    for binding in scope.lookup(node.id, node.start):
        if (
            binding.how in (How.ASSIGN, How.AUGMENT)
            and binding.value is not None
            and binding.scope.function is not None
        ):
            yield from ingredients(binding.value, binding.scope, project, depth + 1)
        elif binding.how is How.PARAMETER and binding.function is not None and binding.param is not None:
            for call, caller in project.callers(binding.function)[:_MOST_CALLERS]:
                argument = project.bound_argument(call, binding.function, binding.param)
                if argument is not None:
                    yield from ingredients(argument, caller, project, depth + 1)
