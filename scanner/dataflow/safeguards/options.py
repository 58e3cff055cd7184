"""What calls are told in production: by their arguments, by mappings that they are given, by defaults."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from assay.scanner.configuration.defaults import UNKNOWN
from assay.scanner.configuration.meanings import Firmness, Items, Meaning
from assay.scanner.configuration.production import Production
from assay.scanner.dataflow.constants import list_items
from assay.scanner.libraries import Condition, Constant
from assay.scanner.linker.library_types import canonical
from assay.scanner.linker.project import Project
from assay.scanner.linker.scopes import Scope
from assay.scanner.linker.values import External
from assay.scanner.model.option import Option
from assay.scanner.model.place import Evidence
from assay.scanner.readers.python import form


class CallOptions:
    """Reads the options of calls, as they are in production."""

    def __init__(self, project: Project, production: Production) -> None:
        self._project = project
        self._production = production

    def given(self, call: form.Call, scope: Scope, argument: str, position: int | None = None) -> Items:
        """What the argument comes to: by keyword, by place, in a mapping. `options.key` is an item of a mapping."""
        name, _, key = argument.partition(".")
        node = self.argument(call, name, position)
        if node is not None:
            if key:
                return self._production.item(node, scope, key)
            return Items(self._production.meanings(node, scope))
        is_open = position is not None and any(a.star == 1 for a in call.args)
        for mapping in (a.value for a in call.args if a.star == 2):
            items = self._production.item(mapping, scope, name)
            if items.found and not key:
                return items
            is_open = is_open or items.is_open or bool(items.found)
        return Items((), is_open)

    def argument(self, call: form.Call, name: str, position: int | None = None) -> form.Expr | None:
        """The expression that stands for the argument in the call itself."""
        if name and (stated := call.keyword(name)) is not None:
            return stated
        positional = call.positional
        return positional[position] if position is not None and position < len(positional) else None

    def holds(self, condition: Condition, call: form.Call, scope: Scope) -> bool | None:
        """Whether the demand is met in production; None where that can't be told."""
        node = self.argument(call, condition.argument, condition.position)
        listed = list_items(node, scope, self._project) if node is not None else []
        if listed:
            return any(is_one_of(m.value, condition.values) for i in listed for m in self._production.meanings(*i))
        items = self.given(call, scope, condition.argument, condition.position)
        if not items.found:
            return None if items.is_open else "absent" in condition.values
        met = [is_one_of(m.value, condition.values) for m in items.found]
        if all(met) or any(yes and m.is_certain for yes, m in zip(met, items.found, strict=True)):
            return True
        return None if any(met) or any(m.value is UNKNOWN for m in items.found) else False


def is_one_of(value: object, values: Sequence[Constant]) -> bool:
    """Whether the value is one that a model lists: a dotted name there stands for the object of that name."""
    if isinstance(value, External):
        return any(isinstance(v, str) and (v == value.name or v == canonical(value.name)) for v in values)
    if isinstance(value, str):
        return any(isinstance(v, str) and v.lower() == value.lower() for v in values)
    if isinstance(value, bool | int | float) or value is None:
        return any(type(v) is type(value) and v == value for v in values)
    return False


def option_of(
    meanings: Iterable[Meaning], is_unsafe: Callable[[object], bool], asked: Evidence | None = None
) -> Option:
    """What the values of an option mean for safety: one that certainly is unsafe decides, then what can't be told.
    `asked` shows where the option is told, for where that is all there is to say.
    """
    found = tuple(meanings)
    unsafe = [m for m in found if m.value is not UNKNOWN and is_unsafe(m.value)]
    certain = [m for m in unsafe if m.is_certain]
    unknown = [m for m in found if m.value is UNKNOWN]
    is_safe = False if certain else None if unsafe or unknown else True
    deciding = certain or [*unsafe, *unknown] or [*found]
    evidence = dict.fromkeys(m.evidence for m in deciding[:2])
    if is_safe is None and asked is not None:
        evidence = {asked: None}
    return Option(is_safe, tuple(evidence), any(m.firmness is Firmness.DEFAULT for m in deciding))
