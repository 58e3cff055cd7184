"""State in the memory of a process: variables of modules and classes that functions change.

https://12factor.net/processes
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from assay.scanner.dataflow.entry_points import serving_functions
from assay.scanner.dataflow.lexicon import words
from assay.scanner.dataflow.offline import offline_reason
from assay.scanner.dataflow.reachability import Callers
from assay.scanner.gathered import Gathered
from assay.scanner.instances.object_state import CONNECTED, lasting_classes, object_states
from assay.scanner.instances.shapes import CHANGING, is_lazy, is_memo, is_new_container, owners_of_writes
from assay.scanner.linker.project import Project, last_name
from assay.scanner.linker.scopes import Binding, FunctionSymbol, How, Module, Scope
from assay.scanner.model.instance import ProcessState, Use
from assay.scanner.model.place import Evidence
from assay.scanner.model.role import Role
from assay.scanner.readers.python import form

_AT_START = frozenset({"on_event", "before_serving", "on_startup", "listener", "before_first_request", "lifespan"})
_IMPORTED = (How.IMPORT, How.IMPORT_FROM)
_HELD = frozenset({"task", "tasks", "thread", "threads", "future", "futures"})
"""Words of what is kept to look after work that runs beside requests."""
_SETTING_UP = frozenset(
    """setup init initialize initialise configure configured load reload connect disconnect bootstrap install
    startup shutdown""".split()
)
_MOST_SHOWN = 2
Key = tuple[Module, str]


@dataclass(slots=True, eq=False)
class _Variable:
    """A variable of a module, and where functions change it."""

    binding: Binding
    writes: list[tuple[form.Node, FunctionSymbol]] = field(default_factory=list)


def process_states(gathered: Gathered) -> Iterator[ProcessState]:
    """Variables that functions change, in order of path and position."""
    project = gathered.project
    found = _Found(project).all()
    classes = lasting_classes(project)
    if not found and not classes:
        return
    served = [r.handler for r, _ in gathered.endpoints if r.handler is not None]
    served += [f for r, _ in gathered.endpoints for f in r.runs_before]
    served += [f for f in serving_functions(project) if not _is_at_start(f)]
    judge = _Judge(project, Callers(project), frozenset(served))
    for (module, name), variable in sorted(found.items(), key=lambda item: (item[0][0].path, item[1].binding.offset)):
        use, evidence = judge.use(variable, module, name)
        start = variable.binding.offset
        yield ProcessState(
            f"{module.name}:{name}", name, module.span(start, start + len(name)), module.role, use, evidence
        )
    yield from object_states(classes, project, judge.serves)


class _Found:
    """Collects the variables of production modules that functions change."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._variables: dict[Key, _Variable] = {}

    def all(self) -> dict[Key, _Variable]:
        """By module and name."""
        for module in self._project.modules.values():
            if module.role is Role.PROD:
                self._rebound(module)
                self._changed(module)
        return self._variables

    def _rebound(self, module: Module) -> None:
        """`global last_run` and an assignment to it."""
        for name, bindings in module.scope.bindings.items():
            for binding in bindings:
                function = binding.scope.function
                if function is not None and binding.how in (How.ASSIGN, How.AUGMENT, How.UNPACK):
                    node = binding.value if binding.value is not None else None
                    if node is not None:
                        self._note(module, name, node, function)

    def _changed(self, module: Module) -> None:
        for name in CHANGING:
            for call, scope in module.calls_by_name.get(name, ()):
                if isinstance(call.func, form.Attr):
                    self._write(call.func.value, call, scope)
        for assign, scope in module.assignments:
            for target in assign.targets:
                if isinstance(target, form.Subscript):
                    self._write(target.value, assign, scope)
        if any(_is_container(b, self._project) for bs in module.scope.bindings.values() for b in bs[:1]):
            for function in module.functions:
                for node in function.nodes:
                    changed = node.target if isinstance(node, form.AugAssign | form.Delete) else None
                    if isinstance(changed, form.Subscript):
                        self._write(changed.value, node, function.scope)

    def _write(self, owner: form.Expr, node: form.Node, scope: Scope) -> None:
        while isinstance(owner, form.Subscript):
            owner = owner.value
        function = scope.enclosing_function
        if function is None:
            return
        if isinstance(owner, form.Attr) and isinstance(owner.value, form.Name):
            bound = scope.lookup(owner.value.id)
            source = self._project.infer(owner.value, scope) if bound and bound[0].how in _IMPORTED else None
            if isinstance(source, Module) and source.role is Role.PROD:
                self._note(source, owner.attr, node, function, is_inside=True)
        if not isinstance(owner, form.Name):
            return
        bindings = scope.lookup(owner.id)
        if not bindings or bindings[0].scope.function is not None:
            return
        if bindings[0].how is How.IMPORT_FROM:
            source = self._project.import_module(bindings[0].module, bindings[0].level, scope.module)
            if isinstance(source, Module) and source.role is Role.PROD:
                self._note(source, bindings[0].name, node, function, is_inside=True)
        elif bindings[0].scope is scope.module.scope:
            self._note(scope.module, owner.id, node, function, is_inside=True)

    def _note(
        self, module: Module, name: str, node: form.Node, function: FunctionSymbol, *, is_inside: bool = False
    ) -> None:
        """`is_inside` says that the container is changed, and none put in its place."""
        if function.module.role is not Role.PROD or offline_reason(function.scope) is not None:
            return
        first = next((b for b in module.scope.bindings.get(name, ()) if b.scope is module.scope), None)
        if first is None or first.how is not How.ASSIGN or not _is_state(first, self._project):
            return
        if is_inside and not _is_container(first, self._project):
            return
        about = words(name) + (words(_text(first.annotation)) if first.annotation is not None else ())
        if not _HELD.isdisjoint(about):
            return
        self._variables.setdefault((module, name), _Variable(first)).writes.append((node, function))


class _Judge:
    """Tells what a variable is for, by who changes it and who looks at it."""

    def __init__(self, project: Project, callers: Callers, served: frozenset[FunctionSymbol]) -> None:
        self._project = project
        self._callers = callers
        self._served = served
        self._is_served: dict[FunctionSymbol, bool] = {}

    def use(self, variable: _Variable, module: Module, name: str) -> tuple[Use, tuple[Evidence, ...]]:
        """What it is used for, and what shows that."""
        writes = [(n, f) for n, f in variable.writes if self.serves(f)]
        if not writes:
            node, function = variable.writes[0]
            return Use.AT_START, (function.module.evidence(node, "no request leads here, as far as can be told"),)
        shown = tuple(f.module.evidence(n, f"requests change `{name}`") for n, f in writes[:_MOST_SHOWN])
        if all(is_lazy(f, name) or self._sets_up(n, f, variable.binding) for n, f in writes):
            return Use.LAZY, shown[:1]
        if all(is_memo(f, name) for _, f in writes):
            return Use.CACHE, shown[:1]
        read = self._read(name, module, [f for _, f in writes])
        if read is None:
            return Use.WRITTEN_ONLY, shown
        if not CONNECTED.isdisjoint(words(name)):
            return Use.CONNECTIONS, tuple(dict.fromkeys((*shown, read)))
        return Use.STATE, tuple(dict.fromkeys((*shown, read)))

    def serves(self, function: FunctionSymbol) -> bool:
        """Whether a request leads to it."""
        known = self._is_served.get(function)
        if known is None:
            known = self._is_served[function] = self._callers.root_of(function, self._served) is not None
        return known

    def _sets_up(self, node: form.Node, function: FunctionSymbol, binding: Binding) -> bool:
        """Whether a function that sets something up puts it in place, or back as it was: `setup_classes`, `init_db`."""
        is_named = function not in self._served and not _SETTING_UP.isdisjoint(words(function.name)[:2])
        is_unset = isinstance(binding.value, form.Const) and binding.value.value is None
        if isinstance(node, form.Const) and isinstance(binding.value, form.Const) and node.value == binding.value.value:
            return True
        is_made = isinstance(node, form.Call) and (last_name(node.func) or "")[:1].isupper()
        return is_named or (is_unset and is_made)

    def _read(self, name: str, module: Module, writers: list[FunctionSymbol]) -> Evidence | None:
        """Where code that answers requests looks at it."""
        others = [f for m in self._importing(name, module) for f in m.functions]
        for function in dict.fromkeys((*writers, *module.functions, *others)):
            owners = {id(o) for n in function.nodes for o in owners_of_writes(n)}
            for node in function.nodes:
                is_named = (
                    isinstance(node, form.Name | form.Attr) and last_name(node) == name and id(node) not in owners
                )
                if is_named and self._means(node, function, name, module) and self.serves(function):
                    return function.module.evidence(node, f"what a request gets hangs on `{name}`")
        return None

    def _importing(self, name: str, module: Module) -> list[Module]:
        """The modules that import the variable, or the module itself."""
        return [
            m
            for m in self._project.modules.values()
            if any(b.name == name or self._project.binding_value(b) is module for b in m.imports)
        ]

    def _means(self, node: form.Expr | form.Stmt, function: FunctionSymbol, name: str, module: Module) -> bool:
        if isinstance(node, form.Attr):
            return isinstance(node.value, form.Name) and self._project.infer(node.value, function.scope) is module
        return _means_variable(function, name, module)


def _means_variable(function: FunctionSymbol, name: str, module: Module) -> bool:
    bindings = function.scope.lookup(name)
    if not bindings:
        return False
    return bindings[0].how is How.IMPORT_FROM or (function.module is module and name in module.scope.bindings)


def _is_state(binding: Binding, project: Project) -> bool:
    """Whether it is a container, or a plain value that may be put in place of another."""
    value = binding.value
    return isinstance(value, form.Const | form.Unary) or _is_container(binding, project)


def _is_container(binding: Binding, project: Project) -> bool:
    return binding.value is not None and is_new_container(binding.value, binding.scope, project)


def _text(annotation: form.Expr) -> str:
    """The names in an annotation."""
    return " ".join(last_name(n) or "" for n in form.walk(annotation) if isinstance(n, form.Name | form.Attr))


def _is_at_start(function: FunctionSymbol) -> bool:
    names = (last_name(d.func if isinstance(d, form.Call) else d) for d in function.decorators)
    return any(name in _AT_START for name in names)
