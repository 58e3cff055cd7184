"""Settings that are plain names: what a module or class takes from the environment when it is imported."""

from __future__ import annotations

from collections.abc import Iterator

from assay.scanner.configuration.declared import Configuration
from assay.scanner.configuration.environment import PACKAGES
from assay.scanner.framework import Context, Framework
from assay.scanner.linker.scopes import How, Module, Scope
from assay.scanner.model.setting import Setting


def _settings(context: Context) -> Iterator[Setting]:
    configuration = Configuration(context.project)
    for module in context.project.modules.values():
        if _may_read(module, context):
            for scope in (module.scope, *(cls.scope for cls in module.classes)):
                yield from _of_scope(scope, configuration)


def _may_read(module: Module, context: Context) -> bool:
    """Whether it or a module that it imports, where a helper may be, imports a library that reads variables."""
    around = (module, *context.project.imports(module))
    return any(not each.imported_packages.isdisjoint(PACKAGES) for each in around)


def _of_scope(scope: Scope, configuration: Configuration) -> Iterator[Setting]:
    for name, bindings in scope.bindings.items():
        bound = [b for b in bindings if b.value is not None and b.how in (How.ASSIGN, How.AUGMENT)]
        reads = [r for b in bound if b.value for r in configuration.environment.direct_reads(b.value, b.scope)]
        if reads and bound[-1] is bindings[-1]:
            group = f"{scope.module.name}:{scope.qualname}" if scope.qualname else scope.module.name
            shown = f"{scope.qualname}.{name}" if scope.qualname else name
            yield configuration.setting(shown, bound, reads[0].library, group)


FRAMEWORK = Framework("environment", PACKAGES, settings=_settings, is_listed=False)
