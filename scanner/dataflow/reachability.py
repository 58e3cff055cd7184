"""Which functions run when some run: the project's call graph, followed forwards, or backwards from a few.

An edge leads to every project function that a body calls or names: a name handed over (`Depends(f)`, `map(f, rows)`,
`add_task(f)`) is called by whoever gets it. A call of a method leads to its overrides too. Where the receiver is
unknown, a method is still meant if only one class hierarchy of the project has one of that name and several classes of
it do: the interface is what plug-in registries hide.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable, Iterator, Mapping

from assay.scanner.linker.project import Project, last_name
from assay.scanner.linker.scopes import ClassSymbol, FunctionSymbol, How, Scope
from assay.scanner.linker.values import BoundMethod, External, Instance
from assay.scanner.readers.python import form

_NAMING = frozenset({How.FUNCTION, How.CLASS, How.IMPORT_FROM, How.ASSIGN})
_CONSTRUCTORS = ("__init__", "__new__", "__post_init__", "__call__", "__enter__", "__aenter__")


class CallGraph:
    """Edges are worked out when asked for, and remembered."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._edges: dict[FunctionSymbol, tuple[FunctionSymbol, ...]] = {}
        self._interfaces: Mapping[str, tuple[FunctionSymbol, ...]] | None = None
        self._defined = {f.name for f in project.functions} | {c.name for c in project.classes}

    def reachable(self, roots: Iterable[FunctionSymbol]) -> dict[FunctionSymbol, FunctionSymbol]:
        """Every function that runs when one of the roots does, roots included, with the first root that leads there."""
        found: dict[FunctionSymbol, FunctionSymbol] = {root: root for root in roots}
        queue = deque(found)
        while queue:
            function = queue.popleft()
            for callee in self.callees(function):
                if callee not in found:
                    found[callee] = found[function]
                    queue.append(callee)
        return found

    def callees(self, function: FunctionSymbol) -> tuple[FunctionSymbol, ...]:
        """The project functions that the body calls or hands over, each once, in order of first mention."""
        if function not in self._edges:
            self._edges[function] = tuple(dict.fromkeys(self._of_body(function)))
        return self._edges[function]

    def _of_body(self, function: FunctionSymbol) -> Iterator[FunctionSymbol]:
        scope = function.scope
        for decorator in function.decorators:
            yield from self._mentioned(decorator, function.outer)
        for param in function.node.params:
            if param.default is not None:
                yield from self._mentioned(param.default, function.outer)
            if isinstance(param.annotation, form.Subscript):
                yield from self._mentioned(param.annotation, function.outer)
        for statement in function.node.body:
            yield from self._statement(statement, scope)

    def _statement(self, statement: form.Stmt, scope: Scope) -> Iterator[FunctionSymbol]:
        for node in form.walk(statement, into_definitions=False):
            if isinstance(node, form.Lambda):
                yield from self._mentioned(node.body, scope)
            elif isinstance(node, form.Function):
                # A nested function runs when it is called or handed over by name; a decorated one when its decorator
                # says so, which counts as handed over.
                if node.decorators:
                    yield from self._functions(scope.bindings.get(node.name, ()))
            else:
                yield from self._node(node, scope)

    def _functions(self, bindings: Iterable[object]) -> Iterator[FunctionSymbol]:
        for binding in bindings:
            function = getattr(binding, "function", None)
            if isinstance(function, FunctionSymbol):
                yield function

    def _mentioned(self, expression: form.Expr, scope: Scope) -> Iterator[FunctionSymbol]:
        for node in form.walk(expression):
            yield from self._node(node, scope)

    def _node(self, node: form.Expr | form.Stmt, scope: Scope) -> Iterator[FunctionSymbol]:
        if isinstance(node, form.Name):
            # What a parameter can be was handed over by name at the caller's.
            if any(b.how in _NAMING for b in scope.lookup(node.id)):
                yield from self.targets(node, scope)
        elif isinstance(node, form.Attr) and node.attr in self._defined:
            yield from self.targets(node, scope)

    def targets(self, node: form.Name | form.Attr, scope: Scope) -> Iterator[FunctionSymbol]:
        """The functions that may run when what the expression names is called."""
        value = self._project.infer(node, scope)
        match value:
            case FunctionSymbol():
                yield value
            case BoundMethod(function=method, receiver=receiver):
                yield method
                yield from self._overrides(method, receiver)
            case ClassSymbol():
                yield from self._construction(value)
            case None | External() if isinstance(node, form.Attr):
                # A library's name here often stands for a row or proxy that gives a project object: an attribute of it
                # that is the method of one project interface is that.
                yield from self._interface(node.attr)
            case Instance(cls=cls) if cls is not None and isinstance(node, form.Attr):
                yield from self._property(node, scope)

    def _property(self, node: form.Attr, scope: Scope) -> Iterator[FunctionSymbol]:
        owner = self._project.infer(node.value, scope)
        if isinstance(owner, Instance) and owner.cls is not None:
            method = self._project.method(owner.cls, node.attr)
            if method is not None:
                yield method

    def _construction(self, cls: ClassSymbol) -> Iterator[FunctionSymbol]:
        for name in _CONSTRUCTORS:
            method = self._project.method(cls, name)
            if method is not None:
                yield method

    def _overrides(self, method: FunctionSymbol, receiver: Instance) -> Iterator[FunctionSymbol]:
        cls = receiver.cls or method.owner
        if cls is None:
            return
        for subclass in self._project.subclasses(cls):
            override = subclass.methods.get(method.name)
            if override is not None:
                yield override

    def _interface(self, name: str) -> tuple[FunctionSymbol, ...]:
        if self._interfaces is None:
            self._interfaces = self._find_interfaces()
        return self._interfaces.get(name, ())

    def _find_interfaces(self) -> dict[str, tuple[FunctionSymbol, ...]]:
        owners: dict[str, list[FunctionSymbol]] = {}
        for cls in self._project.classes:
            for name, method in cls.methods.items():
                if not name.startswith("__"):
                    owners.setdefault(name, []).append(method)
        return {
            name: tuple(methods)
            for name, methods in owners.items()
            if len(methods) > 1 and self._has_common_root(methods)
        }

    def _has_common_root(self, methods: list[FunctionSymbol]) -> bool:
        classes = [m.owner for m in methods if m.owner is not None]
        shared: set[object] = set(self._project.mro(classes[0]))
        for cls in classes[1:]:
            shared &= set(self._project.mro(cls))
        return any(isinstance(base, ClassSymbol) and base in classes for base in shared)


class Callers:
    """The same graph backwards: cheap for the question whether any of some roots leads to one function."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._graph = CallGraph(project)
        self._mentions: dict[str, list[tuple[form.Expr, Scope]]] | None = None

    def root_of(self, function: FunctionSymbol, roots: Collection[FunctionSymbol]) -> FunctionSymbol | None:
        """A root that leads to the function, the nearest first; None where none does."""
        seen = {function}
        queue = deque([function])
        while queue:
            current = queue.popleft()
            if current in roots:
                return current
            for caller in self._callers(current):
                if caller not in seen:
                    seen.add(caller)
                    queue.append(caller)
        return None

    def _callers(self, function: FunctionSymbol) -> Iterator[FunctionSymbol]:
        outer = function.outer.enclosing_function
        if outer is not None:
            yield outer
        constructed = function.owner if function.name in _CONSTRUCTORS else None
        for node, scope in self._mentions_of(constructed.name if constructed is not None else function.name):
            caller = scope.enclosing_function
            if caller is not None and caller is not function and self._means(node, scope, function):
                yield caller

    def _means(self, node: form.Expr, scope: Scope, function: FunctionSymbol) -> bool:
        return isinstance(node, form.Name | form.Attr) and function in set(self._graph.targets(node, scope))

    def _mentions_of(self, name: str) -> list[tuple[form.Expr, Scope]]:
        if self._mentions is None:
            self._mentions = {}
            for node, scope in self._all_mentions():
                mentioned = last_name(node)
                if mentioned is not None:
                    self._mentions.setdefault(mentioned, []).append((node, scope))
        return self._mentions.get(name, [])

    def _all_mentions(self) -> Iterator[tuple[form.Expr, Scope]]:
        for call, scope in self._project.calls:
            yield call.func, scope
            for arg in call.args:
                if isinstance(arg.value, _HOLDING):
                    for node in _handed(arg.value):
                        yield node, scope
        for function in self._project.functions:
            for decorator in function.decorators:
                yield (decorator.func if isinstance(decorator, form.Call) else decorator), function.scope
            for bindings in function.scope.bindings.values():
                for binding in bindings:
                    if binding.how is How.ASSIGN and isinstance(binding.value, _HOLDING):
                        for node in _handed(binding.value):
                            yield node, function.scope


_HOLDING = (form.Name, form.Attr, form.Display, form.Dict)
"""What may name functions."""


def _handed(node: form.Expr) -> Iterator[form.Expr]:
    """Names that may stand for functions: the expression itself, or what a display or dict of names holds."""
    match node:
        case form.Name() | form.Attr():
            yield node
        case form.Display(items=items) | form.Dict(values=items):
            for item in items:
                yield from _handed(item)


def reachable_from(project: Project, roots: Iterable[FunctionSymbol]) -> dict[FunctionSymbol, FunctionSymbol]:
    """`CallGraph.reachable` for one question."""
    return CallGraph(project).reachable(roots)
