"""Addresses in code: what is known of one, with `{}` for the computed parts, and whether its host is written there."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import takewhile
from urllib.parse import urljoin

from assay.scanner.configuration.environment import Environment
from assay.scanner.dataflow.constants import SETTINGS_BASES, constant, definitions
from assay.scanner.dataflow.reaching import State
from assay.scanner.dataflow.strings import Source, TextReader
from assay.scanner.dataflow.text import Text, TextHole
from assay.scanner.linker.project import Project, last_name, last_part
from assay.scanner.linker.scopes import ClassSymbol, FunctionSymbol, How, Module, Scope
from assay.scanner.linker.values import Instance
from assay.scanner.model.origin import Origin
from assay.scanner.readers.python import form

_COMPUTED = "{}"
_JOINS = frozenset({"urllib.parse.urljoin", "requests.compat.urljoin", "urljoin", "posixpath.join", "os.path.join"})
_WRAPPERS = frozenset({"URL", "Url", "furl", "str", "HttpUrl", "AnyHttpUrl"})
_REPEATED = re.compile(r"(?:\{\}){2,}")
_DEEPEST = 4
_MOST_CALLERS = 12
_OPEN, _CLOSE = "\ue000", "\ue001"
"""Around what a setting says by default, while a text is put together."""
_MARKS = str.maketrans("", "", _OPEN + _CLOSE)
_AUTHORITY = re.compile(r"(?:[A-Za-z][\w+.-]*://)?(?:[^/?#@]*@)?(?P<host>[^/?#@]*)")
_SETTINGS = frozenset(
    {"settings", "config", "conf", "cfg", "configuration", "app_settings", "app_config", "env", "environ", "options"}
)


@dataclass(frozen=True, slots=True)
class Address:
    """`text` is None where all of it is computed. `is_written` is set where the code itself names the host, and no
    setting can change it; `read_from` are the environment variables and settings that it is read from.
    """

    text: str | None
    is_written: bool = False
    read_from: tuple[str, ...] = ()


UNKNOWN_ADDRESS = Address(None)


class _FromSettings:
    """A value begins where a setting is read; otherwise all that matters here is what it is."""

    def __init__(self, project: Project) -> None:
        self._project = project

    def of_parameter(self, function: FunctionSymbol, param: form.Param) -> Source | None:  # noqa: ARG002
        return None

    def of_expression(self, node: form.Expr, state: State) -> Source | None:
        if not isinstance(node, form.Attr) or not _is_setting(node, state.scope, self._project):
            return None
        owner = self._project.infer(node.value, state.scope)
        # A module of constants and a class that nobody makes an object of are as good as literals.
        return None if isinstance(owner, Module | ClassSymbol) else Source(Origin.OPERATOR, "a setting")


class Addresses:
    """Reads the addresses in one project."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._reader = TextReader(project, _FromSettings(project))
        self._environment = Environment(project)
        self._names: list[str] = []

    def at(self, node: form.Expr, call: form.Call, scope: Scope) -> Address:
        """The address that the expression is when the call is made."""
        return self._read(node, self._reader.state_at(call, scope))

    def of(self, node: form.Expr, scope: Scope) -> Address:
        """The address that the expression is wherever it stands."""
        return self._read(node, self._reader.flow(scope).end)

    def _read(self, node: form.Expr, state: State) -> Address:
        self._names = []
        found = self._pattern(node, state, _DEEPEST)
        text = found.translate(_MARKS)
        host = _AUTHORITY.match(found)
        is_written = host is not None and bool(host["host"]) and not {_OPEN, _CLOSE, "{"} & set(host[0])
        return Address(text if text.replace(_COMPUTED, "") else None, is_written, tuple(dict.fromkeys(self._names)))

    def _pattern(self, node: form.Expr, state: State, depth: int) -> str:
        texts = {self._put_together(text, depth) for text in self._reader.texts(node, state)}
        return _REPEATED.sub(_COMPUTED, _common(sorted(texts)))

    def _put_together(self, text: Text, depth: int) -> str:
        found = ""
        for piece in text.pieces:
            found += piece if isinstance(piece, str) else self._filled(piece, depth, is_host="/" not in _rest(found))
        return found

    def _filled(self, hole: TextHole, depth: int, *, is_host: bool) -> str:
        """A hole by its default, or by what the library call in it joins. `is_host` says that the host isn't over."""
        node, scope = hole.node, hole.scope
        if isinstance(node, form.Call) and node.args and depth:
            callee = self._project.callee_name(node, scope) or form.dotted(node.func) or ""
            state = self._reader.state_at(node, scope)
            if callee in _JOINS:
                parts = [self._pattern(argument, state, depth - 1) for argument in node.positional]
                return _joined(parts, last_part(callee))
            if last_part(callee) in _WRAPPERS:
                return self._pattern(node.args[0].value, state, depth - 1)
        if isinstance(node, form.Binary) and node.op == "/" and depth:
            state = State(scope, {})
            sides = [self._pattern(side, state, depth - 1) for side in (node.left, node.right)]
            return _joined(sides, "join") if "/" in sides[0] else _COMPUTED
        names = list(self._read_from(node, scope, depth)) if is_host else []
        self._names += names
        known = constant(node, scope, self._project)
        if known is None or not isinstance(known.value, str):
            return _COMPUTED
        is_default = known.configured or names or self._is_for_callers(node, scope)
        return f"{_OPEN}{known.value}{_CLOSE}" if is_default else known.value

    def _is_for_callers(self, node: form.Expr, scope: Scope) -> bool:
        """A parameter that nobody in the project gives, or an attribute that is one."""
        for value, around in ((node, scope), *definitions(node, scope, self._project)):
            for binding in around.lookup(value.id) if isinstance(value, form.Name) else ():
                if binding.how is How.PARAMETER and binding.function and not self._project.callers(binding.function):
                    return True
        return False

    def _read_from(self, node: form.Expr, scope: Scope, depth: int) -> Iterator[str]:
        """The variables and settings that a computed part is."""
        match node:
            case form.Attr(attr=name) if name.isupper() or _is_setting(node, scope, self._project):
                yield name
            case form.Subscript(value=owner, index=form.Const(value=str(name))) if _is_settings(owner):
                yield name
            case form.Call(func=form.Attr(value=owner, attr="get" | "get_setting"), args=args) if _is_settings(owner):
                yield from (
                    a.value.value
                    for a in args[:1]
                    if isinstance(a.value, form.Const) and isinstance(a.value.value, str)
                )
            case form.Template(parts=parts):
                for part in _of_host(parts):
                    yield from self._read_from(part.value, scope, depth)
        yield from (read.variable for read in self._environment.reads(node, scope) if read.variable is not None)
        for value, around in self._values(node, scope) if depth else ():
            yield from self._read_from(value, around, depth - 1)

    def _values(self, node: form.Expr, scope: Scope) -> list[tuple[form.Expr, Scope]]:
        """What an attribute was given, or a parameter by those who call the function."""
        match node:
            case form.Attr(value=owner, attr=name):
                known = definitions(node, scope, self._project)
                made = (self._project.infer(v, s) for v, s in self._values(owner, scope)) if not known else ()
                for each in made:
                    if isinstance(each, Instance) and each.cls is not None:
                        known = known or self._project.instance_attributes(each.cls, name)
                return [found for value in known for found in self._given(*value)]
            case form.Name():
                return self._given(node, scope)
        return []

    def _given(self, node: form.Expr, scope: Scope) -> list[tuple[form.Expr, Scope]]:
        """The arguments that a name stands for, if it is a parameter; else the expression itself."""
        bindings = scope.lookup(node.id) if isinstance(node, form.Name) else []
        if not bindings or bindings[0].how is not How.PARAMETER:
            return [] if isinstance(node, form.Name) else [(node, scope)]
        found = []
        function, param = bindings[0].function, bindings[0].param
        for call, around in self._project.callers(function)[:_MOST_CALLERS] if function and param else ():
            argument = self._project.bound_argument(call, function, param) if function and param else None
            found += [(argument, around)] if argument is not None else []
        return found


def _of_host(parts: Iterable[str | form.Hole]) -> Iterator[form.Hole]:
    """The holes of a text that its host is made of."""
    said = ""
    for part in parts:
        if isinstance(part, form.Hole):
            if "/" not in _rest(said):
                yield part
            said += _COMPUTED
        else:
            said += part


def _is_setting(node: form.Attr, scope: Scope, project: Project) -> bool:
    """An attribute of an object that is called settings, or is of a class of settings."""
    owner = project.infer(node.value, scope)
    cls = owner.cls if isinstance(owner, Instance) else None
    return _is_settings(node.value) or (cls is not None and project.is_subclass(cls, *SETTINGS_BASES))


def _rest(text: str) -> str:
    """What comes behind the scheme."""
    before, separator, behind = text.partition("://")
    return behind if separator else before


def _is_settings(node: form.Expr) -> bool:
    if isinstance(node, form.Call):
        return (last_name(node.func) or "").removeprefix("get_") in _SETTINGS
    return (last_name(node) or "").lower().strip("_") in _SETTINGS


def _joined(parts: Iterable[str], how: str) -> str:
    """The parts as `urljoin` joins them, or as a path's."""
    marked = list(parts)
    base, *rest = (part.translate(_MARKS) for part in marked)
    for part in rest:
        if how == "urljoin" and not base.startswith(_COMPUTED) and not part.startswith(_COMPUTED):
            base = urljoin(base, part)
        else:
            base = f"{base.rstrip('/')}/{part.lstrip('/')}"
    return f"{_OPEN}{base}{_CLOSE}" if _OPEN in marked[0] else base


def below(base: str, url: str | None) -> str | None:
    """An address relative to a client's own one."""
    if url is None:
        return f"{base.rstrip('/')}/{_COMPUTED}"
    return url if "://" in url else f"{base.rstrip('/')}/{url.lstrip('/')}" if url.strip("/") else base


def _common(texts: list[str]) -> str:
    """What several addresses have in common, up to the end of a part of the path."""
    if len(texts) == 1:
        return texts[0]
    pairs = zip(texts[0], texts[-1], strict=False)  # of sorted texts, the first and the last differ most
    same = "".join(one for one, _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
    return same[: same.rfind("/") + 1] + _COMPUTED
