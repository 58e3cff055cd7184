"""Throttling of Django REST framework: which throttles limit an action, those without a rate left out.

https://www.django-rest-framework.org/api-guide/throttling/
"""

from __future__ import annotations

from collections.abc import Iterator

from assay.scanner.framework import Guard, Sited
from assay.scanner.frameworks.django.constants import Evaluator
from assay.scanner.frameworks.django.rest_framework.policies import THROTTLES, chosen, instantiated, stated
from assay.scanner.frameworks.django.rest_framework.viewsets import Action
from assay.scanner.frameworks.django.settings import Settings
from assay.scanner.frameworks.django.views import View
from assay.scanner.linker.project import Project, last_part
from assay.scanner.linker.scopes import ClassSymbol, Module
from assay.scanner.linker.values import External, Value
from assay.scanner.readers.python import form

_SCOPES = {"AnonRateThrottle": "anon", "UserRateThrottle": "user"}
_SCOPED = "ScopedRateThrottle"


def throttle_limits(
    view: View, action: Action, verb: str, settings: Settings | None, project: Project
) -> Iterator[Guard]:
    """The throttles of an action by name, a scoped one with its scope: `ScopedRateThrottle(uploads)`."""
    alternatives = chosen(THROTTLES, view, action, verb, settings, project)
    for sited in alternatives[0] if alternatives and all(alternatives) else ():
        value = _class_of(instantiated(sited), project)
        if not isinstance(value, ClassSymbol | External):
            continue
        names = {last_part(n) for n in (project.base_names(value) if isinstance(value, ClassSymbol) else (value.name,))}
        name = value.name if isinstance(value, ClassSymbol) else last_part(value.name)
        scope = _scope_of(value, names, view, action, settings, project)
        if scope == "" or _is_off(value, scope, settings, project):
            continue
        shown = f"{name}({scope})" if _SCOPED in names else name
        yield Guard(shown, sited.module.evidence(sited.node, f"throttle {shown}"))


def _class_of(sited: Sited, project: Project) -> Value | None:
    node = sited.node
    if isinstance(node, form.Const) and isinstance(node.value, str):
        module_name, _, name = node.value.rpartition(".")
        module = project.module_named(module_name, sited.module.path)
        return project.member(module, name) if isinstance(module, Module) else External(node.value)
    return project.infer(node, sited.scope)


def _scope_of(
    value: ClassSymbol | External,
    bases: set[str],
    view: View,
    action: Action,
    settings: Settings | None,
    project: Project,
) -> str | None:
    """By which the settings give the rate; empty for a scoped throttle on a view without a scope."""
    evaluator = Evaluator(project, settings)
    if _SCOPED in bases:
        own = stated("throttle_scope", view, action, project) if view.cls is not None else None
        return (evaluator.text(own) or "") if own is not None else ""
    attribute = project.class_attribute(value, "scope") if isinstance(value, ClassSymbol) else None
    if attribute is not None:
        return evaluator.text(Sited(*attribute))
    return next((scope for name, scope in _SCOPES.items() if name in bases), None)


def _is_off(value: ClassSymbol | External, scope: str | None, settings: Settings | None, project: Project) -> bool:
    """Whether its rate is None, as all rates are until the settings give some."""
    for name in ("rate", "get_rate", "THROTTLE_RATES", "allow_request"):
        if isinstance(value, ClassSymbol) and project.class_member(value, name):
            return False
    rates = settings.entry("REST_FRAMEWORK", "DEFAULT_THROTTLE_RATES") if settings is not None else None
    if rates is None or not isinstance(rates.node, form.Dict):
        return rates is None and scope in _SCOPES.values()
    for key, rate in zip(rates.node.keys, rates.node.values, strict=True):
        if isinstance(key, form.Const) and key.value == scope:
            return Evaluator(project, settings).constant(Sited(rate, rates.scope)) is None
    return False
