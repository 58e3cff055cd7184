"""Options of Pydantic's models (https://docs.pydantic.dev/latest/api/config/)."""

from __future__ import annotations

from assay.scanner.dataflow.constants import definitions
from assay.scanner.framework import Sited
from assay.scanner.linker.project import Project, last_part, literal_item
from assay.scanner.linker.scopes import ClassSymbol
from assay.scanner.readers.python import form

_MAKERS = ("SettingsConfigDict", "ConfigDict", "dict")


def model_option(cls: ClassSymbol, name: str, project: Project) -> Sited | None:
    """An option of the class or its nearest base that has it: `model_config`, `class Config`, class arguments."""
    for base in project.mro(cls):
        if isinstance(base, ClassSymbol):
            found = _own(base, name, project)
            if found is not None:
                return found
    return None


def _own(cls: ClassSymbol, name: str, project: Project) -> Sited | None:
    for argument in cls.node.bases:
        if argument.name == name:
            return Sited(argument.value, cls.outer)
    for binding in cls.own("Config"):
        if binding.cls is not None:
            attribute = project.class_attribute(binding.cls, name)
            return Sited(*attribute) if attribute is not None else None
    for binding in cls.own("model_config"):
        if binding.value is not None:
            return _stated(Sited(binding.value, binding.scope), name, project)
    return None


def _stated(config: Sited, name: str, project: Project) -> Sited | None:
    node, scope = config.node, config.scope
    if isinstance(node, form.Name):
        known = definitions(node, scope, project)
        return _stated(Sited(*known[0]), name, project) if len(known) == 1 else None
    if isinstance(node, form.Call) and last_part(project.callee_name(node, scope) or "") in _MAKERS:
        stated = node.keyword(name)
        return Sited(stated, scope) if stated is not None else None
    item = literal_item(node, name)
    return Sited(item, scope) if item is not None else None
