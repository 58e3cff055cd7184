"""Library models, indexed by the names that code uses."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property

from assay.scanner.libraries import Guard, Label, Library, Propagator, Sanitizer, Sink, SinkKind, Source
from assay.scanner.linker.library_types import canonical, result_of_call

_ANY = "*."


@dataclass
class Models:
    """What is known of each dotted name. `unbound` are the methods known only by their last name."""

    sources: dict[str, Label] = field(default_factory=dict)
    sources_if: dict[str, Source] = field(default_factory=dict)
    """Calls that give what a client chooses if they are told to."""
    sinks: dict[str, list[Sink]] = field(default_factory=dict)
    sanitizers: dict[str, frozenset[SinkKind]] = field(default_factory=dict)
    guards: dict[str, Guard] = field(default_factory=dict)
    propagators: dict[str, Propagator] = field(default_factory=dict)
    gives: dict[str, str] = field(default_factory=dict)
    same: dict[str, str] = field(default_factory=dict)
    unbound: dict[str, frozenset[str]] = field(default_factory=dict)
    """The packages whose objects have a method that is known by its last name only."""
    _typed: set[str] = field(default_factory=set)
    _names: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, libraries: Iterable[Library], imported: frozenset[str]) -> Models:
        """The models of the libraries; names without a type count where `imported` has a package of the library."""
        models = cls()
        for library in libraries:
            models._add(library, not imported.isdisjoint(library.packages))
        return models

    def _add(self, library: Library, is_imported: bool) -> None:
        self.gives.update(library.types.gives)
        self._typed.update(name.rpartition(".")[0] for name in library.types.gives)
        self.same.update(library.types.same)
        for source in library.sources:
            names = _known(source.dotted, is_imported)
            if source.when:
                self.sources_if.update(dict.fromkeys(names, source))
            else:
                self.sources.update(dict.fromkeys(names, source.gives))
        for sink in library.sinks:
            for name in _known(sink.dotted, is_imported):
                self.sinks.setdefault(name, []).append(sink)
                if name.startswith(_ANY):
                    self.unbound[name] = self.unbound.get(name, frozenset()) | frozenset(library.packages)
        for sanitizer in library.sanitizers:
            for name in _known(sanitizer.dotted, is_imported):
                self.sanitizers[name] = self._cleaned(sanitizer) | self.sanitizers.get(name, frozenset())
        for guard in library.guards:
            self.guards.update(dict.fromkeys(_known(guard.dotted, is_imported), guard))
        for propagator in library.propagators:
            self.propagators.update(dict.fromkeys(_known(propagator.dotted, is_imported), propagator))

    def _cleaned(self, sanitizer: Sanitizer) -> frozenset[SinkKind]:
        return frozenset(sanitizer.cleans or SinkKind)

    def name_of(self, name: str) -> str:
        """One name for what has several: of a member, under its owner's one name."""
        known = self._names.get(name)
        if known is None:
            known = self._names[name] = self._name_of(name)
        return known

    def _name_of(self, name: str) -> str:
        found = self.same.get(name) or canonical(name)
        owner, dot, member = found.rpartition(".")
        if found != name or not dot or "." not in owner or self.is_known(found):
            return found
        return f"{self.name_of(owner)}.{member}"

    def member(self, owner: str, name: str) -> str:
        """The full name of a member: of what the owner is an object of, where that is said."""
        full = self.name_of(f"{owner}.{name}")
        kind = self.gives.get(owner)
        return full if kind is None or self.is_known(full) else self.name_of(f"{kind}.{name}")

    def is_known(self, name: str) -> bool:
        """Whether any model says something of it."""
        return any(name in known for known in (self.sources, self.sinks, self.sanitizers, self.gives, self.propagators))

    def result_of(self, name: str) -> str:
        """The type of what calling or reading it gives."""
        return self.gives.get(name) or result_of_call(name)

    def type_of(self, name: str) -> str:
        """The same where that is said, or where the name is a class's; empty otherwise."""
        found = self.result_of(name)
        return found if found != name or name.rpartition(".")[2][:1].isupper() else ""

    @cached_property
    def sink_owners(self) -> frozenset[str]:
        """The types that have methods which are sinks."""
        return frozenset(name.rpartition(".")[0] for name in self.sinks)

    def is_typed(self, name: str) -> bool:
        """Whether it is said what its members are."""
        return name in self._typed

    @property
    def last_names_called(self) -> frozenset[str]:
        """The last names of all calls that are sinks: a function that mentions none of them has none."""
        called = {n for n, sinks in self.sinks.items() if not all(s.assigned for s in sinks)}
        others = {other for other, name in self.same.items() if name in called}
        return frozenset(_last(n.removesuffix(".__call__")) for n in called | others)

    @property
    def last_names_written(self) -> frozenset[str]:
        """The same of what sinks assign to."""
        written = {n for n, sinks in self.sinks.items() if any(s.assigned for s in sinks)}
        others = {other for other, name in self.same.items() if name in written}
        return frozenset(_last(n) for n in written | others)


def _last(name: str) -> str:
    return name.rpartition(".")[2]


def _known(names: Iterable[str], is_imported: bool) -> list[str]:
    return [name for name in names if is_imported or not name.startswith(_ANY)]
