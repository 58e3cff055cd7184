"""Reads of environment variables: by the standard library, the libraries made for it, and a project's own helpers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from assay.scanner.dataflow.constants import definitions, string_value
from assay.scanner.framework import Sited
from assay.scanner.linker.project import Project
from assay.scanner.linker.scopes import FunctionSymbol, Scope
from assay.scanner.linker.values import External, Instance
from assay.scanner.readers.python import form

ENVIRONMENT = "environment"
_DEEPEST = 4


@dataclass(frozen=True, slots=True)
class _Reader:
    """A function that reads a variable: where its default stands, whether it raises without one, and the name of the
    variable where the call needn't give it.
    """

    default_at: int = 1
    raises: bool = True
    variable: str | None = None
    library: str = ENVIRONMENT


_PARSERS = """str bytes bool int float decimal json list tuple dict url path date datetime time timedelta uuid log_level
    enum unicode smart_cast get_value"""
_URLS = {
    "db": "DATABASE_URL", "db_url": "DATABASE_URL", "dj_db_url": "DATABASE_URL", "cache": "CACHE_URL",
    "cache_url": "CACHE_URL", "dj_cache_url": "CACHE_URL", "email": "EMAIL_URL", "email_url": "EMAIL_URL",
    "search_url": "SEARCH_URL", "channels_url": "CHANNELS_URL",
}  # fmt: skip
_TYPES = {
    "environ.Env": 2, "environ.FileAwareEnv": 2, "environs.Env": 1, "environs.FileAwareEnv": 1,
}  # fmt: skip
"""With the place of the default where the object itself is called."""
_READERS: Mapping[str, _Reader] = {
    "os.getenv": _Reader(raises=False),
    "os.environ.get": _Reader(raises=False),
    "dj_database_url.config": _Reader(default_at=1, raises=False, variable="DATABASE_URL"),
    "decouple.config": _Reader(),
    "decouple.AutoConfig.__call__": _Reader(),
    "decouple.Config.__call__": _Reader(),
    "starlette.config.Config.__call__": _Reader(default_at=2, library="Starlette config"),
    "starlette.config.Config.get": _Reader(default_at=2, library="Starlette config"),
    **{f"{name}.__call__": _Reader(default_at=at) for name, at in _TYPES.items()},
    **{f"{name}.{parser}": _Reader() for name in _TYPES for parser in _PARSERS.split()},
    **{f"{name}.{parser}": _Reader(variable=variable) for name in _TYPES for parser, variable in _URLS.items()},
}
PACKAGES = ("os", *sorted({name.split(".", 1)[0] for name in _READERS} - {"os"}))
_VARIABLE_KEYWORDS = ("key", "var", "name", "option", "env", "varname")


@dataclass(frozen=True, slots=True, eq=False)
class EnvironmentRead:
    """One read: `name` is the expression for the variable, `variable` its text where that can be told.

    `is_required` is set where the read raises when the variable isn't set, `is_changed` where a helper makes something
    else of what it read.
    """

    node: form.Expr
    variable: str | None
    name: Sited | None
    default: Sited | None
    is_required: bool
    library: str = ENVIRONMENT
    is_changed: bool = False


class Environment:
    """The reads of one project; helpers are looked into once."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._helpers: dict[FunctionSymbol, EnvironmentRead | None] = {}

    def direct_reads(self, node: form.Expr, scope: Scope) -> list[EnvironmentRead]:
        """The reads that stand in the expression itself, outermost first."""
        parts = form.walk(node, into_definitions=False)
        return [found for part in parts if (found := self.read(part, scope)) is not None]

    def reads(self, node: form.Expr, scope: Scope, depth: int = _DEEPEST) -> Iterator[EnvironmentRead]:
        """The same, and those that the names in it stand for."""
        yield from self.direct_reads(node, scope)
        for part in form.walk(node, into_definitions=False) if depth else ():
            if isinstance(part, form.Name) and (bindings := scope.lookup(part.id)) and bindings[0].param is None:
                for value, around in definitions(part, scope, self._project):
                    if value is not node:
                        yield from self.reads(value, around, depth - 1)

    def read(self, node: form.Expr | form.Stmt, scope: Scope, depth: int = _DEEPEST) -> EnvironmentRead | None:
        """What the expression itself reads: `os.environ["X"]`, `getenv("X")`, `env.bool("X")`, `helper("X")`."""
        if isinstance(node, form.Subscript):
            return self._item(node, scope)
        if not isinstance(node, form.Call) or not depth:
            return None
        callee = self._project.infer(node.func, scope)
        if isinstance(callee, External) and callee.name in _READERS:
            return self._call(node, scope, _READERS[callee.name])
        if isinstance(callee, Instance) and (reader := _READERS.get(f"{callee.type_name}.__call__")) is not None:
            return self._call(node, scope, reader, callee)
        function = self._project.callee_function(node, scope)
        return self._by_helper(node, scope, function, depth) if function is not None else None

    def _item(self, node: form.Subscript, scope: Scope) -> EnvironmentRead | None:
        owner = self._project.infer(node.value, scope)
        if not isinstance(owner, External) or owner.name != "os.environ" or isinstance(node.index, form.Slice):
            return None
        return EnvironmentRead(node, self._text(node.index, scope), Sited(node.index, scope), None, is_required=True)

    def _call(
        self, node: form.Call, scope: Scope, reader: _Reader, receiver: Instance | None = None
    ) -> EnvironmentRead | None:
        name = node.positional[0] if node.positional else None
        name = name or next((v for k in _VARIABLE_KEYWORDS if (v := node.keyword(k)) is not None), None)
        variable = self._text(name, scope) if name is not None else reader.variable
        default = node.argument(reader.default_at, "default")
        found = Sited(default, scope) if default is not None else _of_scheme(receiver, variable)
        if name is None and variable is None:
            return None
        is_required = reader.raises and found is None
        return EnvironmentRead(node, variable, Sited(name, scope) if name else None, found, is_required, reader.library)

    def _text(self, node: form.Expr, scope: Scope) -> str | None:
        return string_value(node, scope, self._project)

    def _by_helper(self, call: form.Call, scope: Scope, function: FunctionSymbol, depth: int) -> EnvironmentRead | None:
        """A call of a function that reads the variable which a parameter of it names."""
        if function not in self._helpers:
            self._helpers[function] = None  # for one that calls itself
            self._helpers[function] = self._inside(function, depth)
        inner = self._helpers[function]
        if inner is None or inner.name is None:
            return None
        name = self._argument(inner.name, call, scope, function)
        variable = self._text(name.node, name.scope) if name is not None else None
        if name is None or variable is None:
            return None
        default = self._argument(inner.default, call, scope, function) if inner.default is not None else None
        return replace(
            inner, node=call, variable=variable, name=name, default=default or _unless_given(inner, function)
        )

    def _inside(self, function: FunctionSymbol, depth: int) -> EnvironmentRead | None:
        params = {param.name for param in function.parameters}
        if not params:
            return None
        for node in function.nodes:
            found = self.read(node, function.scope, depth - 1)
            if found is not None and found.name is not None:
                asked = found.name.node
                if isinstance(asked, form.Name) and asked.id in params:
                    return replace(found, is_changed=found.is_changed or not _gives_back(function, found.node))
        return None

    def _argument(self, inner: Sited, call: form.Call, scope: Scope, function: FunctionSymbol) -> Sited | None:
        """What a parameter of the helper is in this call."""
        if not isinstance(inner.node, form.Name):
            return None
        param = next((p for p in function.parameters if p.name == inner.node.id), None)
        if param is None:
            return None
        given = self._project.bound_argument(call, function, param)
        if given is not None:
            return Sited(given, scope)
        return Sited(param.default, function.outer) if param.default is not None else None


def _gives_back(function: FunctionSymbol, read: form.Expr) -> bool:
    """Whether the function returns what it read, and nothing that it made of that."""
    names = {
        name for name, bindings in function.scope.bindings.items() if len(bindings) == 1 and bindings[0].value is read
    }
    returned = [r.value for r in function.returns if r.value is not None]
    return all(value is read or (isinstance(value, form.Name) and value.id in names) for value in returned)


def _unless_given(inner: EnvironmentRead, function: FunctionSymbol) -> Sited | None:
    """The default that the helper itself states."""
    if inner.default is None or not isinstance(inner.default.node, form.Name):
        return inner.default
    return None if any(p.name == inner.default.node.id for p in function.parameters) else inner.default


def _of_scheme(receiver: Instance | None, variable: str | None) -> Sited | None:
    """django-environ's `Env(DEBUG=(bool, False))`."""
    if receiver is None or receiver.origin is None or receiver.scope is None or variable is None:
        return None
    stated = receiver.origin.keyword(variable)
    is_pair = isinstance(stated, form.Display) and len(stated.items) == 2
    return Sited(stated.items[1], receiver.scope) if is_pair and isinstance(stated, form.Display) else None
