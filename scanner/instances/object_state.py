"""State in attributes of objects that last: `store = Store()` in a module, whose methods fill `self.items`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from assay.scanner.dataflow.lexicon import words
from assay.scanner.instances.shapes import is_lazy, is_memo, is_new_container, owners_of_writes
from assay.scanner.linker.project import Project, last_name
from assay.scanner.linker.scopes import ClassSymbol, FunctionSymbol, How
from assay.scanner.model.instance import ProcessState, Use
from assay.scanner.model.place import Evidence
from assay.scanner.model.role import Role
from assay.scanner.readers.python import form

_ONCE = frozenset({"cache", "lru_cache"})
_OWN = frozenset(
    """cache cached caches memo registry registries pool pools client clients engine engines metric metrics stats
    breaker buffer buffers batch queue queues pending task tasks thread threads future futures lock locks handler
    handlers callback callbacks plugin plugins""".split()
)
"""Words of what each process may have for itself, and of doubles that nobody deploys."""
CONNECTED = frozenset(
    """connection connections socket sockets websocket websockets subscriber subscribers listener listeners""".split()
)
"""Words of what is connected to this process, and so can't be elsewhere."""


def object_states(
    classes: Sequence[ClassSymbol], project: Project, serves: Callable[[FunctionSymbol], bool]
) -> Iterator[ProcessState]:
    """Attributes that requests change and look at. `serves` tells whether a request leads to a function."""
    for cls in classes:
        for name, values in cls.assigned_to_self.items():
            value, scope = values[0]
            is_made = scope.function is not None and scope.function.name == "__init__"
            if not is_made or len(values) > 1 or not is_new_container(value, scope, project):
                continue
            about = {*words(cls.name), *words(name)}
            state = _judged(cls, name, serves) if _OWN.isdisjoint(about) else None
            if state is None:
                continue
            use = Use.CONNECTIONS if not CONNECTED.isdisjoint(about) else Use.STATE
            yield ProcessState(
                f"{cls.id}.{name}", f"{cls.name}.{name}", cls.module.location(value), cls.module.role, use, state
            )


def lasting_classes(project: Project) -> list[ClassSymbol]:
    """Production classes of which a module, or a function that is called once, makes the one object."""
    found: dict[ClassSymbol, None] = {}
    for module in project.modules.values():
        if module.role is not Role.PROD:
            continue
        for bindings in module.scope.bindings.values():
            first = bindings[0]
            if first.how is How.ASSIGN and first.scope is module.scope and isinstance(first.value, form.Call):
                value = project.infer(first.value.func, first.scope)
                if isinstance(value, ClassSymbol) and value.module.role is Role.PROD:
                    found[value] = None
    for function in project.functions:
        names = {last_name(d.func if isinstance(d, form.Call) else d) for d in function.decorators}
        if names.isdisjoint(_ONCE) or function.module.role is not Role.PROD:
            continue
        for returned in function.returns:
            if isinstance(returned.value, form.Call):
                value = project.infer(returned.value.func, function.scope)
                if isinstance(value, ClassSymbol) and value.module.role is Role.PROD:
                    found[value] = None
    return list(found)


def _judged(cls: ClassSymbol, attribute: str, serves: Callable[[FunctionSymbol], bool]) -> tuple[Evidence, ...] | None:
    """Where requests change and where they read it; None where they don't do both, or only keep a copy there."""
    writes: list[tuple[form.Node, FunctionSymbol]] = []
    reads: list[tuple[form.Node, FunctionSymbol]] = []
    for method in cls.methods.values():
        if not method.node.params or method.name == "__init__":
            continue
        name = f"{method.node.params[0].name}.{attribute}"
        written: set[int] = set()
        for node in method.nodes:
            owners = {id(owner) for owner in owners_of_writes(node) if form.dotted(owner) == name}
            if owners:
                writes.append((node, method))
                written |= owners
        reads.extend(
            (node, method)
            for node in method.nodes
            if isinstance(node, form.Attr) and form.dotted(node) == name and id(node) not in written
        )
        if writes and writes[-1][1] is method and (is_lazy(method, name) or is_memo(method, name)):
            return None
    write = next(((n, f) for n, f in writes if serves(f)), None)
    read = next(((n, f) for n, f in reads if serves(f)), None) if write is not None else None
    if write is None or read is None:
        return None
    return (
        write[1].module.evidence(write[0], f"requests change `{attribute}`"),
        read[1].module.evidence(read[0], f"what a request gets hangs on `{attribute}`"),
    )
