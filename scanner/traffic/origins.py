"""Which origins an expression lets in, in production: every one, or those that are named."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from assay.scanner.configuration.defaults import UNKNOWN
from assay.scanner.configuration.environment import Environment
from assay.scanner.configuration.meanings import Firmness, Meaning, truth_of
from assay.scanner.configuration.production import Production
from assay.scanner.dataflow.safeguards.options import option_of
from assay.scanner.framework import Sited
from assay.scanner.linker.project import Project, last_name
from assay.scanner.linker.scopes import Binding, ClassSymbol, FunctionSymbol, How, Module, Scope
from assay.scanner.linker.values import External, Instance
from assay.scanner.model.option import Option
from assay.scanner.readers.python import form

_DEEPEST = 12
_PASSING_ON = frozenset({"list", "tuple", "set", "frozenset", "sorted", "str", "loads", "compile", "map", "filter"})
"""Functions whose result holds what they are given; of `map` and `filter` the last argument counts."""
_TEXT_METHODS = frozenset({"split", "strip", "lower", "rstrip", "replace", "splitlines"})
_FIELDS = frozenset({"Field", "field"})
_SETTINGS = ("pydantic_settings.BaseSettings", "pydantic.BaseSettings", "pydantic_settings.main.BaseSettings")
_PIECES = re.compile(r"[\s,;\"'\[\]]+")
_SCHEME = re.compile(r"^\(?\??:?(https?|http\??s\??|\(https?\)|\(http\|https\)|\(https\|http\))\)?\??:(//|\\/\\/)")
_ANYTHING = frozenset({".*", ".+", "*", "(.*)", "(.+)", ".*?", "[^/]+", r"\S+", ".*:.*", r".*(:\d+)?", r".+(:\d+)?"})


class Origins:
    """Answers for one project."""

    def __init__(self, project: Project, production: Production) -> None:
        self._project = project
        self._production = production
        self._environment = Environment(project)

    def option(self, node: form.Expr, scope: Scope) -> Option:
        """Unsafe where the expression lets every origin in."""
        asked = scope.module.evidence(node, "which origins these are can't be told")
        return option_of(self._of(node, scope, _DEEPEST), bool, asked)

    def of_values(self, values: Iterable[tuple[form.Expr, Scope]]) -> Option:
        """The same for the last value that production gives a name."""
        found = list(values)
        return self.option(*found[-1]) if found else Option(True)

    def _of(self, node: form.Expr, scope: Scope, depth: int) -> list[Meaning]:  # noqa: C901 - one case a form
        """`True` stands for every origin, `False` for named ones or none."""
        if not depth:
            return [self._unknown(node, scope)]
        read = self._environment.read(node, scope)
        if read is not None:
            return self._of_default(read.default, read.variable or "a variable", node, scope, depth)
        match node:
            case form.Const(value=value):
                return [self._told(value, node, scope)]
            case form.Display(items=items):
                return self._of_items(items, node, scope, depth)
            case form.Binary(op="+" | "|", left=left, right=right):
                return self._of_items([left, right], node, scope, depth)
            case form.Starred(value=inner) | form.Await(value=inner) | form.Walrus(value=inner):
                return self._of(inner, scope, depth - 1)
            case form.Comprehension(generators=[only, *_]):
                return self._of(only.iter, scope, depth - 1)
            case form.Conditional(test=test, body=body, orelse=orelse):
                truths = {truth_of(m.value) for m in self._production.meanings(test, scope)}
                if len(truths) == 1 and None not in truths:
                    return self._of(body if True in truths else orelse, scope, depth - 1)
                return _unsure([*self._of(body, scope, depth - 1), *self._of(orelse, scope, depth - 1)])
            case form.Boolean(op="or", values=values):
                return self._of_first(values, scope, depth)
            case form.Call():
                return self._of_call(node, scope, depth)
            case form.Template(parts=parts):
                return [self._told("".join(p for p in parts if isinstance(p, str)) or "x", node, scope)]
            case form.Name():
                return self._of_name(node, scope, depth)
            case form.Attr():
                return self._of_attribute(node, scope, depth)
            case form.Subscript():
                return self._of_meanings(node, scope)
        return [self._unknown(node, scope)]

    def _told(self, value: object, node: form.Expr, scope: Scope) -> Meaning:
        if isinstance(value, str) and lets_everybody_in(value):
            return Meaning(True, scope.module.evidence(node, f"{value!r} lets every origin in"))
        return Meaning(False, scope.module.evidence(node, "only these origins are let in" if value else "no origin is"))

    def _unknown(self, node: form.Expr, scope: Scope) -> Meaning:
        return Meaning(UNKNOWN, scope.module.evidence(node, "which origins these are can't be told"))

    def _of_items(self, items: Sequence[form.Expr], node: form.Expr, scope: Scope, depth: int) -> list[Meaning]:
        """A list with one `*` lets everybody in; of an item that can't be told, an origin is what is expected."""
        found = [m for item in items for m in self._of(item, scope, depth - 1)]
        everybody = [m for m in found if m.value is True]
        if everybody:
            return everybody
        if items and all(m.value is UNKNOWN for m in found) and any(isinstance(i, form.Starred) for i in items):
            return [self._unknown(node, scope)]
        return [self._told("named" if items else "", node, scope)]

    def _of_first(self, values: Sequence[form.Expr], scope: Scope, depth: int) -> list[Meaning]:
        """`settings.ORIGINS or ["*"]`: the default of what nobody sets."""
        first, *rest = values
        if not rest:
            return self._of(first, scope, depth - 1)
        known = self._production.meanings(first, scope)
        if all(m.value is not UNKNOWN and truth_of(m.value) is False for m in known):
            return [m.resting_on(Firmness.DEFAULT) for m in self._of_first(rest, scope, depth)]
        found = self._of(first, scope, depth - 1)
        if any(m.value is UNKNOWN for m in found):
            return _unsure([*found, *self._of_first(rest, scope, depth)])
        return found

    def _of_default(
        self, default: Sited | None, variable: str, node: form.Expr, scope: Scope, depth: int
    ) -> list[Meaning]:
        """What holds where the variable isn't set."""
        if default is None:
            return [Meaning(UNKNOWN, scope.module.evidence(node, f"{variable} decides"), Firmness.DEFAULT)]
        found = self._of(default.node, default.scope, depth - 1)
        text = f"every origin is let in unless {variable} is set"
        return [
            replace(m, firmness=Firmness.DEFAULT, evidence=scope.module.evidence(node, text) if m.value else m.evidence)
            for m in found
        ]

    def _of_call(self, node: form.Call, scope: Scope, depth: int) -> list[Meaning]:
        name = last_name(node.func) or ""
        function = self._project.callee_function(node, scope)
        if function is not None and function.name != "__init__":
            returned = self._returned(function, depth)
            if any(m.value is True for m in returned) or not node.positional:
                return returned or [self._unknown(node, scope)]
            # A helper that takes a text apart hands on what it is given.
            return self._of(node.positional[0], scope, depth - 1)
        if name in _FIELDS:
            default = node.keyword("default") or node.keyword("default_factory")
            default = default or (node.positional[0] if node.positional else None)
            body = default.body if isinstance(default, form.Lambda) else default
            if isinstance(body, form.Name) and body.id in _PASSING_ON:
                return [self._told("", node, scope)]  # `default_factory=list`
            return [self._unknown(node, scope)] if body is None else self._of(body, scope, depth - 1)
        if isinstance(node.func, form.Attr) and name in _TEXT_METHODS:
            return self._of(node.func.value, scope, depth - 1)
        if name in _PASSING_ON and node.positional:
            return self._of(node.positional[-1], scope, depth - 1)
        if name in _PASSING_ON:
            return [self._told("", node, scope)]
        if name in ("get", "getattr") and len(node.positional) > 1:
            found = self._of_meanings(node, scope)
            if all(m.value is UNKNOWN for m in found):
                otherwise = self._of(node.positional[-1], scope, depth - 1)
                return [m.resting_on(Firmness.DEFAULT) for m in otherwise]
            return found
        return self._of_meanings(node, scope)

    def _returned(self, function: FunctionSymbol, depth: int) -> list[Meaning]:
        found: list[Meaning] = []
        for statement in function.returns:
            taken = self._production.taken(statement, function.scope)
            if statement.value is None or taken.truth is False:
                continue
            values = self._of(statement.value, function.scope, depth - 1)
            found += values if taken.truth else _unsure(values)
        return found

    def _of_meanings(self, node: form.Expr, scope: Scope) -> list[Meaning]:
        """What production's other settings say, where that is a text or nothing."""
        return [
            replace(m, value=lets_everybody_in(m.value) if isinstance(m.value, str) else False)
            if isinstance(m.value, str) or m.value is None or m.value == ()
            else replace(m, value=UNKNOWN)
            for m in self._production.meanings(node, scope)
        ]

    def _of_name(self, node: form.Name, scope: Scope, depth: int) -> list[Meaning]:
        bindings = scope.lookup(node.id, node.start)
        if bindings and bindings[0].scope is scope and scope.function is not None:
            bindings = [b for b in bindings if b.offset < node.start] or bindings
        return self._of_bindings(bindings, depth) or self._of_meanings(node, scope)

    def _of_attribute(self, node: form.Attr, scope: Scope, depth: int) -> list[Meaning]:
        owner = self._project.infer(node.value, scope)
        if isinstance(owner, External) and owner.name == "django.conf.settings" and self._production.sites:
            owner = self._production.sites[0]
        if isinstance(owner, Module):
            return self._of_member(owner, node.attr, depth) or [self._unknown(node, scope)]
        cls = owner.cls if isinstance(owner, Instance) else owner
        if not isinstance(cls, ClassSymbol):
            return self._of_meanings(node, scope)
        bindings = self._project.class_member(cls, node.attr)
        if bindings and bindings[-1].function is not None:
            return self._returned(bindings[-1].function, depth) or [self._unknown(node, scope)]
        found = self._of_bindings(bindings, depth)
        assigned = self._project.instance_attributes(cls, node.attr) if not found else []
        found += [m for value, around in assigned[-1:] for m in self._of(value, around, depth - 1)]
        if self._project.is_subclass(cls, *_SETTINGS):
            found = [m.resting_on(Firmness.DEFAULT) for m in found]
        return found or [self._unknown(node, scope)]

    def _of_member(self, module: Module, name: str, depth: int) -> list[Meaning]:
        found = self._production.given(module, name)
        if found:
            return self._of(*found[-1], depth - 1)
        return self._of_bindings(module.scope.bindings.get(name, ()), depth)

    def _of_bindings(self, bindings: Sequence[Binding], depth: int) -> list[Meaning]:
        """What the last binding that production runs gives, with those that may hold instead."""
        found: list[Meaning] = []
        for binding in reversed(bindings):
            taken = self._production.taken(binding.value, binding.scope) if binding.value is not None else None
            if taken is not None and taken.truth is False:
                continue
            values = list(self._of_binding(binding, depth))
            is_certain = not found and (taken is None or taken.truth is True)
            found += values if is_certain else _unsure(values)
            if values and (taken is None or taken.truth is True):
                break
        return found

    def _of_binding(self, binding: Binding, depth: int) -> Iterator[Meaning]:
        match binding.how:
            case How.ASSIGN | How.AUGMENT | How.FOR if binding.value is not None:
                yield from self._of(binding.value, binding.scope, depth - 1)
            case How.IMPORT_FROM:
                source = self._project.import_module(binding.module, binding.level, binding.scope.module)
                if isinstance(source, Module) and source.scope is not binding.scope:
                    yield from self._of_member(source, binding.name, depth - 1)
            case How.PARAMETER if binding.function is not None and binding.param is not None:
                yield from self._of_parameter(binding.function, binding.param, depth)

    def _of_parameter(self, function: FunctionSymbol, param: form.Param, depth: int) -> Iterator[Meaning]:
        callers = self._project.callers(function)[:4]
        for call, scope in callers:
            given = self._project.bound_argument(call, function, param)
            if given is not None:
                yield from self._of(given, scope, depth - 1)
        if not callers and param.default is not None:
            yield from self._of(param.default, function.outer, depth - 1)


def lets_everybody_in(text: str) -> bool:
    """Whether a list of origins in a text, or a pattern for one, matches every origin."""
    return any(piece == "*" or _matches_anything(piece) for piece in _PIECES.split(text.strip()))


def _matches_anything(pattern: str) -> bool:
    """Told by the pattern's text: the scanned tree's patterns are never run."""
    inner = pattern.removeprefix("^").removesuffix("$")
    inner = inner[1:-1] if inner.startswith("(") and inner.endswith(")") and inner.count("(") == 1 else inner
    return _SCHEME.sub("", inner) in _ANYTHING


def _unsure(found: list[Meaning]) -> list[Meaning]:
    return [replace(m, is_certain=False) for m in found]
