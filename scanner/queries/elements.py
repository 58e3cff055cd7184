"""The rows that a loop goes through: of which model, from which query, and what is loaded with them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from assay.scanner.linker.project import Project, last_name
from assay.scanner.linker.scopes import How, Scope
from assay.scanner.linker.values import Instance
from assay.scanner.model.place import Evidence
from assay.scanner.model.query_call import Repetition
from assay.scanner.model.table import Relation
from assay.scanner.queries.chains import Chains, Query
from assay.scanner.queries.eager import Eager, EagerLoads
from assay.scanner.queries.relations import Relations
from assay.scanner.queries.sizes import Sizes
from assay.scanner.readers.python import form

_DEEPEST = 3
_OTHER_ROWS = frozenset(
    {"values", "values_list", "with_entities", "dates", "datetimes", "mappings", "with_only_columns"}
)
"""Methods after which the rows are no objects of the model."""


@dataclass(frozen=True, slots=True)
class Elements:
    """`parent` is the model whose relation leads to the rows, where one does: their way back to it is known. `pinned`
    are the columns that the query compares with one value: all its rows have the same.
    """

    model: str
    query: Evidence
    eager: Eager
    is_django: bool
    is_few: bool = False
    parent: str | None = None
    pinned: frozenset[str] = frozenset()


class Rows:
    """Tells it of iterated expressions."""

    def __init__(self, project: Project, chains: Chains, relations: Relations, sizes: Sizes, eager: EagerLoads) -> None:
        self._project = project
        self._chains = chains
        self._relations = relations
        self._sizes = sizes
        self._eager = eager

    def of(self, node: form.Expr, scope: Scope, depth: int = _DEEPEST) -> Elements | None:
        """None where the loop is over anything else than objects of a known model."""
        query = self._chains.query(node, scope)
        if query is not None:
            if not self._relations.knows(query.rows.model) or _OTHER_ROWS.intersection(query.names):
                return None
            eager = self._eager.of(query)
            if _selects_parts(query.root):
                return None
            parent = self._owner(query.root, query.scope, eager, depth) if query.is_related else None
            is_few = self._sizes.of(node, scope).repetition is Repetition.FEW
            pinned = frozenset(_pinned(query))
            return Elements(query.rows.model, query.rows.place, eager, query.is_django, is_few, parent, pinned)
        if isinstance(node, form.Attr):
            return self._related(node, scope, depth, is_django=False)
        if isinstance(node, form.Call) and last_name(node.func) == "all" and isinstance(node.func, form.Attr):
            owner = node.func.value
            return self._related(owner, scope, depth, is_django=True) if isinstance(owner, form.Attr) else None
        return None

    def _related(self, node: form.Attr, scope: Scope, depth: int, *, is_django: bool) -> Elements | None:
        """The rows of a relation of a mapped object: `order.items`."""
        owner = self._project.infer(node.value, scope)
        cls = owner.cls if isinstance(owner, Instance) else None
        model = cls.name if cls is not None else None
        if model is None and depth and isinstance(node.value, form.Name):
            outer = self._outer(node.value, scope, depth)
            model = outer.model if outer is not None else None
        relation = self._relation(model, node.attr)
        if relation is None or model is None or not relation.to_many or not self._relations.knows(relation.target):
            return None
        eager = Eager()
        parent = self._owner(node, scope, eager, depth)
        shown = scope.module.evidence(node, f"the rows of {model}.{node.attr}")
        return Elements(relation.target, shown, eager, is_django, parent=parent or model)

    def _relation(self, model: str | None, name: str) -> Relation | None:
        return self._relations.of(model).get(name) if model is not None else None

    def _owner(self, root: form.Expr, scope: Scope, eager: Eager, depth: int) -> str | None:
        """The model whose relation is gone through; what was loaded with its row may hold for these rows too."""
        owner = root.value if isinstance(root, form.Attr) else None
        if owner is None or not depth:
            return None
        outer = self._outer(owner, scope, depth)
        if outer is not None:
            eager.add(outer.eager)
            return outer.model
        value = self._project.infer(owner, scope)
        if scope.function is not None:
            eager.add(self._eager.in_function(scope.function))
        is_given = isinstance(owner, form.Name) and any(b.how is How.PARAMETER for b in scope.lookup(owner.id))
        if is_given or not isinstance(owner, form.Name):
            eager.may_be = self._eager.anywhere
        return value.cls.name if isinstance(value, Instance) and value.cls is not None else None

    def _outer(self, owner: form.Expr, scope: Scope, depth: int) -> Elements | None:
        """The rows of the outer loop, of which the owner is one."""
        if not isinstance(owner, form.Name):
            return None
        for binding in scope.lookup(owner.id, owner.start):
            if binding.how is How.FOR and binding.value is not None and binding.index is None:
                return self.of(binding.value, binding.scope, depth - 1)
        return None


def _pinned(query: Query) -> Iterator[str]:
    """The columns that `filter(Order.customer_id == key)` and `filter_by(customer_id=key)` pin down."""
    for step in query.steps:
        if last_name(step.func) not in ("filter", "filter_by", "where"):
            continue
        for argument in step.args:
            if argument.name is not None:
                yield argument.name
            for node in form.walk(argument.value):
                if isinstance(node, form.Compare) and node.ops == ["=="] and isinstance(node.left, form.Attr):
                    yield node.left.attr


def _selects_parts(root: form.Expr) -> bool:
    """`select(User, Team)`, `session.query(User.id, User.name)`: tuples, and not objects."""
    if not isinstance(root, form.Call) or last_name(root.func) not in ("select", "query"):
        return False
    parts = root.positional
    return len(parts) > 1 or (len(parts) == 1 and isinstance(parts[0], form.Attr | form.Call))
