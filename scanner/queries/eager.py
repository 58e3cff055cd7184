"""What a query loads with its rows: `select_related`, `prefetch_related`, `options(joinedload(...))`.

https://docs.djangoproject.com/en/stable/ref/models/querysets/#select-related
https://docs.sqlalchemy.org/en/20/orm/queryguide/relationships.html
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from assay.scanner.dataflow.constants import definitions, list_items, string_value
from assay.scanner.linker.project import Project, last_name
from assay.scanner.linker.scopes import ClassSymbol, FunctionSymbol, Scope
from assay.scanner.model.place import Evidence
from assay.scanner.queries.chains import Query
from assay.scanner.readers.python import form

_DJANGO = frozenset({"select_related", "prefetch_related", "prefetch_related_objects"})
_NAMING = frozenset({"annotate", "alias"})
_LOADERS = frozenset({"joinedload", "selectinload", "subqueryload", "contains_eager", "immediateload", "joinedload_all",
                      "subqueryload_all", "selectin_polymorphic", "with_parent"})  # fmt: skip
_REFUSING = frozenset({"raiseload", "noload"})
_PREFETCHING = ("Prefetch", "GenericPrefetch")
_ALL_FOREIGN_KEYS = "*"


@dataclass(slots=True)
class Eager:
    """Names of relations that are loaded, each with where it is said. `is_open` says that there may be others, and
    `may_be` what others there may be, by what is loaded elsewhere.
    """

    names: dict[str, Evidence] = field(default_factory=dict)
    refused: Evidence | None = None
    is_open: bool = False
    may_be: Eager | None = None
    computed: Evidence | None = None
    """Where code works out which relations to load."""

    def add(self, other: Eager) -> None:
        """Take over what is loaded elsewhere too."""
        for name, evidence in other.names.items():
            self.names.setdefault(name, evidence)
        self.refused = self.refused or other.refused
        self.is_open = self.is_open or other.is_open
        self.may_be = self.may_be or other.may_be
        self.computed = self.computed or other.computed

    def may_load(self, name: str) -> bool:
        """Whether it can't be told that the relation isn't loaded."""
        others = self.may_be
        return self.is_open or (others is not None and (others.is_open or name in others.names))

    def of(self, name: str, *, is_to_one: bool) -> Evidence | None:
        """What loads the relation."""
        everything = self.names.get(_ALL_FOREIGN_KEYS) if is_to_one else None
        return self.names.get(name) or everything


class EagerLoads:
    """Reads it off queries; what a function says is remembered."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._functions: dict[FunctionSymbol, Eager] = {}
        self._classes: dict[ClassSymbol, Eager] = {}
        self._anywhere: Eager | None = None

    def of(self, query: Query) -> Eager:
        """By the methods called on the query, by the manager that it begins at and the helpers that it comes from."""
        found = Eager()
        for step in query.steps:
            found.add(self._of_call(step, query.scope))
        for node in form.walk(query.root):
            if isinstance(node, form.Call):
                found.add(self._of_call(node, query.scope))
                found.add(self._of_helper(node, query))
        if isinstance(query.root, form.Attr):
            found.add(self._of_manager(query))
        function = query.scope.function
        if function is not None:  # an option kept in a variable, a query that is refined later
            found.add(self.in_function(function))
        return found

    def in_function(self, function: FunctionSymbol) -> Eager:
        """Everything that some query in the function loads."""
        if function not in self._functions:
            found = self._functions[function] = Eager()
            for node in function.nodes:
                if isinstance(node, form.Call):
                    found.add(self._of_call(node, function.scope))
        return self._functions[function]

    def in_class(self, cls: ClassSymbol) -> Eager:
        """Everything that some query in the methods of a class or its bases loads."""
        if cls not in self._classes:
            found = self._classes[cls] = Eager()
            for base in self._project.mro(cls):
                for method in base.methods.values() if isinstance(base, ClassSymbol) else ():
                    found.add(self.in_function(method))
                    found.add(self._in_callees(method))
        return self._classes[cls]

    def in_serializer(self, cls: ClassSymbol) -> Eager:
        """What methods of a serializer load that views call: `Serializer.setup_eager_loading(queryset)`."""
        found = Eager()
        for base in self._project.mro(cls):
            for method in base.methods.values() if isinstance(base, ClassSymbol) else ():
                eager = self.in_function(method)
                if (eager.names or eager.is_open) and self._project.calls_named(method.name):
                    found.add(eager)
        return found

    def _in_callees(self, function: FunctionSymbol) -> Eager:
        """What functions load that the function gives its query to."""
        found = Eager()
        for node in function.nodes:
            callee = self._project.callee_function(node, function.scope) if isinstance(node, form.Call) else None
            if callee is not None:
                found.add(self.in_function(callee))
        return found

    @property
    def anywhere(self) -> Eager:
        """Everything that some query of the project loads."""
        if self._anywhere is None:
            self._anywhere = Eager()
            for call, scope in self._project.calls_named(*_DJANGO, *_LOADERS, *_PREFETCHING):
                self._anywhere.add(self._of_call(call, scope))
        return self._anywhere

    def _of_call(self, call: form.Call, scope: Scope) -> Eager:
        name = last_name(call.func) or ""
        found = Eager()
        if name in _DJANGO or name in _PREFETCHING:
            evidence = scope.module.evidence(call, f"{name}() loads it")
            if name == "select_related" and not call.args:
                found.names[_ALL_FOREIGN_KEYS] = evidence
            for text in self._texts(call, scope):
                if text is None:
                    found.is_open = True
                    found.computed = scope.module.evidence(call, f"what {name}() loads is worked out")
                else:
                    found.names.update(dict.fromkeys(text.split("__"), evidence))
        elif name in _NAMING:
            evidence = scope.module.evidence(call, f"{name}() computes it")
            found.names.update((a.name, evidence) for a in call.args if a.name is not None)
        elif name in _LOADERS:
            evidence = scope.module.evidence(call, f"{name}() loads it")
            found.names.update(dict.fromkeys(_relations_in(call), evidence))
        elif name in _REFUSING:
            found.refused = scope.module.evidence(call, f"{name}() refuses what isn't loaded")
        elif name == "options" and any(a.star or isinstance(a.value, form.Name) for a in call.args):
            found.is_open = not self._is_named_here(call, scope) and not self._add_listed(found, call, scope)
        return found

    def _is_named_here(self, call: form.Call, scope: Scope) -> bool:
        """Whether what `options(...)` is given is written in the same function, where it is seen anyway."""
        names = [a.value for a in call.args if isinstance(a.value, form.Name)]
        return bool(names) and all(
            any(b.scope is scope and b.value is not None for b in scope.lookup(n.id)) for n in names
        )

    def _add_listed(self, found: Eager, call: form.Call, scope: Scope) -> bool:
        """Add what `options(*WITH_CUSTOMER)` and `options(*self.loads())` give; whether all of it could be told."""
        for argument in call.args:
            if not argument.star and not isinstance(argument.value, form.Name):
                continue
            given = argument.value
            function = self._project.callee_function(given, scope) if isinstance(given, form.Call) else None
            items = list_items(given, scope, self._project) or definitions(given, scope, self._project)
            if function is None and not items:
                return False
            if function is not None:
                found.add(self.in_function(function))
            for item, at in items:
                for node in form.walk(item):
                    if isinstance(node, form.Call):
                        found.add(self._of_call(node, at))
        return True

    def _texts(self, call: form.Call, scope: Scope) -> Iterator[str | None]:
        """The names that are given to `select_related` and `prefetch_related`, None for one that can't be told."""
        for argument in call.args:
            if argument.name is not None or (isinstance(argument.value, form.Const) and argument.value.value is None):
                continue
            nodes = [(argument.value, scope)]
            if argument.star or isinstance(argument.value, form.Display):
                nodes = list_items(argument.value, scope, self._project)
                if not nodes:
                    yield None
            for node, at in nodes:
                if isinstance(node, form.Call) and last_name(node.func) in _PREFETCHING:
                    first = node.argument(0, "lookup")
                    yield string_value(first, at, self._project) if first is not None else None
                else:
                    yield string_value(node, at, self._project)

    def _of_helper(self, call: form.Call, query: Query) -> Eager:
        """A method of a manager or queryset of the project, a function that gives the query."""
        function = self._project.callee_function(call, query.scope)
        if function is not None:
            return self.in_function(function)
        name = last_name(call.func)
        found = Eager()
        if name is not None and isinstance(call.func, form.Attr) and query.is_django and name not in _DJANGO:
            for cls in self._managers():
                if name in cls.methods:
                    found.add(self.in_function(cls.methods[name]))
        return found

    def _managers(self) -> Iterable[ClassSymbol]:
        return (c for c in self._project.classes if c.name.endswith(("Manager", "QuerySet", "Queryset")))

    def _of_manager(self, query: Query) -> Eager:
        """What the manager's own `get_queryset` loads."""
        assert isinstance(query.root, form.Attr)
        owner = self._project.infer(query.root.value, query.scope)
        found = Eager()
        if not query.is_django or not isinstance(owner, ClassSymbol):
            return found
        attribute = self._project.class_attribute(owner, query.root.attr)
        for node in form.walk(attribute[0]) if attribute is not None else ():
            cls = self._project.infer(node, attribute[1]) if attribute and isinstance(node, form.Name) else None
            initial = self._project.method(cls, "get_queryset") if isinstance(cls, ClassSymbol) else None
            if initial is not None:
                found.add(self.in_function(initial))
        return found


def _relations_in(call: form.Call) -> Iterator[str]:
    """`customer` of `joinedload(Order.customer)`, `joinedload("customer.address")`, `selectinload(A.b.and_())`."""
    for argument in call.args:
        for node in form.walk(argument.value):
            if isinstance(node, form.Attr):
                yield node.attr
            elif isinstance(node, form.Const) and isinstance(node.value, str):
                yield from node.value.split(".")
