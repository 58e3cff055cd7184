"""Dictionaries that last as long as the process and keep what functions fetched: memos without a time.

What is worked out from arguments alone stays right; what comes from a database or another service doesn't.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from assay.scanner.caching.fetches import Fetches
from assay.scanner.dataflow.numbering import Ordinals
from assay.scanner.dataflow.offline import offline_reason
from assay.scanner.gathered import Gathered
from assay.scanner.instances.shapes import is_memo
from assay.scanner.linker.project import Project, last_name
from assay.scanner.linker.scopes import Binding, ClassSymbol, FunctionSymbol, How, Scope
from assay.scanner.linker.values import Instance
from assay.scanner.model.caching import CacheEntry, Lifetime
from assay.scanner.model.place import Evidence
from assay.scanner.model.role import Role
from assay.scanner.readers.python import form

_MAPPINGS = frozenset({"dict", "defaultdict", "OrderedDict"})
_EVICTING = ("pop", "popitem", "clear")
_CLOCKS = frozenset({"time", "time_ns", "monotonic", "monotonic_ns", "perf_counter", "now", "utcnow", "today"})
_KEYS = frozenset({"id", "pk", "uuid"})


class _Memo(NamedTuple):
    """`NAME[key] = value` in a function that gives back what it keeps there."""

    assign: form.Assign
    function: FunctionSymbol
    name: str


def memo_entries(fetches: Fetches, gathered: Gathered) -> Iterator[CacheEntry]:
    """In order of path and position."""
    ordinals = Ordinals()
    for memo in _memos(gathered.project):
        fetched = fetches.by(memo.function)
        if fetched is None or is_row_key(memo.assign.value):
            continue
        function, module = memo.function, memo.function.module
        dropped = _evicted(memo) or _asks_clock(function, gathered.project)
        kept = module.evidence(memo.assign, f"`{memo.name}` keeps it as long as the process runs")
        yield CacheEntry(
            function.id,
            f"memory {memo.name}",
            ordinals.next(function.id, memo.name),
            module.location(memo.assign),
            module.role,
            Lifetime.LIMITED if dropped is not None else Lifetime.FOREVER,
            True,
            (dropped,) if dropped is not None else (kept, fetched),
        )


def _memos(project: Project) -> Iterator[_Memo]:
    for module in project.modules.values():
        for assign, scope in module.assignments if module.role is Role.PROD else ():
            function = scope.function
            for target in assign.targets if function is not None else ():
                owner = target.value if isinstance(target, form.Subscript) else None
                if owner is None or function is None or not _lasts(owner, scope, project):
                    continue
                name = form.dotted(owner) or ""
                if is_memo(function, name) and offline_reason(scope) is None:
                    yield _Memo(assign, function, name)


def _lasts(owner: form.Expr, scope: Scope, project: Project) -> bool:
    """Whether it is a dictionary of a module, a class, a function, or of an object that a module makes."""
    if isinstance(owner, form.Name):
        bindings = scope.lookup(owner.id)
        return bool(bindings) and bindings[0].scope is scope.module.scope and _is_bound_mapping(bindings[0])
    if not isinstance(owner, form.Attr) or not isinstance(owner.value, form.Name):
        return False
    value = project.infer(owner.value, scope)
    if isinstance(value, FunctionSymbol):
        return _is_attribute(owner, value)
    cls = value.cls if isinstance(value, Instance) else value
    if not isinstance(cls, ClassSymbol):
        return False
    of_each = project.instance_attributes(cls, owner.attr)
    if of_each:
        return all(_is_mapping(node) for node, _ in of_each) and _is_made_by_module(cls, project)
    return any(_is_bound_mapping(b) for b in project.class_member(cls, owner.attr))


def _is_made_by_module(cls: ClassSymbol, project: Project) -> bool:
    """`directory = Directory()` in a module, and nowhere in a function."""
    made = [scope for call, scope in project.calls_named(cls.name) if project.infer(call.func, scope) is cls]
    made = [scope for scope in made if scope.module.role is Role.PROD]
    return bool(made) and all(scope is scope.module.scope for scope in made)


def _is_attribute(owner: form.Attr, function: FunctionSymbol) -> bool:
    """`function.known = {}` beside the function."""
    return any(
        scope is function.outer and isinstance(assign.value, form.Dict) and form.dotted(target) == form.dotted(owner)
        for assign, scope in function.module.assignments
        for target in assign.targets
    )


def _is_bound_mapping(binding: Binding) -> bool:
    return binding.how is How.ASSIGN and _is_mapping(binding.value)


def _is_mapping(value: form.Expr | None) -> bool:
    return isinstance(value, form.Dict) or (isinstance(value, form.Call) and last_name(value.func) in _MAPPINGS)


def is_row_key(value: form.Expr | None) -> bool:
    """Whether only the id of a row is kept, which never changes."""
    return isinstance(value, form.Attr) and value.attr in _KEYS


def _evicted(memo: _Memo) -> Evidence | None:
    """Where something is taken out of it, or all of it is replaced."""
    module, last = memo.function.module, memo.name.rpartition(".")[2]
    for call, _ in module.calls_named(_EVICTING):
        if isinstance(call.func, form.Attr) and last_name(call.func.value) == last:
            return module.evidence(call, "entries are taken out here")
    for function in module.functions:
        for node in function.nodes:
            if isinstance(node, form.Delete) and any(_is_item(n, last) for n in form.walk(node)):
                return module.evidence(node, "entries are taken out here")
    for assign, scope in module.assignments:
        if scope.function is not None and any(_is_it(target, memo.name, scope) for target in assign.targets):
            return module.evidence(assign, "all of it is replaced here")
    return None


def _is_it(target: form.Expr, name: str, scope: Scope) -> bool:
    """Whether the dictionary itself gets another value, and no name of a function's own does."""
    if isinstance(target, form.Name):
        return target.id == name and name in scope.globals
    is_first = scope.function is not None and scope.function.name == "__init__"
    return isinstance(target, form.Attr) and target.attr == name.rpartition(".")[2] and not is_first


def _is_item(node: form.Expr | form.Stmt, name: str) -> bool:
    return isinstance(node, form.Subscript) and last_name(node.value) == name


def _asks_clock(function: FunctionSymbol, project: Project, depth: int = 1) -> Evidence | None:
    """Where the function, or one that it calls, asks what time it is, as one does that looks how old an entry is."""
    calls = [node for node in function.nodes if isinstance(node, form.Call)]
    for call in calls:
        if last_name(call.func) in _CLOCKS:
            return function.module.evidence(call, "it looks how old the entry is")
    for call in calls if depth else ():
        callee = project.callee_function(call, function.scope)
        found = _asks_clock(callee, project, depth - 1) if callee is not None else None
        if found is not None:
            return found
    return None
