"""What may keep callers out, for all that can be told: decorators, dependencies, bases and checks that could not be
followed to the place where they turn anybody away.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from assay.scanner.dataflow.constants import list_items
from assay.scanner.dataflow.refusals.credentials import uses_credentials
from assay.scanner.dataflow.refusals.functions import refusal
from assay.scanner.dataflow.refusals.strangers import perhaps_refuses_strangers
from assay.scanner.framework import Route, Sited
from assay.scanner.linker.project import Project, last_name, last_part
from assay.scanner.linker.remembered import remembered
from assay.scanner.linker.scopes import ClassSymbol, FunctionSymbol, How, Scope
from assay.scanner.linker.values import BoundMethod, External, Instance, Value
from assay.scanner.model.place import Evidence
from assay.scanner.readers.python import form
from assay.scanner.web.decorators import nested_functions
from assay.scanner.web.guard_names import names_a_check, names_a_guard, names_plumbing, waives

_KNOWN_PACKAGES = frozenset(
    """abc adrf aiocache aiohttp aiohttp_apispec aiohttp_cors aiohttp_session allauth apifairy apiflask apispec arq
    asgi_correlation_id asgiref asyncio attr attrs backoff beanie beartype bottle brotli builtins cachecontrol
    cachetools celery channels chevron click collections connexion constance contextlib corsheaders
    dataclasses datetime ddtrace debug_toolbar dependency_injector deprecated deprecation dirtyjson dishka
    dj_rest_auth django django_filters django_htmx django_prometheus django_ratelimit drf_spectacular drf_yasg
    elasticapm enum falcon falcon_cors fastapi fastapi_cache fastapi_limiter fastapi_mail fastapi_pagination
    fastapi_restful fastapi_users_db fastapi_utils fastapi_versioning flasgger flask flask_babel flask_caching
    flask_compress flask_cors flask_limiter flask_marshmallow flask_migrate flask_openapi3 flask_pydantic
    flask_pydantic_spec flask_restful flask_restplus flask_restx flask_smorest flask_sock flask_socketio
    flask_sqlalchemy flask_talisman flask_wtf functools gunicorn httpx inject injector json jsonschema kink
    lagom litestar logging loguru marshmallow mongoengine motor msgspec newrelic ninja opentelemetry orjson os
    pathlib peewee piccolo prometheus_client prometheus_fastapi_instrumentator punq pydantic pydantic_core
    pymongo pyramid quart quart_schema random ratelimit re redis requests rest_framework
    rest_framework_extensions retry sanic sanic_ext sanic_openapi sentry_sdk silk simple_history slowapi
    socketio spectree sqlalchemy sqlmodel sse_starlette starlette starlette_context starlette_exporter
    starlette_prometheus strawberry structlog sys tenacity time tornado tortoise typing typing_extensions uuid
    uvicorn webargs werkzeug whitenoise wrapt wtforms zope""".split()
)  # fmt: skip
"""Packages whose decorators, dependencies and bases guard nothing but where their names say so."""
_REGISTRATIONS = frozenset(
    """get post put patch delete head options route routes websocket api_route api_operation view view_config action
    api_view register resource command cli task errorhandler exception_handler before_request after_request teardown
    on_event middleware event on property setter getter staticmethod classmethod receiver list_route detail_route
    permission_classes authentication_classes throttle_classes renderer_classes parser_classes""".split()
)  # fmt: skip
_HARMLESS = frozenset(
    """cache cached caching limit limits limiter rate ratelimit throttle throttled csrf cors gzip compress swagger doc
    docs documented openapi schema trace traced tracer span metric metrics counter timed timeit timer time log logs
    logger retry retries deprecated atomic transaction transactional marshal expect response responses produces consumes
    validate validated inject injected instrument profile monitor observe observed render template etag conditional vary
    lru override wraps serialize serialized paginate paginated version versioned background async sync coroutine
    dataclass timeout benchmark""".split()
)  # fmt: skip
_FILLING = frozenset({"AuthenticationMiddleware", "RemoteUserMiddleware", "PersistentRemoteUserMiddleware",
    "OAuth2TokenMiddleware", "AuthlibMiddleware", "TokenUser"})  # fmt: skip
"""What says who is asking, and lets everybody pass."""
_LISTS = ("decorators", "method_decorators")
_STEPS = frozenset(
    """get_queryset get_object check_permissions check_object_permissions has_permission form_valid get_form_kwargs
    perform_create perform_update perform_destroy get_serializer_context""".split()
)
"""Methods by which a view does its work, and may look at who is asking."""
_ENTRANCES = ("dispatch", "initial", "setup", "dispatch_request", "prepare", "before_request")


def perhaps_guards(decorators: Iterable[form.Expr], scope: Scope, project: Project) -> Iterator[Evidence]:
    """Those among decorators (or what else is applied to a handler) that may turn callers away."""
    for node in decorators:
        callee = node.func if isinstance(node, form.Call) else node
        name = last_name(callee) or ""
        if name == "method_decorator" and isinstance(node, form.Call):
            adapted = node.argument(0, "decorator")
            yield from perhaps_guards([adapted] if adapted is not None else [], scope, project)
        elif isinstance(node, form.Display):
            yield from perhaps_guards(node.items, scope, project)
        elif name not in _REGISTRATIONS and not _is_optional(node) and may_guard(callee, scope, project):
            yield scope.module.evidence(node, f"{form.dotted(callee) or 'this'} may turn callers away")


def _is_optional(node: form.Expr) -> bool:
    stated = node.keyword("optional") if isinstance(node, form.Call) else None
    return isinstance(stated, form.Const) and stated.value is True


def may_guard(node: form.Expr, scope: Scope, project: Project) -> bool:
    """Whether what the expression stands for may turn callers away, though nobody saw it do so."""
    value = project.infer(node, scope)
    name = form.dotted(node) or ""
    if waives(last_part(name)):
        return False
    function = value.function if isinstance(value, BoundMethod) else value
    if isinstance(function, Instance) and function.cls is not None:
        function = function.cls
    if isinstance(function, ClassSymbol):
        called = project.method(function, "__call__") or project.method(function, "__init__")
        return names_a_guard(function.name) or (called is not None and hides_a_check(called, project))
    if isinstance(function, FunctionSymbol):
        return names_a_guard(function.name) or hides_a_check(function, project)
    return is_foreign(value, name)


def is_guard_by_name(value: Value | None, name: str) -> bool:
    """Whether something of a library says by its name that it keeps callers out."""
    dotted = value.name if isinstance(value, External) else value.type_name if isinstance(value, Instance) else name
    return names_a_guard(last_part(dotted)) and last_part(dotted) not in _FILLING


def is_foreign(value: Value | None, name: str) -> bool:
    """Whether it comes from where nobody looked, and isn't known to do something else."""
    dotted = value.name if isinstance(value, External) else value.type_name if isinstance(value, Instance) else None
    own = last_part(dotted or name)
    if names_a_guard(own) or names_a_guard(last_part(name)):
        return own not in _FILLING
    if dotted is not None and dotted.partition(".")[0] in _KNOWN_PACKAGES:
        return False
    return not names_plumbing(own) and _HARMLESS.isdisjoint(_words(dotted or name))


def _words(name: str) -> set[str]:
    return {word for part in name.lower().split(".") for word in part.split("_")}


@remembered
def hides_a_check(function: FunctionSymbol, project: Project) -> bool:
    """Whether it, or a function in it, asks something for a check that can't be followed: `auth.verify(request)`."""
    return any(
        isinstance(node, form.Call) and _is_hidden_check(node, part.scope, project)
        for part in [function, *nested_functions(function)]
        for node in part.walk()
    )


def perhaps_refuses(hook: FunctionSymbol, project: Project) -> bool:
    """Whether a function that runs before a handler may turn callers away, though it can't be seen to."""
    if "csrf" in hook.name.lower():
        return False
    return hides_a_check(hook, project) or perhaps_refuses_strangers(hook, project) is not None


def _is_hidden_check(call: form.Call, scope: Scope, project: Project) -> bool:
    name = last_name(call.func)
    if name is None or not names_a_check(name) or _is_handed_in(call.func, scope):
        return False
    value = project.infer(call.func, scope)
    return value is None or (isinstance(value, External) and value.name.partition(".")[0] not in _KNOWN_PACKAGES)


def _is_handed_in(callee: form.Expr, scope: Scope) -> bool:
    return isinstance(callee, form.Name) and any(b.how is How.PARAMETER for b in scope.lookup(callee.id))


def unfollowed_guards(route: Route, project: Project) -> tuple[Evidence, ...]:
    """What may guard a route that nothing guards for sure: around its handler, in its class's bases, in its body."""
    found: list[Evidence] = []
    if route.handler is not None:
        found += perhaps_guards(_acting_decorators(route, route.handler), route.handler.outer, project)
        found += _checks_within(route.handler, project)
    if route.view_class is not None:
        found += _in_class(route.view_class, project)
    if route.application is not None:
        found += _around(route.application, project)
    return tuple(dict.fromkeys(found))


def _acting_decorators(route: Route, handler: FunctionSymbol) -> list[form.Expr]:
    """Those below the one that registers the handler, where one does: what stands above wraps what is never asked."""
    decorators = handler.decorators
    registering = [s.node.func.start for s in route.steps[-1:] if isinstance(s.node, form.Call)]
    places = [(d.func if isinstance(d, form.Call) else d).start for d in decorators]
    last = max((index for index, place in enumerate(places) if place in registering), default=-1)
    return decorators[last + 1 :]


def _around(application: Sited, project: Project) -> Iterator[Evidence]:
    """The middleware that an application is made with."""
    made = application.node
    if not isinstance(made, form.Call):
        return
    for keyword in ("middlewares", "middleware"):
        stated = made.keyword(keyword)
        for item, scope in list_items(stated, application.scope, project) if stated is not None else ():
            node = item.func if isinstance(item, form.Call) else item
            if last_name(node) == "Middleware" and isinstance(item, form.Call) and item.positional:
                node = item.positional[0]
            if may_guard(node, scope, project):
                yield scope.module.evidence(item, f"{form.dotted(node) or 'this'} may turn callers away")


@remembered
def _checks_within(handler: FunctionSymbol, project: Project) -> tuple[Evidence, ...]:
    """Where a handler may check who is asking: by calls that say so, by refusals, by what it reads of the caller."""
    found = []
    for node in handler.walk():
        if not isinstance(node, form.Call):
            continue
        name = last_name(node.func) or ""
        if names_a_check(name) and not _is_handed_in(node.func, handler.scope):
            found.append(handler.module.evidence(node, f"{name} may turn callers away"))
    others = (refusal(handler, project), uses_credentials(handler, project))
    return (*found[:2], *(each for each in others if each is not None))


@remembered
def _in_class(cls: ClassSymbol, project: Project) -> tuple[Evidence, ...]:
    found: list[Evidence] = []
    for base in project.mro(cls):
        if not isinstance(base, ClassSymbol):
            continue
        found += perhaps_guards(base.node.decorators, base.outer, project)
        for attribute in _LISTS:
            for binding in base.own(attribute)[-1:]:
                items = list_items(binding.value, binding.scope, project) if binding.value is not None else []
                for node, scope in items:
                    found += perhaps_guards([node], scope, project)
        for name in _ENTRANCES:
            method = base.methods.get(name)
            if method is not None and perhaps_refuses(method, project):
                found.append(method.module.evidence(method.node.body[0], f"{name} may turn callers away"))
        for name, method in base.methods.items():
            asked = uses_credentials(method, project) if name in _STEPS else None
            found += [asked] if asked is not None else []
        found += _foreign_bases(base, project)
    return tuple(found)


def _foreign_bases(cls: ClassSymbol, project: Project) -> Iterator[Evidence]:
    for base in cls.node.bases:
        if base.name is not None or base.star:
            continue
        node = base.value.value if isinstance(base.value, form.Subscript) else base.value
        value = project.infer(node, cls.outer)
        if isinstance(value, ClassSymbol):
            continue
        name = form.dotted(node.func if isinstance(node, form.Call) else node) or ""
        if is_foreign(value, name) and not waives(last_part(name)):
            yield cls.module.evidence(base.value, f"the base {name or 'class'} may turn callers away")
