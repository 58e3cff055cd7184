"""Which calls in a function take long, as library models name them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from assay.scanner.libraries import Library, WaitingCall
from assay.scanner.linker.library_types import canonical
from assay.scanner.linker.project import Project, last_part
from assay.scanner.linker.scopes import FunctionSymbol, Scope
from assay.scanner.linker.values import External, Instance
from assay.scanner.model.place import Evidence
from assay.scanner.model.waiting import Wait
from assay.scanner.readers.python import form
from assay.scanner.waiting.calls import DirectCalls

_ANY = "*"
_DEEPEST = 6
_ASYNC_DATABASES = (
    "sqlalchemy.ext.asyncio", "sqlmodel.ext.asyncio", "psycopg", "psycopg_pool", "aiosqlite", "aiopg", "aiomysql",
)  # fmt: skip
"""Modules whose classes bear the same names, to the linker, as those without `await`."""
_ENQUEUING = frozenset({"delay", "apply_async", "enqueue", "send_task"})
_FETCHING = frozenset({"get", "wait", "join", "get_result"})


@dataclass(frozen=True, slots=True, eq=False)
class Site:
    """A call that takes long. `holds_up` is False where it is awaited; `goes_on` says that what it gives may be."""

    call: form.Call
    function: FunctionSymbol
    name: str
    wait: Wait
    holds_up: bool
    goes_on: bool

    @property
    def evidence(self) -> Evidence:
        return self.function.module.evidence(self.call, f"`{self.name}` {self.wait.said}")


class Waits:
    """Answers for one project; each function is looked at once."""

    def __init__(self, project: Project, libraries: Sequence[Library], calls: DirectCalls) -> None:
        self._project = project
        self._calls = calls
        self._sites: dict[FunctionSymbol, tuple[Site, ...]] = {}
        self._models: dict[str, WaitingCall] = {}
        self._below: dict[str, list[tuple[str, WaitingCall]]] = {}
        """By the owner: last names of what is somewhere below it, `*` for all."""
        for model in (m for library in libraries for m in library.waiting):
            self._add(model)
        self._last_names = {last_part(name) for name in self._models}
        self._last_names.update(name for found in self._below.values() for name, _ in found)
        self._takes_all = {owner.partition(".")[0] for owner, found in self._below.items() if _ANY in dict(found)}

    def _add(self, model: WaitingCall) -> None:
        for name in model.names:
            below = name.removeprefix(f"{_ANY}.")
            for owner in model.of if below != name or name == _ANY else ():
                self._below.setdefault(canonical(owner), []).append((below, model))
        if not any(name.startswith(_ANY) for name in model.names):
            self._models.update((canonical(name), model) for name in model.dotted)

    def of(self, function: FunctionSymbol) -> tuple[Site, ...]:
        """What takes long in its own body, in order of place."""
        sites = self._sites.get(function)
        if sites is None:
            sites = self._sites[function] = tuple(self._found(function))
        return sites

    @cached_property
    def _may_be_awaited(self) -> bool:
        """Whether sessions and cursors of the project may be such whose calls give something to await."""
        prefixes = tuple(f"{name}." for name in _ASYNC_DATABASES)
        packages = {name.partition(".")[0] for name in _ASYNC_DATABASES}
        modules = (m for m in self._project.modules.values() if not packages.isdisjoint(m.imported_packages))
        return any(f"{b.module}.".startswith(prefixes) for m in modules for b in m.imports)

    def _found(self, function: FunctionSymbol) -> Iterator[Site]:
        body = self._calls.of(function)
        for call in body.calls:
            known = self._model(call, function.scope)
            if known is not None:
                name, model = known
                holds_up = call not in body.awaited and not model.awaited
                goes_on = call in body.passed_on and self._may_be_awaited
                yield Site(call, function, name, model.waits_for, holds_up, goes_on)
            elif _waits_for_job(call, function.scope):
                yield Site(call, function, f"{form.dotted(call.func) or 'get'}", Wait.JOB, True, False)

    def _model(self, call: form.Call, scope: Scope) -> tuple[str, WaitingCall] | None:
        name = self._name(call.func, scope)
        if name is None:
            return None
        model = self._models.get(name)
        if model is not None:
            return _shown(name), model
        owner, last = name, last_part(name)
        while "." in owner:
            owner = owner.rpartition(".")[0]
            for below, found in self._below.get(owner, ()):
                if below == last or (below == _ANY and last not in found.but):
                    return _shown(name), found
        return None

    def _name(self, func: form.Expr, scope: Scope) -> str | None:
        """The dotted name of a library's function, also through items: `client["shop"].orders.find_one`."""
        value = self._project.infer(func, scope)
        if isinstance(value, External):
            return canonical(value.name)
        if value is None and isinstance(func, form.Attr) and func.attr in self._last_names:
            owner = self._owner(func.value, scope)
            return canonical(f"{owner}.{func.attr}") if owner is not None else None
        return None

    def _owner(self, node: form.Expr, scope: Scope, depth: int = _DEEPEST) -> str | None:
        value = self._project.infer(node, scope)
        if isinstance(value, Instance) and value.cls is None:
            return value.type_name
        if isinstance(value, External):
            return value.name
        match node if depth else None:
            case form.Subscript(value=inner) | form.Attr(value=inner):
                return self._owner(inner, scope, depth - 1)
            case form.Name(id=name):
                bound = scope.lookup(name)
                value_node = bound[-1].value if bound else None
                if isinstance(value_node, form.Subscript):
                    return self._owner(value_node, bound[-1].scope, depth - 1)
        return None


def _shown(name: str) -> str:
    """A name as people write it: without the linker's own word for drivers of databases."""
    return name.removeprefix("dbapi.").removeprefix("sqlalchemy.orm.")


def _waits_for_job(call: form.Call, scope: Scope) -> bool:
    """`report.delay(id).get()`, or the same by way of a variable."""
    if not isinstance(call.func, form.Attr) or call.func.attr not in _FETCHING:
        return False
    made = call.func.value
    if isinstance(made, form.Name):
        bound = scope.lookup(made.id)
        made = bound[-1].value if bound and bound[-1].value is not None else made
    return isinstance(made, form.Call) and isinstance(made.func, form.Attr) and made.func.attr in _ENQUEUING
