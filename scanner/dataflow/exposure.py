"""What an answer tells about the inside of the service: exception texts, addresses, host names, configuration."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from assay.scanner.dataflow.blocks import is_debug_condition
from assay.scanner.dataflow.dependencies import words
from assay.scanner.linker.project import Project, last_name, last_part
from assay.scanner.linker.scopes import ClassSymbol, FunctionSymbol, Scope
from assay.scanner.linker.values import BoundMethod, External, Instance
from assay.scanner.model.place import Evidence
from assay.scanner.readers.python import form

_DEEPEST = 3
_SETTINGS_BASES = ("pydantic_settings.BaseSettings", "pydantic.BaseSettings", "pydantic_settings.main.BaseSettings")
_SETTINGS_NAMES = frozenset({"settings", "config", "conf", "environ"})
_SETTINGS = words("django.conf.settings flask.Flask.config flask.current_app.config os.environ quart.Quart.config")
_SECRET_KEY = re.compile(
    r"(^|_)(dsn|password|passwd|secret|token|credentials?|private_key|api_key|access_key)(_|$)"
    r"|(database|db|redis|broker|mongo|postgres|amqp|cache|sql\w*)\w*_(url|uri|host|hostname|dsn|addr|server)$",
    re.IGNORECASE,
)
_HOST_CALLS = words("socket.gethostname socket.getfqdn socket.gethostbyname platform.node os.uname platform.uname")
_TRACEBACKS = words("traceback.format_exc traceback.format_exception traceback.format_tb sys.exc_info")
_DUMPS = words("dict model_dump copy items json model_dump_json __dict__ _asdict values as_dict to_dict")
_HARMLESS_CALLS = words(
    "type isinstance issubclass len bool hasattr id callable round int float sum any all min max hash"
)
_TELLING_ATTRIBUTES = words("args message detail details msg reason strerror orig description text __dict__")
_REFUSALS = re.compile(r"\w*(HTTPException|HTTPError|APIException|abort)|HTTP[A-Z]\w+")
_VERSION_WORDS = words(
    """version app_version commit commit_sha commit_hash sha git_sha git_commit git_hash revision build build_id
    build_number release image tag"""
)


@dataclass(frozen=True, slots=True)
class Exposure:
    """`leaks` hurt when anybody may ask; `versions` only help an attacker to choose."""

    leaks: tuple[Evidence, ...]
    versions: tuple[Evidence, ...]


def exposure(handler: FunctionSymbol, project: Project) -> Exposure:
    """What the handler's answers tell, those of the project's functions that it returns included."""
    body = _Body(handler, project, {}, _DEEPEST)
    leaks = {e.location: e for e in body.leaks()}
    return Exposure(tuple(leaks.values()), tuple(body.versions()))


class _Body:
    """One function, with the names in it that hold what must not get out."""

    def __init__(
        self, function: FunctionSymbol, project: Project, arguments: Mapping[str, Evidence], depth: int
    ) -> None:
        self._function = function
        self._project = project
        self._depth = depth
        debug_only = _debug_ranges(function)
        self._nodes = [n for n in function.walk() if not any(start <= n.start < end for start, end in debug_only)]
        self._telling = dict(arguments)
        for node in self._nodes:
            if isinstance(node, form.Try):
                for handler in node.handlers:
                    if handler.name is not None:
                        place = function.module.span(handler.start, (handler.type or handler).end)
                        self._telling[handler.name] = Evidence(place, "the exception's text")
        for _ in range(2):  # a second round sees what the first one put into a name further down
            for node in self._nodes:
                self._spread(node)

    def leaks(self) -> Iterator[Evidence]:
        for node in self._nodes:
            if isinstance(node, form.Return) and node.value is not None:
                yield from self._told(node.value)
            elif isinstance(node, form.Raise) and isinstance(node.exc, form.Call):
                yield from self._refusal(node.exc)
            elif isinstance(node, form.ExprStmt) and isinstance(node.value, form.Call):
                yield from self._refusal(node.value)

    def versions(self) -> Iterator[Evidence]:
        for node in self._nodes:
            if isinstance(node, form.Return) and node.value is not None:
                yield from self._versions(node.value)

    def _versions(self, answer: form.Expr) -> Iterator[Evidence]:
        for node in form.walk(answer, into_definitions=False):
            if isinstance(node, form.Dict):
                for key, value in zip(node.keys, node.values, strict=True):
                    if isinstance(key, form.Const) and str(key.value).lower() in _VERSION_WORDS:
                        yield self._function.module.evidence(value, f"it tells its {key.value}")
            elif isinstance(node, form.Call):
                for argument in node.args:
                    if argument.name is not None and argument.name.lower() in _VERSION_WORDS:
                        yield self._function.module.evidence(argument.value, f"it tells its {argument.name}")

    def _refusal(self, call: form.Call) -> Iterator[Evidence]:
        """The arguments of `HTTPException(...)` and `abort(...)` are the answer."""
        name = self._project.callee_name(call, self._function.scope) or last_name(call.func) or ""
        if _REFUSALS.fullmatch(last_part(name)):
            for argument in call.args:
                yield from self._told(argument.value)

    def _spread(self, node: form.Expr | form.Stmt) -> None:
        match node:
            case form.Assign(targets=targets, value=value) if value is not None:
                found = next(self._told(value), None)
                for target in targets:
                    self._note(target, found)
            case form.AugAssign(target=target, value=value):
                self._note(target, next(self._told(value), None))
            case form.ExprStmt(value=form.Call(func=form.Attr(value=receiver, attr=method), args=args)):
                if method in ("append", "add", "extend", "update", "insert", "setdefault"):
                    for argument in args:
                        self._note(receiver, next(self._told(argument.value), None))

    def _note(self, target: form.Expr, found: Evidence | None) -> None:
        while isinstance(target, form.Subscript | form.Attr):
            target = target.value
        if found is not None and isinstance(target, form.Name) and target.id not in ("self", "request"):
            self._telling.setdefault(target.id, found)

    def _told(self, node: form.Expr) -> Iterator[Evidence]:
        """What a value tells when it is answered."""
        match node:
            case form.Name():
                yield from self._name(node)
            case form.Attr():
                yield from self._attribute(node)
            case form.Call():
                yield from self._call(node)
            case form.Subscript():
                yield from self._item(node)
            case form.Compare() | form.Unary() | form.Const() | form.Opaque() | form.Lambda():
                return
            case _:
                for part in _told_parts(node):
                    yield from self._told(part)

    def _name(self, node: form.Name) -> Iterator[Evidence]:
        if node.id in self._telling:
            yield self._exact(node, self._telling[node.id])
        elif self._is_settings(node, self._function.scope):
            yield self._evidence(node, "the whole configuration")

    def _exact(self, node: form.Name, known: Evidence) -> Evidence:
        """An exception is told where its name is used; anything else where it came from."""
        if known.text == "the exception's text" and self._is_exception(node.id):
            return self._evidence(node, known.text)
        return known

    def _is_exception(self, name: str) -> bool:
        return any(h.name == name for n in self._nodes if isinstance(n, form.Try) for h in n.handlers)

    def _attribute(self, node: form.Attr) -> Iterator[Evidence]:
        base, attr, scope = node.value, node.attr, self._function.scope
        if isinstance(base, form.Name) and base.id in self._telling and self._is_exception(base.id):
            if attr in _TELLING_ATTRIBUTES:
                yield self._evidence(node, "the exception's text")
        elif self._is_settings(node, scope):
            yield self._evidence(node, "the whole configuration")
        elif self._is_settings(base, scope):
            if attr in _DUMPS:
                yield self._evidence(node, "the whole configuration")
            elif _SECRET_KEY.search(attr):
                yield self._evidence(node, f"the setting {attr}")
        else:
            yield from self._told(base)

    def _item(self, node: form.Subscript) -> Iterator[Evidence]:
        base, index = node.value, node.index
        if not self._is_settings(base, self._function.scope):
            yield from self._told(base)
        elif isinstance(index, form.Const) and _SECRET_KEY.search(str(index.value)):
            yield self._evidence(node, f"the setting {index.value}")

    def _call(self, call: form.Call) -> Iterator[Evidence]:
        scope = self._function.scope
        value = self._project.infer(call.func, scope)
        name = value.name if isinstance(value, External) else ""
        if name in _HOST_CALLS:
            yield self._evidence(call, "the host's name")
            return
        if name in _TRACEBACKS:
            yield self._evidence(call, "a traceback")
            return
        if name.startswith("builtins.") and last_part(name) in _HARMLESS_CALLS:
            return
        if isinstance(call.func, form.Attr) and self._is_settings(call.func.value, scope):
            yield from self._settings_call(call, call.func.attr)
            return
        if name == "os.getenv":
            yield from self._settings_call(call, "get")
            return
        function = value.function if isinstance(value, BoundMethod) else value
        if isinstance(function, FunctionSymbol):
            yield from self._from_function(function, call)
            return
        if isinstance(call.func, form.Attr) and not isinstance(value, ClassSymbol):
            yield from self._told(call.func.value)
        for argument in call.args:
            yield from self._told(argument.value)

    def _settings_call(self, call: form.Call, method: str) -> Iterator[Evidence]:
        if method in _DUMPS:
            yield self._evidence(call, "the whole configuration")
        elif method == "get" and call.args and isinstance(call.args[0].value, form.Const):
            key = str(call.args[0].value.value)
            if _SECRET_KEY.search(key):
                yield self._evidence(call, f"the setting {key}")

    def _from_function(self, function: FunctionSymbol, call: form.Call) -> Iterator[Evidence]:
        if not self._depth or function is self._function:
            return
        arguments = {}
        for param in function.parameters:
            given = self._project.bound_argument(call, function, param)
            found = next(self._told(given), None) if given is not None else None
            if found is not None:
                arguments[param.name] = found
        yield from _Body(function, self._project, arguments, self._depth - 1).leaks()

    def _is_settings(self, node: form.Expr, scope: Scope) -> bool:
        value = self._project.infer(node, scope)
        if isinstance(value, External):
            return value.name in _SETTINGS
        if isinstance(value, Instance):
            if value.cls is not None:
                return self._project.is_subclass(value.cls, *_SETTINGS_BASES)
            return value.type_name in _SETTINGS
        named = last_name(node) in _SETTINGS_NAMES
        return value is None and named and isinstance(node, form.Name | form.Attr)

    def _evidence(self, node: form.Node, text: str) -> Evidence:
        return self._function.module.evidence(node, text)


def _told_parts(node: form.Expr) -> list[form.Expr]:
    """The parts of an expression that its value shows; what only debug mode shows is left out."""
    match node:
        case form.Conditional(test=test, body=body, orelse=orelse):
            return [orelse] if is_debug_condition(test) else [body, orelse]
        case form.Comprehension(element=element, value=value, generators=generators):
            return [element, *([value] if value is not None else []), *(g.iter for g in generators)]
        case form.Dict(values=values):
            return values
        case form.Template(holes=holes):
            return [hole.value for hole in holes]
        case form.Binary(left=left, right=right):
            return [left, right]
        case form.Boolean(values=values) | form.Display(items=values):
            return values
        case form.Await(value=inner) | form.Starred(value=inner) | form.Walrus(value=inner):
            return [inner]
    return []


def _debug_ranges(function: FunctionSymbol) -> list[tuple[int, int]]:
    """Offsets of what runs in debug mode only."""
    return [
        (n.body[0].start, n.body[-1].end)
        for n in function.walk()
        if isinstance(n, form.If) and n.body and is_debug_condition(n.test)
    ]
