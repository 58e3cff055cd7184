"""What answers probes outside the route table: ASGI and WSGI wrappers, middleware, libraries' health views, gRPC."""

from __future__ import annotations

from collections.abc import Iterator

from assay.scanner.dataflow.constants import string_value
from assay.scanner.dataflow.dependencies import words
from assay.scanner.dataflow.health import is_health_path
from assay.scanner.linker.project import Project, last_name
from assay.scanner.linker.scopes import FunctionSymbol, Scope
from assay.scanner.linker.values import External, Instance
from assay.scanner.model.place import Evidence
from assay.scanner.readers.python import form

_URL_MODULES = words("health_check.urls watchman.urls django_healthchecks.urls dockerflow.django.urls")
_VIEW_PACKAGES = words("health_check watchman django_healthchecks healthcheck fastapi_health fastapi_healthcheck")
_MIDDLEWARE_STRINGS = {
    "dockerflow.django.middleware.DockerflowMiddleware": "/__heartbeat__",
    "django_alive.middleware.healthcheck_bypass_host_check": None,
}
_LIBRARY_OBJECTS = {
    "dockerflow.flask.Dockerflow": "/__heartbeat__", "dockerflow.flask.app.Dockerflow": "/__heartbeat__",
    "dockerflow.fastapi.router": "/__heartbeat__", "flask_healthz.Healthz": None, "flask_healthz.healthz": None,
}  # fmt: skip
_GRPC = words("grpc_health.v1.health_pb2_grpc.add_HealthServicer_to_server grpclib.health.service.Health")
_PATHS = words("path path_info PATH_INFO raw_path RAW_URI")
_WRAPPER_PARAMS = words("scope environ request req get_response call_next handler")
_WRAPPER_NAMES = words(
    "__call__ dispatch process_request process_view app application asgi_app wsgi_app middleware wrapper wrapped inner"
)
_WRAPPED = words("get_response app application asgi_app wsgi_app")
_PASSING_ON = words("call_next get_response app application asgi_app wsgi_app handler next inner_app")
_SENDING = words("send start_response")


def other_probes(project: Project) -> tuple[tuple[Evidence, str | None], ...]:
    """Each with the path it answers, None where there is none or it can't be told."""
    found = [*_included(project), *_library_objects(project), *_settings(project), *_grpc(project), *_wrappers(project)]
    return tuple(dict.fromkeys(found))


def _included(project: Project) -> Iterator[tuple[Evidence, str | None]]:
    """`path("ht/", include("health_check.urls"))` and `path("ht/", MainView.as_view())`."""
    for call, scope in project.calls_named("path", "re_path", "url"):
        target = call.argument(1, "view")
        if target is not None and _is_library_view(target, scope, project):
            prefix = call.argument(0, "route")
            path = string_value(prefix, scope, project) if prefix is not None else None
            where = f"/{path.strip('^$/')}" if path is not None else None
            yield scope.module.evidence(call, "a library answers probes here"), where


def _is_library_view(target: form.Expr, scope: Scope, project: Project) -> bool:
    if isinstance(target, form.Call) and last_name(target.func) == "include" and target.args:
        return string_value(target.args[0].value, scope, project) in _URL_MODULES
    name = project.qualified_name(target, scope) or ""
    return name.split(".", 1)[0] in _VIEW_PACKAGES and "." in name


def _library_objects(project: Project) -> Iterator[tuple[Evidence, str | None]]:
    for call, scope in project.calls_named("Dockerflow", "Healthz", "register_blueprint", "include_router"):
        named = [project.qualified_name(e, scope) for e in (call.func, *(a.value for a in call.args))]
        for name in named:
            if name in _LIBRARY_OBJECTS:
                yield scope.module.evidence(call, "a library answers probes here"), _LIBRARY_OBJECTS[name]
    for call, scope in project.calls_named("add_url_rule", "add_api_route", "add_route"):
        for argument in call.args:
            value = project.infer(argument.value, scope)
            name = value.type_name if isinstance(value, Instance) else value.name if isinstance(value, External) else ""
            if name.split(".", 1)[0] in _VIEW_PACKAGES and "." in name and call.args:
                path = string_value(call.args[0].value, scope, project)
                yield scope.module.evidence(call, "a library answers probes here"), path
                break


def _settings(project: Project) -> Iterator[tuple[Evidence, str | None]]:
    for module in project.modules.values():
        for binding in module.scope.bindings.get("MIDDLEWARE", ()):
            for node in form.walk(binding.value) if binding.value is not None else ():
                if isinstance(node, form.Const) and node.value in _MIDDLEWARE_STRINGS:
                    path = _MIDDLEWARE_STRINGS[str(node.value)]
                    yield module.evidence(node, "this middleware answers probes"), path


def _grpc(project: Project) -> Iterator[tuple[Evidence, str | None]]:
    for call, scope in project.calls_named("add_HealthServicer_to_server", "Health"):
        if project.callee_name(call, scope) in _GRPC:
            yield scope.module.evidence(call, "gRPC's health service is registered"), None


def _wrappers(project: Project) -> Iterator[tuple[Evidence, str | None]]:
    for function in project.functions:
        if _is_wrapper(function):
            for node in function.walk():
                if isinstance(node, form.If) and (_answers(node) or _lets_others_pass(node, function)):
                    path = _health_path(node.test, function, project, "==" if _answers(node) else "!=")
                    if path is not None:
                        yield function.module.evidence(node.test, f"answers {path} before any route"), path


def _is_wrapper(function: FunctionSymbol) -> bool:
    """It sees every request: middleware, a wrapper of the application, a `before_request` hook."""
    hook = any(
        last_name(d.func if isinstance(d, form.Call) else d) in ("middleware", "before_request", "before_app_request")
        for d in function.decorators
    )
    given = {p.name for p in function.parameters}
    outer = {p.name for p in function.outer.function.parameters} if function.outer.function is not None else set()
    if hook:
        return True
    wraps = function.name in _WRAPPER_NAMES or not outer.isdisjoint(_WRAPPED)
    return not given.isdisjoint(_WRAPPER_PARAMS) and wraps


def _answers(node: form.If) -> bool:
    """The branch makes a response itself.

    One that passes the request on only treats the path specially: quieter logs, no authentication.
    """
    makes = False
    for inside in form.walk_body(node.body, into_definitions=False):
        if isinstance(inside, form.Call):
            name = last_name(inside.func) or ""
            if name in _PASSING_ON:
                return False
            makes = makes or name in _SENDING or name.endswith("Response") or name in ("make_response", "jsonify")
        elif isinstance(inside, form.Return) and isinstance(inside.value, form.Display):
            makes = True
    return makes


def _lets_others_pass(node: form.If, function: FunctionSymbol) -> bool:
    """`if path != "/health": return app(...)`, before the function answers."""
    if not isinstance(node.body[-1], form.Return):
        return False
    passes = any(isinstance(n, form.Call) and last_name(n.func) in _PASSING_ON for n in form.walk_body(node.body))
    after = (n for n in function.walk() if n.start >= node.end)
    return passes and any(isinstance(n, form.Call) and last_name(n.func) in _SENDING for n in after)


def _health_path(test: form.Expr, function: FunctionSymbol, project: Project, operator: str) -> str | None:
    for node in form.walk(test, into_definitions=False):
        if not isinstance(node, form.Compare) or node.ops[0] not in (operator, "in" if operator == "==" else "not in"):
            continue
        for one, other in ((node.left, node.rights[0]), (node.rights[0], node.left)):
            if _is_request_path(one):
                options = other.items if isinstance(other, form.Display) else [other]
                for option in options:
                    path = string_value(option, function.scope, project)
                    if path is not None and is_health_path(path, "") is not None:
                        return path
    return None


def _is_request_path(node: form.Expr) -> bool:
    match node:
        case form.Attr(attr=attr):
            return attr in _PATHS
        case form.Name(id=name):
            return name in _PATHS
        case form.Subscript(index=form.Const(value=str() as key)):
            return key in _PATHS
        case form.Call(func=form.Attr(attr="get" | "rstrip" | "strip" | "lower") as func, args=args):
            keys = [a.value.value for a in args if isinstance(a.value, form.Const)]
            return _is_request_path(func.value) or any(k in _PATHS for k in keys)
    return False
