"""What a log line tells: secrets, whole requests and personal data among the values that reach it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain

from assay.scanner.dataflow.lexicon import has_several_meanings, masks, sensitivity, words
from assay.scanner.linker.project import Project, last_name, last_part
from assay.scanner.linker.scopes import Binding, ClassSymbol, How, Scope
from assay.scanner.linker.values import External, Instance, Literal
from assay.scanner.model.log import SensitiveValue, Sensitivity
from assay.scanner.model.place import Evidence
from assay.scanner.readers.python import form

NO_FIELDS: Mapping[str, form.Expr] = {}
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
WHOLE_BODY = "the whole request body"
_WHOLE = {
    "environ": "all headers of the request",
    "headers": "all headers of the request",
    "META": "all headers of the request",
    "cookies": "all cookies of the request",
    "COOKIES": "all cookies of the request",
    "body": WHOLE_BODY,
    "data": WHOLE_BODY,
    "json": WHOLE_BODY,
    "get_json": WHOLE_BODY,
    "form": WHOLE_BODY,
    "POST": WHOLE_BODY,
    "get_data": WHOLE_BODY,
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


_ISSUING = frozenset(
    {
        "jwt.encode", "jose.jwt.encode", "authlib.jose.jwt.encode", "flask_jwt_extended.create_access_token",
        "flask_jwt_extended.create_refresh_token",
    }
)  # fmt: skip
"""Calls that make a token out of claims."""
_TELLING_BASES = ("pydantic.BaseModel", "pydantic_settings.BaseSettings", "pydantic.BaseSettings", "sqlmodel.SQLModel")
_TELLING_DECORATORS = frozenset({"dataclass", "define", "frozen", "mutable", "attrs"})
"""What makes a class whose text tells all its fields."""
_DUMPS = frozenset({"model_dump", "model_dump_json", "dict", "json", "asdict", "vars", "to_dict"})
_SESSION_COOKIES = frozenset({"session", "sessionid", "session_id", "sid"})
_WITH_PASSWORDS = frozenset(
    {"database_url", "database_uri", "db_url", "db_uri", "sqlalchemy_database_uri", "connection_string", "broker_url"}
)
"""Names of addresses that often have a password in them."""


class LoggedValues:
    """Finds sensitive values in the expressions that a log call tells."""

    def __init__(self, project: Project) -> None:
        self._project = project

    def sensitive(
        self, expressions: Iterable[form.Expr], scope: Scope, fields: Mapping[str, form.Expr] = NO_FIELDS
    ) -> Iterator[SensitiveValue]:
        """Each sensitive value once, where it stands in the log line; `fields` are told under names of their own."""
        seen: set[str] = set()
        told = [self._in(expression, scope, 0) for expression in expressions]
        for value in chain(*told, *(self._under(name, field, scope) for name, field in fields.items())):
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
            case form.Comprehension():
                yield from self._in_comprehension(node, scope, depth)
            case form.Call():
                yield from self._in_call(node, scope, depth)
            case form.Subscript(value=base, index=form.Const(value=str() as key)):
                yield from self._named(key, node, scope, exact=_is_environment_or_request(base))
            case form.Attr(attr=name):
                known = self._whole(node, scope) or list(self._named(name, node, scope))
                yield from known or self._fields_of(node, scope)
            case form.Name(id=name):
                known = list(self._named(name, node, scope)) or list(self._behind(node, scope, depth))
                yield from known or self._fields_of(node, scope)

    def _in_comprehension(self, node: form.Comprehension, scope: Scope, depth: int) -> Iterator[SensitiveValue]:
        """All headers and the like, item by item; one that picks among them is taken to know why."""
        told = node.value or node.element
        as_it_is = isinstance(told, form.Name | form.Display) or (
            isinstance(told, form.Call) and last_name(told.func) in _TRANSPARENT
        )
        for generator in node.generators if as_it_is else ():
            if not generator.ifs and isinstance(generator.iter, form.Call | form.Name):
                yield from self._in(generator.iter, scope, depth)

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
            elif name is not None:
                yield from self._under(name, value, scope)
            yield from self._in(value, scope, depth)

    def _under(self, name: str, value: form.Expr, scope: Scope) -> Iterator[SensitiveValue]:
        """What is told under the name, which may say more of it than the expression does."""
        if not isinstance(value, form.Const) and not self._is_harmless(value, scope):
            yield from self._named(name, value, scope)

    def _in_call(self, call: form.Call, scope: Scope, depth: int) -> Iterator[SensitiveValue]:
        name = last_name(call.func) or ""
        if masks(name):
            return
        if (self._project.callee_name(call, scope) or "") in _ISSUING:
            evidence = scope.module.evidence(call, "the token that it makes")
            yield SensitiveValue("the token", Sensitivity.CREDENTIAL, evidence)
            return
        if name in _DUMPS and any(a.name in ("exclude", "include") for a in call.args):
            owner = call.func.value if isinstance(call.func, form.Attr) else None
            yield from self._fields_of(owner, scope, call) if owner is not None else ()
            return
        if isinstance(call.func, form.Attr) and name in _WHOLE:
            whole = self._whole(call.func, scope)
            if whole:
                yield from whole
                return
        if name in _GETTERS:
            yield from self._got(call, name, scope)
        elif name == "locals" and scope.function is not None:
            yield from self._locals(call, scope)
        elif name == "values" and call.args:
            # A statement of SQLAlchemy shows where its values go, and not the values.
            return
        elif name in ("asdict", "vars") and call.positional:
            yield from self._fields_of(call.positional[0], scope)
        elif name in _TRANSPARENT:
            owners = [call.func.value] if isinstance(call.func, form.Attr) else []
            yield from self._in_all((*owners, *(arg.value for arg in call.args)), scope, depth)

    def _locals(self, call: form.Call, scope: Scope) -> Iterator[SensitiveValue]:
        for name in sorted(scope.bindings):
            if sensitivity(name) is Sensitivity.CREDENTIAL:
                evidence = scope.module.evidence(call, f"`{name}` among all local names")
                yield SensitiveValue(name, Sensitivity.CREDENTIAL, evidence)

    def _got(self, call: form.Call, getter: str, scope: Scope) -> Iterator[SensitiveValue]:
        """What a getter gives by its key."""
        owner = last_name(call.func.value) if isinstance(call.func, form.Attr) else None
        key = call.positional[0] if call.positional else None
        if isinstance(key, form.Const) and isinstance(key.value, str):
            if owner in ("cookies", "COOKIES") and key.value.lower() in _SESSION_COOKIES:
                evidence = scope.module.evidence(call, "the cookie of the session")
                yield SensitiveValue(key.value, Sensitivity.CREDENTIAL, evidence)
            yield from self._named(key.value, call, scope)
        elif getter == "get_secret_value":
            yield from self._named(owner or "secret", call, scope)

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
        if kind is None and "_".join(words(name)) in _WITH_PASSWORDS and not isinstance(node, form.Call):
            evidence = scope.module.evidence(node, f"the value of `{name}`, which may have a password in it")
            yield SensitiveValue(name, Sensitivity.CREDENTIAL, evidence, is_certain=False)
        if kind is None or self._is_harmless(node, scope):
            return
        is_doubtful = has_several_meanings(name) or self._is_doubtful(node, scope)
        certain = exact or kind is Sensitivity.PERSONAL or not is_doubtful
        yield SensitiveValue(name, kind, scope.module.evidence(node, f"the value of `{name}`"), certain)

    def _fields_of(self, node: form.Expr, scope: Scope, dump: form.Call | None = None) -> Iterator[SensitiveValue]:
        """The secret fields of an object whose text, or whose `dump`, tells all of them."""
        is_whole = isinstance(node, form.Attr) and node.attr == "__dict__"
        value = self._project.infer(node.value if isinstance(node, form.Attr) and is_whole else node, scope)
        cls = value.cls if isinstance(value, Instance) else None
        if cls is not None and is_whole:
            for name in sorted(cls.assigned_to_self):
                if sensitivity(name) is Sensitivity.CREDENTIAL:
                    yield SensitiveValue(name, Sensitivity.CREDENTIAL, scope.module.evidence(node, f"`{name}` in it"))
        if cls is None or not self._tells_fields(cls):
            return
        left_out, only = _names_given(dump, "exclude"), _names_given(dump, "include")
        is_pydantic = any(base in _TELLING_BASES for base in self._project.base_names(cls))
        for name, bindings in cls.scope.bindings.items():
            bound = bindings[-1]
            if name in left_out or (only and name not in only) or bound.annotation is None:
                continue
            if name.startswith("_") and is_pydantic:
                continue
            if sensitivity(name) is Sensitivity.CREDENTIAL and not _is_hidden(bound):
                evidence = scope.module.evidence(node, f"`{name}` of {cls.name}")
                yield SensitiveValue(name, Sensitivity.CREDENTIAL, evidence, not has_several_meanings(name))

    def _tells_fields(self, cls: ClassSymbol) -> bool:
        if any(self._project.method(cls, name) is not None for name in ("__repr__", "__str__", "__repr_args__")):
            return False
        decorated = (last_name(d.func if isinstance(d, form.Call) else d) for d in cls.node.decorators)
        return any(d in _TELLING_DECORATORS for d in decorated) or any(
            base in _TELLING_BASES for base in self._project.base_names(cls)
        )

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
        """Dicts, whole requests, items of either, and secrets by name in texts."""
        if isinstance(value, form.Template | form.Binary):
            # Of what a text was made of only names count: anything else may be anything.
            parts = [n for n in _parts(value) if isinstance(n, form.Name | form.Attr)]
            yield from (v for v in self._in_all(parts, scope, _DEEPEST) if v.is_certain)
        elif isinstance(value, form.Boolean):
            for part in value.values:
                yield from self._in_definition(part, scope, depth)
        elif isinstance(
            value, form.Dict | form.Await | form.Attr | form.Name | form.Subscript | form.Comprehension
        ) or (
            isinstance(value, form.Call)
            and (
                last_name(value.func) in _TRANSPARENT | _WHOLE.keys() | _GETTERS
                or self._project.callee_name(value, scope) in _ISSUING
            )
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


def _parts(node: form.Expr) -> Iterator[form.Expr]:
    """What a text is put together from."""
    match node:
        case form.Template():
            yield from (hole.value for hole in node.holes)
        case form.Binary(left=left, right=right):
            yield from (*_parts(left), *_parts(right))
        case form.Display(items=items):
            yield from items
        case _:
            yield node


def _names_given(dump: form.Call | None, keyword: str) -> set[str]:
    """The field names that a dump is told."""
    given = dump.keyword(keyword) if dump is not None else None
    nodes = form.walk(given) if given is not None else ()
    return {n.value for n in nodes if isinstance(n, form.Const) and isinstance(n.value, str)}


def _is_hidden(field: Binding) -> bool:
    """Whether the field's type, or its definition, keeps its value out of the text."""
    named = (
        {last_name(n) for n in form.walk(field.annotation) if isinstance(n, form.Name | form.Attr)}
        if field.annotation
        else set()
    )
    if not named.isdisjoint({*_SECRET_TYPES, *_HARMLESS_TYPES}):
        return True
    options = field.value.args if isinstance(field.value, form.Call) else ()
    return any(
        isinstance(a.value, form.Const)
        and ((a.name == "repr" and a.value.value is False) or (a.name == "exclude" and a.value.value is True))
        for a in options
    )


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
