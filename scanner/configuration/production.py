"""What an expression comes to in production, as far as the source tells: constants, settings, switches, defaults.

Production is where debugging is off: `not settings.DEBUG`, `ENVIRONMENT == "production"` and `is_localhost(request)`
are told by what their names say, whatever the default is. A branch that production doesn't take gives no value.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from assay.scanner.configuration.evaluation.expressions import Expressions
from assay.scanner.configuration.evaluation.given import NOTHING
from assay.scanner.configuration.meanings import Items, Meanings, Taken, merged
from assay.scanner.dataflow.ways import way_to
from assay.scanner.linker.project import Project, last_name
from assay.scanner.linker.scopes import How, Module, Scope
from assay.scanner.model.place import Location
from assay.scanner.model.setting import Setting
from assay.scanner.readers.python import form

_DEEPEST = 16
"""Names, calls and operators between a question and its answer."""


class Production:
    """Answers questions about one project. `settings` are all that are known, `defaults` what frameworks take for those
    that nobody sets, by source and name.
    """

    def __init__(
        self,
        project: Project,
        settings: Iterable[Setting] = (),
        defaults: Mapping[tuple[str, str], object] | None = None,
    ) -> None:
        self._project = project
        self._expressions = Expressions(project, settings, defaults or {})
        self._settings = self._expressions.settings
        self._branches = self._expressions.branches

    def meanings(self, node: form.Expr, scope: Scope) -> Meanings:
        """All that the expression may be, at least one."""
        return merged(self._expressions.of(node, scope, NOTHING, _DEEPEST))

    def item(self, node: form.Expr, scope: Scope, key: str) -> Items:
        """What a mapping that is made in the code holds under the key."""
        found = self._expressions.mappings.items(node, scope, key, _DEEPEST)
        return Items(merged(list(found.found)) if found.found else (), found.is_open)

    def setting(self, name: str, source: str, near: str) -> Meanings | None:
        """What a setting comes to for the code in the file `near`; None where nobody sets it."""
        found = self._settings.named(name, source, near, _DEEPEST)
        return merged(found) if found else None

    def stated(self, setting: Setting) -> Meanings:
        """What the setting comes to by what is stated at its own place, whatever overrides it elsewhere."""
        return merged(self._settings.stated(setting, _DEEPEST))

    def place_of(self, name: str, source: str, near: str) -> Location | None:
        """Where the setting is stated that counts for the code in the file."""
        return self._settings.place_of(name, source, near)

    def is_set_in(self, source: str, near: str) -> bool:
        """Whether any setting of the source is known for the code in the file."""
        return self._settings.is_set_in(source, near)

    @property
    def sites(self) -> Sequence[Module]:
        """The modules of Django settings that production runs with."""
        return self._settings.sites

    def taken(self, node: form.Node, scope: Scope) -> Taken:
        """Whether production gets to a place in the scope's body, by the branches around it."""
        return self._branches.taken(way_to(scope.body, node.start), scope, NOTHING, _DEEPEST)

    def closed(self, node: form.Node, scope: Scope) -> list[Taken]:
        """The branches around a place that production doesn't take."""
        around = way_to(scope.body, node.start)
        taken = (self._branches.taken_one(branch, scope, NOTHING, _DEEPEST) for branch in around)
        return [t for t in taken if t.truth is False]

    def given(self, module: Module, name: str) -> list[tuple[form.Expr, Scope]]:
        """What production gives a module's name or adds to it, base layers first, without what is replaced later."""
        found: list[tuple[form.Expr, Scope]] = []
        for star in module.star_imports:
            source = self._project.import_module(star.module, star.level, module)
            if isinstance(source, Module) and source is not module:
                found += self.given(source, name)
        for binding in module.scope.bindings.get(name, ()):
            reached = self._branches.taken_by_binding(binding, (), NOTHING, _DEEPEST).truth
            if binding.value is not None and reached is not False:
                if reached is True and binding.how is How.ASSIGN and not _speaks_of(binding.value, name):
                    found.clear()
                found.append((binding.value, binding.scope))
        return found

    def listed(self, module: Module, name: str) -> list[tuple[form.Expr, Scope]]:
        """The parts of a list: what its name is given, and what `append`, `extend` and `insert` add to it."""
        found = self.given(module, name)
        for call, scope in module.calls_named(("append", "extend", "insert")):
            owner = call.func.value if isinstance(call.func, form.Attr) else None
            is_own = isinstance(owner, form.Name) and owner.id == name and call.positional
            if is_own and self.taken(call, scope).truth is not False:
                found.append((call.positional[-1], scope))
        return found


def _speaks_of(node: form.Expr, name: str) -> bool:
    return any(isinstance(n, form.Name | form.Attr) and last_name(n) == name for n in form.walk(node))
