"""Middleware that lets only known users through, and the views that it leaves open.

https://docs.djangoproject.com/en/stable/ref/middleware/#django.contrib.auth.middleware.LoginRequiredMiddleware
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from weakref import WeakKeyDictionary

from assay.scanner.dataflow.refusals.strangers import refusal_of_strangers
from assay.scanner.framework import Guard, Sited
from assay.scanner.frameworks.django.constants import UNKNOWN, Evaluator, definition, is_settings
from assay.scanner.frameworks.django.guards import body_guard
from assay.scanner.frameworks.django.settings import Settings
from assay.scanner.frameworks.django.views import View
from assay.scanner.linker.project import Project, last_name
from assay.scanner.linker.scopes import ClassSymbol, FunctionSymbol, Module
from assay.scanner.linker.values import External
from assay.scanner.model.place import Evidence
from assay.scanner.readers.python import form
from assay.scanner.web.unfollowed import is_guard_by_name, perhaps_refuses

_OF_DJANGO = "django.contrib.auth.middleware.LoginRequiredMiddleware"
_ENTRANCES = ("__call__", "process_request", "process_view")
_PLACES = ("path", "path_info", "url_name", "view_name", "resolver_match", "get_full_path")
_LETTING_PASS = ("django.", "axes.", "oauth2_provider.", "social_django.", "allauth.", "django_otp.", "hijack.")
"""Packages whose middleware says who is asking, and turns nobody away for it."""
_DEEPEST = 4


def middleware_guards(
    view: View, settings: Settings | None, project: Project, path: str | None = None, name: str | None = None
) -> list[Guard]:
    """Middleware that demands a login, unless the view is exempt from it, or its path or the name of its pattern is."""
    if settings is None or _is_exempt(view):
        return []
    of_project = _GATES.setdefault(project, {})
    if settings.module not in of_project:
        of_project[settings.module] = list(_gates(settings, project))
    return [
        gate.guard
        for gate in of_project[settings.module]
        if not any(_is_meant(text, path, name) for text in gate.open_to)
    ]


def unfollowed_middleware(view: View, settings: Settings | None, project: Project) -> tuple[Evidence, ...]:
    """Middleware that may turn callers away, for all that can be told."""
    if settings is None or _is_exempt(view):
        return ()
    of_project = _UNFOLLOWED.setdefault(project, {})
    if settings.module not in of_project:
        of_project[settings.module] = tuple(_unfollowed(settings, project))
    return of_project[settings.module]


@dataclass(frozen=True, slots=True)
class _Gate:
    """Middleware that demands a login, and the paths and names that it lets pass without one."""

    guard: Guard
    open_to: tuple[str, ...] = ()


_GATES: WeakKeyDictionary[Project, dict[Module, list[_Gate]]] = WeakKeyDictionary()
"""The same for all routes of a site."""


_UNFOLLOWED: WeakKeyDictionary[Project, dict[Module, tuple[Evidence, ...]]] = WeakKeyDictionary()


def _unfollowed(settings: Settings, project: Project) -> Iterator[Evidence]:
    gated = {gate.guard.name for gate in _gates(settings, project)}
    if "MIDDLEWARE" not in settings:
        return
    place = settings["MIDDLEWARE"]
    for dotted_name in settings.strings("MIDDLEWARE"):
        module_name, _, own_name = dotted_name.rpartition(".")
        if own_name in gated or dotted_name.startswith(_LETTING_PASS):
            continue
        module = project.module_named(module_name, place.module.path)
        value = project.member(module, own_name) if module is not None else External(dotted_name)
        if isinstance(value, External):
            may_refuse = is_guard_by_name(value, own_name)
        else:
            may_refuse = any(perhaps_refuses(function, project) for function in _entrances(value, project))
        if may_refuse:
            yield place.module.evidence(place.node, f"{own_name} may turn callers away")


def _gates(settings: Settings, project: Project) -> Iterator[_Gate]:
    if "MIDDLEWARE" not in settings:
        return
    place = settings["MIDDLEWARE"]
    for dotted_name in settings.strings("MIDDLEWARE"):
        module_name, _, own_name = dotted_name.rpartition(".")
        if dotted_name == _OF_DJANGO:
            yield _Gate(Guard(own_name, place.module.evidence(place.node, dotted_name)))
            continue
        module = project.module_named(module_name, place.module.path)
        value = project.member(module, own_name) if module is not None else None
        for function in _entrances(value, project):
            evidence = _demands_a_login(function, settings, project)
            if evidence is not None:
                yield _Gate(Guard(own_name, evidence), tuple(_exemptions(function, settings, project)))
                break


def _entrances(middleware: object, project: Project) -> Iterator[FunctionSymbol]:
    """What runs for a request: methods of a class, or the function that a function returns."""
    if isinstance(middleware, ClassSymbol):
        methods = (project.method(middleware, name) for name in _ENTRANCES)
        yield from (method for method in methods if method is not None)
    elif isinstance(middleware, FunctionSymbol):
        yield from (f for f in middleware.module.functions if f.outer is middleware.scope)


def _demands_a_login(function: FunctionSymbol, settings: Settings, project: Project) -> Evidence | None:
    """Where it turns strangers away, unless a setting has it let everybody pass."""
    guard = body_guard(function)
    found = guard.evidence if guard is not None else refusal_of_strangers(function, project)
    evaluator = Evaluator(project, settings)
    for statement in function.node.body:
        if not isinstance(statement, form.If) or found is None:
            continue
        held = evaluator.constant(Sited(statement.test, function.scope))
        may_leave = isinstance(statement.body[-1], form.Return) and (_is_switch(statement) if held is UNKNOWN else held)
        if may_leave or (not held and _holds(statement, found, function)):
            return None
    return found


def _is_switch(statement: form.If) -> bool:
    """Whether a setting decides, of which the source doesn't tell what it is."""
    names = {last_name(n) or "" for n in _parts(statement.test)}
    return any(name.isupper() for name in names) and names.isdisjoint(_PLACES)


def _holds(statement: form.Stmt, evidence: Evidence, function: FunctionSymbol) -> bool:
    span = function.module.location(statement)
    return span.line <= evidence.location.line <= span.end_line


def _is_exempt(view: View) -> bool:
    """`@login_not_required`, around the view or on its class."""
    decorators: list[form.Expr] = [w.node for w in view.wrappers]
    for target in (view.function, view.cls):
        decorators += target.node.decorators if target is not None else []
    return any(
        isinstance(node, form.Name | form.Attr) and last_name(node) == "login_not_required"
        for decorator in decorators
        for node in form.walk(decorator)
    )


def _is_meant(text: str, path: str | None, name: str | None) -> bool:
    """Whether an exemption is for this pattern: `/accounts/`, `^accounts/login/$`, or the pattern's name."""
    bare = (path or "").replace("^", "").rstrip("$")
    prefix = text.lstrip("^").lstrip("/").rstrip("$")
    is_name = name is not None and text.rsplit(":", 1)[-1] == name
    return is_name or (path is not None and (bare == prefix or (prefix != "" and bare.startswith(prefix))))


def _exemptions(function: FunctionSymbol, settings: Settings, project: Project) -> Iterator[str]:
    """The strings in tests of where the request goes: `if request.path in OPEN: return get_response(request)`."""
    for node in function.walk():
        if isinstance(node, form.If) and any(last_name(n) in _PLACES for n in _parts(node.test)):
            yield from _texts(Sited(node.test, function.scope), settings, project, 0)


def _parts(test: form.Expr) -> Iterator[form.Expr]:
    return (n for n in form.walk(test) if isinstance(n, form.Name | form.Attr))


def _texts(sited: Sited, settings: Settings, project: Project, depth: int) -> Iterator[str]:
    """The strings in an expression and in what its names stand for."""
    for node in form.walk(sited.node):
        if isinstance(node, form.Const) and isinstance(node.value, str):
            yield node.value
        if not isinstance(node, form.Name | form.Attr) or depth > _DEEPEST:
            continue
        followed = definition(Sited(node, sited.scope), project)
        if isinstance(node, form.Attr) and is_settings(node.value, sited.scope, project) and node.attr in settings:
            yield from _texts(settings[node.attr], settings, project, depth + 1)
        elif followed.node is not node:
            yield from _texts(followed, settings, project, depth + 1)
