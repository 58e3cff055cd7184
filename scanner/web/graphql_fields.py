"""Fields of GraphQL types that are written as Python classes: where they come from, and what the schema calls them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable

from assay.scanner.dataflow.constants import constant
from assay.scanner.framework import Context, Sited
from assay.scanner.linker.scopes import Binding, ClassSymbol
from assay.scanner.linker.values import External
from assay.scanner.readers.python import form

ROOTS = ("query", "mutation", "subscription")
"""The root types, by the names and in the order in which libraries take them."""
_PLAIN = frozenset({"builtins", "typing", "typing_extensions", "abc", "enum"})


def camel_case(name: str) -> str:
    """`created_by` as `createdBy`, in the way that both Strawberry and Graphene do it."""
    first, *others = name.split("_")
    return first + "".join(part.capitalize() if part else "_" for part in others)


def root_fields(call: form.Call, site: Sited, fields: Callable[[Sited], Iterable[str]]) -> tuple[str, ...]:
    """`query users` for each field of each root type that the call which makes a schema is given, by name."""
    given = [(root, call.argument(index, root)) for index, root in enumerate(ROOTS)]
    return tuple(
        f"{root} {field}"
        for root, node in given
        if node is not None and not (isinstance(node, form.Const) and node.value is None)
        for field in sorted(set(fields(Sited(node, site.scope))))
    )


def is_switched_off(switch: form.Expr | None, site: Sited, context: Context) -> bool:
    """Whether an argument is surely False."""
    found = constant(switch, site.scope, context.project) if switch is not None else None
    return found is not None and found.value is False


def members(
    cls: ClassSymbol, context: Context, packages: Collection[str], counts: Callable[[ClassSymbol], bool]
) -> dict[str, Binding]:
    """What the class binds, and its bases as far as they count; bases that can't be seen are said.

    The bases of `packages`, the library's own, have no fields.
    """
    project = context.project
    for base in project.mro(cls):
        if isinstance(base, External) and base.name.partition(".")[0] not in {*packages, *_PLAIN}:
            context.unresolved(cls.location, f"the fields that {cls.name} has from {base.name} can't be told")
    types = [base for base in project.mro(cls) if isinstance(base, ClassSymbol)]
    for base in types:
        for arg in base.node.bases:
            is_seen = isinstance(arg.value, form.Subscript) or project.infer(arg.value, base.outer) is not None
            if arg.star or (arg.name is None and not is_seen):
                context.unresolved(base.location, f"the fields that {base.name} has from some base can't be told")
    return {name: found[-1] for base in reversed(types) if counts(base) for name, found in base.scope.bindings.items()}
