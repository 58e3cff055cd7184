"""Expressions: constants, switches, comparisons; names, calls and mappings are the other modules' affair."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from assay.scanner.configuration.defaults import UNKNOWN
from assay.scanner.configuration.environment import Environment, EnvironmentRead
from assay.scanner.configuration.evaluation.branches import Branches
from assay.scanner.configuration.evaluation.calls import Calls
from assay.scanner.configuration.evaluation.given import NOTHING, Given
from assay.scanner.configuration.evaluation.mappings import Mappings
from assay.scanner.configuration.evaluation.names import Names
from assay.scanner.configuration.evaluation.settings import Settings
from assay.scanner.configuration.meanings import (
    PARSERS,
    Firmness,
    Meaning,
    Stand,
    as_default,
    compared_scheme,
    comparison,
    negated,
    parsed,
    truth_of,
)
from assay.scanner.configuration.naming import names_environment, on_in_production
from assay.scanner.dataflow.constants import string_value
from assay.scanner.linker.project import Project, last_name
from assay.scanner.linker.scopes import Scope
from assay.scanner.linker.values import External
from assay.scanner.model.setting import Setting
from assay.scanner.readers.python import form

_ELLIPSIS = len("...")
"""What is opaque and longer is bytes; a complex number is no setting's value."""
_OF_DEVELOPMENT = frozenset({"test", "tests", "pytest", "unittest", "py.test", "runserver", "runserver_plus"})
"""Commands and packages that run a project for its developers only."""


class Expressions:
    """Works out what expressions of one project come to. `depth` is how many steps it still may take."""

    def __init__(
        self,
        project: Project,
        settings: Iterable[Setting] = (),
        defaults: Mapping[tuple[str, str], object] | None = None,
    ) -> None:
        self.project = self._project = project
        self._environment = Environment(project)
        self.names = Names(self)
        self.calls = Calls(self)
        self.mappings = Mappings(self)
        self.branches = Branches(self)
        self.settings = Settings(self, settings, defaults or {})

    def of(self, node: form.Expr, scope: Scope, given: Given, depth: int) -> list[Meaning]:  # noqa: C901 - one case a form
        """All that the expression may be; `given` is what parameters are in the call that is looked into."""
        if not depth:
            return [self.unknown(node, scope)]
        read = self._environment.read(node, scope)
        name = read.variable if read is not None else _spoken(node)
        told = self.told_by_name(name, node, scope) if name else None
        if told is not None:
            return [told]
        if read is not None:
            return self._of_read(read, node, scope, depth)
        match node:
            case form.Const():
                return [Meaning(node.value, scope.module.evidence(node, f"it is {node.value!r}"))]
            case form.Name():
                return self.names.of(node, scope, given, depth - 1)
            case form.Attr():
                return self.names.attribute(node, scope, depth - 1)
            case form.Subscript(value=base, index=form.Const(value=key)):
                return self._subscript(node, base, key, scope, depth - 1)
            case form.Call():
                return self.calls.of(node, scope, given, depth - 1)
            case form.Await(value=inner) | form.Walrus(value=inner) | form.Starred(value=inner):
                return self.of(inner, scope, given, depth - 1)
            case form.Boolean(op=op, values=values):
                return self._boolean(op, values, scope, given, depth - 1)
            case form.Unary(op="not", operand=operand):
                return [negated(m) for m in self.of(operand, scope, given, depth - 1)]
            case form.Compare(left=left, ops=[op], rights=[right]):
                return self._compared(node, op, left, right, scope, given, depth - 1)
            case form.Conditional(test=test, body=body, orelse=orelse):
                return self._conditional(test, body, orelse, scope, given, depth - 1)
            case form.Template() | form.Binary():
                text = string_value(node, scope, self._project)
                otherwise = Stand.OBJECT if isinstance(node, form.Template) else UNKNOWN
                value = otherwise if text is None else text
                return [Meaning(value, scope.module.evidence(node, "it is put together here"))]
            case form.Display(items=[]) | form.Dict(keys=[]):
                return [Meaning((), scope.module.evidence(node, "it is empty"))]
            case form.Comprehension(generators=[only]):
                return self._comprehended(node, only, scope, given, depth - 1)
            case form.Display() | form.Dict() | form.Lambda():
                return [Meaning(Stand.OBJECT, scope.module.evidence(node, "it is an object"))]
            case form.Opaque(start=start, end=end) if end - start > _ELLIPSIS:
                return [Meaning(Stand.BYTES, scope.module.evidence(node, "it is written out"))]
        return [self.unknown(node, scope)]

    def unknown(self, node: form.Node, scope: Scope) -> Meaning:
        """The meaning of what can't be told."""
        return Meaning(UNKNOWN, scope.module.evidence(node, "what this comes to can't be told"))

    def told_by_name(self, name: str, node: form.Expr, scope: Scope) -> Meaning | None:
        """What the name itself says of production: that it is no development, or how the environment is called."""
        if name == "is_secure":
            text = "it is so where the request came by https"
            return Meaning(True, scope.module.evidence(node, text), Firmness.DEPLOYED)
        if names_environment(name) and not isinstance(node, form.Call):
            return Meaning(Stand.ENVIRONMENT, scope.module.evidence(node, "it names the environment"))
        is_on = on_in_production(name)
        if is_on is None:
            return None
        text = f"`{name}` is {'on' if is_on else 'off'} in production"
        return Meaning(is_on, scope.module.evidence(node, text), Firmness.DEPLOYED)

    def _of_read(self, read: EnvironmentRead, node: form.Expr, scope: Scope, depth: int) -> list[Meaning]:
        variable = read.variable or "this variable"
        if names_environment(variable):
            return [Meaning(Stand.ENVIRONMENT, scope.module.evidence(node, "it names the environment"))]
        if read.default is None:
            value = UNKNOWN if read.is_required or read.is_changed else None
            text = f"{variable} decides" if value is UNKNOWN else f"it is None unless {variable} is set"
            return [Meaning(value, scope.module.evidence(node, text), Firmness.DEFAULT)]
        found = self.of(read.default.node, read.default.scope, NOTHING, depth - 1)
        if read.is_changed:
            # What a helper makes of text is its own affair; a default that is no text it hands back.
            found = [m if isinstance(m.value, bool) else replace(m, value=UNKNOWN) for m in found]
        if self._parses(node):
            found = [m.given(parsed(m.value)) for m in found]
        place = scope.module.location(node)
        return [as_default(m, place, f"unless {variable} is set") for m in found]

    def _parses(self, node: form.Expr) -> bool:
        """Whether the read makes a yes or no of the text: `env.bool("X")`, `config("X", cast=bool)`."""
        if not isinstance(node, form.Call):
            return False
        cast = node.keyword("cast") or node.keyword("cast_type")
        called = last_name(cast) if cast is not None else last_name(node.func)
        return called in PARSERS

    def _boolean(self, op: str, values: Sequence[form.Expr], scope: Scope, given: Given, depth: int) -> list[Meaning]:
        """`a or b`, `a and b`: the first that decides, and all that may."""
        first, *rest = values
        found = self.of(first, scope, given, depth)
        if not rest:
            return found
        decided: list[Meaning] = []
        for meaning in found:
            truth = truth_of(meaning.value)
            if truth is None or truth is (op == "or"):
                decided.append(meaning)
            if truth is not (op == "or"):
                is_certain = meaning.is_certain and truth is not None
                decided += [
                    replace(m.resting_on(meaning.firmness), is_certain=m.is_certain and is_certain)
                    for m in self._boolean(op, rest, scope, given, depth)
                ]
        return decided

    def _compared(
        self, node: form.Compare, op: str, left: form.Expr, right: form.Expr, scope: Scope, given: Given, depth: int
    ) -> list[Meaning]:
        if op in ("in", "not in") and self._is_environment(right, scope):
            variable = string_value(left, scope, self._project) or "a variable"
            text = f"it is {op == 'not in'} unless {variable} is set"
            return [Meaning(op == "not in", scope.module.evidence(node, text), Firmness.DEFAULT)]
        if op in ("in", "not in") and self._is_about_start(left, right, scope):
            text = "production isn't started that way"
            return [Meaning(op == "not in", scope.module.evidence(node, text), Firmness.DEPLOYED)]
        found: list[Meaning] = []
        for one in self.of(left, scope, given, depth):
            for other in self._choices(right, scope, given, depth):
                value, firmness = comparison(op, one.value, other.value), max(one.firmness, other.firmness)
                if Stand.ENVIRONMENT in (one.value, other.value):
                    firmness = Firmness.DEPLOYED
                if value is UNKNOWN and (is_https := compared_scheme(op, one.value, other.value)) is not None:
                    value, firmness = is_https, Firmness.DEPLOYED
                text = "what this comes to can't be told" if value is UNKNOWN else f"in production it is {value}"
                is_certain = one.is_certain and other.is_certain
                found.append(Meaning(value, scope.module.evidence(node, text), firmness, is_certain))
        return found

    def _comprehended(
        self, node: form.Comprehension, only: form.Generator, scope: Scope, given: Given, depth: int
    ) -> list[Meaning]:
        """`[part for part in text.split(",") if part]`: nothing where the text is empty."""
        is_split = isinstance(only.iter, form.Call) and last_name(only.iter.func) == "split"
        iterated = only.iter
        if isinstance(iterated, form.Call) and isinstance(iterated.func, form.Attr) and is_split:
            iterated = iterated.func.value
        found = self.of(iterated, scope, given, depth)
        is_nothing = all(m.value in ("", ()) for m in found) and bool(only.ifs or not is_split)
        return [replace(m, value=()) for m in found] if is_nothing else [self.unknown(node, scope)]

    def _is_environment(self, node: form.Expr, scope: Scope) -> bool:
        value = self._project.infer(node, scope)
        return isinstance(value, External) and value.name == "os.environ"

    def _is_about_start(self, left: form.Expr, right: form.Expr, scope: Scope) -> bool:
        """`"test" in sys.argv`, `"pytest" in sys.modules`."""
        owner = right.value if isinstance(right, form.Subscript) else right
        value = self._project.infer(owner, scope)
        is_start = isinstance(value, External) and value.name in ("sys.argv", "sys.modules")
        return is_start and string_value(left, scope, self._project) in _OF_DEVELOPMENT

    def _choices(self, node: form.Expr, scope: Scope, given: Given, depth: int) -> list[Meaning]:
        """What is compared with: of a list that is written out, all of its constants at once."""
        if isinstance(node, form.Display) and all(isinstance(i, form.Const) for i in node.items):
            values = tuple(i.value for i in node.items if isinstance(i, form.Const))
            return [Meaning(values, scope.module.evidence(node, "it is one of these"))]
        return self.of(node, scope, given, depth)

    def _conditional(
        self, test: form.Expr, body: form.Expr, orelse: form.Expr, scope: Scope, given: Given, depth: int
    ) -> list[Meaning]:
        truth, firmness, _ = self.branches.verdict(test, scope, given, depth)
        chosen = [body] if truth is True else [orelse] if truth is False else [body, orelse]
        found = [m.resting_on(firmness) for branch in chosen for m in self.of(branch, scope, given, depth)]
        return found if truth is not None else [replace(m, is_certain=False) for m in found]

    def _subscript(self, node: form.Subscript, base: form.Expr, key: object, scope: Scope, depth: int) -> list[Meaning]:
        if not isinstance(key, str):
            return [self.unknown(node, scope)]
        if last_name(base) == "config" and self.settings.knows("Flask config"):
            return self.settings.of(key, "Flask config", node, scope, depth)
        found = self.mappings.items(base, scope, key, depth)
        return list(found.found) or [self.unknown(node, scope)]


def _spoken(node: form.Expr) -> str | None:
    """The name by which the code speaks of a value: of a name, an attribute, a function, a key."""
    match node:
        case form.Name() | form.Attr():
            return last_name(node)
        case form.Subscript(index=form.Const(value=str() as key)):
            return key
        case form.Call(func=func, args=args) if len(args) <= 1:
            return last_name(func)
    return None
