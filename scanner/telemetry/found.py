"""What is found of metrics and traces, and which kinds of process have it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from assay.scanner.linker.project import last_name
from assay.scanner.linker.scopes import FunctionSymbol, Module, Scope
from assay.scanner.model.log import ProcessKind
from assay.scanner.model.place import Evidence
from assay.scanner.readers.python import form
from assay.scanner.telemetry import agents
from assay.scanner.telemetry.code import ServiceCode, import_of
from assay.scanner.telemetry.libraries import EVERYTHING
from assay.scanner.telemetry.processes import RunningKind, is_of_workers

WEB = frozenset({ProcessKind.WEB})
WORKER = frozenset({ProcessKind.WORKER})
BOTH = frozenset(ProcessKind)
_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Found:
    """What exports metrics or traces, and of which kinds of process. `where` is the module, None for what is no code;
    `is_sure` says that production runs it.
    """

    evidence: Evidence
    kinds: frozenset[ProcessKind]
    where: Module | None = None
    is_sure: bool = True

    def is_of(self, running: RunningKind) -> bool:
        """Whether it is true of such a process."""
        if running.kind not in self.kinds:
            return False
        return self.where is None or len(self.kinds) == 1 or running.runs(self.where)

    def is_at_home(self, running: RunningKind) -> bool:
        """Whether it stands where such a process does its own work."""
        return self.where is not None and is_of_workers(self.where) is (running.kind is ProcessKind.WORKER)


def called(code: ServiceCode, call: form.Call, scope: Scope, text: str, kinds: frozenset[ProcessKind]) -> Found:
    """A call, and whether production gets there."""
    return Found(Evidence(scope.module.location(call), text), kinds, scope.module, is_taken(code, call, scope))


def is_taken(code: ServiceCode, call: form.Call, scope: Scope) -> bool:
    """Whether production runs the call, as far as the branches around it and around the calls of its function tell."""
    production = code.gathered.production
    if production.taken(call, scope).truth is not True:
        return False
    function = scope.function
    callers = list(code.project.callers(function)) if function is not None else []
    return not callers or any(production.taken(c, s).truth is True for c, s in callers)


def is_named_nowhere(function: FunctionSymbol, code: ServiceCode) -> bool:
    """Whether nothing can call the function: it is no method, has no decorator, and no module speaks of it. Servers
    call the hooks in their configuration by name, and what makes an application.
    """
    is_plain = function.qualname == function.name and not function.decorators and not function.returns
    if not is_plain or "gunicorn" in function.module.name or any(True for _ in code.project.callers(function)):
        return False
    near = (m for m in code.modules if m is function.module or any(b.name == function.name for b in m.imports))
    spoken = (n for m in near for n in form.walk_body(m.facts.body) if isinstance(n, form.Name | form.Attr))
    return all(last_name(n) != function.name for n in spoken)


def imports(code: ServiceCode, names: Iterable[str]) -> Iterator[tuple[Module, Evidence]]:
    """The modules that import something of those, with the place."""
    for module in code.modules:
        for name in names:
            if name.partition(".")[0] in module.imported_packages and (found := import_of(module, name)) is not None:
                yield module, found


def below_agents(code: ServiceCode) -> Iterator[Found]:
    """Agents that record all that a process does: those that it starts with, and those that code imports."""
    for evidence in (*agents.commands(code), *agents.injected(code)):
        yield Found(evidence, BOTH)
    for module, evidence in imports(code, EVERYTHING):
        yield Found(evidence, BOTH, module)


def in_modules(code: ServiceCode, found: Iterable[Evidence]) -> Iterator[Found]:
    """What stands in modules, with the module of each."""
    modules = {m.path: m for m in code.modules}
    for evidence in found:
        yield Found(evidence, BOTH, modules.get(evidence.location.path))


def shown(evidence: Iterable[Evidence]) -> tuple[Evidence, ...]:
    """The first few places."""
    return tuple(dict.fromkeys(evidence))[:_SHOWN]
