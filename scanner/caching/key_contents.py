"""What the key of a cache entry has in it: parts of the request, and parameters of the function that is kept."""

from __future__ import annotations

from dataclasses import dataclass, replace

from assay.scanner.caching.results import Result, Results
from assay.scanner.linker.project import Project, last_name
from assay.scanner.linker.scopes import FunctionSymbol, Scope
from assay.scanner.linker.values import BoundMethod, Instance
from assay.scanner.model.cached_result import Input, InputKind
from assay.scanner.readers.python import form

_CREDENTIALS = ("authorization", "cookie", "token", "api-key", "x-user")
"""Words in names of headers that tell one caller from another."""
SAYING_WHO = frozenset({InputKind.USER, InputKind.SESSION, InputKind.COOKIE})


@dataclass(frozen=True, slots=True)
class Key:
    """`parameters` are the function's own that are in it, None for all of them, but for those in `without`; `headers`
    those of which the values are in it, and so `arguments` those of the query string, None for all. `never` are inputs
    that a kept result can't hang on: no POST is kept.
    """

    said: str
    kinds: frozenset[InputKind] = frozenset()
    parameters: frozenset[str] | None = frozenset()
    headers: frozenset[str] = frozenset()
    arguments: frozenset[str] | None = None
    without: frozenset[str] = frozenset()
    never: frozenset[InputKind] = frozenset()
    is_known: bool = True

    @property
    def says_who(self) -> bool:
        """Whether each caller has entries of their own."""
        return bool(SAYING_WHO & self.kinds) or any(c in h for h in self.headers for c in _CREDENTIALS)

    def holds(self, found: Input) -> bool:
        """Whether two results that differ in the input have different keys."""
        if found.kind in self.never or found.kind in (InputKind.PATH, InputKind.HOST):
            return True
        if found.via is not None and self._has_parameter(found.via):
            return True
        says_who = self.says_who
        match found.kind:
            case InputKind.USER | InputKind.SESSION | InputKind.COOKIE:
                return says_who
            case InputKind.TENANT:
                return says_who or bool({InputKind.TENANT, InputKind.HOST} & self.kinds) or bool(self.headers)
            case InputKind.HEADER:
                named = found.name is not None and found.name in self.headers
                return named or (InputKind.HEADER in self.kinds and not self.headers) or self._is_of_caller(found)
            case InputKind.QUERY if found.name is not None and self.arguments is not None:
                return found.kind in self.kinds and found.name in self.arguments
            case InputKind.ARGUMENT:
                return InputKind.PATH in self.kinds or InputKind.QUERY in self.kinds
        return found.kind in self.kinds

    def _has_parameter(self, name: str) -> bool:
        if self.parameters is None:
            return name not in self.without
        return name in self.parameters and name not in self.without and name not in ("self", "cls")

    def _is_of_caller(self, found: Input) -> bool:
        return self.says_who and any(word in (found.name or "") for word in _CREDENTIALS)

    def also(self, result: Result) -> Key:
        """With what a text that is added to it has in it."""
        kinds = frozenset(i.kind for i in result.inputs)
        headers = frozenset(i.name for i in result.inputs if i.kind is InputKind.HEADER and i.name is not None)
        parameters = None if self.parameters is None else self.parameters | whole_parameters(result)
        key = replace(self, kinds=self.kinds | kinds, headers=self.headers | headers, parameters=parameters)
        asked = [i.name for i in result.inputs if i.kind is InputKind.QUERY]
        if not asked:
            return key
        has_all = None in asked or (InputKind.QUERY in self.kinds and self.arguments is None)
        named = frozenset(name for name in asked if name is not None) | (self.arguments or frozenset())
        return replace(key, arguments=None if has_all else named)


def made_by(node: form.Expr, scope: Scope, kept: FunctionSymbol | None, results: Results, project: Project) -> Key:
    """The key that a key function makes of a call of the function that is kept."""
    said = f"what `{form.dotted(node) or 'a lambda'}` makes"
    if isinstance(node, form.Lambda):
        return _by_lambda(node, scope, kept, results, said)
    value = project.infer(node, scope)
    function = value.function if isinstance(value, BoundMethod) else value
    if isinstance(function, Instance) and function.cls is not None:
        function = project.method(function.cls, "__call__")
    if not isinstance(function, FunctionSymbol) and isinstance(node, form.Call):
        function = _returned_function(node, scope, project)
    if not isinstance(function, FunctionSymbol):
        return Key(said, is_known=False)
    result = results.key_returned(function)
    key = Key(said).also(replace(result, parameters=frozenset()))
    if _takes_all(result.parameters, function):
        return replace(key, parameters=None, without=requests_of(kept))
    return replace(key, parameters=whole_parameters(result), is_known=not _hands_on_request(result))


def whole_parameters(result: Result) -> frozenset[str]:
    """Those that are in it as they are: of a request, only parts are."""
    return result.parameters - {i.via for i in result.inputs}


def _returned_function(call: form.Call, scope: Scope, project: Project) -> FunctionSymbol | None:
    """The function that a call of the project's makes, as `key_with(["page"])` does."""
    maker = project.callee_function(call, scope)
    for returned in maker.returns if maker is not None else ():
        value = project.infer(returned.value, maker.scope) if returned.value is not None and maker is not None else None
        if isinstance(value, FunctionSymbol):
            return value
    return None


def _by_lambda(node: form.Lambda, scope: Scope, kept: FunctionSymbol | None, results: Results, said: str) -> Key:
    key = Key(said).also(replace(results.of_key([node.body], scope), parameters=frozenset()))
    names = {n.id for n in form.walk(node.body) if isinstance(n, form.Name)}
    used = {p.name for p in node.params if p.name in names}
    variadic = {p.name for p in node.params if p.kind in (form.ParamKind.VAR_POSITIONAL, form.ParamKind.VAR_KEYWORD)}
    if used & variadic:
        return replace(key, parameters=None)
    if kept is None:
        return replace(key, parameters=frozenset(used))
    own = [p.name for p in kept.node.params]
    first = 1 if len(node.params) > len(own) else 0  # some libraries give the function first
    by_place = {p.name: own[i - first] for i, p in enumerate(node.params) if first <= i < len(own) + first}
    return replace(key, parameters=frozenset(name if name in own else by_place.get(name, name) for name in used))


def _takes_all(used: frozenset[str], function: FunctionSymbol) -> bool:
    variadic = (form.ParamKind.VAR_POSITIONAL, form.ParamKind.VAR_KEYWORD)
    named = {p.name for p in function.node.params if p.kind in variadic} | {"args", "kwargs"}
    return bool(used & named)


def _hands_on_request(result: Result) -> bool:
    """Whether the whole request goes into the key by a way that can't be seen."""
    return "request" in result.parameters and not result.inputs


def requests_of(function: FunctionSymbol | None) -> frozenset[str]:
    """The parameters that hold the request or the response itself, which keys leave out."""
    found = set()
    for param in function.node.params if function is not None else ():
        declared = last_name(param.annotation) if isinstance(param.annotation, form.Name | form.Attr) else None
        if declared in ("Request", "Response", "HTTPConnection") or param.name == "request":
            found.add(param.name)
    return frozenset(found)
