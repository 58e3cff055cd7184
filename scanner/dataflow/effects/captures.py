"""What keeps records of changes by itself, away from the handlers: libraries, signals, middleware."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from assay.scanner.dataflow.effects.bodies import Bodies
from assay.scanner.dataflow.effects.names import is_audit_record
from assay.scanner.linker.project import Project, last_name
from assay.scanner.linker.scopes import ClassSymbol, FunctionSymbol, Module
from assay.scanner.linker.values import BoundMethod
from assay.scanner.model.effect import EffectKind
from assay.scanner.model.place import Evidence
from assay.scanner.model.role import Role
from assay.scanner.readers.python import form

_LIBRARIES = frozenset(
    """auditlog simple_history easyaudit reversion sqlalchemy_continuum flask_continuum postgresql_audit pghistory
    sqlalchemy_history audit_log field_audit pgtrigger django_audit flask_audit_logger actstream
    auditlog_middleware rest_framework_tracking drf_api_logger activity_log""".split()
)
_LISTS = ("INSTALLED_APPS", "MIDDLEWARE", "THIRD_PARTY_APPS", "LOCAL_APPS")
_HOOKS = frozenset(
    """receiver listens_for connect connect_via listen middleware before_request after_request teardown_request
    on_request on_response signal_handler subscribe add_middleware Middleware""".split()
)
_SIGN_INS = frozenset("user_logged_in user_logged_out user_login_failed user_authenticated identity_changed".split())
_DEEPEST = 2


@dataclass(frozen=True, slots=True)
class Capture:
    """Something that keeps a record of what happens, whichever handler does it: of everything, or `of_sign_ins`."""

    evidence: Evidence
    of_sign_ins: bool = False


def captures(project: Project, bodies: Bodies) -> tuple[Capture, ...]:
    """All that keeps records by itself."""
    modules = [m for m in project.modules.values() if m.role is Role.PROD]
    found = [Capture(e) for m in modules for e in (*_imported(m), *_installed(m))]
    for function, of_sign_ins in dict(_hooks(project)).items():
        if _records(function, _DEEPEST, project, bodies):
            found.append(Capture(Evidence(function.location, f"`{function.name}` keeps a record"), of_sign_ins))
    return tuple(found)


def _imported(module: Module) -> Iterator[Evidence]:
    for binding in module.imports:
        package = (binding.module or binding.name).split(".", 1)[0]
        if package in _LIBRARIES and not binding.level:
            place = module.span(binding.offset, binding.offset + 1)
            yield Evidence(place, f"`{package}` keeps a record of changes")
            return


def _installed(module: Module) -> Iterator[Evidence]:
    for name in _LISTS:
        for binding in module.scope.bindings.get(name, ()):
            for node in form.walk(binding.value) if binding.value is not None else ():
                text = node.value if isinstance(node, form.Const) and isinstance(node.value, str) else ""
                parts = text.split(".")
                if parts[0] in _LIBRARIES or is_audit_record(parts[-1].removesuffix("Middleware")):
                    yield module.evidence(node, f"`{text}` keeps a record")


def _hooks(project: Project) -> Iterator[tuple[FunctionSymbol, bool]]:
    """Functions that a library calls when something happens, and whether that is a sign-in."""
    for call, scope in project.calls_named(*_HOOKS):
        for argument in call.args:
            value = project.infer(argument.value, scope)
            function = value.function if isinstance(value, BoundMethod) else value
            if isinstance(function, FunctionSymbol):
                yield function, _is_about_sign_ins(call)
            elif isinstance(value, ClassSymbol):
                methods = (project.method(value, name) for name in ("dispatch", "__call__"))
                yield from ((method, False) for method in methods if method is not None)
    for function in project.functions:
        for decorator in function.decorators:
            if last_name(decorator.func if isinstance(decorator, form.Call) else decorator) in _HOOKS:
                yield function, _is_about_sign_ins(decorator)


def _is_about_sign_ins(hook: form.Expr) -> bool:
    return any(last_name(node) in _SIGN_INS for node in form.walk(hook) if isinstance(node, form.Name | form.Attr))


def _records(function: FunctionSymbol, depth: int, project: Project, bodies: Bodies) -> bool:
    if function.module.role is not Role.PROD:
        return False
    body = bodies.of(function)
    if any(change.kind is EffectKind.AUDIT for change in body.changes):
        return True
    return depth > 0 and any(_records(edge.callee, depth - 1, project, bodies) for edge in body.edges)
