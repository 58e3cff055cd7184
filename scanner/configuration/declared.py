"""A setting from the statements that bind its name."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from assay.scanner.configuration.defaults import UNKNOWN, Defaults, added
from assay.scanner.configuration.environment import Environment, EnvironmentRead
from assay.scanner.framework import Sited
from assay.scanner.linker.project import Project
from assay.scanner.linker.scopes import Binding, How, Scope
from assay.scanner.model.place import Location
from assay.scanner.model.setting import Setting, shown
from assay.scanner.readers.python import form


class Configuration:
    """What the settings of one project are read with."""

    def __init__(self, project: Project) -> None:
        self.environment = Environment(project)
        self.defaults = Defaults(project, self.environment)

    def variables(self, node: form.Expr, scope: Scope) -> tuple[str, ...]:
        """The environment variables that a value is read from, in the order in which they are asked."""
        found = self.environment.reads(node, scope)
        return tuple(dict.fromkeys(read.variable for read in found if read.variable is not None))

    def shown(self, name: str, node: form.Expr, scope: Scope) -> str | None:
        """The value as `Setting.value` holds it."""
        value = self.defaults.value(node, scope)
        return None if value is UNKNOWN else shown(name, value)

    def is_required(self, node: form.Expr, scope: Scope) -> bool:
        """Whether evaluating the expression fails without a variable."""
        needed = [read for read in self.environment.direct_reads(node, scope) if read.is_required]
        return any(not _is_optional(read, node) for read in needed)

    def assigned(self, name: str, value: Sited, location: Location, source: str, group: str) -> Setting:
        """The setting that a name is after the expression was stored under it."""
        return Setting(
            name=name,
            source=source,
            group=group,
            location=location,
            role=value.module.role,
            value=self.shown(name, value.node, value.scope),
            variables=self.variables(value.node, value.scope),
            is_required=self.is_required(value.node, value.scope),
        )

    def setting(self, name: str, bindings: Sequence[Binding], source: str, group: str) -> Setting:
        """The setting that a name is after all of its bindings, given in the order in which they run."""
        last = bindings[-1]
        valued = [b for b in bindings if b.value is not None]
        deciding = _deciding(valued, name)
        value = self._value(deciding, name)
        variables = [v for b in deciding if b.value is not None for v in self.variables(b.value, b.scope)]
        return Setting(
            name=name,
            source=source,
            group=group,
            location=place_of(last, name),
            role=last.scope.module.role,
            value=None if value is UNKNOWN else shown(name, value),
            variables=tuple(dict.fromkeys(variables)),
            is_required=any(
                b.value is not None and _always_runs(b) and self.is_required(b.value, b.scope) for b in deciding
            ),
        )

    def _value(self, deciding: Iterable[Binding], name: str) -> object:
        value: object = UNKNOWN
        for binding in deciding:
            assert binding.value is not None
            if not _always_runs(binding):
                return UNKNOWN
            given = self.defaults.holding(name, value).value(binding.value, binding.scope)
            value = added(value, given) if binding.how is How.AUGMENT else given
        return value


def place_of(binding: Binding, name: str) -> Location:
    """From the name to the end of what it is given."""
    last = binding.value or binding.annotation
    end = last.end if last is not None else binding.offset + len(name)
    return binding.scope.module.span(binding.offset, max(end, binding.offset))


def _deciding(bindings: Sequence[Binding], name: str) -> Sequence[Binding]:
    """From the last assignment that always runs and doesn't build on what was there: what came before it is lost."""
    starts = [
        i for i, b in enumerate(bindings) if b.how is How.ASSIGN and _always_runs(b) and not _builds_on_itself(b, name)
    ]
    return bindings[starts[-1] :] if starts else bindings


def _builds_on_itself(binding: Binding, name: str) -> bool:
    """`NAME = NAME + [...]`."""
    parts = form.walk(binding.value, into_definitions=False) if binding.value is not None else ()
    return any(isinstance(part, form.Name) and part.id == name for part in parts)


def _always_runs(binding: Binding) -> bool:
    """Whether the statement stands on the outermost level of its module or class."""
    return any(
        s.start <= binding.offset < s.end for s in binding.scope.body if isinstance(s, form.Assign | form.AugAssign)
    )


def _is_optional(read: EnvironmentRead, node: form.Expr) -> bool:
    """`os.environ["X"] if "X" in os.environ else None`: asked only where it is set."""
    return any(
        isinstance(part, form.Conditional) and part.start <= read.node.start < part.end for part in form.walk(node)
    )
