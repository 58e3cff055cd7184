"""Where requests get their ids: middleware that makes them, and libraries that take the caller's."""

from __future__ import annotations

import re
from collections.abc import Iterator

from assay.scanner.dataflow.numbering import Ordinals
from assay.scanner.linker.project import last_name
from assay.scanner.linker.scopes import FunctionSymbol
from assay.scanner.model.place import Evidence
from assay.scanner.model.request_id import RequestId
from assay.scanner.model.role import Role
from assay.scanner.readers.python import form
from assay.scanner.telemetry.code import ServiceCode
from assay.scanner.telemetry.found import imports
from assay.scanner.telemetry.id_headers import functions_around, read, written

_MAKERS = ("uuid1", "uuid4", "uuid6", "uuid7", "ULID", "ulid", "token_hex", "token_urlsafe", "nanoid", "ksuid", "uuid")
_ID = re.compile(r"_*(x[-_])?(request|req|correlation|corr|trace)[-_]?(id|uuid|guid)\w*", re.IGNORECASE)
"""Names of an id that is the request's, and of what holds it."""
_OF_MIDDLEWARE = frozenset({"call_next", "get_response", "handler", "receive"})
"""Parameters that only what stands around requests has."""
_HOOKS = frozenset({"before_request", "before_app_request", "middleware", "on_request", "start_request"})
_METHODS = frozenset({"process_request", "dispatch", "__call__", "process_view", "before_request", "prepare"})
_TAKING = {
    "asgi_correlation_id": "asgi-correlation-id takes the caller's id and gives it back",
    "django_guid": "django-guid takes the caller's id and gives it back",
    "log_request_id": "django-log-request-id takes the caller's id",
    "request_id_django_log": "it takes the caller's id",
    "cid": "django-cid takes the caller's id",
    "flask_log_request_id": "flask-log-request-id takes the caller's id",
    "starlette_context": "starlette-context takes the caller's id",
    "django_structlog.middlewares": "django-structlog takes the caller's id",
}


def request_ids(code: ServiceCode) -> Iterator[RequestId]:
    """What makes ids of requests, or takes them."""
    yield from _of_libraries(code)
    numbers = Ordinals()
    for function, call, name in _made(code):
        module = function.module
        around = functions_around(function, code.project)
        yield RequestId(
            function=function.id,
            ordinal=numbers.next(function.id, "request id"),
            location=module.location(call),
            role=Role.PROD,
            name=name,
            inbound=next(read(around, code.project), None),
            returned=next(written(around, code.project), None),
        )


def _of_libraries(code: ServiceCode) -> Iterator[RequestId]:
    for package, text in _TAKING.items():
        imported = (evidence for _, evidence in imports(code, (package,)))
        found = next(imported, None) or next(code.named((package,)), None)
        if found is not None:
            place = Evidence(found.location, text)
            yield RequestId(package, 1, found.location, Role.PROD, "the request's id", place, place)
            return


def _made(code: ServiceCode) -> Iterator[tuple[FunctionSymbol, form.Call, str]]:
    """Calls that make an id, in what stands around each request, or in a function that this calls for it."""
    seen: set[FunctionSymbol] = set()
    injected = _injected(code)
    for call, scope in code.calls_named(*_MAKERS):
        function = scope.function
        if function is None or function in seen:
            continue
        name = _holder(call, function)
        if name is None:
            continue
        if function in injected or _is_around_requests(function):
            seen.add(function)
            yield function, call, name
        else:
            for asking, place in code.project.callers(function):
                caller = place.function
                if caller is not None and _is_around_requests(caller) and caller not in seen:
                    seen |= {function, caller}
                    yield caller, asking, name


def _injected(code: ServiceCode) -> set[FunctionSymbol]:
    """Functions that FastAPI calls for requests: those in `Depends(...)`."""
    given = ((c.args[0].value, scope) for c, scope in code.calls_named("Depends") if c.args)
    return {f for node, scope in given if isinstance(f := code.project.infer(node, scope), FunctionSymbol)}


def _is_around_requests(function: FunctionSymbol) -> bool:
    """Whether it runs for every request: middleware, or a hook of the framework."""
    parameters = {p.name for p in function.node.params}
    outer = function.outer.function
    if not parameters.isdisjoint(_OF_MIDDLEWARE) or (
        outer is not None and not {p.name for p in outer.node.params}.isdisjoint(_OF_MIDDLEWARE)
    ):
        return True
    hooks = {last_name(d.func if isinstance(d, form.Call) else d) for d in function.decorators}
    if not hooks.isdisjoint(_HOOKS):
        return True
    owner = function.owner
    named = owner is not None and "middleware" in owner.name.lower()
    return (function.name in _METHODS and named) or (named and "request" in parameters)


def _holder(call: form.Call, function: FunctionSymbol) -> str | None:
    """The name that what the call makes goes to, if it is one of a request's id."""
    for node in function.walk():
        match node:
            case form.Assign(targets=targets, value=value) if value is not None and _is_in(call, value):
                for target in targets:
                    name = _key(target) or last_name(target)
                    if name is not None and (_ID.fullmatch(name) or (name == "id" and _is_of_request(target))):
                        return name
            case form.Call(func=func, args=args) if node is not call and any(_is_in(call, a.value) for a in args):
                bound = next((a.name for a in args if a.name and _ID.fullmatch(a.name)), None)
                owner = last_name(func.value) if isinstance(func, form.Attr) and func.attr == "set" else None
                name = bound or (owner if owner is not None and _ID.match(owner) else None)
                if name is not None:
                    return name
            case form.Return(value=value) if value is not None and _is_in(call, value):
                if re.search(r"(request|correlation|trace)_?(id|uuid)", function.name, re.IGNORECASE):
                    return function.name
    return None


def _is_of_request(target: form.Expr) -> bool:
    return isinstance(target, form.Attr) and last_name(target.value) in ("request", "req", "state", "g")


def _is_in(call: form.Call, node: form.Expr) -> bool:
    return node.start <= call.start and call.end <= node.end


def _key(target: form.Expr) -> str | None:
    index = target.index if isinstance(target, form.Subscript) else None
    return index.value if isinstance(index, form.Const) and isinstance(index.value, str) else None
