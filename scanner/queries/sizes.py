"""How many elements a loop goes through: a few that are written down, as many as rows are, or as a client sends."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from assay.scanner.dataflow.constants import definitions, int_value
from assay.scanner.linker.project import Project, last_name
from assay.scanner.linker.scopes import Binding, ClassSymbol, FunctionSymbol, How, Module, Scope
from assay.scanner.linker.values import External, Instance, Literal
from assay.scanner.model.place import Evidence
from assay.scanner.model.query import Bound
from assay.scanner.model.query_call import Repetition
from assay.scanner.queries.chains import Chains, Query
from assay.scanner.queries.relations import Relations
from assay.scanner.readers.python import form

FEW = 10
"""Elements that are few however long the list of rows gets."""
_DEEPEST = 9
_MOST_CALLERS = 8
_PASSING = frozenset({"list", "tuple", "set", "frozenset", "sorted", "reversed", "iter", "enumerate", "dict", "zip",
                      "chain", "from_iterable", "unique", "OrderedDict", "tqdm", "deepcopy", "copy"})  # fmt: skip
_SELECTING = frozenset({"filter", "map", "starmap", "filterfalse"})
_VIEWS = frozenset({"items", "values", "keys", "copy", "union", "difference", "intersection", "difference_update",
                    "split", "splitlines", "strip", "dict", "model_dump", "lower", "decode"})  # fmt: skip
"""Methods whose result has as many elements as what they are called on."""
_CHUNK_WORDS = ("chunk", "batch", "partition", "paginat", "pages", "grouper", "page_range", "slices")
_READS = frozenset({"hkeys", "hgetall", "hvals", "smembers", "lrange", "zrange", "scan_iter", "zrangebyscore",
                    "fetchall", "fetch_all", "DictReader", "list_objects_v2", "get_paginator"})  # fmt: skip
"""Functions of stores and files that give as many elements as there are."""
_REQUEST_PARTS = frozenset({"data", "POST", "GET", "json", "args", "form", "values", "query_params", "body", "FILES",
                            "files", "validated_data", "cleaned_data", "initial_data"})  # fmt: skip
_REQUEST_CALLS = frozenset({"get_json", "getlist", "json", "get_arguments", "parse_args"})
_REQUESTS = frozenset({"request", "req", "self.request", "serializer", "form"})
_OF_ENUMERATIONS = frozenset({"values", "choices", "names", "labels", "__members__", "_member_map_"})
_RANK = {
    Repetition.EACH_ROW: 5, Repetition.EACH_INPUT: 4, Repetition.UNKNOWN: 3, Repetition.CHUNKS: 2, Repetition.FEW: 1,
    Repetition.ONCE: 0,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Size:
    """How many, and what shows it."""

    repetition: Repetition
    evidence: tuple[Evidence, ...] = ()


_UNKNOWN = Size(Repetition.UNKNOWN)
_FEW = Size(Repetition.FEW)


def worst(sizes: Iterable[Size]) -> Size:
    """The one of most elements."""
    return max(sizes, key=lambda s: _RANK.get(s.repetition, 0), default=_UNKNOWN)


class Sizes:
    """Answers are remembered by expression. `handlers` are the functions whose parameters come from clients."""

    def __init__(
        self, project: Project, chains: Chains, relations: Relations, handlers: frozenset[FunctionSymbol]
    ) -> None:
        self._project = project
        self._relations = relations
        self._chains = chains
        self._handlers = handlers
        self._known: dict[form.Expr, Size] = {}

    def of(self, node: form.Expr, scope: Scope, depth: int = 0) -> Size:
        if node not in self._known:
            self._known[node] = _UNKNOWN  # for a name that is defined in terms of itself
            if depth < _DEEPEST:
                self._known[node] = self._of(node, scope, depth + 1)
        return self._known[node]

    def _of(self, node: form.Expr, scope: Scope, depth: int) -> Size:  # noqa: C901 - one case for each kind of node
        query = self._chains.query(node, scope)
        if query is not None:
            return self._of_query(query, node, scope)
        match node:
            case form.Display(items=items):
                inner = [self.of(i.value, scope, depth) for i in items if isinstance(i, form.Starred)]
                return worst([_FEW, *inner]) if len(items) <= FEW else _FEW
            case form.Dict(keys=keys, values=values):
                return worst([_FEW, *(self.of(v, scope, depth) for k, v in zip(keys, values, strict=True) if not k)])
            case form.Const():
                return _FEW
            case form.Await(value=value) | form.Starred(value=value) | form.Walrus(value=value):
                return self.of(value, scope, depth)
            case form.Comprehension(generators=generators):
                return worst(self.of(g.iter, scope, depth) for g in generators)
            case form.Conditional(body=first, orelse=second):
                return worst((self.of(first, scope, depth), self.of(second, scope, depth)))
            case form.Boolean(values=values):
                return worst(self.of(v, scope, depth) for v in values)
            case form.Binary(left=left, right=right):
                return worst((self.of(left, scope, depth), self.of(right, scope, depth)))
            case form.Subscript(value=value, index=index):
                return self._subscript(value, index, scope, depth)
            case form.Name():
                return self._name(node, scope, depth)
            case form.Attr():
                return self._attribute(node, scope, depth)
            case form.Call():
                return self._call(node, scope, depth)
        return _UNKNOWN

    def _of_query(self, query: Query, node: form.Expr, scope: Scope) -> Size:
        if query.rows.bound is Bound.LIMITED:
            sizes = [int_value(s.node, s.scope, self._project) for s in query.rows.page_input]
            if isinstance(node, form.Subscript) and isinstance(node.index, form.Slice) and node.index.upper is not None:
                sizes = [int_value(node.index.upper, scope, self._project)]
            if sizes and all(size is not None and size <= FEW for size in sizes):
                return Size(Repetition.FEW, (scope.module.evidence(node, f"at most {sizes[0]} rows"),))
        return Size(Repetition.EACH_ROW, (query.rows.place,))

    def _subscript(self, value: form.Expr, index: form.Expr, scope: Scope, depth: int) -> Size:
        if isinstance(index, form.Slice):
            upper = int_value(index.upper, scope, self._project) if index.upper is not None else None
            return _FEW if upper is not None and 0 <= upper <= FEW else self.of(value, scope, depth)
        base = self.of(value, scope, depth)
        return base if base.repetition is Repetition.EACH_INPUT else _UNKNOWN

    def _name(self, node: form.Name, scope: Scope, depth: int) -> Size:
        value = self._project.infer(node, scope)
        if isinstance(value, ClassSymbol):
            return _FEW  # an enumeration, or what a metaclass makes one
        bindings = [b for b in scope.lookup(node.id, node.start) if b.scope is scope or b.scope.function is None]
        if bindings and bindings[0].scope.function is None and isinstance(value, Literal):
            return self.of(value.node, value.scope, depth)  # a constant of a module
        return worst([s for b in bindings for s in self._binding(b, node, depth)])

    def _binding(self, binding: Binding, node: form.Name, depth: int) -> Iterator[Size]:
        function = binding.scope.function
        if binding.how is How.PARAMETER and binding.function is not None and binding.param is not None:
            yield self._parameter(binding.function, binding.param, depth)
        elif binding.how is How.ASSIGN and binding.value is not None:
            is_empty = _is_empty(binding.value)
            filled = list(self._filled(node.id, function, depth)) if is_empty and function is not None else []
            yield from filled or [self.of(binding.value, binding.scope, depth)]
        elif binding.how is How.IMPORT_FROM:
            yield worst(self.of(n, s, depth) for n, s in definitions(node, binding.scope, self._project))
        else:
            yield _UNKNOWN

    def _filled(self, name: str, function: FunctionSymbol, depth: int) -> Iterator[Size]:
        """By the loops that add to the list, set or dict of that name."""
        for loop in function.loops:
            if any(_adds(n, name) for statement in loop.body for n in form.walk(statement, into_definitions=False)):
                yield self.of(loop.iter, function.scope, depth)

    def _parameter(self, function: FunctionSymbol, param: form.Param, depth: int) -> Size:
        if function in self._handlers:
            shown = function.module.evidence(_at(param), f"`{param.name}` comes from the client")
            return Size(Repetition.EACH_INPUT, (shown,))
        if function.owner is not None and function.node.params and function.node.params[0] is param:
            return _UNKNOWN
        sizes = []
        for call, scope in self._project.callers(function)[:_MOST_CALLERS]:
            argument = self._project.bound_argument(call, function, param)
            if argument is not None and scope.module is not None:
                found = self.of(argument, scope, depth)
                sizes.append(
                    Size(
                        found.repetition, (*found.evidence, scope.module.evidence(call, f"given to {function.name}()"))
                    )
                )
        return worst(sizes)

    def _attribute(self, node: form.Attr, scope: Scope, depth: int) -> Size:
        if node.attr in _REQUEST_PARTS and (form.dotted(node.value) or "") in _REQUESTS:
            return Size(Repetition.EACH_INPUT, (scope.module.evidence(node, "it comes from the client"),))
        if any(word in node.attr for word in _CHUNK_WORDS):
            return Size(Repetition.CHUNKS, (scope.module.evidence(node, f"{node.attr} are parts of many"),))
        owner = self._project.infer(node.value, scope)
        if isinstance(owner, ClassSymbol) and node.attr in _OF_ENUMERATIONS:
            return Size(Repetition.FEW, (scope.module.evidence(node, f"the members of {owner.name}"),))
        if isinstance(owner, Module):
            return worst(self.of(n, s, depth) for n, s in definitions(node, scope, self._project))
        if isinstance(owner, External) and owner.name == "django.conf.settings":
            return Size(Repetition.FEW, (scope.module.evidence(node, "a setting"),))
        if last_name(node.value) == "_meta":
            return Size(Repetition.FEW, (scope.module.evidence(node, "the parts of a model"),))
        cls = owner.cls if isinstance(owner, Instance) else owner if isinstance(owner, ClassSymbol) else None
        if cls is None:
            return _UNKNOWN
        if self._project.is_subclass(cls, "pydantic.BaseModel") and not self._is_settings(cls):
            shown = scope.module.evidence(node, f"`{node.attr}` of a body that clients send")
            return Size(Repetition.EACH_INPUT, (shown,)) if self._is_body(node.value, scope) else _UNKNOWN
        related = self._relations.of_class(cls).get(node.attr)
        if related is not None and related.to_many:
            return Size(Repetition.EACH_ROW, (scope.module.evidence(node, f"the rows of {cls.name}.{node.attr}"),))
        found = [self.of(n, s, depth) for n, s in definitions(node, scope, self._project)]
        return worst(found) if found and all(s.repetition is Repetition.FEW for s in found) else _UNKNOWN

    def _is_body(self, node: form.Expr, scope: Scope) -> bool:
        """A handler's parameter, or one that is handed on from there."""
        return isinstance(node, form.Name) and any(b.how is How.PARAMETER for b in scope.lookup(node.id))

    def _is_settings(self, cls: ClassSymbol) -> bool:
        return any("BaseSettings" in name for name in self._project.base_names(cls))

    def _call(self, call: form.Call, scope: Scope, depth: int) -> Size:
        name = last_name(call.func) or ""
        if any(word in name.lower() for word in _CHUNK_WORDS):
            return Size(Repetition.CHUNKS, (scope.module.evidence(call, f"{name}() gives parts of many"),))
        if name == "range":
            return self._range(call, scope)
        if name == "iter" and len(call.args) == 2:
            return Size(Repetition.CHUNKS, (scope.module.evidence(call, "until the sentinel comes"),))
        if name in _READS:
            return Size(Repetition.EACH_ROW, (scope.module.evidence(call, f"{name}() gives all there are"),))
        if name in _PASSING and call.positional:
            return worst(self.of(a, scope, depth) for a in call.positional)
        if name in _SELECTING and len(call.positional) > 1:
            return self.of(call.positional[1], scope, depth)
        if not isinstance(call.func, form.Attr):
            return self._result(call, scope, depth)
        if name in _REQUEST_CALLS and "request" in (form.dotted(call.func.value) or ""):
            return Size(Repetition.EACH_INPUT, (scope.module.evidence(call, "it comes from the client"),))
        if name in ("get", "pop") and call.positional:
            base = self.of(call.func.value, scope, depth)
            return base if base.repetition is Repetition.EACH_INPUT else _UNKNOWN
        if name in _VIEWS:
            return self.of(call.func.value, scope, depth)
        return self._result(call, scope, depth)

    def _range(self, call: form.Call, scope: Scope) -> Size:
        bounds = [int_value(a, scope, self._project) for a in call.positional]
        if len(bounds) == 3:
            return Size(Repetition.CHUNKS, (scope.module.evidence(call, "in steps of many"),))
        return _FEW if bounds and bounds[-1] is not None else _UNKNOWN

    def _result(self, call: form.Call, scope: Scope, depth: int) -> Size:
        """By what a function of the project returns."""
        function = self._project.callee_function(call, scope)
        if function is None or function.name == "__init__":
            return _UNKNOWN
        found = [self.of(r.value, function.scope, depth) for r in function.returns if r.value is not None]
        return worst(found)


def _is_empty(node: form.Expr) -> bool:
    if isinstance(node, form.Call):
        return not node.args and last_name(node.func) in ("list", "set", "dict", "defaultdict", "deque")
    return (isinstance(node, form.Display) and not node.items) or (isinstance(node, form.Dict) and not node.keys)


def _adds(node: form.Expr | form.Stmt, name: str) -> bool:
    match node:
        case form.Call(func=form.Attr(value=owner, attr="append" | "add" | "extend" | "update")):
            return _holder(owner) == name
        case form.Assign(targets=[form.Subscript(value=owner)]):
            return _holder(owner) == name
    return False


def _holder(node: form.Expr) -> str | None:
    """`groups` of `groups`, `groups[key]` and `groups.setdefault(key, [])`."""
    while isinstance(node, form.Subscript) or (isinstance(node, form.Call) and isinstance(node.func, form.Attr)):
        node = node.value if isinstance(node, form.Subscript) else _owner(node)
    return node.id if isinstance(node, form.Name) else None


def _owner(call: form.Call) -> form.Expr:
    return call.func.value if isinstance(call.func, form.Attr) else call.func


def _at(param: form.Param) -> form.Name:
    return form.Name(start=param.start, end=param.end, id=param.name)
