"""The code of one service, asked for imports and calls."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cached_property

from assay.scanner.gathered import Gathered
from assay.scanner.linker.scopes import Binding, How, Module, Scope
from assay.scanner.model.place import Evidence
from assay.scanner.model.role import Role
from assay.scanner.readers.python import form
from assay.scanner.services import ServiceRoot
from assay.scanner.telemetry.libraries import DEPENDENCIES, EVERYTHING, REQUESTS

_PACKAGES = frozenset(
    name.partition(".")[0] for names in (REQUESTS, EVERYTHING, *DEPENDENCIES.values()) for name in names
)


class ServiceCode:
    """What runs in production of a service."""

    def __init__(self, service: ServiceRoot, gathered: Gathered) -> None:
        self.service = service
        self.gathered = gathered
        self.project = gathered.project
        self.modules = [
            m for m in self.project.modules.values() if m.role is Role.PROD and gathered.owners.of(m.path) is service
        ]

    def calls_named(self, *names: str) -> Iterator[tuple[form.Call, Scope]]:
        """Calls in the service's own code, as `Project.calls_named`."""
        for call, scope in self.project.calls_named(*names):
            if scope.module.role is Role.PROD and self.owns(scope.module.path):
                yield call, scope

    def owns(self, path: str) -> bool:
        """Whether the file is the service's."""
        return self.gathered.owners.of(path) is self.service

    def named(self, names: Iterable[str]) -> Iterator[Evidence]:
        """Imports of a library, and strings in settings that name it."""
        wanted = tuple(names)
        for module, dotted, offset in self._mentioned:
            name = next((n for n in wanted if _is_below(dotted, n)), None)
            if name is None:
                continue
            if offset is None:
                yield from places_of(module, dotted)
            else:
                yield Evidence(module.span(offset, offset), f"imports {name}")

    @cached_property
    def _mentioned(self) -> tuple[tuple[Module, str, int | None], ...]:
        """What of the known libraries code imports, with the place, and what strings name."""
        found: list[tuple[Module, str, int | None]] = []
        for module in self.modules:
            if not module.imported_packages.isdisjoint(_PACKAGES):
                names = ((_dotted(binding), binding.offset) for binding in module.imports if binding.level == 0)
                found += [(module, name, at) for name, at in names if name.partition(".")[0] in _PACKAGES]
            said = (text for text in module.facts.mentions.strings if text.partition(".")[0] in _PACKAGES)
            found += [(module, text, None) for text in said]
        return tuple(found)


def import_of(module: Module, package: str) -> Evidence | None:
    """Where a module imports a package."""
    for binding in module.imports:
        if binding.level == 0 and _is_below(_dotted(binding), package):
            return Evidence(module.span(binding.offset, binding.offset), f"imports {package}")
    return None


def _dotted(binding: Binding) -> str:
    """What an import names: `import a.b` as much as `from a import b`."""
    return binding.name if binding.how is How.IMPORT else f"{binding.module}.{binding.name}"


def _is_below(dotted: str, name: str) -> bool:
    return dotted == name or dotted.startswith(f"{name}.")


def places_of(module: Module, text: str) -> Iterator[Evidence]:
    """The first place of a string."""
    for statement in module.facts.body:
        for node in form.walk(statement):
            if isinstance(node, form.Const) and node.value == text:
                yield Evidence(module.location(node), f"names {text}")
                return
