"""Sessions and connections of a replica's engine, and what functions send through them.

https://docs.sqlalchemy.org/en/20/orm/session_basics.html
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from assay.scanner.databases.replicas.engines import Engine
from assay.scanner.databases.replicas.following import Follower
from assay.scanner.databases.replicas.names import is_replica
from assay.scanner.databases.replicas.sending import OPENING, SENDING, chain, tables, writes
from assay.scanner.dataflow.ways import way_to
from assay.scanner.gathered import Gathered
from assay.scanner.linker.project import last_name
from assay.scanner.linker.scopes import Binding, FunctionSymbol, How, Module, Scope
from assay.scanner.linker.values import Instance
from assay.scanner.model.place import Evidence
from assay.scanner.readers.python import form

_ROUNDS = 5
_DEEPEST = 4

_Key = tuple[str, str]


@dataclass(slots=True)
class Sent:
    """What one function sends to a replica."""

    reads: list[Evidence] = field(default_factory=list)
    writes: list[Evidence] = field(default_factory=list)
    late: tuple[Evidence, ...] = ()
    """A commit of another session, and a read of what it may have written after it, on the same branch."""


class Sessions:
    """Knows what gives sessions of replicas: the engines, what is made of them, and functions that hand them out."""

    def __init__(self, gathered: Gathered, engines: tuple[Engine, ...], follower: Follower) -> None:
        self._project = gathered.project
        self._follower = follower
        self._engines = {e.node: e for e in engines if not e.is_item}
        self._items = {(holder, e.key) for e in engines if e.is_item for holder in e.holders}
        self._attributes = {h for e in engines if e.key is None for h in e.holders if is_replica(h)}
        self._mappings: dict[_Key, set[str]] = {}
        for engine in self._engines.values():
            for holder in engine.holders if engine.key is not None else ():
                self._mappings.setdefault((engine.scope.module.path, holder), set()).add(engine.key or "")
        self._binds = {key for holder, key in self._items if holder == "engines"}
        self._sources: set[_Key] = set()
        for engine in self._engines.values():
            if engine.key is None:
                self._sources |= {(engine.scope.module.path, h) for h in engine.holders if self._is_own(engine, h)}
        for _ in range(_ROUNDS):
            known = len(self._sources)
            self._grow()
            if len(self._sources) == known:
                break

    def functions(self) -> list[FunctionSymbol]:
        """Those that have a session of a replica, as far as their parameters and the names in them tell."""
        names = {name for _, name in (*self._sources, *self._mappings)} | self._attributes
        names |= {holder for holder, _ in self._items} | ({"get_engine"} if self._binds else set())
        return self._follower.functions(names, self.is_parameter)

    def _is_own(self, engine: Engine, name: str) -> bool:
        """Whether the module's name stands for the engine: a function's only where it gives what it made."""
        bindings = engine.scope.module.scope.bindings.get(name, [])
        function = next((b.function for b in bindings if b.function is not None), None)
        return bool(bindings) if function is None else any(self._gives(function))

    def _grow(self) -> None:
        names = {name for _, name in self._sources} | {name for _, name in self._mappings}
        for mention in self._follower.mentioning(names):
            function = mention.function
            if function is not None:
                if function.owner is None and any(self._gives(function)):
                    self._sources.add((function.module.path, function.name))
            elif mention.cls is None:
                for target, value in self._follower.assigned(mention):
                    if isinstance(target, form.Name) and self._is_made_of(value, mention.module.scope):
                        self._sources.add((mention.module.path, target.id))

    def _gives(self, function: FunctionSymbol) -> Iterator[bool]:
        for node in function.nodes:
            if isinstance(node, form.Return | form.Yield) and node.value is not None:
                yield self.is_source(node.value, function.scope) or self.is_session(node.value, function.scope)

    def _is_made_of(self, node: form.Expr, scope: Scope) -> bool:
        """A session maker of it, a type that is injected with it, another name for it."""
        match node:
            case form.Call(func=func, args=args):
                return self.is_source(func, scope) or any(self._is_made_of(a.value, scope) for a in args)
            case form.Subscript(value=value, index=form.Display(items=items)) if last_name(value) == "Annotated":
                return any(self._is_made_of(item, scope) for item in items)
        return self.is_source(node, scope)

    def is_source(self, node: form.Expr, scope: Scope, depth: int = _DEEPEST) -> bool:
        """Whether it is the engine of a replica, or gives sessions of one."""
        match node:
            case form.Await(value=value):
                return self.is_source(value, scope, depth)
            case form.Subscript(value=value, index=index):
                text = index.value if isinstance(index, form.Const) else last_name(index)
                if (last_name(value), text) in self._items:
                    return True
                key = self._origin(value, scope)
                if key in self._mappings:
                    return text in self._mappings[key]
                return self.is_source(value, scope, depth)  # a list of them
            case form.Call(func=func, args=[form.Arg(value=value)]) if last_name(func) == "choice":
                return self.is_source(value, scope, depth)
            case form.Attr(attr="sync_engine", value=value):
                return self.is_source(value, scope, depth)
            case form.Call() if node in self._engines:
                return True
            case form.Call(func=form.Attr(attr="get_engine"), args=args) if self._binds:
                return any(isinstance(a.value, form.Const) and a.value.value in self._binds for a in args)
            case form.Name() | form.Attr():
                is_kept = isinstance(node, form.Attr) and node.attr in self._attributes
                if is_kept or self._origin(node, scope) in self._sources:
                    return True
                values = self._given(node, scope) if depth else []
                return bool(values) and all(self._is_made_of_local(value, at, depth - 1) for value, at in values)
            case form.Call(func=func):
                return self._origin(func, scope) in self._sources
        return False

    def _is_made_of_local(self, node: form.Expr, scope: Scope, depth: int) -> bool:
        if isinstance(node, form.Call) and node not in self._engines:
            makers = ("sessionmaker", "async_sessionmaker", "scoped_session", "async_scoped_session")
            if last_name(node.func) in makers:
                return any(self.is_source(a.value, scope, depth) for a in node.args)
        return self.is_source(node, scope, depth)

    def _given(self, node: form.Name | form.Attr, scope: Scope) -> list[tuple[form.Expr, Scope]]:
        """What a local name or an attribute of the object was given."""
        if isinstance(node, form.Name):
            local = [b for b in scope.lookup(node.id) if b.how is How.ASSIGN and b.scope.function is not None]
            return [(b.value, b.scope) for b in local if b.value is not None]
        owner = self._project.infer(node.value, scope)
        if isinstance(owner, Instance) and owner.cls is not None:
            return self._project.instance_attributes(owner.cls, node.attr)
        return []

    def _origin(self, node: form.Expr, scope: Scope) -> _Key | None:
        """The module and the name that the expression stands for, through imports."""
        if isinstance(node, form.Attr):
            owner = self._project.infer(node.value, scope)
            return self._defined(owner, node.attr) if isinstance(owner, Module) else None
        if not isinstance(node, form.Name):
            return None
        bindings = scope.lookup(node.id)
        if bindings and bindings[0].scope is not scope.module.scope:
            return self._imported(bindings[0]) if bindings[0].how is How.IMPORT_FROM else None
        return self._defined(scope.module, node.id)

    def _defined(self, module: Module, name: str, depth: int = 6) -> _Key:
        bindings = module.scope.bindings.get(name, ())
        found = next((b for b in bindings if b.how is How.IMPORT_FROM), None) if depth else None
        if found is not None:
            source = self._project.import_module(found.module, found.level, module)
            if isinstance(source, Module) and source is not module:
                return self._defined(source, found.name, depth - 1)
        if not bindings and depth:
            for star in module.star_imports:
                source = self._project.import_module(star.module, star.level, module)
                if isinstance(source, Module) and name in source.scope.bindings:
                    return self._defined(source, name, depth - 1)
        return module.path, name

    def _imported(self, binding: Binding) -> _Key | None:
        source = self._project.import_module(binding.module, binding.level, binding.scope.module)
        return self._defined(source, binding.name) if isinstance(source, Module) else None

    # --- sessions ---

    def is_session(self, node: form.Expr, scope: Scope, depth: int = _DEEPEST) -> bool:
        """Whether statements that are sent through it go to a replica."""
        match node:
            case form.Await(value=value):
                return self.is_session(value, scope, depth)
            case form.Call(func=form.Attr(value=value, attr=attr)) if attr in OPENING:
                return self.is_source(value, scope) or self.is_session(value, scope, depth)
            case form.Call(func=func, args=args):
                if last_name(func) in ("next", "anext"):
                    return any(self.is_session(a.value, scope, depth) for a in args)
                opens = last_name(func) in ("Session", "AsyncSession", "Connection")
                return self.is_source(func, scope) or (opens and any(self.is_source(a.value, scope) for a in args))
            case form.Name(id=name) if depth:
                bindings = scope.lookup(name)
                return bool(bindings) and all(self._is_bound(b, depth - 1) for b in bindings)
            case form.Attr() if depth:
                given = self._given(node, scope)
                return bool(given) and all(self.is_session(value, at, depth - 1) for value, at in given)
        return False

    def _is_bound(self, binding: Binding, depth: int) -> bool:
        if binding.how is How.PARAMETER and binding.param is not None and binding.function is not None:
            return self.is_parameter(binding.param, binding.function)
        if binding.how in (How.ASSIGN, How.WITH, How.FOR) and binding.value is not None and binding.index is None:
            return self.is_session(binding.value, binding.scope, depth)
        return False

    def is_parameter(self, param: form.Param, function: FunctionSymbol) -> bool:
        """By what is injected, or by its type: `session: ReadSession`."""
        scope = function.outer
        if isinstance(param.default, form.Call) and self._is_injected(param.default, scope):
            return True
        annotation = param.annotation
        if annotation is None:
            return False
        if isinstance(annotation, form.Subscript):
            items = annotation.index.items if isinstance(annotation.index, form.Display) else []
            return any(isinstance(i, form.Call) and self._is_injected(i, scope) for i in items)
        name = last_name(annotation) or ""
        if self._origin(annotation, scope) in self._sources:
            return True
        return is_replica(name) and any(word in name.lower() for word in ("session", "connection", "db"))

    def _is_injected(self, call: form.Call, scope: Scope) -> bool:
        asked = call.argument(0, "dependency")
        return last_name(call.func) in ("Depends", "Security") and asked is not None and self.is_source(asked, scope)

    # --- statements ---

    def sent(self, function: FunctionSymbol) -> Sent:
        """All that the function sends through sessions of a replica."""
        found = Sent()
        inner: set[form.Expr] = set()
        rows: set[str] = set()
        committed: form.Call | None = None
        for node in function.nodes:
            if not isinstance(node, form.Call) or not isinstance(node.func, form.Attr) or node in inner:
                continue
            root, methods = chain(node, inner)
            if not methods:
                continue
            is_pool = methods[0] in SENDING and self.is_source(root, function.scope)
            if not is_pool and not self.is_session(root, function.scope):
                if methods == ["commit"] and isinstance(root, form.Name | form.Attr):
                    committed = node
                continue
            shown = function.module.evidence(node, f"it calls {methods[-1]}() on a session of the replica")
            parts = list(_parts(node, function))
            if writes(node, methods, parts) or (methods == ["commit"] and _changes(function, rows)):
                found.writes.append(shown)
            elif methods[0] in SENDING:
                found.reads.append(shown)
                rows |= _given(node, function)
                if committed is not None and not found.late and _may_see(committed, node, parts, function):
                    found.late = (function.module.evidence(committed, "it commits to the primary"), shown)
        return found


def _parts(call: form.Call, function: FunctionSymbol) -> Iterator[form.Expr | form.Stmt]:
    """All that the call is made of, with the statement that it sends by a name."""
    for node in form.walk(call):
        yield node
        if isinstance(node, form.Call) and node.positional and last_name(node.func) in SENDING:
            statement = node.positional[0]
            bindings = function.scope.bindings.get(statement.id, ()) if isinstance(statement, form.Name) else ()
            for binding in bindings:
                if binding.how is How.ASSIGN and binding.value is not None and binding.offset < call.start:
                    yield from form.walk(binding.value)


def _given(call: form.Call, function: FunctionSymbol) -> set[str]:
    """The names that are given what was read."""
    return {
        name
        for name, bindings in function.scope.bindings.items()
        for b in bindings
        if b.how is How.ASSIGN and b.value is not None and b.value.start <= call.start and call.end <= b.value.end
    }


def _changes(function: FunctionSymbol, rows: set[str]) -> bool:
    """Whether it gives one of the rows another value: `item.name = "new"`."""
    return any(
        isinstance(target, form.Attr) and isinstance(target.value, form.Name) and target.value.id in rows
        for node in function.nodes
        if isinstance(node, form.Assign)
        for target in node.targets
    )


def _may_see(
    committed: form.Call, read: form.Call, parts: Iterable[form.Expr | form.Stmt], function: FunctionSymbol
) -> bool:
    """Whether the read comes after the commit, on the same branch, and is of a table that was named before it."""
    before, after = (way_to(function.node.body, call.start) for call in (committed, read))
    named = tables(n for n in function.nodes if n.end <= committed.start)
    return before == after and not named.isdisjoint(tables(parts))
