"""Which values a client sends, told without following data through the whole program: a few names and callers far."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from assay.scanner.dataflow.constants import definitions
from assay.scanner.dataflow.sources import RequestSources, handlers_of, injection
from assay.scanner.framework import Route
from assay.scanner.linker.project import Project, last_name
from assay.scanner.linker.scopes import FunctionSymbol, How, Scope
from assay.scanner.linker.values import External, Instance
from assay.scanner.model.origin import Origin
from assay.scanner.model.place import Evidence
from assay.scanner.readers.python import form

_READING = frozenset(
    {"get", "getlist", "getone", "pop", "getfirst", "get_secret_value", "json", "loads", "model_dump", "dict"}
)
"""Methods and functions that give a part of what they are asked of or given, or the same in another shape."""
SHAPING = frozenset(
    {
        "b64decode", "bytes", "decode", "encode", "fromhex", "int", "lower", "lstrip", "partition", "removeprefix",
        "replace", "rsplit", "rstrip", "split", "str", "strip", "unhexlify", "unquote", "upper", "urlsafe_b64decode",
        "force_bytes", "force_str", "smart_str",
    }
)  # fmt: skip
"""Those that give the same text in another shape, or a piece of it."""
_AUTHENTICATORS = frozenset({"authenticate", "authenticate_credentials"})
"""Methods that Django Ninja's and Django REST framework's schemes call with what the client presents."""
_AUTHENTICATION = ("ninja.security.", "rest_framework.")
_SERIALIZERS = "rest_framework.serializers."
_CALLBACKS = frozenset({"verify_token", "verify_password", "user_loader_from_token", "request_loader"})
"""Decorators of Flask-HTTPAuth and others for functions that are called so."""
_SCHEMES = "fastapi.security."
_GIVING = (How.ASSIGN, How.UNPACK, How.WITH)
_DEEPEST = 8
_MOST_CALLERS = 8


class SentValues:
    """Answers for one project."""

    def __init__(self, project: Project, routes: Iterable[Route]) -> None:
        self._project = project
        self._sources = RequestSources(project, handlers_of(routes, project))
        self._known: dict[tuple[form.Expr, Scope], Evidence | None] = {}

    def of(self, node: form.Expr, scope: Scope, depth: int = _DEEPEST) -> Evidence | None:
        """Where a client sends the value; None where that isn't seen."""
        key = (node, scope)
        if key not in self._known:
            self._known[key] = None  # while it is worked out: names may be made of themselves
            self._known[key] = next(self._found(node, scope, depth), None) if depth else None
        return self._known[key]

    def _found(self, node: form.Expr, scope: Scope, depth: int) -> Iterator[Evidence]:
        inner: list[form.Expr] = []
        match node:
            case form.Name():
                yield from self._named(node, scope, depth - 1)
            case form.Attr(value=value):
                yield from self._source(self._sources.sent_attribute(node, scope), node, scope)
                yield from self._of_object(node, scope, depth - 1)
                inner = [value] if not _is_identity(node) else []
            case form.Subscript(value=value):
                inner = [value]
            case form.Call():
                yield from self._source(self._sources.sent_by_call(node, scope), node, scope)
                yield from self._called(node, scope, depth - 1)
            case form.Boolean(values=values):
                inner = values
            case form.Conditional(body=body, orelse=orelse):
                inner = [body, orelse]
            case form.Await(value=value) | form.Walrus(value=value):
                inner = [value]
        for part in inner:
            found = self.of(part, scope, depth - 1)
            if found is not None:
                yield found

    def _source(self, source: object, node: form.Expr, scope: Scope) -> Iterator[Evidence]:
        if source is not None:
            yield scope.module.evidence(node, "a client sends it")

    def _called(self, call: form.Call, scope: Scope, depth: int) -> Iterator[Evidence]:
        name = last_name(call.func) or ""
        function = self._project.callee_function(call, scope)
        if function is not None:
            for node in function.returns if function.name != "__init__" else ():
                found = self.of(node.value, function.scope, depth) if node.value is not None else None
                if found is not None:
                    yield found
        elif name in _READING or name in SHAPING:
            parts = [call.func.value] if isinstance(call.func, form.Attr) else []
            parts += call.positional[:1] if not isinstance(call.func, form.Attr) or name not in ("get", "pop") else []
            for part in parts:
                found = self.of(part, scope, depth)
                if found is not None:
                    yield found

    def _of_object(self, node: form.Attr, scope: Scope, depth: int) -> Iterator[Evidence]:
        """`self.code`, which `__init__` was handed."""
        owner = self._project.infer(node.value, scope)
        if isinstance(owner, Instance) and owner.cls is not None:
            for value, around in definitions(node, scope, self._project):
                found = self.of(value, around, depth)
                if found is not None:
                    yield found

    def _named(self, node: form.Name, scope: Scope, depth: int) -> Iterator[Evidence]:
        for binding in scope.lookup(node.id, node.start):
            if binding.function is not None and binding.param is not None:
                yield from self._parameter(binding.function, binding.param, depth)
            elif binding.value is not None and binding.how in _GIVING and binding.value is not node:
                found = self.of(binding.value, binding.scope, depth)
                if found is not None:
                    yield found

    def _parameter(self, function: FunctionSymbol, param: form.Param, depth: int) -> Iterator[Evidence]:
        if self._is_handed_credentials(function) and param.name not in ("self", "request"):
            yield Evidence(function.location, f"a client sends `{param.name}`")
            return
        source = self._sources.of_parameter(function, param)
        if source is not None:
            if source.origin in (Origin.REMOTE, Origin.UNKNOWN):
                yield Evidence(function.location, f"a client sends `{param.name}`")
            return
        provided = injection(param.default, function.outer, self._project) or injection(
            param.annotation, function.outer, self._project
        )
        if provided is not None:
            yield from self._provided(provided.node, provided.scope, depth)
            return
        for call, around in self._project.callers(function)[:_MOST_CALLERS]:
            argument = self._project.bound_argument(call, function, param)
            found = self.of(argument, around, depth) if argument is not None else None
            if found is not None:
                yield found

    def _is_handed_credentials(self, function: FunctionSymbol) -> bool:
        """Whether a library calls the function with what a client presents."""
        owner = function.owner
        is_validator = function.name == "validate" or function.name.startswith("validate_")
        if owner is not None and (is_validator or function.name in _AUTHENTICATORS):
            callers = _SERIALIZERS if is_validator else _AUTHENTICATION
            return any(base.startswith(callers) for base in self._project.base_names(owner))
        called = (d.func if isinstance(d, form.Call) else d for d in function.decorators)
        return any(last_name(d) in _CALLBACKS and isinstance(d, form.Attr) for d in called)

    def _provided(self, call: form.Expr, scope: Scope, depth: int) -> Iterator[Evidence]:
        """What a dependency gives: a security scheme what the client presents, a function what it returns."""
        provider = call.positional[0] if isinstance(call, form.Call) and call.positional else None
        if provider is None:
            return
        value = self._project.infer(provider, scope)
        name = value.type_name if isinstance(value, Instance) else value.name if isinstance(value, External) else ""
        if name.startswith(_SCHEMES):
            yield scope.module.evidence(call, "a client presents it")
        elif isinstance(value, FunctionSymbol):
            for node in value.returns:
                found = self.of(node.value, value.scope, depth) if node.value is not None else None
                if found is not None:
                    yield found


def _is_identity(node: form.Attr) -> bool:
    """`request.user`, `request.session`, `request.app`: a request carries these, and no client sends them."""
    return (last_name(node.value) or "") in ("request", "req", "self", "websocket", "conn", "connection")
