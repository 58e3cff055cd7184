"""Statuses: which one an exception or a response stands for, by its library, its class, or what it is made with."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from assay.scanner.dataflow.constants import Given, string_value
from assay.scanner.dataflow.expansion import arguments
from assay.scanner.dataflow.responses.library_errors import BY_PHRASE, ELSEWISE_CALLED, WEB_PACKAGES, of_library
from assay.scanner.dataflow.status_codes import status_code
from assay.scanner.linker.project import Project, last_name, last_part
from assay.scanner.linker.remembered import remembered
from assay.scanner.linker.scopes import ClassSymbol, FunctionSymbol, Scope
from assay.scanner.linker.values import External, Instance
from assay.scanner.readers.python import form

STATUS_NAMES: Final = ("status_code", "status", "code", "http_status", "http_code", "error_code")
"""What arguments and attributes that hold a status are called."""
_CLASS_ATTRIBUTES = ("status_code", "code", "status", "http_status", "http_code", "HTTP_STATUS", "STATUS_CODE")
_NOTHING: Given = {}
_DEEPEST = 4
"""Functions that hand on what another one makes."""
_LEADING = re.compile(r"^([1-5]\d\d)(\s|$)")


_CARRIERS = frozenset({"HTTPException", "StarletteHTTPException", "HTTPError", "HttpError", "SanicException", "abort"})
"""What takes the status as an argument."""
_FIXED_RESPONSES = {
    "HttpResponseBadRequest": 400, "HttpResponseNotFound": 404, "HttpResponseForbidden": 403,
    "HttpResponseNotAllowed": 405, "HttpResponseGone": 410, "HttpResponseServerError": 500,
    "HttpResponseNotModified": 304, "HttpResponseRedirect": 302, "HttpResponsePermanentRedirect": 301,
    "RedirectResponse": 307, "redirect": 302,
}  # fmt: skip
RESPONSES: Final = {
    "JSONResponse": 1, "ORJSONResponse": 1, "UJSONResponse": 1, "PlainTextResponse": 1, "HTMLResponse": 1,
    "Response": 1, "HTTPResponse": 1, "make_response": 1, "JsonResponse": None, "HttpResponse": 2,
    "json_response": None, "create_response": None, "StreamingResponse": 1, "jsonify": None,
    **dict.fromkeys(_FIXED_RESPONSES),
}  # fmt: skip
"""What makes a response, by its last name, each with the place of the status among the positional arguments."""
_SANIC = frozenset({"json", "text", "html", "raw"})
REGISTRATIONS: Final = (
    "exception_handler", "add_exception_handler", "errorhandler", "app_errorhandler", "register_error_handler",
    "exception", "add_error_handler", "error_handler",
)  # fmt: skip
"""What registers a handler for exceptions."""
DEFAULT: Final = 200


def folded(node: form.Expr, scope: Scope, project: Project, given: Given = _NOTHING) -> int | None:
    """The status that an expression names; `"404 Not Found"` names one too."""
    if isinstance(node, form.Name):
        bindings = scope.lookup(node.id)
        known = given.get((bindings[0].scope, node.id)) if bindings else None
        if known is not None and known[0] is not node:
            return folded(*known, project)
    found = status_code(node, scope, project, given)
    if found is None:
        text = string_value(node, scope, project, given)
        leading = _LEADING.match(text) if text is not None else None
        found = int(leading.group(1)) if leading else None
    return found if found is not None and 100 <= found <= 599 else None


def is_response(call: form.Call, scope: Scope, project: Project) -> bool:
    """Whether the call makes a response of a web framework, with a body among its arguments."""
    name = last_name(call.func) or ""
    if name in _SANIC:
        return (project.callee_name(call, scope) or "").startswith("sanic.")
    if name in ("redirect", "json_response", "create_response", "make_response", "jsonify"):
        return True
    value = project.infer(call.func, scope)
    if isinstance(value, ClassSymbol):
        return any(last_part(base) in RESPONSES for base in project.base_names(value))
    if isinstance(value, External):
        return last_part(value.name) in RESPONSES and value.name.split(".", 1)[0] in WEB_PACKAGES
    return value is None and name in RESPONSES


def response_status(
    call: form.Call, scope: Scope, project: Project, given: Given = _NOTHING
) -> tuple[int | None, bool]:
    """The status that a response is made with, and whether the code names one: None and True where it can't be told."""
    value = project.infer(call.func, scope)
    name = last_part(value.name) if isinstance(value, External) else last_name(call.func) or ""
    if name in _FIXED_RESPONSES:
        return _FIXED_RESPONSES[name], True
    named = _named_status(call)
    if named is None:
        place = RESPONSES.get(name, 1 if name in _SANIC else None)
        positional = call.positional
        named = positional[place] if place is not None and place < len(positional) else None
        if name == "make_response" and named is not None and isinstance(named, form.Dict):
            named = None  # headers
    if named is not None:
        return folded(named, scope, project, given), True
    if call.has_double_star:
        return None, True
    return (_status_of_class(value, project), True) if isinstance(value, ClassSymbol) else (None, False)


def _named_status(call: form.Call) -> form.Expr | None:
    return next((found for name in STATUS_NAMES if (found := call.keyword(name)) is not None), None)


def body_arguments(call: form.Call) -> list[form.Expr]:
    """What a response or an error is made of: its arguments without the status, headers and the like."""
    left_out = {*STATUS_NAMES, "headers", "mimetype", "content_type", "media_type", "background", "request", "safe"}
    found = [a for a in call.args if a.name not in left_out]
    if last_name(call.func) in ("abort", *_CARRIERS) and found and found[0].name is None and len(call.args) > 1:
        is_text = isinstance(found[0].value, form.Template)
        return [a.value for a in (found if is_text else found[1:])] or [a.value for a in found]
    return [a.value for a in found]


def error_status(node: form.Expr, scope: Scope, project: Project, given: Given = _NOTHING) -> tuple[bool, int | None]:
    """Whether what is raised is answered as an HTTP error, and with which status, None where that can't be told."""
    if isinstance(node, form.Call):
        return _status_of_call(node, scope, project, given)
    value = project.infer(node, scope)
    if isinstance(value, Instance) and value.origin is not None and value.scope is not None:
        return _status_of_call(value.origin, value.scope, project, given)
    if isinstance(value, ClassSymbol):
        found = _status_of_class(value, project)
        return found is not None, found
    if isinstance(value, External):
        found = of_library(value.name)
        return found is not None, found
    return False, None


def is_abort(call: form.Call, scope: Scope, project: Project) -> bool:
    """`abort(404)`, `ns.abort(404)`, `self.send_error(404)`, `get_object_or_404` is none."""
    name = last_name(call.func)
    if name == "abort":
        function = project.callee_function(call, scope)
        value = project.infer(call.func, scope)
        if isinstance(value, External) and value.name.split(".", 1)[0] in ("os", "grpc"):
            return False
        return function is not None or bool(call.args)
    return name == "send_error" and isinstance(call.func, form.Attr) and form.dotted(call.func.value) == "self"


def _status_of_call(
    call: form.Call, scope: Scope, project: Project, given: Given, depth: int = _DEEPEST
) -> tuple[bool, int | None]:
    value = project.infer(call.func, scope)
    name = last_part(value.name) if isinstance(value, External) else last_name(call.func) or ""
    if isinstance(value, ClassSymbol):
        return _status_of_own(value, call, scope, project, given)
    if isinstance(value, FunctionSymbol):
        return _status_of_factory(value, call, scope, project, depth)
    is_known = isinstance(value, External) and of_library(value.name) is not None
    if name in _CARRIERS and (is_known or value is None or name in ("abort", "send_error")):
        named = _named_status(call) or (call.positional[0] if call.positional else None)
        if name == "SanicException":
            named = _named_status(call) or (call.positional[1] if len(call.positional) > 1 else None)
        if named is None:
            return True, 500
        if isinstance(named, form.Call) and is_response(named, scope, project):
            return True, response_status(named, scope, project, given)[0]
        return True, folded(named, scope, project, given)
    if name == "send_error":
        return True, folded(call.positional[0], scope, project, given) if call.positional else 500
    if isinstance(value, External):
        found = of_library(value.name)
        stated = _named_status(call)
        if found is not None and stated is not None:
            return True, folded(stated, scope, project, given) or found
        return found is not None, found
    return False, None


def _status_of_own(
    cls: ClassSymbol, call: form.Call, scope: Scope, project: Project, given: Given
) -> tuple[bool, int | None]:
    """An error of the project: as it is called, else as its class says."""
    init = project.method(cls, "__init__")
    is_http = _is_http_error(cls, project)
    if init is not None:
        handed = arguments(call, scope, init, project)
        for param in init.parameters:
            if param.name in STATUS_NAMES and (init.scope, param.name) in handed:
                node, owner = handed[init.scope, param.name]
                found = folded(node, owner, project, given)
                if found is not None and (is_http or found >= 400):
                    return True, found
    elif is_http:
        named = _named_status(call)
        if named is not None:
            return True, folded(named, scope, project, given)
        if call.positional and (found := folded(call.positional[0], scope, project, given)) is not None:
            return True, found
    found = _status_of_class(cls, project)
    return is_http or found is not None, found


def _status_of_factory(
    function: FunctionSymbol, call: form.Call, scope: Scope, project: Project, depth: int
) -> tuple[bool, int | None]:
    """`raise not_found("order")` and `abort_with(404)`: what the project's function makes."""
    if not depth:
        return False, None
    handed = arguments(call, scope, function, project)
    for returned in function.returns:
        if isinstance(returned.value, form.Call):
            found = _status_of_call(returned.value, function.scope, project, handed, depth - 1)
            if found[0]:
                return found
    return False, None


@remembered
def _is_http_error(cls: ClassSymbol, project: Project) -> bool:
    return any(of_library(name) is not None for name in project.base_names(cls))


@remembered
def _status_of_class(cls: ClassSymbol, project: Project) -> int | None:
    """By a class attribute, by what `__init__` hands to its base, by its base, or by who handles it."""
    for attribute in _CLASS_ATTRIBUTES:
        found = project.class_attribute(cls, attribute)
        status = folded(*found, project) if found is not None else None
        if status is not None:
            return status
    init = project.method(cls, "__init__")
    status = _status_of_init(init, project) if init is not None else None
    if status is not None:
        return status
    for base in project.mro(cls):
        if isinstance(base, External) and (status := of_library(base.name)) is not None:
            return status
    return next(_statuses_of_handlers(cls, project), None)


def _status_of_init(init: FunctionSymbol, project: Project) -> int | None:
    for node in init.walk():
        stated = list[form.Expr]()
        if isinstance(node, form.Call) and last_name(node.func) == "__init__":
            stated = [a.value for a in node.args if a.name in STATUS_NAMES or a.name is None]
        elif isinstance(node, form.Assign) and node.value is not None:
            is_status = any(isinstance(t, form.Attr) and t.attr in STATUS_NAMES for t in node.targets)
            stated = [node.value] if is_status else []
        status = next((s for v in stated if (s := folded(v, init.scope, project)) is not None), None)
        if status is not None:
            return status
    defaults = (p.default for p in init.parameters if p.name in STATUS_NAMES and p.default is not None)
    return next((s for d in defaults if (s := folded(d, init.outer, project)) is not None), None)


def _statuses_of_handlers(cls: ClassSymbol, project: Project) -> Iterator[int]:
    bases = set(project.mro(cls))
    for raised, handler in error_handlers(project):
        if raised in bases:
            for returned in handler.returns:
                status = _status_answered(returned.value, handler.scope, project)
                if status is not None:
                    yield status


def _status_answered(node: form.Expr | None, scope: Scope, project: Project) -> int | None:
    match node:
        case form.Display(kind="tuple", items=[_, status, *_]):
            return folded(status, scope, project)
        case form.Call():
            return response_status(node, scope, project)[0]
    return None


@remembered
def error_handlers(project: Project) -> tuple[tuple[ClassSymbol | External | int, FunctionSymbol], ...]:
    """The functions that answer for exceptions that nobody caught, each with what it is registered for."""
    return tuple(dict.fromkeys(_error_handlers(project)))


def _error_handlers(project: Project) -> Iterator[tuple[ClassSymbol | External | int, FunctionSymbol]]:
    for call, scope in project.calls_named(*REGISTRATIONS):
        given = call.argument(1, "handler") or call.keyword("f")
        handler = project.infer(given, scope) if given is not None else None
        decorated = [f for f in scope.module.functions if call in f.decorators]
        raised = [item for a in call.positional[:1] for item in (a.items if isinstance(a, form.Display) else [a])]
        for function in [handler, *decorated]:
            if isinstance(function, FunctionSymbol):
                for node in raised:
                    yield from ((kind, function) for kind in _kinds(node, scope, project))
                if not raised and last_name(call.func) == "exception" and decorated:
                    yield External("builtins.Exception"), function
    for call, scope in project.calls_named("FastAPI", "Starlette", "Litestar", "Router", "APIRouter"):
        handlers = call.keyword("exception_handlers")
        if isinstance(handlers, form.Dict):
            for key, value in zip(handlers.keys, handlers.values, strict=True):
                function = project.infer(value, scope)
                if key is not None and isinstance(function, FunctionSymbol):
                    yield from ((kind, function) for kind in _kinds(key, scope, project))


def _kinds(node: form.Expr, scope: Scope, project: Project) -> Iterator[ClassSymbol | External | int]:
    value = project.infer(node, scope)
    if isinstance(value, ClassSymbol | External):
        yield value
    elif (status := folded(node, scope, project)) is not None:
        yield status


@remembered
def library_errors(project: Project) -> tuple[str, ...]:
    """The last names by which the project makes errors that are answered as HTTP errors, of libraries and its own."""
    named = [*BY_PHRASE, *(f"HTTP{name}" for name in BY_PHRASE), *ELSEWISE_CALLED, *_CARRIERS]
    own = (cls.name for cls in project.classes if _is_http_error(cls, project) or _is_answered(cls, project))
    return tuple(dict.fromkeys([*named, *own]))


def _is_answered(cls: ClassSymbol, project: Project) -> bool:
    """Whether it is an exception that says by itself which status answers it, or has a handler that does."""
    is_exception = cls.name.endswith(("Error", "Exception")) or "builtins.Exception" in project.base_names(cls)
    return is_exception and _status_of_class(cls, project) is not None
