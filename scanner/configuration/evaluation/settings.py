"""Settings of frameworks: which of several places that state one counts for the code in a file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from assay.scanner.configuration.defaults import UNKNOWN
from assay.scanner.configuration.evaluation.given import NOTHING
from assay.scanner.configuration.meanings import (
    Firmness,
    Meaning,
)
from assay.scanner.configuration.naming import is_production
from assay.scanner.linker.project import last_part
from assay.scanner.linker.scopes import Module, Scope
from assay.scanner.model.place import Evidence, Location
from assay.scanner.model.role import Role
from assay.scanner.model.setting import Setting
from assay.scanner.readers.python import form

if TYPE_CHECKING:
    from assay.scanner.configuration.evaluation.expressions import Expressions


class Settings:
    """The settings of one project. `defaults` are what frameworks take where nobody sets one, by source and name."""

    def __init__(
        self, expressions: Expressions, settings: Iterable[Setting], defaults: Mapping[tuple[str, str], object]
    ) -> None:
        self._expressions = expressions
        self._project = expressions.project
        self._defaults = defaults
        self._by_source: dict[str, dict[str, list[Setting]]] = {}
        for setting in settings:
            self._by_source.setdefault(setting.source, {}).setdefault(setting.name, []).append(setting)
        self.sites = self._django_sites()

    def place_of(self, name: str, source: str, near: str) -> Location | None:
        """Where the setting is stated that counts for the code in the file."""
        known = self._by_source.get(source, {}).get(name, [])
        if source == "Django settings":
            site = self.site(near)
            return next((s.location for s in known if site is not None and s.group == site.name), None)
        return next((s.location for s in _nearest(known, near)), None)

    def knows(self, source: str) -> bool:
        """Whether any setting of the source is known at all."""
        return source in self._by_source

    def is_set_in(self, source: str, near: str) -> bool:
        """Whether any setting of the source is known for the code in the file."""
        return any(_nearest(settings, near) for settings in self._by_source.get(source, {}).values())

    def site(self, near: str) -> Module | None:
        """The one among them that code in the file runs with."""
        return max(self.sites, key=lambda m: shared_folders(m.path, near), default=None)

    def of(self, name: str, source: str, node: form.Expr, scope: Scope, depth: int) -> list[Meaning]:
        """What the setting comes to where the node reads it: as it is set, or else by the framework's default."""
        found = self.named(name, source, scope.module.path, depth)
        if found:
            return found
        if (source, name) in self._defaults:
            value = self._defaults[source, name]
            return [Meaning(value, scope.module.evidence(node, f"{name} isn't set: it is {value!r}"), Firmness.DEFAULT)]
        return [self._expressions.unknown(node, scope)]

    def named(self, name: str, source: str, near: str, depth: int) -> list[Meaning]:
        """What the setting comes to for code in the file `near`; nothing where nobody sets it."""
        if source == "Django settings":
            site = self.site(near)
            return self._expressions.names.member(site, name, depth) if site is not None else []
        known = _nearest(self._by_source.get(source, {}).get(name, []), near)
        found = [m for setting in known for m in self.stated(setting, depth)]
        return found if len(known) == 1 else [replace(m, is_certain=False) for m in found]

    def stated(self, setting: Setting, depth: int) -> list[Meaning]:
        """What the setting comes to by what is stated at its place."""
        module = self._project.modules[setting.location.path]
        for scope in module.scopes:
            bindings = scope.bindings.get(last_part(setting.name), [])
            if any(module.span(b.offset, b.offset).line == setting.location.line for b in bindings):
                return self._expressions.names.alternatives(bindings, (), NOTHING, depth)
        found = _expression_ending(module, setting.location)
        if found is None:
            return [Meaning(UNKNOWN, Evidence(setting.location, f"what {setting.name} comes to can't be told"))]
        return self._expressions.of(*found, NOTHING, depth)

    def _django_sites(self) -> list[Module]:
        groups = {s.group for found in self._by_source.get("Django settings", {}).values() for s in found}
        return [m for m in self._project.modules.values() if m.name in groups] if groups else []


def _expression_ending(module: Module, place: Location) -> tuple[form.Expr, Scope] | None:
    """The value that a statement, a keyword or an item at the place gives: it ends where the place does."""
    end = module.facts.line_starts[place.end_line - 1] + place.end_column - 1
    for scope in module.scopes:
        for node in form.walk_body(scope.body, into_definitions=False):
            values: Sequence[form.Expr | None] = ()
            match node:
                case form.Assign(value=value):
                    values = (value,)
                case form.Dict(values=items):
                    values = items
                case form.Call(args=args):
                    values = [a.value for a in args]
            found = next((v for v in values if v is not None and v.end == end), None)
            if found is not None:
                return found, scope
    return None


def _nearest(settings: Iterable[Setting], near: str) -> list[Setting]:
    """The settings that production most likely runs with, nearest to the code that asks."""
    known = [(_rank(s), s) for s in settings if s.role is Role.PROD]
    wanted = [(rank, shared_folders(s.location.path, near), s) for rank, s in known if rank >= 0]
    best = max(((shared, rank) for rank, shared, _ in wanted), default=None)
    return [s for rank, shared, s in wanted if (shared, rank) == best]


def _rank(setting: Setting) -> int:
    """Of what the module or class around it is called: for production, for anything, for development."""
    return {True: 1, None: 0, False: -1}[is_production(setting.group.rpartition(":")[2])]


def shared_folders(path: str, other: str) -> int:
    """How many leading folders two paths have in common."""
    count = 0
    for one, two in zip(PurePosixPath(path).parts, PurePosixPath(other).parts, strict=False):
        if one != two:
            break
        count += 1
    return count
