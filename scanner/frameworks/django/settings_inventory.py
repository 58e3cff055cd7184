"""The settings that a Django site runs with, layer upon layer
(https://docs.djangoproject.com/en/stable/topics/settings/).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from assay.scanner.configuration.declared import Configuration
from assay.scanner.framework import Context, Framework, Sited
from assay.scanner.frameworks.django.constants import module_binding
from assay.scanner.frameworks.django.settings import Settings, all_settings
from assay.scanner.linker.project import Project
from assay.scanner.linker.scopes import Binding, How, Module
from assay.scanner.model.setting import Setting
from assay.scanner.readers.python import form

_GIVEN = (How.ASSIGN, How.AUGMENT, How.UNPACK)
_CHANGES = frozenset({"append", "extend", "insert", "remove", "update", "setdefault", "pop", "clear"})


def _settings(context: Context) -> Iterator[Setting]:
    """Those of the module that production most likely runs with, one row for each name."""
    configuration = Configuration(context.project)
    for site in all_settings(context.project):
        changes = _changes(site)
        for name in sorted(site):
            bindings = _bindings(site, name, context.project)
            if bindings:
                found = configuration.setting(name, bindings, "Django settings", site.module.name)
                yield _changed(found, changes.get(name, []), configuration)


def _bindings(site: Settings, name: str, project: Project) -> list[Binding]:
    """What gives the setting its value; an imported name counts where it was bound."""
    followed = (_origin(binding, project) for binding in site.bindings(name))
    return [binding for binding in followed if binding is not None and binding.how in _GIVEN]


def _origin(binding: Binding, project: Project) -> Binding | None:
    if binding.how is not How.IMPORT_FROM:
        return binding
    source = project.import_module(binding.module, binding.level, binding.scope.module)
    found = module_binding(source, binding.name, project) if isinstance(source, Module) else None
    return found if found is None or found.how is not How.IMPORT_FROM else None


def _changes(site: Settings) -> dict[str, list[Sited]]:
    """What is put into settings in place, by their names: `NAME["key"] = value`, `NAME.append(value)`."""
    found: dict[str, list[Sited]] = {}
    for module in site.layers:
        for node in form.walk_body(module.facts.body, into_definitions=False):
            target, given = _change(node)
            while isinstance(target, form.Subscript):
                target = target.value
            if isinstance(target, form.Name) and target.id.isupper() and given is not None:
                found.setdefault(target.id, []).append(Sited(given, module.scope))
    return found


def _change(node: form.Expr | form.Stmt) -> tuple[form.Expr | None, form.Expr | None]:
    """What the statement or call changes in place, and what it puts there."""
    match node:
        case form.Assign(targets=[form.Subscript() as target], value=value):
            return target, value
        case form.AugAssign(target=form.Subscript() as target, value=value):
            return target, value
        case form.Call(func=form.Attr(value=owner, attr=attr)) if attr in _CHANGES:
            return owner, node
    return None, None


def _changed(setting: Setting, changes: list[Sited], configuration: Configuration) -> Setting:
    """A setting that is changed in place has no constant value, and may be read from more variables."""
    if not changes:
        return setting
    variables = [v for change in changes for v in configuration.variables(change.node, change.scope)]
    return replace(setting, value=None, variables=tuple(dict.fromkeys((*setting.variables, *variables))))


FRAMEWORK = Framework("Django settings", ("django",), settings=_settings, is_listed=False)
