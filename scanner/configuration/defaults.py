"""The value that a setting has when nothing overrides it, as far as the source tells."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import Enum
from typing import Final

from assay.scanner.configuration.environment import Environment, EnvironmentRead
from assay.scanner.dataflow.constants import constant, definitions
from assay.scanner.linker.project import Project, last_name
from assay.scanner.linker.scopes import Scope
from assay.scanner.readers.python import form

_DEEPEST = 20
_TRUE = frozenset({"true", "on", "ok", "y", "yes", "1", "t"})
_PARSERS: dict[str, Callable[[str], object]] = {
    "bool": lambda text: text.lower() in _TRUE,
    "int": int,
    "float": float,
    "str": str,
    "Csv": lambda text: [part.strip() for part in text.split(",") if part.strip()],
}
"""How the libraries that read variables understand a `cast`."""
_OF_TEXTS: dict[str, Callable[[str], str]] = {"strip": str.strip, "lower": str.lower, "upper": str.upper}


class Unknown(Enum):
    """Stands for a value that the source doesn't tell, since None is a value too."""

    UNKNOWN = "unknown"


UNKNOWN: Final = Unknown.UNKNOWN


class Defaults:
    """Works out values: constants, collections of them, and the defaults of what comes from outside.

    `held` are values that names have for now, whatever else is assigned to them.
    """

    def __init__(self, project: Project, environment: Environment, held: Mapping[str, object] | None = None) -> None:
        self._project = project
        self._environment = environment
        self._held = held or {}

    def holding(self, name: str, value: object) -> Defaults:
        """The same, for an expression that is evaluated while the name has that value."""
        return Defaults(self._project, self._environment, {**self._held, name: value})

    def value(self, node: form.Expr, scope: Scope, depth: int = _DEEPEST) -> object:
        """The value of the expression, or UNKNOWN."""
        read = self._environment.read(node, scope)
        if not depth or read is not None:
            return self._of_read(read, node, depth) if read is not None else UNKNOWN
        match node:
            case form.Name() | form.Attr():
                return self._name(node, scope, depth)
            case form.Call():
                return self._call(node, scope, depth)
            case form.Display(kind=kind, items=items):
                return self._collection(kind, items, scope, depth)
            case form.Comprehension(kind="list" | "generator", generators=[only]):
                return self._comprehended(node.element, only, scope, depth)
            case form.Dict(keys=keys, values=values):
                return self._dict(keys, values, scope, depth)
            case form.Binary(op="+", left=left, right=right) if self._folded(node, scope) is UNKNOWN:
                return added(self.value(left, scope, depth - 1), self.value(right, scope, depth - 1))
            case form.Boolean(op="or", values=values):
                return self._first_true(values, scope, depth)
            case form.Unary(op="not", operand=operand):
                inner = self.value(operand, scope, depth - 1)
                return UNKNOWN if inner is UNKNOWN else not inner
            case form.Compare(left=left, ops=[op], rights=[right]):
                return compared(op, self.value(left, scope, depth - 1), self.value(right, scope, depth - 1))
            case form.Conditional(test=test, body=body, orelse=orelse):
                holds = self.value(test, scope, depth - 1)
                return UNKNOWN if holds is UNKNOWN else self.value(body if holds else orelse, scope, depth - 1)
        return self._folded(node, scope)

    def _folded(self, node: form.Expr, scope: Scope) -> object:
        folded = constant(node, scope, self._project)
        return folded.value if folded is not None else UNKNOWN

    def _name(self, node: form.Name | form.Attr, scope: Scope, depth: int) -> object:
        if isinstance(node, form.Name) and node.id in self._held:
            return self._held[node.id]
        known = definitions(node, scope, self._project)
        if len(known) == 1 and known[0][0] is not node:
            return self.value(*known[0], depth - 1)
        return self._folded(node, scope)

    def _of_read(self, read: EnvironmentRead, node: form.Expr, depth: int) -> object:
        """The default, as the read casts it: what stands for it in the code is often text."""
        if read.is_changed:
            return UNKNOWN
        if read.default is None:
            return UNKNOWN if read.is_required else None
        value = self.value(read.default.node, read.default.scope, depth - 1)
        cast = node.keyword("cast") if isinstance(node, form.Call) else None
        if cast is None or not isinstance(value, str):
            return value
        if isinstance(cast, form.Lambda) and len(cast.params) == 1:
            return self.holding(cast.params[0].name, value).value(cast.body, read.default.scope, depth - 1)
        parser = _PARSERS.get(last_name(cast.func if isinstance(cast, form.Call) and not cast.args else cast) or "")
        return _parsed(parser, value) if parser is not None else UNKNOWN

    def _collection(self, kind: str, items: list[form.Expr], scope: Scope, depth: int) -> object:
        found: list[object] = []
        for item in items:
            value = self.value(item.value if isinstance(item, form.Starred) else item, scope, depth - 1)
            if isinstance(item, form.Starred) and isinstance(value, list | tuple):
                found += value
            elif isinstance(item, form.Starred) or value is UNKNOWN:
                return UNKNOWN
            else:
                found.append(value)
        return tuple(found) if kind == "tuple" else found

    def _comprehended(self, element: form.Expr, only: form.Generator, scope: Scope, depth: int) -> object:
        """`[host.strip() for host in hosts.split(",") if host]`."""
        items = self.value(only.iter, scope, depth - 1)
        if not isinstance(items, list | tuple) or not isinstance(only.target, form.Name):
            return UNKNOWN
        found: list[object] = []
        for item in items:
            each = self.holding(only.target.id, item)
            tests = [each.value(test, scope, depth - 1) for test in only.ifs]
            value = each.value(element, scope, depth - 1)
            if UNKNOWN in tests or value is UNKNOWN:
                return UNKNOWN
            if all(tests):
                found.append(value)
        return found

    def _dict(self, keys: list[form.Expr | None], values: list[form.Expr], scope: Scope, depth: int) -> object:
        found: dict[object, object] = {}
        for key, item in zip(keys, values, strict=True):
            value = self.value(item, scope, depth - 1)
            name = self.value(key, scope, depth - 1) if key is not None else None
            if key is None and isinstance(value, dict):
                found |= value
            elif key is None or value is UNKNOWN or not isinstance(name, str | int | float):
                return UNKNOWN
            else:
                found[name] = value
        return found

    def _first_true(self, values: list[form.Expr], scope: Scope, depth: int) -> object:
        value: object = UNKNOWN
        for part in values:
            value = self.value(part, scope, depth - 1)
            if value is UNKNOWN or value:
                break
        return value

    def _call(self, call: form.Call, scope: Scope, depth: int) -> object:
        """`bool(x)`, `int(x)`, `list(x)`, `"a,b".split(",")`, `getattr(module, "X", default)`.

        What the project's own functions make of a text hangs on branches that can't be told.
        """
        if self._project.callee_function(call, scope) is not None:
            return UNKNOWN
        name = last_name(call.func) or ""
        given = [self.value(argument, scope, depth - 1) for argument in call.positional]
        if isinstance(call.func, form.Name) and not scope.lookup(name):
            if name == "getattr" and len(given) == 3:
                return given[2]
            if len(given) != 1 or given[0] is UNKNOWN:
                return [] if name == "list" and not call.args else UNKNOWN
            return _converted(name, given[0])
        if name == "split" and isinstance(call.func, form.Attr) and len(call.args) <= 1:
            text = self.value(call.func.value, scope, depth - 1)
            separator = given[0] if given else None
            if isinstance(text, str) and (separator is None or (isinstance(separator, str) and separator)):
                return text.split(separator)
        if name in _OF_TEXTS and isinstance(call.func, form.Attr) and not call.args:
            text = self.value(call.func.value, scope, depth - 1)
            return _OF_TEXTS[name](text) if isinstance(text, str) else UNKNOWN
        return self._folded(call, scope)


def added(left: object, right: object) -> object:
    """`left + right` of lists, tuples and texts."""
    match left, right:
        case list(), list():
            return [*left, *right]
        case tuple(), tuple():
            return (*left, *right)
        case str(), str():
            return left + right
    return UNKNOWN


def compared(op: str, left: object, right: object) -> object:
    """`left == right`, `left in right` and their opposites."""
    if left is UNKNOWN or right is UNKNOWN:
        return UNKNOWN
    if op in ("==", "!=", "is", "is not"):
        return (left == right) is (op in ("==", "is"))
    if op in ("in", "not in") and isinstance(right, list | tuple | dict):
        return (left in right) is (op == "in")
    return UNKNOWN


def _converted(name: str, value: object) -> object:
    """`int(value)` and the like, as Python does it."""
    match name, value:
        case "list" | "set", list() | tuple():
            return list(value)
        case "tuple", list() | tuple():
            return tuple(value)
        case "bool", _:
            return bool(value)
        case (("int" | "float" | "str"), str() | int() | float()):
            return _parsed(_PARSERS[name], value if isinstance(value, str) else str(value))
    return UNKNOWN


def _parsed(parser: Callable[[str], object], text: str) -> object:
    try:
        return parser(text)
    except ValueError:  # int("many"): the program would fail there too
        return UNKNOWN
