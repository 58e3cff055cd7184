"""What a log line tells: secrets, whole requests and personal data among the values that reach it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from assay.scanner.dataflow.lexicon import has_several_meanings, masks, sensitivity, words
from assay.scanner.linker.project import Project, last_name, last_part
from assay.scanner.linker.scopes import Binding, ClassSymbol, How, Scope
from assay.scanner.linker.values import External, Instance, Literal
from assay.scanner.model.log import SensitiveValue, Sensitivity
from assay.scanner.model.place import Evidence
from assay.scanner.readers.python import form

_DEEPEST = 3
"""Assignments and calls between a value and the log line."""
_TRANSPARENT = frozenset(
    {
        "str", "repr", "dict", "list", "tuple", "format", "dumps", "pformat", "decode", "encode", "strip", "lower",
        "upper",
        "join", "items", "values", "copy", "model_dump", "model_dump_json", "json", "to_dict", "clean", "safe_load",
        "loads",
    }
)  # fmt: skip
"""Functions and methods that give back what they get, in another shape."""
_GETTERS = frozenset({"get", "pop", "getlist", "getenv", "get_secret_value", "setdefault"})
_REQUEST_NAMES = frozenset({"request", "req"})
_WHOLE = {
    "headers": "all headers of the request",
    "META": "all headers of the request",
    "cookies": "all cookies of the request",
    "COOKIES": "all cookies of the request",
    "body": "the whole request body",
    "data": "the whole request body",
    "json": "the whole request body",
    "get_json": "the whole request body",
    "form": "the whole request body",
    "POST": "the whole request body",
    "get_data": "the whole request body",
}
_REQUEST_TYPES = ("flask.request", "starlette.requests.Request", "fastapi.Request", "django.http.HttpRequest",
                  "rest_framework.request.Request", "aiohttp.web.Request", "quart.request", "sanic.Request",
                  "sanic.request.Request", "django.http.request.HttpRequest",
                  "aiohttp.web_request.Request")  # fmt: skip
_UUID_COLUMNS = frozenset({"UUIDField", "UUID", "Uuid"})
_SECRET_TYPES = ("SecretStr", "SecretBytes", "Secret")
_ENUMERATIONS = frozenset({"Enum", "StrEnum", "IntEnum", "Flag", "Choices", "TextChoices", "IntegerChoices"})
_HARMLESS_TYPES = frozenset({"bool", "int", "float"})
_REQUEST_PARTS = frozenset({"url", "method", "data", "json", "params"})


class LoggedValues:
    """Finds sensitive values in the expressions that a log call tells."""

    def __init__(self, project: Project) -> None:
        self._project = project

    def sensitive(self, expressions: Iterable[form.Expr], scope: Scope) -> Iterator[SensitiveValue]:
        """Each sensitive value once, where it stands in the log line."""
        seen: set[str] = set()
        for expression in expressions:
            for value in self._in(expression, scope, 0):
                if value.name not in seen:
                    seen.add(value.name)
                    yield value

    def masked(self, expressions: Iterable[form.Expr], scope: Scope) -> Iterator[Evidence]:
        """Where a sensitive value is told in a form that gives nothing away."""
        for expression in expressions:
            for node in form.walk(expression):
                if isinstance(node, form.Call) and _masks_credential(node):
                    yield scope.module.evidence(node, "masked")

    def _in(self, node: form.Expr, scope: Scope, depth: int) -> Iterator[SensitiveValue]:
        match node:
            case form.Template():
                yield from self._in_all((hole.value for hole in node.holes), scope, depth)
            case form.Binary(op="%" | "+" | "|", left=left, right=right):
                yield from self._in_all((left, right), scope, depth)
            case form.Boolean(values=parts) | form.Display(items=parts):
                yield from self._in_all(parts, scope, depth)
            case form.Conditional(body=body, orelse=orelse):
                yield from self._in_all((body, orelse), scope, depth)
            case form.Await(value=inner) | form.Starred(value=inner):
                yield from self._in(inner, scope, depth)
            case form.Dict():
                yield from self._in_dict(node, scope, depth)
            case form.Call():
                yield from self._in_call(node, scope, depth)
            case form.Subscript(value=base, index=form.Const(value=str() as key)):
                yield from self._named(key, node, scope, exact=_is_environment_or_request(base))
            case form.Attr(attr=name):
                yield from self._whole(node, scope) or self._named(name, node, scope)
            case form.Name(id=name):
                found = list(self._named(name, node, scope))
                yield from found or self._behind(node, scope, depth)

    def _in_all(self, nodes: Iterable[form.Expr], scope: Scope, depth: int) -> Iterator[SensitiveValue]:
        for node in nodes:
            yield from self._in(node, scope, depth)

    def _in_dict(self, node: form.Dict, scope: Scope, depth: int) -> Iterator[SensitiveValue]:
        keys = {k.value for k in node.keys if isinstance(k, form.Const) and isinstance(k.value, str)}
        is_request = "headers" in keys and len(_REQUEST_PARTS & keys) >= 2
        for key, value in zip(node.keys, node.values, strict=True):
            name = key.value if isinstance(key, form.Const) and isinstance(key.value, str) else None
            if name == "headers" and is_request:
                evidence = scope.module.evidence(value, "all headers of a request")
                yield SensitiveValue("all headers of a request", Sensitivity.CREDENTIAL, evidence)
            elif name is not None and not isinstance(value, form.Const) and not self._is_harmless(value, scope):
                yield from self._named(name, value, scope)
            yield from self._in(value, scope, depth)

    def _in_call(self, call: form.Call, scope: Scope, depth: int) -> Iterator[SensitiveValue]:
        name = last_name(call.func) or ""
        if masks(name):
            return
        if isinstance(call.func, form.Attr) and name in _WHOLE:
            whole = self._whole(call.func, scope)
            if whole:
                yield from whole
                return
        if name in _GETTERS:
            key = call.positional[0] if call.positional else None
            if isinstance(key, form.Const) and isinstance(key.value, str):
                yield from self._named(key.value, call, scope)
            elif name == "get_secret_value" and isinstance(call.func, form.Attr):
                yield from self._named(last_name(call.func.value) or "secret", call, scope)
        elif name in _TRANSPARENT:
            if isinstance(call.func, form.Attr):
                yield from self._in(call.func.value, scope, depth)
            for arg in call.args:
                yield from self._in(arg.value, scope, depth)

    def _whole(self, node: form.Attr, scope: Scope) -> list[SensitiveValue]:
        """All headers, cookies or the body of the request that is being served; the environment."""
        value = self._project.infer(node, scope)
        if isinstance(value, External) and value.name == "os.environ":
            what = "the whole environment"
        elif node.attr in _WHOLE and self._is_request(node.value, scope):
            what = _WHOLE[node.attr]
        else:
            return []
        return [SensitiveValue(what, Sensitivity.CREDENTIAL, scope.module.evidence(node, what))]

    def _is_request(self, node: form.Expr, scope: Scope) -> bool:
        value = self._project.infer(node, scope)
        if isinstance(value, External | Instance):
            name = value.name if isinstance(value, External) else value.type_name
            if name in _REQUEST_TYPES:
                return True
            if value.__class__ is Instance and not name.startswith("builtins."):
                return False
        return value is None and last_name(node) in _REQUEST_NAMES

    def _named(self, name: str, node: form.Expr, scope: Scope, exact: bool = False) -> Iterator[SensitiveValue]:
        kind = sensitivity(name)
        if kind is None or self._is_harmless(node, scope):
            return
        is_doubtful = has_several_meanings(name) or self._is_doubtful(node, scope)
        certain = exact or kind is Sensitivity.PERSONAL or not is_doubtful
        yield SensitiveValue(name, kind, scope.module.evidence(node, f"the value of `{name}`"), certain)

    def _is_harmless(self, node: form.Expr, scope: Scope) -> bool:
        """A constant, a flag, a number, a type that hides its value, or something masked on its way."""
        if isinstance(node, form.Call):
            return masks(last_name(node.func) or "")
        if isinstance(node, form.Compare | form.Unary):
            return True
        if not isinstance(node, form.Name | form.Attr):
            return False
        value = self._project.infer(node, scope)
        if isinstance(value, Literal) and isinstance(value.node, form.Const) and isinstance(node, form.Attr):
            return True
        if isinstance(node, form.Attr) and self._is_member_of_enum(node, scope):
            return True
        if isinstance(value, Instance) and value.type_name.rsplit(".", 1)[-1] in _SECRET_TYPES:
            return True
        if not isinstance(node, form.Name):
            return False
        return any(self._binding_is_harmless(b) for b in scope.lookup(node.id))

    def _is_member_of_enum(self, node: form.Attr, scope: Scope) -> bool:
        """`Kind.change_secret`: the name of a choice, not a secret."""
        owner = self._project.infer(node.value, scope)
        return isinstance(owner, ClassSymbol) and any(
            last_part(base) in _ENUMERATIONS for base in self._project.base_names(owner)
        )

    def _binding_is_harmless(self, binding: Binding) -> bool:
        if binding.annotation is not None and form.dotted(binding.annotation) in _HARMLESS_TYPES:
            return True
        match binding.value:
            case form.Const(value=value) if binding.how is How.ASSIGN:
                return value is not None
            case form.Compare() | form.Unary():
                return True
            case form.Call(func=func) if binding.how is How.ASSIGN:
                return masks(last_name(func) or "")
        return False

    def _is_doubtful(self, node: form.Expr, scope: Scope) -> bool:
        """A bare `token` that a loop or a slice gave may be a piece of text; a project object of that name has its own
        way to be shown.
        """
        if isinstance(node, form.Name):
            bindings = scope.lookup(node.id)
            if any(b.how in (How.FOR, How.EXCEPT, How.WITH, How.FUNCTION, How.CLASS, How.IMPORT) for b in bindings):
                return True
        value = self._project.infer(node, scope) if isinstance(node, form.Name | form.Attr) else None
        if isinstance(value, Instance) and value.cls is not None:
            return True
        return isinstance(node, form.Attr) and self._may_be_identifier(node.attr)

    def _may_be_identifier(self, name: str) -> bool:
        """Whether a model of the project has a column of that name which holds a UUID: often an identifier."""
        return any(
            isinstance(b.value, form.Call) and last_name(b.value.func) in _UUID_COLUMNS
            for cls in self._project.classes
            for b in cls.own(name)
        )

    def _behind(self, node: form.Name, scope: Scope, depth: int) -> Iterator[SensitiveValue]:
        """What the name was given: by the only assignment, or by the callers."""
        if depth >= _DEEPEST:
            return
        bindings = scope.lookup(node.id)
        if len(bindings) != 1:
            return
        binding = bindings[0]
        if binding.how is How.ASSIGN and binding.value is not None:
            inner = self._in_definition(binding.value, binding.scope, depth + 1)
        elif binding.how is How.PARAMETER and binding.function is not None and binding.param is not None:
            inner = self._from_callers(binding, depth + 1)
        else:
            return
        for found in inner:
            # Shown where it is logged; where it comes from is what the text names.
            here = Evidence(scope.module.location(node), f"{found.name}, as `{node.id}`")
            yield SensitiveValue(found.name, found.sensitivity, here, found.is_certain)

    def _in_definition(self, value: form.Expr, scope: Scope, depth: int) -> Iterator[SensitiveValue]:
        """Dicts and whole requests only: what a text was made of is not followed, it may be anything."""
        if isinstance(value, form.Comprehension):
            for generator in value.generators:
                yield from self._in_definition(generator.iter, scope, depth)
        elif isinstance(value, form.Dict | form.Await | form.Attr | form.Name) or (
            isinstance(value, form.Call) and last_name(value.func) in _TRANSPARENT | _WHOLE.keys()
        ):
            yield from self._in(value, scope, depth)

    def _from_callers(self, binding: Binding, depth: int) -> Iterator[SensitiveValue]:
        if binding.function is None or binding.param is None:
            return
        sites = self._project.calls_named(binding.function.name)
        for call, scope in [s for s, _ in zip(sites, range(_MOST_CALLERS), strict=False)]:
            if self._project.callee_function(call, scope) is binding.function:
                argument = self._project.bound_argument(call, binding.function, binding.param)
                if argument is not None:
                    yield from self._in_definition(argument, scope, depth)


_MOST_CALLERS = 12


def _masks_credential(call: form.Call) -> bool:
    return masks(last_name(call.func) or "") and any(
        sensitivity(last_name(a.value) or "") is Sensitivity.CREDENTIAL for a in call.args
    )


def _is_environment_or_request(base: form.Expr) -> bool:
    return last_name(base) in ("environ", "headers", "META", "cookies", "COOKIES", "form")


def redaction(project: Project) -> Evidence | None:
    """A filter, formatter or processor of the project that masks secrets in every record."""
    for cls in project.classes:
        bases = project.base_names(cls)
        if any(b.startswith(("logging.", "pythonjsonlogger.")) for b in bases) and _masks_records(cls.name):
            return Evidence(cls.location, f"{cls.name} masks every record")
    for call, scope in project.calls_named("configure"):
        if project.callee_name(call, scope) == "structlog.configure":
            for node in form.walk(call):
                if isinstance(node, form.Name) and _masks_records(node.id):
                    return scope.module.evidence(node, "it masks every record")
    return None


def _masks_records(name: str) -> bool:
    told = words(name)
    return (
        masks(name) or "secrets" in told or ("redactor" in told) or any(w.startswith(("redact", "scrub")) for w in told)
    )
