"""Where what holds a replica's engine goes: into session makers, providers, sessions, up to what answers requests."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field

from assay.scanner.databases.replicas.engines import Engine
from assay.scanner.dataflow.offline import offline_reason
from assay.scanner.gathered import Gathered
from assay.scanner.linker.project import last_name
from assay.scanner.linker.scopes import ClassSymbol, FunctionSymbol, Module
from assay.scanner.model.place import Evidence, Location
from assay.scanner.model.role import Role
from assay.scanner.readers.python import form

_MOST_NAMES = 40
"""Names followed for one engine: more are a sign that one of them means other things too."""
_SHOWN = 3
_ENDING = frozenset(
    {
        "dispose",
        "close",
        "aclose",
        "disconnect",
        "instrument",
        "instrument_engine",
        "instrument_sqlalchemy",
        "dispose_all",
    }
)
_PLAIN = frozenset(
    {
        "contextmanager", "asynccontextmanager", "staticmethod", "classmethod", "property", "cached_property",
        "lru_cache", "cache", "wraps", "inject", "overload", "override", "retry",
    }
)  # fmt: skip
"""Decorators after which it still takes a caller to run the function."""

IsGiven = Callable[[form.Param, FunctionSymbol], bool]


@dataclass(slots=True)
class Followed:
    """`names` all lead to the replica; `ends` are those that nobody speaks of."""

    names: set[str] = field(default_factory=set)
    uses: list[Evidence] = field(default_factory=list)
    ends: list[Evidence] = field(default_factory=list)


@dataclass(frozen=True, slots=True, eq=False)
class Mention:
    """A name or attribute in code. `is_declaring` is set in decorators, defaults and annotations of the function."""

    module: Module
    node: form.Name | form.Attr
    function: FunctionSymbol | None
    cls: ClassSymbol | None
    is_declaring: bool = False


class Follower:
    """Follows names from one to the next; one walk over the code finds who speaks of which."""

    def __init__(self, gathered: Gathered) -> None:
        self._gathered = gathered
        self._project = gathered.project
        self._answering = {r.handler for r, _ in gathered.endpoints if r.handler is not None}
        self._answering |= {f for r, _ in gathered.endpoints for f in r.runs_before}
        self._views = {r.view_class for r, _ in gathered.endpoints if r.view_class is not None}
        self._mentions: dict[str, list[Mention]] | None = None
        self._known_parents: dict[object, dict[form.Expr | form.Stmt, form.Expr | form.Stmt]] = {}

    def of(self, engine: Engine) -> Followed:
        """From the engine's holders on."""
        found = Followed(set(engine.holders))
        queue = deque(engine.holders)
        while queue and len(found.names) < _MOST_NAMES:
            name = queue.popleft()
            mentions = [m for m in self._all().get(name, ()) if self._counts(m, engine, name)]
            if not mentions and name not in engine.holders:
                found.ends += self._defined(name)
            for mention in mentions:
                if self._ends(mention):
                    found.uses.append(mention.module.evidence(mention.node, f"{name} leads to the replica"))
                for onward in self._onward(mention):
                    if onward not in found.names:
                        found.names.add(onward)
                        queue.append(onward)
        if len(found.names) >= _MOST_NAMES and not found.uses:
            found.uses.append(engine.scope.module.evidence(engine.node, "many names lead to it"))
        return found

    def naming(self, engine: Engine) -> list[Evidence]:
        """Where production code has the engine's key as a string, the declaration aside."""
        found: list[Evidence] = []
        for module in self._modules():
            if "flask_replicated" in module.imported_packages:
                found.append(Evidence(Location.whole_file(module.path), "Flask-Replicated sends reads to a bind"))
            around = (
                *(s for s, _ in module.assignments),
                *(c for c, _ in module.calls_named(("from_mapping", "update"))),
            )
            own = [s for s in around if s.start <= engine.node.start < s.end]
            for statement in module.facts.body if len(found) < _SHOWN else ():
                for node in form.walk(statement):
                    is_own = any(s.start <= node.start < s.end for s in own) and module is engine.scope.module
                    if isinstance(node, form.Const) and node.value == engine.key and not is_own:
                        found.append(module.evidence(node, f'it names "{engine.key}"'))
        return found[:_SHOWN]

    def functions(self, names: Collection[str], is_given: IsGiven) -> list[FunctionSymbol]:
        """Functions that speak of one of the names, or have a parameter that is given what they stand for; and the
        methods of objects that are made with it.
        """
        speaking = {m.function: None for m in self.mentioning(names) if m.function is not None}
        for module in self._modules():
            for function in module.functions:
                if any(is_given(param, function) for param in function.node.params):
                    speaking[function] = None
        makers = [f for f in speaking if f.name == "__init__" and f.owner is not None]
        speaking.update((method, None) for f in makers if f.owner is not None for method in f.owner.methods.values())
        return sorted(speaking, key=lambda f: f.location)

    def mentioning(self, names: Iterable[str]) -> list[Mention]:
        """All places that speak of one of the names."""
        return [mention for name in names for mention in self._all().get(name, ())]

    def assigned(self, mention: Mention) -> Iterator[tuple[form.Expr, form.Expr]]:
        """The targets that an assignment around the place gives its value to, each with the value."""
        parents = self._parents(mention)
        node: form.Expr | form.Stmt | None = mention.node
        while node is not None and not isinstance(node, form.Assign):
            node = parents.get(node)
        if isinstance(node, form.Assign) and node.value is not None:
            yield from ((target, node.value) for target in node.targets)

    def _counts(self, mention: Mention, engine: Engine, name: str) -> bool:
        """Not what only makes the engine, ends it, or speaks of another of the same mapping."""
        parents = self._parents(mention)
        parent = parents.get(mention.node)
        if isinstance(parent, form.Assign) and mention.node in parent.targets:
            return False
        if isinstance(parent, form.Attr) and parent.attr in _ENDING:
            return False
        if isinstance(parent, form.Call) and last_name(parent.func) in _ENDING:
            return False
        if mention.module is engine.scope.module and engine.node.start <= mention.node.start < engine.node.end:
            return False
        if isinstance(parent, form.Subscript) and parent.value is mention.node:
            holder = parents.get(parent)
            if isinstance(holder, form.Assign) and parent in holder.targets:
                return False
            return engine.key is None or name not in engine.holders or _may_be(parent.index, engine.key)
        return True

    def _ends(self, mention: Mention) -> bool:
        """Whether requests, or whoever a framework calls, run the code there, or nobody can tell who does."""
        function = mention.function
        if function is None:
            return False
        if function in self._answering or (function.owner is not None and function.owner in self._views):
            return True
        if function.outer.function is not None or mention.is_declaring:
            return mention.is_declaring is False or bool(_registering(function))
        return bool(_registering(function)) or self._is_stored(mention)

    def _is_stored(self, mention: Mention) -> bool:
        """Put where it can't be followed: an attribute of something, an item, what is yielded."""
        parents = self._parents(mention)
        node: form.Expr | form.Stmt | None = mention.node
        while node is not None:
            node = parents.get(node)
            if isinstance(node, form.Dict | form.Display):
                return True
            if isinstance(node, form.Assign):
                return any(isinstance(t, form.Attr | form.Subscript) and not _is_own(t) for t in node.targets)
        return False

    def _onward(self, mention: Mention) -> Iterator[str]:
        """What speaks of it in turn leads there."""
        function = mention.function
        if function is not None:
            is_called_by_name = not function.name.startswith("__") and function.name != "get_bind"
            if is_called_by_name:
                yield function.name
            elif function.owner is not None and function.name != "__init__":
                yield function.owner.name
        elif mention.cls is not None:
            yield from mention.cls.qualname.split(".")  # a `Meta` is its model's
        for target, _ in self.assigned(mention):
            if (name := last_name(target)) is not None:
                yield name

    def _parents(self, mention: Mention) -> dict[form.Expr | form.Stmt, form.Expr | form.Stmt]:
        """What each node of the code around is in."""
        key = mention.function or mention.cls or mention.module
        if key not in self._known_parents:
            nodes = _nodes(key)
            self._known_parents[key] = {child: node for node in nodes for child in node.children()}
        return self._known_parents[key]

    def _defined(self, name: str) -> Iterator[Evidence]:
        for module in self._modules():
            for function in module.functions:
                if function.name == name:
                    yield Evidence(function.location, f"nothing asks {name}() for it")
            for binding in module.scope.bindings.get(name, ())[:1]:
                if binding.value is not None:
                    yield module.evidence(binding.value, f"nothing reads {name}")

    def _modules(self) -> Iterator[Module]:
        for module in self._project.modules.values():
            if module.role is Role.PROD and offline_reason(module.scope) != "migration":
                yield module

    def _all(self) -> dict[str, list[Mention]]:
        """Every name and attribute in production code; none that an import binds or a list of exports repeats."""
        if self._mentions is None:
            self._mentions = {}
            for module in self._modules():
                for mention in _in_module(module):
                    self._mentions.setdefault(last_name(mention.node) or "", []).append(mention)
        return self._mentions


def _may_be(index: form.Expr, key: str) -> bool:
    """Whether the index may come to the key: a variable may."""
    if isinstance(index, form.Const):
        return index.value == key
    name = last_name(index)
    return name is None or name == key or name.islower()


def _registering(function: FunctionSymbol) -> set[str]:
    """Decorators that hand the function to somebody."""
    names = (last_name(d.func if isinstance(d, form.Call) else d) for d in function.decorators)
    return {name for name in names if name is not None} - _PLAIN


def _is_own(target: form.Expr) -> bool:
    return isinstance(target, form.Attr) and isinstance(target.value, form.Name) and target.value.id == "self"


def _nodes(of: FunctionSymbol | ClassSymbol | Module) -> Iterator[form.Expr | form.Stmt]:
    """All that runs there: no nested definition is entered but a lambda."""
    if isinstance(of, FunctionSymbol):
        yield from of.nodes
        return
    body = of.facts.body if isinstance(of, Module) else of.node.body
    yield from form.walk_body(body, into_definitions=False)


def _in_module(module: Module) -> Iterator[Mention]:
    for node in _nodes(module):
        if isinstance(node, form.Name | form.Attr):
            yield Mention(module, node, None, None)
    for cls in module.classes:
        for base in cls.node.bases:
            yield from (Mention(module, n, None, cls, True) for n in _names(base.value))
        yield from (Mention(module, n, None, cls) for n in _nodes(cls) if isinstance(n, form.Name | form.Attr))
    for function in module.functions:
        for node in function.nodes:
            if isinstance(node, form.Name | form.Attr):
                yield Mention(module, node, function, None)
            elif isinstance(node, form.Lambda):
                yield from (Mention(module, n, function, None) for n in _names(node.body))
        parts = (p for param in function.node.params for p in (param.annotation, param.default) if p is not None)
        for part in (*parts, *function.decorators):
            yield from (Mention(module, n, function, None, True) for n in _names(part))


def _names(node: form.Expr) -> Iterator[form.Name | form.Attr]:
    return (n for n in form.walk(node) if isinstance(n, form.Name | form.Attr))
