"""What every expression stands in: the intermediate form read from the inside out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from assay.scanner.linker.scopes import Scope
from assay.scanner.readers.python import form

Node = form.Expr | form.Stmt


def own_nodes(scope: Scope) -> Iterator[tuple[Node, Node | None]]:
    """All that the scope's own code holds, each node with the one it stands in, None for a statement of the body.

    Lambdas belong to it; of functions and classes that are defined in it, what is evaluated where they are defined.
    """
    stack: list[tuple[Node, Node | None]] = [(statement, None) for statement in reversed(scope.body)]
    while stack:
        pair = stack.pop()
        yield pair
        node = pair[0]
        kind = type(node)
        if kind is form.Name or kind is form.Const:  # more than half of all nodes, and nothing is inside
            continue
        stack.extend((child, node) for child in reversed(inside(node)))


def inside(node: Node) -> Sequence[Node]:
    """What is evaluated with the node, in source order: a definition's body isn't."""
    if isinstance(node, form.Function):
        defaults = [param.default for param in node.params if param.default is not None]
        return [*node.decorators, *defaults]
    if isinstance(node, form.Class):
        return [*node.decorators, *(base.value for base in node.bases)]
    return node.children()


class Nesting:
    """Remembers what stands in what, scope by scope."""

    def __init__(self) -> None:
        self._parents: dict[Scope, dict[Node, Node | None]] = {}

    def parents(self, scope: Scope) -> Mapping[Node, Node | None]:
        """Each node of the scope's own code, in source order, with the one that it stands in."""
        known = self._parents.get(scope)
        if known is None:
            known = self._parents[scope] = dict(own_nodes(scope))
        return known
