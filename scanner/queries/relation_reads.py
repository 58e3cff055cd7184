"""Relations that a loop looks at for each of its rows, in its body or in a method or function that it gives the row."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from assay.scanner.linker.project import Project, last_name
from assay.scanner.linker.scopes import FunctionSymbol
from assay.scanner.linker.values import BoundMethod
from assay.scanner.model.place import Evidence
from assay.scanner.model.relation_read import Supply
from assay.scanner.model.table import Loading, Relation
from assay.scanner.queries.elements import Elements, Rows
from assay.scanner.queries.helpers import is_sure, writes
from assay.scanner.queries.lookups import is_looked_up_first
from assay.scanner.queries.regions import Loop, Regions
from assay.scanner.queries.relations import Relations
from assay.scanner.readers.python import form

_PREFETCHED = frozenset({"all", "count", "exists", "iterator", "aiterator", "acount", "aexists"})
_CHANGING = frozenset(
    {"add", "append", "remove", "set", "clear", "create", "extend", "update", "delete", "get_or_create", "bulk_create",
     "update_or_create", "insert", "discard", "aadd", "aset", "aclear", "acreate", "aremove", "through"}
)  # fmt: skip
_PROPERTIES = frozenset({"property", "cached_property", "hybrid_property"})
_IN_A_ROW = 2
"""Relations that are followed one after another: `comment.post.author`."""


@dataclass(frozen=True, slots=True)
class Look:
    """A relation that is looked at: its owner's model, and what supplies it. `node` is None where a schema does."""

    model: str
    relation: Relation
    node: form.Attr | None
    supply: Supply
    steps: tuple[Evidence, ...]
    loader: Evidence | None


class Looks:
    """Finds them in the loops of functions."""

    def __init__(self, project: Project, relations: Relations, rows: Rows) -> None:
        self._project = project
        self._relations = relations
        self._rows = rows
        self._inside: dict[tuple[FunctionSymbol, str, str], list[tuple[str, Relation, form.Attr, str | None]]] = {}

    def of(self, function: FunctionSymbol, regions: Regions) -> Iterator[tuple[Elements, Loop, Look]]:
        """Each relation once for a loop, with the rows that the loop goes through."""
        loops = [(loop, name) for loop in regions.loops if (name := _row_name(loop)) is not None]
        if not loops:
            return
        uses = [n for n in function.nodes if isinstance(n, form.Attr | form.Call)]
        parents: dict[form.Expr, form.Attr | form.Call] = {}
        for node in uses:
            parents[node.value if isinstance(node, form.Attr) else node.func] = node
        assigned = [t for t in _assigned(function) if isinstance(t, form.Attr)]
        rows = {name for _, name in loops}
        for loop, name in loops:
            inside = [n for n in uses if loop.repeats(n.start) and _speaks_of(n, name)]
            elements = self._rows.of(loop.iter, function.scope) if inside else None
            if elements is None:
                continue
            # Set by hand in this loop or in one before: `book.author = author`.
            given = {t.attr for t in assigned if t.start < loop.node.end and form.dotted(t.value) in rows}
            found: dict[tuple[str, str], Look] = {}
            for node in inside:
                for look in self._looks(node, name, elements, function, parents):
                    if look.relation.name not in given:
                        found.setdefault((look.model, look.relation.name), look)
            yield from ((elements, loop, look) for look in found.values())

    def _looks(
        self,
        node: form.Attr | form.Call,
        name: str,
        elements: Elements,
        function: FunctionSymbol,
        parents: dict[form.Expr, form.Attr | form.Call],
    ) -> Iterator[Look]:
        if isinstance(node, form.Call):
            for model, relation, inner, method, place in self._given(node, name, elements.model, function):
                steps = (place, function.module.evidence(node, f"{last_name(node.func)}() looks at it"))
                yield from self._look(model, relation, inner, method, elements, steps)
        elif isinstance(node.value, form.Name) and node.value.id == name:
            yield from self._in_a_row(node, elements, function, parents)
            for relation, inner, method, place in self.by_property(elements.model, node.attr):
                shown = function.module.evidence(node, f"`{node.attr}` of each {elements.model} is a property")
                yield from self._look(elements.model, relation, inner, method, elements, (place, shown))

    def _in_a_row(
        self,
        node: form.Attr,
        elements: Elements,
        function: FunctionSymbol,
        parents: dict[form.Expr, form.Attr | form.Call],
    ) -> Iterator[Look]:
        """The relations of `row.author.company`, one after another."""
        model = elements.model
        current: form.Attr | None = node
        for _ in range(_IN_A_ROW):
            relation = self._relations.of(model).get(current.attr) if current is not None else None
            if relation is None or current is None:
                return
            following = parents.get(current)
            method = following.attr if isinstance(following, form.Attr) else None
            step = function.module.evidence(current, f"looks at `{relation.name}` of each {model}")
            yield from self._look(model, relation, current, method, elements, (step,))
            if relation.to_many:
                return
            model, current = relation.target, following if isinstance(following, form.Attr) else None

    def _look(
        self,
        model: str,
        relation: Relation,
        node: form.Attr,
        method: str | None,
        elements: Elements,
        steps: tuple[Evidence, ...],
    ) -> Iterator[Look]:
        if method in _CHANGING and relation.to_many:
            return
        if elements.parent is not None and not relation.to_many and relation.target == elements.parent:
            return  # the way back to where the loop comes from
        supply, loader = supply_of(relation, method, elements)
        yield Look(model, relation, node, supply, steps, loader)

    def _given(
        self, call: form.Call, name: str, model: str, function: FunctionSymbol
    ) -> Iterator[tuple[str, Relation, form.Attr, str | None, Evidence]]:
        """What a method of the row, or a function that gets it, looks at."""
        inner: FunctionSymbol | None = None
        parameter: str | None = None
        if isinstance(call.func, form.Attr) and isinstance(call.func.value, form.Name) and call.func.value.id == name:
            inner = next(
                (m for c in self._project.classes_named(model) if (m := self._project.method(c, call.func.attr))), None
            )
            parameter = inner.node.params[0].name if inner is not None and inner.node.params else None
        else:
            value = self._project.infer(call.func, function.scope)
            callee = value.function if isinstance(value, BoundMethod) else value
            if isinstance(callee, FunctionSymbol):
                for param in callee.parameters:
                    argument = self._project.bound_argument(call, callee, param)
                    if isinstance(argument, form.Name) and argument.id == name:
                        inner, parameter = callee, param.name
        if inner is None or parameter is None or writes(inner):
            return
        for owner, relation, node, method in self.inside_of(inner, parameter, model):
            yield (
                owner,
                relation,
                node,
                method,
                inner.module.evidence(node, f"{inner.name}() looks at `{relation.name}`"),
            )

    def by_property(self, model: str, name: str) -> Iterator[tuple[Relation, form.Attr, str | None, Evidence]]:
        """What a property of the model looks at, where the name is one's."""
        if name in self._relations.of(model):
            return
        for cls in self._project.classes_named(model):
            method = self._project.method(cls, name)
            if method is None or not any(last_name(d) in _PROPERTIES for d in method.decorators):
                continue
            for _, relation, node, called in self.inside_of(method, method.node.params[0].name, model):
                yield relation, node, called, method.module.evidence(node, f"{name} looks at `{relation.name}`")
            return

    def inside_of(
        self, function: FunctionSymbol, parameter: str, model: str
    ) -> list[tuple[str, Relation, form.Attr, str | None]]:
        """The relations of a row that a function surely looks at, and what it calls on them."""
        key = (function, parameter, model)
        if key not in self._inside:
            found = self._inside[key] = []
            parents = {n.value: n for n in function.nodes if isinstance(n, form.Attr)}
            assigned = _assigned(function)
            for node in function.nodes:
                if isinstance(node, form.Attr) and isinstance(node.value, form.Name) and node.value.id == parameter:
                    relation = self._relations.of(model).get(node.attr)
                    if relation is None or node in assigned or not is_sure(function.node.body, node.start):
                        continue
                    if not is_looked_up_first(function.node.body, node.start):
                        following = parents.get(node)
                        found.append((model, relation, node, following.attr if following is not None else None))
        return self._inside[key]


def supply_of(relation: Relation, method: str | None, elements: Elements) -> tuple[Supply, Evidence | None]:
    """Where the related objects come from, and what loads them; `method` is called on the relation."""
    if elements.is_few:
        return Supply.FEW, None
    asks_anew = relation.to_many and elements.is_django and method is not None and method not in _PREFETCHED
    if relation.loading is Loading.QUERY or asks_anew:
        return Supply.ANEW, None
    loader = elements.eager.of(relation.name, is_to_one=not relation.to_many)
    if loader is not None:
        return Supply.LOADED, loader
    if relation.loading is Loading.WITH_ROWS:
        return Supply.LOADED, Evidence(relation.location, "the mapping loads it with the rows")
    is_same = not relation.to_many and not elements.pinned.isdisjoint({relation.name, f"{relation.name}_id"})
    if is_same and not elements.is_django:
        return Supply.LOADED, Evidence(elements.query.location, "all rows have the same one, which is read once")
    if relation.loading is Loading.REFUSED or elements.eager.refused is not None:
        return Supply.REFUSED, elements.eager.refused
    if elements.eager.may_load(relation.name) or relation.loading is Loading.UNKNOWN:
        return Supply.UNKNOWN, None
    return Supply.EACH, None


def _row_name(loop: Loop) -> str | None:
    """The name that the loop gives a row: of `for number, row in enumerate(rows)`, `row`."""
    if isinstance(loop.target, form.Name):
        return loop.target.id
    is_counted = isinstance(loop.iter, form.Call) and last_name(loop.iter.func) == "enumerate"
    if is_counted and isinstance(loop.target, form.Display) and isinstance(loop.target.items[-1], form.Name):
        return loop.target.items[-1].id
    return None


def _speaks_of(node: form.Attr | form.Call, name: str) -> bool:
    if isinstance(node, form.Attr):
        return isinstance(node.value, form.Name) and node.value.id == name
    owner = node.func.value if isinstance(node.func, form.Attr) else None
    if isinstance(owner, form.Name) and owner.id == name:
        return True
    return any(isinstance(a.value, form.Name) and a.value.id == name for a in node.args)


def _assigned(function: FunctionSymbol) -> set[form.Expr]:
    return {t for n in function.nodes if isinstance(n, form.Assign) for t in n.targets}
