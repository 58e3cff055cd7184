"""The calls in a project that library models name."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from assay.scanner.dataflow.reach import packages_in_reach
from assay.scanner.libraries import Library
from assay.scanner.linker.library_types import canonical
from assay.scanner.linker.project import Project, last_name, last_part
from assay.scanner.linker.scopes import FunctionSymbol, Scope
from assay.scanner.linker.values import BoundMethod, External, Value
from assay.scanner.model.role import Role
from assay.scanner.readers.python import form

_ANYTHING = ".*."
_ANY_OBJECT = "*."


class _Model(Protocol):
    """What a library model says of some calls."""

    @property
    def dotted(self) -> Iterator[str]: ...


_M = TypeVar("_M", bound=_Model)


@dataclass(frozen=True, slots=True)
class LibraryCall(Generic[_M]):
    """A call, the name by which models know it, and what they say of it: several where it hangs on the arguments."""

    node: form.Call
    scope: Scope
    name: str
    models: Sequence[_M]


class Calls(Generic[_M]):
    """The calls that one kind of model names.

    `flask.*.set_cookie` is a method of anything that the library gives, and of objects whose type can't be told in
    modules that import it. `*.set_password` is a method of any object but those of the project's own classes, in
    modules that have to do with the library.
    """

    def __init__(
        self, project: Project, libraries: Sequence[Library], models_of: Callable[[Library], Iterable[_M]]
    ) -> None:
        self._project = project
        self._same = {name: target for library in libraries for name, target in library.types.same.items()}
        self._models: dict[str, list[_M]] = {}
        self._owners: dict[str, list[str]] = {}
        self._packages: dict[str, set[str]] = {}
        for library in libraries:
            for model in models_of(library):
                for name in model.dotted:
                    self._add(name, model, library)
        self._last_names = sorted({last_part(name) for name in self._models})

    def _add(self, name: str, model: _M, library: Library) -> None:
        if name.startswith(_ANY_OBJECT):
            self._packages.setdefault(name, set()).update(library.packages)
        elif _ANYTHING in name:
            package, method = name.split(_ANYTHING)
            self._owners.setdefault(method, []).append(package)
        else:
            name = self._known(name)
        self._models.setdefault(name, []).append(model)

    @property
    def models(self) -> Mapping[str, Sequence[_M]]:
        """What is known, by the names of what is called."""
        return self._models

    def found(self) -> Iterator[LibraryCall[_M]]:
        """All calls, module by module."""
        for call, scope in self._project.calls_named(*self._last_names):
            name = self.name_of(call, scope)
            if name is not None:
                yield LibraryCall(call, scope, name, self._models[name])

    def in_production(self) -> list[LibraryCall[_M]]:
        """Those in production code, by path and position."""
        mine = (call for call in self.found() if call.scope.module.role is Role.PROD)
        return sorted(mine, key=lambda call: (call.scope.module.path, call.node.start))

    def named(self, value: Value | None) -> Sequence[_M]:
        """What the models say of calls of the value."""
        name = self._name_of_value(value) if isinstance(value, External) else None
        return self._models[name] if name is not None else ()

    def name_of(self, call: form.Call, scope: Scope) -> str | None:
        """The name by which models know what is called; None where none does."""
        callee = self._project.infer(call.func, scope)
        name = self._name_of_value(callee) if isinstance(callee, External) else None
        if name is None and callee is None:
            name = self._name_in_library(last_name(call.func) or "", scope)
        if name is None and not isinstance(callee, FunctionSymbol | BoundMethod):
            name = self._name_on_any_object(call, scope)
        return name

    def _name_of_value(self, value: External) -> str | None:
        name = self._known(value.name)
        if name in self._models:
            return name
        package, method = name.partition(".")[0], last_part(name)
        return f"{package}{_ANYTHING}{method}" if package in self._owners.get(method, ()) else None

    def _name_in_library(self, method: str, scope: Scope) -> str | None:
        """A method of an object whose type can't be told is the library's that the module imports, or else the tree."""
        for imported in (scope.module.imported_packages, self._project.imported_packages):
            package = next((p for p in self._owners.get(method, ()) if p in imported), None)
            if package is not None:
                return f"{package}{_ANYTHING}{method}"
        return None

    def _name_on_any_object(self, call: form.Call, scope: Scope) -> str | None:
        if not isinstance(call.func, form.Attr):
            return None
        name = _ANY_OBJECT + call.func.attr
        packages = self._packages.get(name)
        if packages is None or packages.isdisjoint(packages_in_reach(scope.module, self._project)):
            return None
        return name

    def _known(self, name: str) -> str:
        """The one name of a thing that has several, or of the thing that it is a member of."""
        name = canonical(name)
        parts = name.split(".")
        for length in range(len(parts), 0, -1):
            target = self._same.get(".".join(parts[:length]))
            if target is not None:
                return ".".join([target, *parts[length:]])
        return name
