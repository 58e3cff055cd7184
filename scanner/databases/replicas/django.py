"""Django's replicas: aliases of `DATABASES`, the routers that may choose them, and the code that names them.

https://docs.djangoproject.com/en/stable/topics/db/multi-db/
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import islice

from assay.scanner.databases.aliases import aliases
from assay.scanner.databases.replicas.names import is_replica
from assay.scanner.databases.spelled import Speller
from assay.scanner.dataflow.constants import list_items
from assay.scanner.dataflow.offline import offline_reason
from assay.scanner.gathered import Gathered
from assay.scanner.linker.project import Project, last_name
from assay.scanner.linker.scopes import ClassSymbol, FunctionSymbol, How, Module, Scope
from assay.scanner.linker.values import External
from assay.scanner.model.place import Evidence
from assay.scanner.model.role import Role
from assay.scanner.readers.python import form

_SETTING = "DATABASES"
_ROUTERS = "DATABASE_ROUTERS"
_MIRRORS = ("MIRROR", "TEST_MIRROR")
_SHOWN = 3


@dataclass(frozen=True, slots=True, eq=False)
class Alias:
    """A replica's alias. Of one that is made in a loop, `replica_{i}`, the name is its beginning."""

    name: str
    is_beginning: bool
    node: form.Expr
    scope: Scope

    def is_named(self, text: object) -> bool:
        return isinstance(text, str) and (text.startswith(self.name) if self.is_beginning else text == self.name)


@dataclass(frozen=True, slots=True, eq=False)
class Routers:
    """What `DATABASE_ROUTERS` lists: classes of the project, and others by their dotted names."""

    classes: tuple[ClassSymbol, ...]
    libraries: tuple[tuple[str, Evidence], ...]
    is_open: bool = False
    """Something in the list can't be told."""

    def method(self, name: str, project: Project) -> FunctionSymbol | None:
        """The first that any of them has."""
        return next((m for cls in self.classes if (m := project.method(cls, name)) is not None), None)

    def decides_writes(self, project: Project) -> bool:
        """Whether one may send writes elsewhere than to where the object was read."""
        return self.method("db_for_write", project) is not None or self.is_open or bool(self.libraries)


class Aliases:
    """The replicas among the aliases of the settings that production runs with."""

    def __init__(self, gathered: Gathered) -> None:
        self._gathered = gathered
        self._project = gathered.project
        self._speller = Speller(gathered.project)
        self.layers = tuple(dict.fromkeys(_layers(gathered)))
        self.others: list[Evidence] = []
        """Where the other aliases are."""
        found = list(self._all()) if gathered.production.sites else []
        self.replicas = tuple({alias.name: alias for alias in found}.values())

    def _all(self) -> Iterator[Alias]:
        for known in aliases(self._gathered):
            if known.name is not None:
                yield from self._replica(known.name, False, known.node, known.scope)
        for module in self.layers:
            for binding in module.scope.bindings.get(_SETTING, ()):
                if isinstance(binding.value, form.Dict):
                    yield from self._named_by_settings(binding.value, binding.scope)
            for statement, scope in module.assignments:
                for target in statement.targets:
                    if isinstance(target, form.Subscript) and statement.value is not None:
                        yield from self._item(target, statement.value, scope)
            for call, scope in module.calls_named(("update", "setdefault")):
                if isinstance(call.func, form.Attr) and last_name(call.func.value) == _SETTING:
                    yield from self._added(call, scope)

    def _named_by_settings(self, mapping: form.Dict, scope: Scope) -> Iterator[Alias]:
        """`DATABASES = {REPLICA: ...}`, where `REPLICA` is a setting."""
        for key, value in zip(mapping.keys, mapping.values, strict=True):
            if isinstance(key, form.Name | form.Attr):
                for meaning in self._gathered.production.meanings(key, scope):
                    if isinstance(meaning.value, str):
                        yield from self._replica(meaning.value, False, value, scope)

    def _item(self, target: form.Subscript, value: form.Expr, scope: Scope) -> Iterator[Alias]:
        if last_name(target.value) != _SETTING:
            return
        match target.index:
            case form.Const(value=str() as name):
                yield from self._replica(name, False, value, scope)
            case form.Name() | form.Attr() as named:
                for meaning in self._gathered.production.meanings(named, scope):
                    if isinstance(meaning.value, str):
                        yield from self._replica(meaning.value, False, value, scope)
            case form.Template(parts=[str() as beginning, *_]):
                yield from self._replica(beginning, True, value, scope)

    def _added(self, call: form.Call, scope: Scope) -> Iterator[Alias]:
        first = call.positional[0] if call.positional else None
        if isinstance(first, form.Dict):
            for key, value in zip(first.keys, first.values, strict=True):
                if isinstance(key, form.Const) and isinstance(key.value, str):
                    yield from self._replica(key.value, False, value, scope)
        elif isinstance(first, form.Const) and isinstance(first.value, str) and len(call.positional) > 1:
            yield from self._replica(first.value, False, call.positional[1], scope)

    def _replica(self, name: str, is_beginning: bool, node: form.Expr, scope: Scope) -> Iterator[Alias]:
        is_one = is_replica(name) or self._speller.of(node, scope).named(*_MIRRORS) is not None
        if is_one and name != "default":
            yield Alias(name, is_beginning, node, scope)
        elif not is_one and self._gathered.production.taken(node, scope).truth is not False:
            self.others.append(scope.module.evidence(node, f'alias "{name}" is no replica'))

    def named(self, node: form.Expr, scope: Scope) -> Alias | None:
        """The replica that the expression names, whatever happens."""
        texts: list[object] = [node.value] if isinstance(node, form.Const) else []
        if isinstance(node, form.Template) and node.parts and isinstance(node.parts[0], str):
            return next((a for a in self.replicas if a.is_beginning and node.parts[0] == a.name), None)
        if isinstance(node, form.Name | form.Attr) and self.replicas:
            texts = [m.value for m in self._gathered.production.meanings(node, scope)]
        return next((a for a in self.replicas if texts and all(a.is_named(text) for text in texts)), None)

    def routers(self) -> Routers:
        """Those that the settings list, in any of their layers and branches."""
        classes: list[ClassSymbol] = []
        libraries: list[tuple[str, Evidence]] = []
        is_open = False
        for module in self.layers:
            given = [(b.value, b.scope) for b in module.scope.bindings.get(_ROUTERS, ()) if b.value is not None]
            items = [item for value, scope in given for item in list_items(value, scope, self._project)]
            for call, scope in module.calls_named(("append", "insert", "extend")):
                if isinstance(call.func, form.Attr) and last_name(call.func.value) == _ROUTERS and call.positional:
                    last = call.positional[-1]
                    items += list_items(last, scope, self._project) or [(last, scope)]
            for item, scope in items:
                found = self._router(item, scope)
                if isinstance(found, ClassSymbol):
                    classes.append(found)
                elif found is not None:
                    libraries.append((found, module.evidence(item, f"{found} routes reads")))
                else:
                    is_open = True
        return Routers(tuple(dict.fromkeys(classes)), tuple(libraries), is_open)

    def _router(self, item: form.Expr, scope: Scope) -> ClassSymbol | str | None:
        if not isinstance(item, form.Const) or not isinstance(item.value, str):
            value = self._project.infer(item, scope)
            return value if isinstance(value, ClassSymbol) else value.name if isinstance(value, External) else None
        module_name, _, name = item.value.rpartition(".")
        module = self._project.module_named(module_name, scope.module.path)
        member = self._project.member(module, name) if module is not None else None
        return member if isinstance(member, ClassSymbol) else item.value if module is None else None

    def uses(self, alias: Alias, routers: Routers) -> tuple[list[Evidence], list[Evidence]]:
        """Where code names the alias, or a helper of a library that is called after replicas; and what would send reads
        there, and isn't among the routers.
        """
        used: list[Evidence] = [shown for _, shown in routers.libraries]
        dead: list[Evidence] = []
        listed = set(routers.classes)
        for module in self._project.modules.values():
            if module.role is not Role.PROD or offline_reason(module.scope) == "migration":
                continue
            for node, cls in _mentions(module, alias):
                if alias.node.start <= node.start < alias.node.end and module is alias.scope.module:
                    continue
                evidence = module.evidence(node, f'it names "{alias.name}"')
                is_unlisted = cls is not None and "db_for_read" in cls.methods and not routers.is_open
                if module in self.layers:
                    used += islice(self._through_setting(module, node), _SHOWN)
                elif (
                    is_unlisted
                    and cls not in listed
                    and listed.isdisjoint(self._project.subclasses(cls) if cls else ())
                ):
                    dead.append(module.evidence(node, f"{_ROUTERS} doesn't list this router"))
                else:
                    used.append(evidence)
            used += self._asked(module)
            if len(used) >= _SHOWN:
                break
        return used[:_SHOWN], dead[:_SHOWN]

    def _through_setting(self, module: Module, node: form.Expr) -> Iterator[Evidence]:
        """A setting of its own holds the alias: `REPLICAS = ["replica"]`."""
        for name, bindings in module.scope.bindings.items():
            for binding in bindings:
                value = binding.value
                if name == _SETTING or value is None or not value.start <= node.start < value.end:
                    continue
                for other in self._project.modules.values():
                    if other.role is Role.PROD and other not in self.layers:
                        yield from (
                            other.evidence(n, f"it reads {name}")
                            for s in other.facts.body
                            for n in form.walk(s)
                            if isinstance(n, form.Attr) and n.attr == name
                        )

    def _asked(self, module: Module) -> Iterator[Evidence]:
        """Calls of what a library has for reading from replicas."""
        if module not in self.layers:
            for name in self.library_helpers & module.scope.bindings.keys():
                for call, _ in module.calls_named((name,)):
                    yield module.evidence(call, f"{name}() reads from a replica")

    @cached_property
    def library_helpers(self) -> frozenset[str]:
        """Functions of libraries that are called after what they do: `using_database_replica(Order.objects)`."""
        found: set[str] = set()
        for module in self._project.modules.values():
            for binding in module.imports:
                if binding.how is How.IMPORT_FROM and "using" in binding.name and is_replica(binding.name):
                    source = self._project.import_module(binding.module, binding.level, module)
                    found |= {binding.name} if isinstance(source, External) else set()
        return frozenset(found)


def _layers(gathered: Gathered) -> Iterator[Module]:
    """The modules of settings, each before those whose names it takes over."""
    todo = list(gathered.production.sites)
    seen: set[Module] = set()
    while todo:
        module = todo.pop()
        if module in seen:
            continue
        seen.add(module)
        yield module
        sources = (gathered.project.import_module(s.module, s.level, module) for s in module.star_imports)
        todo += [source for source in sources if isinstance(source, Module)]


def _mentions(module: Module, alias: Alias) -> Iterator[tuple[form.Expr, ClassSymbol | None]]:
    for statement in module.facts.body:
        for node in form.walk(statement):
            if isinstance(node, form.Const):
                named = alias.is_named(node.value)
            elif isinstance(node, form.Template):
                named = alias.is_beginning and bool(node.parts) and node.parts[0] == alias.name
            else:
                continue
            if named:
                yield node, next((c for c in module.classes if c.node.start <= node.start < c.node.end), None)
