"""What keeps two requests from changing one row at once: locks before the change, here or in what calls it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from assay.scanner.dataflow.lexicon import words
from assay.scanner.linker.project import Project, last_name, literal_item
from assay.scanner.linker.scopes import ClassSymbol, FunctionSymbol, Module, Scope
from assay.scanner.linker.values import Instance
from assay.scanner.model.place import Evidence
from assay.scanner.model.role import Role
from assay.scanner.model.row_change import Guard
from assay.scanner.queries.offline import Offline
from assay.scanner.readers.python import form
from assay.scanner.transactions.rows import MappedRows

_ROW_LOCKS = frozenset({"select_for_update", "with_for_update", "with_lockmode", "for_update"})
_WORDS = frozenset({"lock", "locked", "locking", "mutex", "semaphore", "redlock", "singleton", "queueonce"})
_NOT_LOCKS = frozenset("is un unlock release has check deadlock try not ensure verify assert out raise".split())
_STATEMENTS = ("for update", "pg_advisory", "get_lock(", "lock table", "for no key update")
_OF_PROCESS = ("threading.", "asyncio.", "multiprocessing.", "anyio.", "_thread.", "gevent.", "trio.")
_VERSION_FIELDS = ("IntegerVersionField", "AutoIncVersionField", "TriggerVersionField", "ConditionalVersionField")
_ISOLATED = ("serializable", "repeatable read", "repeatable_read")
_ENGINES = ("create_engine", "create_async_engine", "engine_from_config")
_SHORTEST = 8
_DEEPEST = 6
_MOST_CALLERS = 12


@dataclass(frozen=True, slots=True)
class Guarded:
    """`steps` show the guard, or the way on which there is none."""

    guard: Guard
    steps: tuple[Evidence, ...] = ()


class Guards:
    """Answers are remembered by function."""

    def __init__(self, project: Project, rows: MappedRows, offline: Offline) -> None:
        self._project = project
        self._rows = rows
        self._offline = offline
        self._around: dict[FunctionSymbol, Guarded | None] = {}
        self._locks: dict[FunctionSymbol, list[tuple[form.Expr, Guard]]] = {}
        self._isolation: list[tuple[FunctionSymbol | None, Evidence]] | None = None

    def around(self, function: FunctionSymbol, offset: int) -> Guarded:
        """The lock that the place is reached under, by whichever way; no guard where there is a way without."""
        return self._reached(function, offset, _DEEPEST) or Guarded(Guard.NONE)

    def _reached(self, function: FunctionSymbol, offset: int, depth: int) -> Guarded | None:
        """None where only functions get there that are being asked already."""
        own = self.before(function, offset)
        if own is not None:
            return own
        if function not in self._around:
            self._around[function] = None
            self._around[function] = self._by_callers(function, depth)
        return self._around[function]

    def _by_callers(self, function: FunctionSymbol, depth: int) -> Guarded | None:
        guarded: Guarded | None = None
        is_round = False
        for call, scope in self._callers(function) if depth else ():
            caller = scope.enclosing_function
            if caller is None or caller is function or self._offline.reason(scope, is_asked_of_callers=False):
                continue
            found = self._reached(caller, call.end, depth - 1)
            if found is None:
                is_round = True
                continue
            if found.guard is Guard.NONE:
                step = scope.module.evidence(call, f"{caller.name}() calls {function.name}() without a lock")
                return Guarded(Guard.NONE, (step, *found.steps))
            if guarded is None or found.guard is Guard.PROCESS:
                guarded = found
        return guarded or (None if is_round else Guarded(Guard.NONE))

    def before(self, function: FunctionSymbol, offset: int) -> Guarded | None:
        """The lock that the function itself takes before the place."""
        for node, guard in (*self._locks_of(function), *self._of_helpers(function, offset)):
            if node.start < offset:
                return Guarded(guard, (function.module.evidence(node, "a lock is taken"),))
        for decorator in function.decorators:
            if _is_named_lock(decorator) or (isinstance(decorator, form.Call) and _has_lock_base(decorator)):
                return Guarded(Guard.LOCK, (function.module.evidence(decorator, "one run at a time"),))
        return None

    def of_parameter(self, node: form.Expr | None, scope: Scope) -> Guarded | None:
        """The lock that a dependency takes which gives the row: `row = Depends(locked_row)`."""
        if not isinstance(node, form.Call) or last_name(node.func) not in ("Depends", "Security") or not node.args:
            return None
        function = self._project.infer(node.args[0].value, scope)
        return self.before(function, function.node.end) if isinstance(function, FunctionSymbol) else None

    def versioned(self, cls: ClassSymbol) -> Evidence | None:
        """Where the class says that rows have versions."""
        arguments = self._project.class_attribute(cls, "__mapper_args__")
        if arguments is not None and isinstance(arguments[0], form.Dict):
            said = {k.value: k for k in arguments[0].keys if isinstance(k, form.Const)}
            # With a generator of its own the version changes only where the code says so.
            if "version_id_col" in said and "version_id_generator" not in said:
                key = said["version_id_col"]
                return arguments[1].module.evidence(key, "each UPDATE asks for the version that was read")
        for base in self._project.mro(cls):
            for bindings in base.scope.bindings.values() if isinstance(base, ClassSymbol) else ():
                value = bindings[-1].value
                if isinstance(value, form.Call) and last_name(value.func) in _VERSION_FIELDS:
                    return bindings[-1].scope.module.evidence(value, "each UPDATE asks for the version that was read")
        return None

    def isolation(self, function: FunctionSymbol | None) -> Evidence | None:
        """Where an isolation level is set that refuses lost updates: for all transactions, or for the function's."""
        if self._isolation is None:
            self._isolation = [
                (scope.enclosing_function, scope.module.evidence(node, "transactions are isolated from each other"))
                for module in self._project.modules.values()
                if module.role is Role.PROD
                for node, scope in (*_levels(module), *_levels_in_settings(module))
            ]
        for around, evidence in self._isolation:
            if around is None or around is function or _makes_engine(around):
                return evidence
        return None

    def _callers(self, function: FunctionSymbol) -> list[tuple[form.Call, Scope]]:
        """Calls that resolve to it; those of a row's method that queries give the row for, too."""
        found = list(self._project.callers(function))
        table = self._rows.of_class(function.owner) if function.owner is not None else None
        if table is not None and not function.name.startswith("__"):
            for call, scope in self._project.calls_named(function.name):
                if isinstance(call.func, form.Attr) and self._project.callee_function(call, scope) is None:
                    row = self._rows.any_row(call.func.value, scope)
                    if row is not None and row.table is table:
                        found.append((call, scope))
        return [(c, s) for c, s in found if s.module.role is Role.PROD][:_MOST_CALLERS]

    def _locks_of(self, function: FunctionSymbol) -> list[tuple[form.Expr, Guard]]:
        if function not in self._locks:
            self._locks[function] = list(self._found_locks(function))
        return self._locks[function]

    def _of_helpers(self, function: FunctionSymbol, offset: int) -> Iterator[tuple[form.Expr, Guard]]:
        """Calls of functions of the project that lock what they return."""
        for node in function.nodes:
            if isinstance(node, form.Call) and node.start < offset:
                callee = self._project.callee_function(node, function.scope)
                if callee is None and function.owner is not None and last_name(node.func) == "get_object":
                    callee = self._project.method(function.owner, "get_queryset")
                if callee is not None and callee.returns and self._locks_of(callee):
                    yield node, self._locks_of(callee)[0][1]

    def _found_locks(self, function: FunctionSymbol) -> Iterator[tuple[form.Expr, Guard]]:
        for node in function.nodes:
            if isinstance(node, form.With):
                for item in node.items:
                    if _is_named_lock(item.value):
                        yield item.value, self._kind(item.value, function.scope)
            elif isinstance(node, form.Call):
                name = last_name(node.func)
                if (
                    name in _ROW_LOCKS
                    or _is_set(node.keyword("with_for_update"))
                    or _is_set(node.keyword("for_update"))
                ):
                    yield node, Guard.LOCK
                elif name in ("acquire", "__enter__") and isinstance(node.func, form.Attr):
                    if _is_named_lock(node.func.value):
                        yield node, self._kind(node.func.value, function.scope)
                elif _is_named_lock(node) and _is_lock_call(node):
                    yield node, self._kind(node, function.scope)
            elif isinstance(node, form.Const) and isinstance(node.value, str) and _locks(node.value):
                yield node, Guard.LOCK

    def _kind(self, node: form.Expr, scope: Scope) -> Guard:
        """Whether it is a lock of this process alone."""
        value = self._project.infer(node, scope)
        name = value.type_name if isinstance(value, Instance) else ""
        return Guard.PROCESS if name.startswith(_OF_PROCESS) else Guard.LOCK


def _levels(module: Module) -> Iterator[tuple[form.Expr, Scope]]:
    for node, scope in module.texts:
        if isinstance(node, form.Const) and str(node.value).lower() in _ISOLATED:
            yield node, scope


def _levels_in_settings(module: Module) -> Iterator[tuple[form.Expr, Scope]]:
    """`"OPTIONS": {"isolation_level": IsolationLevel.SERIALIZABLE}`."""
    for node, scope in module.dicts:
        value = literal_item(node, "isolation_level")
        if isinstance(value, form.Attr) and value.attr.lower().removeprefix("isolation_level_") in _ISOLATED:
            yield value, scope


def _makes_engine(function: FunctionSymbol) -> bool:
    return any(isinstance(n, form.Call) and last_name(n.func) in _ENGINES for n in function.nodes)


def _locks(text: str) -> bool:
    """`SELECT ... FOR UPDATE`."""
    return len(text) > _SHORTEST and any(part in text.lower() for part in _STATEMENTS)


def _is_named_lock(node: form.Expr) -> bool:
    """`with redis.lock("x"):`, `@locked`, `advisory_lock(key)`, `get_for_update(key)`."""
    while isinstance(node, form.Await | form.Call | form.Subscript):
        node = node.func if isinstance(node, form.Call) else node.value
    name = last_name(node) or ""
    said = set(words(name))
    return "for_update" in name or (not said.isdisjoint(_WORDS) and said.isdisjoint(_NOT_LOCKS))


def _is_lock_call(call: form.Call) -> bool:
    """`Lock()` alone makes one, and takes none."""
    return not (last_name(call.func) or "")[:1].isupper()


def _has_lock_base(decorator: form.Call) -> bool:
    base = decorator.keyword("base")
    return base is not None and _is_named_lock(base)


def _is_set(node: form.Expr | None) -> bool:
    return node is not None and not (isinstance(node, form.Const) and node.value in (False, None))
