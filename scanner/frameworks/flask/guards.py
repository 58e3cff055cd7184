"""Flask's guards: decorators of libraries and of the project that keep callers out."""

from __future__ import annotations

from collections.abc import Sequence

from assay.scanner.dataflow.constants import constant, list_items
from assay.scanner.dataflow.refusals.bodies import refuses_in_body
from assay.scanner.dataflow.refusals.decorators import refuses_by_decorator
from assay.scanner.framework import Guard
from assay.scanner.linker.project import Project, last_part
from assay.scanner.linker.scopes import ClassSymbol, FunctionSymbol, Scope
from assay.scanner.linker.values import External, Instance
from assay.scanner.readers.python import form
from assay.scanner.web.decorators import Applied, applied

_LIBRARIES = (
    "flask_login.", "flask_jwt_extended.", "flask_httpauth.", "flask_security.", "apifairy.", "apiflask.",
    "flask_user.", "flask_praetorian.", "flask_jwt.", "flask_oidc.", "flask_jwt_router.", "flask_allows.",
    "flask_allows2.",
    "flask_principal.", "flask_appbuilder.", "authlib.", "quart_auth.", "flask_basicauth.", "flask_smorest.",
    "flask_oauthlib.", "flask_pyoidc.", "flask_httpauth_ext.", "flask_jwt_oidc.", "flask_simplelogin.",
)  # fmt: skip
_GUARDS = frozenset(
    """login_required fresh_login_required jwt_required fresh_jwt_required jwt_refresh_token_required auth_required
    auth_token_required http_auth_required authenticate require_login accept_token require_token roles_required
    roles_accepted permissions_required permissions_accepted has_access has_access_api protect required require requires
    confirmed_login_required unauthorized_required
    require_oauth require_auth requires_auth oidc_auth has_role""".split()
)
_CALLABLE_GUARDS = ("ResourceProtector",)


def guards_of(decorators: Sequence[form.Expr], scope: Scope, project: Project) -> list[Guard]:
    """The guards among decorators."""
    return [guard for decorator in decorators if (guard := _guard(decorator, scope, project)) is not None]


def guards_of_class(cls: ClassSymbol, method: str, project: Project) -> list[Guard]:
    """The guards in a class-based view's `decorators` and `method_decorators`, and in its own `dispatch_request`.

    And those above the class, where a project's decorator applies itself to the class's methods.
    """
    found = guards_of(cls.node.decorators, cls.outer, project)
    for attribute in ("decorators", "method_decorators"):
        known = project.class_attribute(cls, attribute)
        if known is None:
            continue
        listed, scope = known
        if isinstance(listed, form.Dict):  # Flask-RESTful: one list per method
            pairs = zip(listed.keys, listed.values, strict=True)
            lists = [v for k, v in pairs if isinstance(k, form.Const) and k.value == method]
        else:
            lists = [listed]
        for item, item_scope in (pair for each in lists for pair in list_items(each, scope, project)):
            found += guards_of([item], item_scope, project)
    for name in ("dispatch_request", "__init__"):
        dispatch = project.method(cls, name)
        refused = refuses_in_body(dispatch, project) if dispatch is not None else None
        if refused is not None:
            found.append(Guard(name, refused))
    return found


def guards_of_handler(function: FunctionSymbol, decorators: Sequence[form.Expr], project: Project) -> list[Guard]:
    """The guards among the decorators that act, and the check that the handler makes itself."""
    found = guards_of(decorators, function.outer, project)
    refused = refuses_in_body(function, project)
    return [*found, Guard("check in the handler", refused)] if refused is not None else found


def _guard(decorator: form.Expr, scope: Scope, project: Project) -> Guard | None:
    name = form.dotted(decorator.func if isinstance(decorator, form.Call) else decorator) or "decorator"
    if refuses_by_decorator(decorator, scope, project) is not None:
        return Guard(name, scope.module.evidence(decorator, f"{name} turns callers away"))
    if any(_is_library_guard(each, project) for each in applied([decorator], scope, project)):
        return Guard(name, scope.module.evidence(decorator, f"{name} turns anonymous callers away"))
    return None


def _is_library_guard(decorator: Applied, project: Project) -> bool:
    value = project.infer(decorator.callee, decorator.scope)
    if isinstance(value, Instance) and decorator.call is not None:
        return last_part(value.type_name) in _CALLABLE_GUARDS
    if not isinstance(value, External) or not value.name.startswith(_LIBRARIES) or last_part(value.name) not in _GUARDS:
        return False
    optional = decorator.call.keyword("optional") if decorator.call is not None else None
    known = constant(optional, decorator.scope, project, decorator.given) if optional is not None else None
    return optional is None or (known is not None and not known.value)
