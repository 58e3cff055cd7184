"""The aliases of Django's `DATABASES`.

https://docs.djangoproject.com/en/stable/ref/settings/#databases
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from assay.scanner.dataflow.constants import definitions
from assay.scanner.gathered import Gathered
from assay.scanner.linker.scopes import Module, Scope
from assay.scanner.readers.python import form

_SETTING = "DATABASES"
_DEEPEST = 4


@dataclass(frozen=True, slots=True, eq=False)
class Alias:
    """One alias with what it is given; `name` is None where the whole setting is computed."""

    module: Module
    name: str | None
    node: form.Expr
    scope: Scope


def aliases(gathered: Gathered) -> Iterator[Alias]:
    """Of the settings that production runs with."""
    told: set[form.Expr] = set()
    for module in gathered.production.sites:
        for node, scope in gathered.production.given(module, _SETTING):
            for name, value, at in _entries(node, scope, gathered, _DEEPEST):
                if value not in told:
                    told.add(value)
                    yield Alias(module, name, value, at)


def _entries(
    node: form.Expr, scope: Scope, gathered: Gathered, depth: int
) -> Iterator[tuple[str | None, form.Expr, Scope]]:
    if isinstance(node, form.Dict):
        for key, value in zip(node.keys, node.values, strict=True):
            if isinstance(key, form.Const) and isinstance(key.value, str):
                yield key.value, value, scope
        return
    meant = definitions(node, scope, gathered.project) if depth else []
    for value, at in meant:
        yield from _entries(value, at, gathered, depth - 1)
    if not meant:
        yield None, node, scope
