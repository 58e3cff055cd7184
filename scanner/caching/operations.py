"""The calls of a project that do something with entries of a cache."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from assay.scanner.caching.acts import Act, Argument, CacheLibrary, Lasting, Operation
from assay.scanner.caching.libraries import LIBRARIES, REDIS
from assay.scanner.dataflow.lexicon import words
from assay.scanner.linker.project import Project, last_name, last_part
from assay.scanner.linker.scopes import Binding, FunctionSymbol, Module, Scope
from assay.scanner.linker.values import External, Instance
from assay.scanner.model.role import Role
from assay.scanner.readers.python import form

__all__ = ["Act", "CacheCall", "CacheLibrary", "Lasting", "cache_calls", "declared_type", "kept_function"]

_OF_PACKAGE = {package: library for library in LIBRARIES for package in library.packages}
_FUNCTIONS = {name: (library, op) for library in LIBRARIES for name, op in library.functions.items()}
_KEEPING = frozenset(
    {name.rpartition(".")[2] for name in _FUNCTIONS}
    | {n for library in LIBRARIES for n, o in library.methods.items() if o.act is Act.KEEP}
) - {"__call__"}
_METHODS = frozenset(name for library in LIBRARIES for name in library.methods)
_READING = frozenset(
    name for name in _METHODS if any(lib.methods[name].act is Act.READ for lib in LIBRARIES if name in lib.methods)
)
_MAKERS = frozenset(
    """from_url from_pool pipeline create_redis_pool get_redis_connection make_region configure""".split()
)
"""Functions and methods that give what has the methods, besides classes."""
_PUTTING_OFF = ("partial", "add_task", "to_thread", "run_in_threadpool")
_NONE = "builtins.NoneType"
_OBJECTS = (".state.", ".ctx.", ".app.")
"""Parts of names of what frameworks let applications put anything into."""
_BY_NAME = frozenset({"redis", "rdb", "valkey"})
"""Words in names of what is taken for a client of Redis where its type can't be told: `request.app.state.redis`."""


@dataclass(frozen=True, slots=True, eq=False)
class CacheCall:
    """A call that does something with entries of a cache."""

    call: form.Call
    scope: Scope
    library: CacheLibrary
    operation: Operation

    @property
    def module(self) -> Module:
        return self.scope.module

    @property
    def act(self) -> Act:
        return self.operation.act

    @property
    def receiver(self) -> form.Expr | None:
        """`cache` of `cache.set(...)`."""
        return self.call.func.value if isinstance(self.call.func, form.Attr) else None

    @property
    def key(self) -> form.Expr | None:
        """What is given as the key."""
        return self._given(self.operation.key)

    @property
    def value(self) -> form.Expr | None:
        """What is kept."""
        return self._given(self.operation.value)

    @property
    def timeout(self) -> form.Expr | None:
        """What is given as the time that the entry lasts, in whatever unit."""
        found = (self._given(argument) for argument in self.operation.timeouts)
        return next((f for f in found if f is not None), None)

    def _given(self, argument: Argument | None) -> form.Expr | None:
        if argument is None:
            return None
        positional = self.call.positional
        if argument.position is not None and argument.position < len(positional):
            return positional[argument.position]
        return self.call.keyword(argument.name)


def cache_calls(project: Project) -> list[CacheCall]:
    """All in the project's production code, in order of path and position.

    Reads count only in modules that also write or delete: `get` is called everywhere.
    """
    if project.imported_packages.isdisjoint(_OF_PACKAGE):
        return []
    keeping = _KEEPING | {alias for name in _KEEPING for alias in project.aliases_of(name)}
    found = [*_called(project, _METHODS - _READING, None), *_called(project, keeping, None)]
    found += _called(project, _READING, {c.module for c in found})
    found += _put_off(project)
    unique = {id(c.call): c for c in found}
    return sorted(unique.values(), key=lambda c: (c.module.path, c.call.start))


def kept_function(call: CacheCall) -> FunctionSymbol | None:
    """What the call decorates, where it is in a decorator: `@cache.cached()`, `@method_decorator(cache_page(60))`."""
    for function in call.module.functions:
        if any(node is call.call for decorator in function.decorators for node in form.walk(decorator)):
            return function
    return None


def _called(project: Project, names: frozenset[str], modules: set[Module] | None) -> Iterator[CacheCall]:
    for module in project.modules.values() if modules is None else modules:
        if module.role is not Role.PROD:
            continue
        for name in names & module.calls_by_name.keys():
            for call, scope in module.calls_by_name[name]:
                known = _operation(call, scope, project)
                if known is not None:
                    yield CacheCall(call, scope, *known)


def _put_off(project: Project) -> Iterator[CacheCall]:
    """Deletes that something else is asked to call: `partial(cache.delete, key)`, `add_task(cache.delete, key)`."""
    for call, scope in project.calls_named(*_PUTTING_OFF):
        method = call.positional[0] if call.positional else None
        if not isinstance(method, form.Attr) or method.attr not in _METHODS or scope.module.role is not Role.PROD:
            continue
        later = form.Call(start=call.start, end=call.end, func=method, args=call.args[1:])
        known = _operation(later, scope, project)
        if known is not None and known[1].act in (Act.DELETE, Act.CLEAR):
            yield CacheCall(later, scope, *known)


def _operation(call: form.Call, scope: Scope, project: Project) -> tuple[CacheLibrary, Operation] | None:
    value = project.infer(call.func, scope)
    name = value.name if isinstance(value, External) else ""
    if name in _FUNCTIONS:
        return _FUNCTIONS[name]
    receiver, _, method = name.rpartition(".")
    if isinstance(call.func, form.Attr) and (value is None or receiver == _NONE):
        declared = declared_type(call.func.value, scope, project)
        if declared is None:
            return _by_name(last_name(call.func.value) or "", call.func.attr)
        receiver, method = declared, call.func.attr
    library = _OF_PACKAGE.get(receiver.partition(".")[0])
    if library is None and any(place in name for place in _OBJECTS):
        return _by_name(last_part(receiver), method)
    if library is None or method not in library.methods or not _has_methods(receiver, library):
        return None
    return library, library.methods[method]


def _has_methods(receiver: str, library: CacheLibrary) -> bool:
    if library.receivers:
        return receiver in library.receivers
    made = last_part(receiver)
    is_chained = made in library.methods and ".pipeline." in receiver
    return made[:1].isupper() or made in _MAKERS or is_chained or receiver == "aiocache.caches.get"


def declared_type(node: form.Expr, scope: Scope, project: Project) -> str | None:
    """The type of what a name is declared as that has nothing at first: `client: Redis | None = None`."""
    bindings: list[Binding] = []
    match node:
        case form.Name(id=name):
            bindings = scope.lookup(name, node.start)
        case form.Attr(value=base, attr=name):
            owner = project.infer(base, scope)
            bindings = owner.scope.bindings.get(name, []) if isinstance(owner, Module) else []
    for binding in bindings:
        if binding.annotation is not None:
            value = project.annotated(binding.annotation, binding.scope)
            if isinstance(value, Instance) and value.cls is None:
                return value.type_name
    return None


def _by_name(owner: str, method: str) -> tuple[CacheLibrary, Operation] | None:
    operation = REDIS.methods.get(method)
    return None if operation is None or _BY_NAME.isdisjoint(words(owner)) else (REDIS, operation)
