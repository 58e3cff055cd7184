"""Calls: what functions of the project give back, and the few of Python and of libraries that matter."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from assay.scanner.configuration.defaults import UNKNOWN
from assay.scanner.configuration.evaluation.given import NOTHING, Given
from assay.scanner.configuration.meanings import (
    PARSERS,
    Firmness,
    Meaning,
    as_default,
    cast,
    is_made,
    named,
    parsed,
    text_method,
    truth_of,
)
from assay.scanner.dataflow.constants import string_value
from assay.scanner.dataflow.lexicon import words
from assay.scanner.dataflow.ways import Turn, way_to
from assay.scanner.linker.project import Project, last_name, literal_item
from assay.scanner.linker.scopes import FunctionSymbol, Module, Scope
from assay.scanner.linker.values import External
from assay.scanner.model.place import Evidence
from assay.scanner.readers.python import form

if TYPE_CHECKING:
    from assay.scanner.configuration.evaluation.expressions import Expressions

_FIELDS = frozenset(
    {"Field", "field", "BooleanField", "CharField", "Column", "mapped_column", "attrib", "ib", "PrivateAttr", "Bool"}
)
"""Calls that declare a field of a class, with its default."""
_CLIENTS = frozenset(
    {"request", "req", "form", "args", "get", "post", "json", "data", "body", "query", "payload", "headers", "cookies"}
)
"""Words of names for what clients send, where a default is no setting's."""


_DEEPEST = 4
"""Functions that call one another."""
_UNWRAPPING = frozenset({"encode", "get_secret_value"})
"""Methods of texts that give the text in another shape."""
_WRAPPING = frozenset({"SecretStr", "SecretBytes", "Secret", "bytes"})
"""Calls that give what they are given in another shape."""


class Calls:
    """What calls give."""

    def __init__(self, expressions: Expressions) -> None:
        self._expressions = expressions
        self._project = expressions.project
        self._entered: list[FunctionSymbol] = []

    def of(self, node: form.Call, scope: Scope, given: Given, depth: int) -> list[Meaning]:  # noqa: C901 - one case a function
        """What the call gives."""
        function = self._project.callee_function(node, scope)
        if function is not None and function.name != "__init__":
            return self._by_function(node, scope, function, depth)
        name = last_name(node.func) or ""
        arguments = node.positional
        if isinstance(node.func, form.Attr):
            if name == "get" and arguments:
                return self._got(node, node.func.value, scope, given, depth)
            if name in _UNWRAPPING:
                return self._expressions.of(node.func.value, scope, given, depth)
            if name in ("lower", "upper", "strip", "casefold") and not arguments:
                made = self._expressions.of(node.func.value, scope, given, depth)
                return [m.given(text_method(m.value, name)) for m in made]
            if name == "startswith" and arguments and _begins_https(arguments[0]):
                text = "it is so where the site is served by https"
                return [Meaning(True, scope.module.evidence(node, text), Firmness.DEPLOYED)]
        if name in _WRAPPING and arguments:
            return self._expressions.of(arguments[0], scope, given, depth)
        if name == "getattr" and len(arguments) >= 2:
            return self._getattr(node, scope, given, depth)
        if name in _FIELDS:
            return self._declared(node, scope, depth)
        if len(arguments) == 1 and len(node.args) == 1:
            inner = self._expressions.of(arguments[0], scope, given, depth)
            if name == "bool" and isinstance(node.func, form.Name):
                return [m.given(truth_of(m.value) if truth_of(m.value) is not None else UNKNOWN) for m in inner]
            if name in PARSERS:
                return [m.given(parsed(m.value)) for m in inner]
            if name in ("str", "int") and isinstance(node.func, form.Name):
                return [m.given(cast(name, m.value)) for m in inner]
        value = named(self._project.infer(node, scope))
        if isinstance(value, External) and not is_made(value.name):
            value = UNKNOWN
        text = "it is an object" if value is not UNKNOWN else "what this comes to can't be told"
        return [Meaning(value, scope.module.evidence(node, text))]

    def _by_function(self, node: form.Call, scope: Scope, function: FunctionSymbol, depth: int) -> list[Meaning]:
        """What a function of the project gives; of one that can't be told, the default that it is called with."""
        handed = dict(_arguments(node, scope, function, self._project))
        found = self.returned(function, handed, depth)
        if found and all(m.value is not UNKNOWN for m in found):
            return found
        default = next((p for p in function.parameters if p.name in ("default", "fallback")), None)
        stated = self._project.bound_argument(node, function, default) if default is not None else None
        if stated is None:
            return found or [self._expressions.unknown(node, scope)]
        place = scope.module.location(node)
        return [as_default(m, place, "unless it is set") for m in self._expressions.of(stated, scope, NOTHING, depth)]

    def _declared(self, node: form.Call, scope: Scope, depth: int) -> list[Meaning]:
        """`Field(False)`, `BooleanField(default=True)`: the default of a field."""
        default = node.keyword("default")
        if default is None and last_name(node.func) == "Field" and node.positional:
            default = node.positional[0]
        factory = node.keyword("default_factory")
        if isinstance(factory, form.Lambda):
            return self._expressions.of(factory.body, scope, NOTHING, depth)
        if default is None:
            return [self._expressions.unknown(node, scope)]
        place = scope.module.location(default)
        return [as_default(m, place, "unless it is set") for m in self._expressions.of(default, scope, NOTHING, depth)]

    def _got(self, node: form.Call, owner: form.Expr, scope: Scope, given: Given, depth: int) -> list[Meaning]:
        """`mapping.get("key", default)`."""
        key = string_value(node.positional[0], scope, self._project)
        if key is not None and last_name(owner) == "config":
            found = self._expressions.settings.named(key, "Flask config", scope.module.path, depth)
            if found:
                return found
        if key is not None:
            told = self._expressions.told_by_name(key, node, scope)
            if told is not None:
                return [told]
            items = self._expressions.mappings.items(owner, scope, key, depth)
            if items.found and not items.is_open:
                return list(items.found)
        if _CLIENTS & _words_in(owner):
            return [self._expressions.unknown(node, scope)]
        offered = _offered(key, scope) if key is not None else None
        if offered is not None:
            place = scope.module.location(offered)
            return [
                as_default(m, place, f"unless {key} is set")
                for m in self._expressions.of(offered, scope, NOTHING, depth)
            ]
        place = scope.module.location(node)
        default = node.argument(1, "default")
        if default is None:
            return [Meaning(None, Evidence(place, f"it is None unless {key or 'it'} is set"), Firmness.DEFAULT)]
        made = self._expressions.of(default, scope, given, depth)
        return [as_default(m, place, f"unless {key or 'it'} is set") for m in made]

    def _getattr(self, node: form.Call, scope: Scope, given: Given, depth: int) -> list[Meaning]:
        owner, key = node.positional[0], string_value(node.positional[1], scope, self._project)
        told = self._expressions.told_by_name(key, node, scope) if key is not None else None
        if told is not None:
            return [told]
        found: list[Meaning] = []
        value = self._project.infer(owner, scope)
        if key is not None and isinstance(value, Module):
            found = self._expressions.names.member(value, key, depth)
        if key is not None and isinstance(value, External) and value.name == "django.conf.settings":
            found = self._expressions.settings.named(key, "Django settings", scope.module.path, depth)
        if found or len(node.positional) < 3:
            return found or [self._expressions.unknown(node, scope)]
        made = self._expressions.of(node.positional[2], scope, given, depth)
        place = scope.module.location(node)
        return [as_default(m, place, f"unless {key or 'it'} is set") for m in made]

    def returned(self, function: FunctionSymbol, given: Given, depth: int) -> list[Meaning]:
        """What the function gives back, in the order in which its returns are reached; nothing for one that is being
        looked into already, or that is too deep inside others: how much there is to look at grows with each level.
        """
        if function in self._entered or len(self._entered) == _DEEPEST:
            return []
        self._entered.append(function)
        try:
            return self._returned(function, given, depth)
        finally:
            self._entered.pop()

    def _returned(self, function: FunctionSymbol, given: Given, depth: int) -> list[Meaning]:
        found: list[Meaning] = []
        is_certain = True
        firmness = Firmness.FIXED
        for node in function.returns if depth else ():
            taken = self._expressions.branches.taken(
                way_to(function.node.body, node.start), function.scope, given, depth
            )
            firmness = max(firmness, taken.firmness)
            if taken.truth is False:
                continue
            is_certain = is_certain and taken.truth is True
            if node.value is not None:
                made = self._expressions.of(node.value, function.scope, given, depth)
                found += [replace(m.resting_on(firmness), is_certain=m.is_certain and is_certain) for m in made]
            if taken.truth is True:
                found += self._handled(function, node, given, depth)
                break
        return found

    def _handled(self, function: FunctionSymbol, returned: form.Return, given: Given, depth: int) -> list[Meaning]:
        """What handlers of the `try` around give back instead: `except KeyError: return "..."`."""
        found: list[Meaning] = []
        for node in function.returns:
            way = way_to(function.node.body, node.start)
            is_instead = any(b.turn is Turn.HANDLED and b.tried[0] <= returned.start < b.tried[1] for b in way)
            if is_instead and node.value is not None:
                made = self._expressions.of(node.value, function.scope, given, depth)
                found += [replace(m.resting_on(Firmness.DEFAULT), is_certain=False) for m in made]
        return found


def _words_in(node: form.Expr) -> set[str]:
    """The words of all names in an expression."""
    names = (last_name(part) for part in form.walk(node) if isinstance(part, form.Name | form.Attr))
    return {word for name in names if name is not None for word in words(name)}


def _offered(key: str, scope: Scope) -> form.Expr | None:
    """The default by which a JSON schema in the same class offers an option to whoever fills in the form:
    `{"verify": {"type": "boolean", "default": False}}`.
    """
    function = scope.enclosing_function
    cls = function.owner if function is not None else scope.cls
    for node in form.walk_body(cls.node.body) if cls is not None else ():
        if isinstance(node, form.Dict):
            described = literal_item(node, key)
            default = literal_item(described, "default") if isinstance(described, form.Dict) else None
            if default is not None:
                return default
    return None


def _begins_https(node: form.Expr) -> bool:
    return isinstance(node, form.Const) and str(node.value).startswith("https")


def _arguments(
    call: form.Call, scope: Scope, function: FunctionSymbol, project: Project
) -> Iterator[tuple[tuple[Scope, str], tuple[form.Expr, Scope]]]:
    """What the call gives the function's parameters."""
    for param in function.parameters:
        argument = project.bound_argument(call, function, param)
        if argument is not None:
            yield (function.scope, param.name), (argument, scope)
        elif param.default is not None:
            yield (function.scope, param.name), (param.default, function.outer)
