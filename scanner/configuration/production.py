"""What an expression comes to in production, as far as the source tells: constants, settings, switches, defaults.

Production is where debugging is off: `not settings.DEBUG`, `ENVIRONMENT == "production"` and `is_localhost(request)`
are told by what their names say, whatever the default is. A branch that production doesn't take gives no value.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum, IntEnum
from pathlib import PurePosixPath

from assay.scanner.configuration.defaults import UNKNOWN
from assay.scanner.configuration.environment import Environment, EnvironmentRead
from assay.scanner.dataflow.constants import string_value
from assay.scanner.dataflow.lexicon import words
from assay.scanner.linker.project import Project, last_name, last_part
from assay.scanner.linker.scopes import Binding, ClassSymbol, FunctionSymbol, How, Module, Scope
from assay.scanner.linker.values import External, Instance, Literal
from assay.scanner.model.place import Evidence, Location
from assay.scanner.model.role import Role
from assay.scanner.model.setting import Setting
from assay.scanner.readers.python import form

_DEEPEST = 16
_MOST_CALLERS = 12
_MOST_MEANINGS = 8
_TRUE = frozenset({"true", "on", "ok", "y", "yes", "1", "t"})
_DEVELOPMENT = frozenset({"debug", "dev", "devel", "development", "local", "localhost", "test", "testing", "tests"})
_PRODUCTION = frozenset({"prod", "production"})
_AROUND = frozenset(
    {
        "app", "are", "deployed", "deployment", "django", "enabled", "env", "environment", "flag", "flask", "in", "is",
        "like", "machine", "mode", "on", "or", "request", "run", "running", "server", "staging", "we",
    }
)  # fmt: skip
"""Words that such names have beside the one that tells."""
_ENVIRONMENT = frozenset({"env", "environment", "stage"})
_AROUND_ENVIRONMENT = frozenset(
    {"app", "current", "deploy", "deployment", "django", "fastapi", "flask", "get", "name", "node", "python", "run",
     "runtime", "service", "type"}
)  # fmt: skip
_FIELDS = frozenset(
    {"Field", "field", "BooleanField", "CharField", "Column", "mapped_column", "attrib", "ib", "PrivateAttr", "Bool"}
)
"""Calls that declare a field of a class, with its default."""
_PARSERS = frozenset({"bool", "boolean", "strtobool", "str2bool", "get_bool", "getbool", "asbool", "as_bool"})
_SETTINGS_BASES = ("pydantic_settings.BaseSettings", "pydantic.BaseSettings", "pydantic_settings.main.BaseSettings")


class Stand(Enum):
    """What stands for values that are no constants."""

    ENVIRONMENT = "the name of the environment"
    OBJECT = "an object"


class Firmness(IntEnum):
    """What a value hangs on."""

    FIXED = 0
    DEPLOYED = 1
    """On being in production."""
    DEFAULT = 2
    """On nobody setting it otherwise: it is the default of a variable, a parameter, a field."""


@dataclass(frozen=True, slots=True)
class Meaning:
    """One value that an expression has in production: a constant, an `External` for an object of a library, a `Stand`
    or UNKNOWN. `is_certain` is off where it is one of several, and which one can't be told.
    """

    value: object
    evidence: Evidence
    firmness: Firmness = Firmness.FIXED
    is_certain: bool = True

    def given(self, value: object) -> Meaning:
        """The same with what was made of the value; what is made of an unknown is unknown."""
        return self if self.value is UNKNOWN else replace(self, value=value)

    def resting_on(self, firmness: Firmness) -> Meaning:
        return self if firmness <= self.firmness else replace(self, firmness=firmness)


Meanings = tuple[Meaning, ...]
_Given = Mapping[tuple[Scope, str], tuple[form.Expr, Scope]]
_NOTHING: _Given = {}


@dataclass(frozen=True, slots=True)
class Items:
    """What a mapping holds under one key: nothing where `found` is empty and nothing `is_open`."""

    found: Meanings = ()
    is_open: bool = False


@dataclass(frozen=True, slots=True)
class _Guard:
    """A branch: it is taken where the test turns out as `truth`; where there is no test, nobody knows."""

    test: form.Expr | None
    truth: bool
    at: int


@dataclass(frozen=True, slots=True)
class Taken:
    """Whether production runs a place: None where that can't be told. `evidence` is the test that keeps it from it."""

    truth: bool | None
    firmness: Firmness = Firmness.FIXED
    evidence: Evidence | None = None


class Production:
    """Reads expressions of one project. `settings` are all that are known, `defaults` what frameworks take for those
    that nobody sets.
    """

    def __init__(
        self, project: Project, settings: Iterable[Setting] = (), defaults: Mapping[str, object] | None = None
    ) -> None:
        self._project = project
        self._environment = Environment(project)
        self._defaults = defaults or {}
        self._by_source: dict[str, dict[str, list[Setting]]] = {}
        for setting in settings:
            self._by_source.setdefault(setting.source, {}).setdefault(setting.name, []).append(setting)
        self._sites = self._django_sites()

    # --- questions ---

    def meanings(self, node: form.Expr, scope: Scope) -> Meanings:
        """All that the expression may be, at least one."""
        return _merged(self._of(node, scope, _NOTHING, _DEEPEST))

    def item(self, node: form.Expr, scope: Scope, key: str) -> Items:
        """What a mapping that is made in the code holds under the key."""
        found = self._items(node, scope, key, _DEEPEST)
        return Items(_merged(list(found.found)) if found.found else (), found.is_open)

    def setting(self, name: str, source: str, near: str) -> Meanings | None:
        """What a setting comes to for the code in the file `near`; None where nobody sets it."""
        found = self._setting(name, source, near, _DEEPEST)
        return _merged(found) if found else None

    def place_of(self, name: str, source: str, near: str) -> Location | None:
        """Where the setting is stated that counts for the code in the file."""
        known = self._by_source.get(source, {}).get(name, [])
        if source == "Django settings":
            site = self.site(near)
            return next((s.location for s in known if site is not None and s.group == site.name), None)
        return next((s.location for s in _nearest(known, near)), None)

    def is_set_in(self, source: str, near: str) -> bool:
        """Whether any setting of the source is known for the code in the file."""
        return any(_nearest(settings, near) for settings in self._by_source.get(source, {}).values())

    @property
    def sites(self) -> Sequence[Module]:
        """The modules of Django settings that production runs with."""
        return self._sites

    def site(self, near: str) -> Module | None:
        """The one among them that code in the file runs with."""
        return max(self._sites, key=lambda m: shared_folders(m.path, near), default=None)

    def taken(self, node: form.Node, scope: Scope) -> Taken:
        """Whether production gets to a place in the scope's body, by the branches around it."""
        return self._taken(_guards(scope.body, node.start), scope, _NOTHING, _DEEPEST)

    def given(self, module: Module, name: str) -> list[tuple[form.Expr, Scope]]:
        """What production gives a module's name or adds to it, base layers first."""
        found: list[tuple[form.Expr, Scope]] = []
        for star in module.star_imports:
            source = self._project.import_module(star.module, star.level, module)
            if isinstance(source, Module) and source is not module:
                found += self.given(source, name)
        for binding in module.scope.bindings.get(name, ()):
            if binding.value is not None and self._taken_binding(binding, (), _NOTHING, _DEEPEST).truth is not False:
                found.append((binding.value, binding.scope))
        return found

    # --- expressions ---

    def _of(self, node: form.Expr, scope: Scope, given: _Given, depth: int) -> list[Meaning]:  # noqa: C901 - one case a form
        if not depth:
            return [self._unknown(node, scope)]
        read = self._environment.read(node, scope)
        name = read.variable if read is not None else _spoken(node)
        told = self._told(name, node, scope) if name else None
        if told is not None:
            return [told]
        if read is not None:
            return self._of_read(read, node, scope, depth)
        match node:
            case form.Const(value=value):
                return [Meaning(value, scope.module.evidence(node, f"it is {value!r}"))]
            case form.Name():
                return self._name(node, scope, given, depth - 1)
            case form.Attr():
                return self._attribute(node, scope, given, depth - 1)
            case form.Subscript(value=base, index=form.Const(value=key)):
                return self._subscript(node, base, key, scope, depth - 1)
            case form.Call():
                return self._call(node, scope, given, depth - 1)
            case form.Await(value=inner) | form.Walrus(value=inner) | form.Starred(value=inner):
                return self._of(inner, scope, given, depth - 1)
            case form.Boolean(op=op, values=values):
                return self._boolean(op, values, scope, given, depth - 1)
            case form.Unary(op="not", operand=operand):
                return [_negated(m) for m in self._of(operand, scope, given, depth - 1)]
            case form.Compare(left=left, ops=[op], rights=[right]):
                return self._compared(node, op, left, right, scope, given, depth - 1)
            case form.Conditional(test=test, body=body, orelse=orelse):
                return self._conditional(test, body, orelse, scope, given, depth - 1)
            case form.Template() | form.Binary():
                text = string_value(node, scope, self._project)
                value = text if text is not None else Stand.OBJECT if isinstance(node, form.Template) else UNKNOWN
                return [Meaning(value, scope.module.evidence(node, "it is put together here"))]
            case form.Display() | form.Dict() | form.Lambda() | form.Comprehension():
                return [Meaning(Stand.OBJECT, scope.module.evidence(node, "it is an object"))]
        return [self._unknown(node, scope)]

    def _unknown(self, node: form.Node, scope: Scope) -> Meaning:
        return Meaning(UNKNOWN, scope.module.evidence(node, "what this comes to can't be told"))

    def _told(self, name: str, node: form.Expr, scope: Scope) -> Meaning | None:
        """What the name itself says of production: that it is no development, or how the environment is called."""
        parts = set(words(name))
        if name == "is_secure":
            text = "it is so where the request came by https"
            return Meaning(True, scope.module.evidence(node, text), Firmness.DEPLOYED)
        if _ENVIRONMENT & parts and parts <= _ENVIRONMENT | _AROUND_ENVIRONMENT and not isinstance(node, form.Call):
            return Meaning(Stand.ENVIRONMENT, scope.module.evidence(node, "it names the environment"))
        is_negated = bool(parts & {"not", "non"})
        parts -= {"not", "non"}
        for telling, value in ((_PRODUCTION, True), (_DEVELOPMENT, False)):
            if telling & parts and parts <= telling | _AROUND:
                is_on = value is not is_negated
                text = f"`{name}` is {'on' if is_on else 'off'} in production"
                return Meaning(is_on, scope.module.evidence(node, text), Firmness.DEPLOYED)
        return None

    def _of_read(self, read: EnvironmentRead, node: form.Expr, scope: Scope, depth: int) -> list[Meaning]:
        variable = read.variable or "this variable"
        if read.default is None:
            value = UNKNOWN if read.is_required or read.is_changed else None
            text = f"{variable} decides" if value is UNKNOWN else f"it is None unless {variable} is set"
            return [Meaning(value, scope.module.evidence(node, text), Firmness.DEFAULT)]
        found = self._of(read.default.node, read.default.scope, _NOTHING, depth - 1)
        if read.is_changed:
            # What a helper makes of text is its own affair; a default that is no text it hands back.
            found = [m if isinstance(m.value, bool) else replace(m, value=UNKNOWN) for m in found]
        if self._parses(node):
            found = [m.given(_parsed(m.value)) for m in found]
        place = scope.module.location(node)
        return [_as_default(m, place, f"unless {variable} is set") for m in found]

    def _parses(self, node: form.Expr) -> bool:
        """Whether the read makes a yes or no of the text: `env.bool("X")`, `config("X", cast=bool)`."""
        if not isinstance(node, form.Call):
            return False
        cast = node.keyword("cast") or node.keyword("cast_type")
        called = last_name(cast) if cast is not None else last_name(node.func)
        return called in _PARSERS

    def _boolean(self, op: str, values: list[form.Expr], scope: Scope, given: _Given, depth: int) -> list[Meaning]:
        """`a or b`, `a and b`: the first that decides, and all that may."""
        found: list[Meaning] = []
        rest = values
        while rest:
            first, rest = rest[0], rest[1:]
            for meaning in self._of(first, scope, given, depth):
                truth = _truth(meaning.value)
                if not rest or truth is None or truth is (op == "or"):
                    found.append(meaning)
                if rest and truth is None:
                    found += [replace(m, is_certain=False) for m in self._boolean(op, rest, scope, given, depth)]
                elif rest and truth is not (op == "or"):
                    found += [m.resting_on(meaning.firmness) for m in self._boolean(op, rest, scope, given, depth)]
            break
        return found

    def _compared(
        self, node: form.Compare, op: str, left: form.Expr, right: form.Expr, scope: Scope, given: _Given, depth: int
    ) -> list[Meaning]:
        found: list[Meaning] = []
        for one in self._of(left, scope, given, depth):
            for other in self._choices(right, scope, given, depth):
                value = _comparison(op, one.value, other.value)
                firmness = max(one.firmness, other.firmness)
                if Stand.ENVIRONMENT in (one.value, other.value):
                    firmness = Firmness.DEPLOYED
                if value is UNKNOWN and "https" in (one.value, other.value):
                    # Where a site is served by https at all, this is so.
                    value, firmness = op in ("==", "in", "is"), Firmness.DEPLOYED
                certain = one.is_certain and other.is_certain
                evidence = scope.module.evidence(node, f"in production it is {value!r}")
                found.append(Meaning(value, evidence, firmness, certain))
        return found

    def _choices(self, node: form.Expr, scope: Scope, given: _Given, depth: int) -> list[Meaning]:
        """What is compared with: of a list that is written out, all of its constants at once."""
        if isinstance(node, form.Display) and all(isinstance(i, form.Const) for i in node.items):
            values = tuple(i.value for i in node.items if isinstance(i, form.Const))
            return [Meaning(values, scope.module.evidence(node, "it is one of these"))]
        return self._of(node, scope, given, depth)

    def _conditional(
        self, test: form.Expr, body: form.Expr, orelse: form.Expr, scope: Scope, given: _Given, depth: int
    ) -> list[Meaning]:
        truth, firmness, _ = self._verdict(test, scope, given, depth)
        chosen = [body] if truth is True else [orelse] if truth is False else [body, orelse]
        found = [m.resting_on(firmness) for branch in chosen for m in self._of(branch, scope, given, depth)]
        return found if truth is not None else [replace(m, is_certain=False) for m in found]

    # --- names ---

    def _name(self, node: form.Name, scope: Scope, given: _Given, depth: int) -> list[Meaning]:
        bindings = scope.lookup(node.id, node.start)
        if not bindings:
            return self._member(scope.module, node.id, depth) or self._object(node, scope)
        handed = given.get((bindings[0].scope, node.id))
        if handed is not None and len(bindings) == 1:
            return self._of(*handed, _NOTHING, depth)
        owner = bindings[0].scope
        around: list[_Guard] = []
        if owner is scope and scope.function is not None:
            earlier = [b for b in bindings if b.how is How.PARAMETER or b.offset < node.start]
            bindings = earlier or bindings
            around = _guards(scope.body, node.start)
        return self._alternatives(bindings, around, given, depth) or [self._unknown(node, scope)]

    def _alternatives(
        self, bindings: Sequence[Binding], around: Sequence[_Guard], given: _Given, depth: int
    ) -> list[Meaning]:
        """What the bindings leave behind: the last one that production runs, and what may override it. `around` are
        the branches that the place that asks is in.
        """
        found: list[Meaning] = []
        firmness = Firmness.FIXED
        is_certain = True
        for binding in reversed(bindings):
            taken = self._taken_binding(binding, around, given, depth)
            if taken.truth is False:
                firmness = max(firmness, taken.firmness)
                continue
            is_certain = is_certain and taken.truth is True
            values = self._binding(binding, given, depth)
            found += [
                replace(m.resting_on(max(firmness, taken.firmness)), is_certain=m.is_certain and is_certain)
                for m in values
            ]
            if taken.truth is True:
                break
        return found

    def _taken_binding(self, binding: Binding, around: Sequence[_Guard], given: _Given, depth: int) -> Taken:
        if binding.how is How.PARAMETER:
            return Taken(True)
        known = {(g.at, g.truth) for g in around}
        guards = [g for g in _guards(binding.scope.body, binding.offset) if (g.at, g.truth) not in known]
        return self._taken(guards, binding.scope, given, depth)

    def _binding(self, binding: Binding, given: _Given, depth: int) -> list[Meaning]:
        scope = binding.scope
        node = binding.value
        match binding.how:
            case How.ASSIGN if node is not None:
                return self._of(node, scope, given, depth)
            case How.PARAMETER:
                return self._parameter(binding, given, depth)
            case How.IMPORT_FROM:
                source = self._project.import_module(binding.module, binding.level, scope.module)
                if isinstance(source, Module) and source.scope is not scope:
                    found = self._member(source, binding.name, depth)
                    if found:
                        return found
        place = scope.module.span(binding.offset, binding.offset + 1)
        value = self._project.binding_value(binding)
        return [Meaning(_named(value), Evidence(place, "it comes from here"))]

    def _parameter(self, binding: Binding, given: _Given, depth: int) -> list[Meaning]:
        """What callers give it, each of them for certain; else its default."""
        function, param = binding.function, binding.param
        assert function is not None
        assert param is not None
        handed = given.get((binding.scope, param.name))
        if handed is not None:
            return self._of(*handed, _NOTHING, depth)
        found: list[Meaning] = []
        is_defaulted = False
        callers = [c for c in self._project.callers(function) if c[1].module.role is Role.PROD]
        for call, scope in callers[:_MOST_CALLERS]:
            argument = self._project.bound_argument(call, function, param)
            if argument is not None:
                found += self._of(argument, scope, _NOTHING, depth)
            else:
                is_defaulted = True
        place = function.module.location(param)
        if param.default is not None and (is_defaulted or not callers):
            defaults = self._of(param.default, function.outer, _NOTHING, depth)
            found += [_as_default(m, place, "unless the caller says otherwise") for m in defaults]
        return found or [Meaning(UNKNOWN, Evidence(place, "what this parameter is can't be told"))]

    def _member(self, module: Module, name: str, depth: int) -> list[Meaning]:
        """A module's name: its own bindings, then those of its star imports."""
        if not depth:
            return []
        found = self._alternatives(module.scope.bindings.get(name, ()), (), _NOTHING, depth)
        if found and found[-1].is_certain:
            return found
        for star in reversed(module.star_imports):
            source = self._project.import_module(star.module, star.level, module)
            if isinstance(source, Module) and source is not module:
                inherited = self._member(source, name, depth - 1)
                if inherited:
                    return found + [replace(m, is_certain=m.is_certain and not found) for m in inherited]
        return found

    def _attribute(self, node: form.Attr, scope: Scope, given: _Given, depth: int) -> list[Meaning]:
        owner = self._project.infer(node.value, scope)
        match owner:
            case Module():
                return self._member(owner, node.attr, depth) or [self._unknown(node, scope)]
            case External(name="django.conf.settings"):
                return self._of_settings(node.attr, "Django settings", node, scope, depth)
            case ClassSymbol() | Instance():
                cls = owner if isinstance(owner, ClassSymbol) else owner.cls
                if cls is not None:
                    return self._field(cls, node, scope, depth)
        handed = self._handed(node.value, given)
        if handed is not None:
            return self._attribute(replace_value(node, handed[0]), handed[1], _NOTHING, depth)
        return self._object(node, scope)

    def _handed(self, node: form.Expr, given: _Given) -> tuple[form.Expr, Scope] | None:
        if not isinstance(node, form.Name):
            return None
        return next((found for (_, name), found in given.items() if name == node.id), None)

    def _field(self, cls: ClassSymbol, node: form.Attr, scope: Scope, depth: int) -> list[Meaning]:
        """An attribute of an object of the project: of its class, or what methods assign to it."""
        bindings = self._project.class_member(cls, node.attr)
        if bindings and bindings[-1].function is not None:
            return self._returned(bindings[-1].function, {}, depth) or [self._unknown(node, scope)]
        assigned = self._project.instance_attributes(cls, node.attr)
        found: list[Meaning] = []
        for value, around in assigned:
            found += self._of(value, around, _NOTHING, depth)
        if len(assigned) > 1:
            found = [replace(m, is_certain=False) for m in found]
        if not found and any(b.value is not None for b in bindings):
            found = self._alternatives(bindings, (), _NOTHING, depth)
            if self._project.is_subclass(cls, *_SETTINGS_BASES):
                found = [_as_default(m, m.evidence.location, "unless the environment sets it") for m in found]
        return found or [self._unknown(node, scope)]

    def _object(self, node: form.Expr, scope: Scope) -> list[Meaning]:
        value = _named(self._project.infer(node, scope))
        if value is UNKNOWN:
            return [self._unknown(node, scope)]
        text = f"it is {value.name}" if isinstance(value, External) else "it is an object"
        return [Meaning(value, scope.module.evidence(node, text))]

    # --- settings ---

    def _of_settings(self, name: str, source: str, node: form.Expr, scope: Scope, depth: int) -> list[Meaning]:
        found = self._setting(name, source, scope.module.path, depth)
        if found:
            return found
        if name in self._defaults:
            value = self._defaults[name]
            return [Meaning(value, scope.module.evidence(node, f"{name} isn't set: it is {value!r}"), Firmness.DEFAULT)]
        return [self._unknown(node, scope)]

    def _setting(self, name: str, source: str, near: str, depth: int) -> list[Meaning]:
        if source == "Django settings":
            site = self.site(near)
            return self._member(site, name, depth) if site is not None else []
        known = _nearest(self._by_source.get(source, {}).get(name, []), near)
        found = [m for setting in known for m in self._of_setting(setting, depth)]
        return found if len(known) == 1 else [replace(m, is_certain=False) for m in found]

    def _of_setting(self, setting: Setting, depth: int) -> list[Meaning]:
        module = self._project.modules[setting.location.path]
        for scope in module.scopes:
            bindings = scope.bindings.get(last_part(setting.name), [])
            if any(module.span(b.offset, b.offset).line == setting.location.line for b in bindings):
                return self._alternatives(bindings, (), _NOTHING, depth)
        found = _expression_ending(module, setting.location)
        if found is None:
            return [Meaning(UNKNOWN, Evidence(setting.location, f"what {setting.name} comes to can't be told"))]
        return self._of(*found, _NOTHING, depth)

    def _django_sites(self) -> list[Module]:
        groups = {s.group for found in self._by_source.get("Django settings", {}).values() for s in found}
        return [m for m in self._project.modules.values() if m.name in groups] if groups else []

    # --- calls and items ---

    def _subscript(self, node: form.Subscript, base: form.Expr, key: object, scope: Scope, depth: int) -> list[Meaning]:
        if not isinstance(key, str):
            return [self._unknown(node, scope)]
        if last_name(base) == "config" and "Flask config" in self._by_source:
            return self._of_settings(key, "Flask config", node, scope, depth)
        found = self._items(base, scope, key, depth)
        return list(found.found) or [self._unknown(node, scope)]

    def _call(self, node: form.Call, scope: Scope, given: _Given, depth: int) -> list[Meaning]:  # noqa: C901 - one case a function
        function = self._project.callee_function(node, scope)
        if function is not None and function.name != "__init__":
            handed = dict(_arguments(node, scope, function, self._project))
            return self._returned(function, handed, depth) or [self._unknown(node, scope)]
        name = last_name(node.func) or ""
        arguments = node.positional
        if isinstance(node.func, form.Attr):
            if name == "get" and arguments:
                return self._got(node, node.func.value, scope, depth)
            if name in ("lower", "upper", "strip", "casefold") and not arguments:
                made = self._of(node.func.value, scope, given, depth)
                return [m.given(_text_method(m.value, name)) for m in made]
            if name == "startswith" and arguments and _begins_https(arguments[0]):
                text = "it is so where the site is served by https"
                return [Meaning(True, scope.module.evidence(node, text), Firmness.DEPLOYED)]
        if name == "getattr" and len(arguments) >= 2:
            return self._getattr(node, scope, depth)
        if name == "cast" and len(arguments) == 2:
            return self._of(arguments[1], scope, given, depth)
        if name in _FIELDS:
            return self._declared(node, scope, depth)
        if len(arguments) == 1 and len(node.args) == 1:
            inner = self._of(arguments[0], scope, given, depth)
            if name == "bool" and isinstance(node.func, form.Name):
                return [m.given(_truth(m.value) if _truth(m.value) is not None else UNKNOWN) for m in inner]
            if name in _PARSERS:
                return [m.given(_parsed(m.value)) for m in inner]
            if name in ("str", "int") and isinstance(node.func, form.Name):
                return [m.given(_cast(name, m.value)) for m in inner]
        value = _named(self._project.infer(node, scope))
        if isinstance(value, External) and not _is_made(value.name):
            value = UNKNOWN
        text = "it is an object" if value is not UNKNOWN else "what this comes to can't be told"
        return [Meaning(value, scope.module.evidence(node, text))]

    def _declared(self, node: form.Call, scope: Scope, depth: int) -> list[Meaning]:
        """`Field(False)`, `BooleanField(default=True)`: the default of a field."""
        default = node.keyword("default")
        if default is None and last_name(node.func) == "Field" and node.positional:
            default = node.positional[0]
        if default is None:
            return [self._unknown(node, scope)]
        place = scope.module.location(default)
        return [_as_default(m, place, "unless it is set") for m in self._of(default, scope, _NOTHING, depth)]

    def _got(self, node: form.Call, owner: form.Expr, scope: Scope, depth: int) -> list[Meaning]:
        """`mapping.get("key", default)`."""
        key = string_value(node.positional[0], scope, self._project)
        if key is not None and last_name(owner) == "config":
            found = self._setting(key, "Flask config", scope.module.path, depth)
            if found:
                return found
        if key is not None:
            told = self._told(key, node, scope)
            if told is not None:
                return [told]
            items = self._items(owner, scope, key, depth)
            if items.found and not items.is_open:
                return list(items.found)
        place = scope.module.location(node)
        default = node.argument(1, "default")
        if default is None:
            return [Meaning(None, Evidence(place, f"it is None unless {key or 'it'} is set"), Firmness.DEFAULT)]
        made = self._of(default, scope, _NOTHING, depth)
        return [_as_default(m, place, f"unless {key or 'it'} is set") for m in made]

    def _getattr(self, node: form.Call, scope: Scope, depth: int) -> list[Meaning]:
        owner, key = node.positional[0], string_value(node.positional[1], scope, self._project)
        told = self._told(key, node, scope) if key is not None else None
        if told is not None:
            return [told]
        found: list[Meaning] = []
        value = self._project.infer(owner, scope)
        if key is not None and isinstance(value, Module):
            found = self._member(value, key, depth)
        if key is not None and isinstance(value, External) and value.name == "django.conf.settings":
            found = self._setting(key, "Django settings", scope.module.path, depth)
        if found or len(node.positional) < 3:
            return found or [self._unknown(node, scope)]
        made = self._of(node.positional[2], scope, _NOTHING, depth)
        place = scope.module.location(node)
        return [_as_default(m, place, f"unless {key or 'it'} is set") for m in made]

    def _returned(self, function: FunctionSymbol, given: _Given, depth: int) -> list[Meaning]:
        """What the function gives back, in the order in which its returns are reached."""
        found: list[Meaning] = []
        is_certain = True
        for node in function.returns:
            taken = self._taken(_guards(function.node.body, node.start), function.scope, given, depth)
            if taken.truth is False or not depth:
                continue
            is_certain = is_certain and taken.truth is True
            if node.value is not None:
                made = self._of(node.value, function.scope, given, depth)
                found += [replace(m.resting_on(taken.firmness), is_certain=m.is_certain and is_certain) for m in made]
            if taken.truth is True:
                break
        return found

    def _items(self, node: form.Expr, scope: Scope, key: str, depth: int) -> Items:
        """What a mapping holds under the key, as far as it is made in the code."""
        if not depth:
            return Items(is_open=True)
        match node:
            case form.Dict(keys=keys, values=values):
                return self._of_dict(keys, values, scope, key, depth - 1)
            case form.Call(func=func, args=args) if last_name(func) == "dict" and isinstance(func, form.Name):
                named = next((a.value for a in args if a.name == key), None)
                if named is not None:
                    return Items(tuple(self._of(named, scope, _NOTHING, depth - 1)))
                parts = [self._items(a.value, scope, key, depth - 1) for a in args if a.name is None]
                return _last_of(parts)
            case form.Call():
                function = self._project.callee_function(node, scope)
                if function is None or function.name == "__init__" or not function.returns:
                    return Items(is_open=True)
                parts = [
                    self._items(r.value, function.scope, key, depth - 1)
                    for r in function.returns
                    if r.value is not None
                ]
                return _any_of(parts)
            case form.Binary(op="|", left=left, right=right):
                return _last_of([self._items(side, scope, key, depth - 1) for side in (left, right)])
            case form.Conditional(body=body, orelse=orelse):
                return _any_of([self._items(side, scope, key, depth - 1) for side in (body, orelse)])
            case form.Boolean(values=values):
                return _any_of([self._items(side, scope, key, depth - 1) for side in values])
            case form.Name():
                return self._items_of_name(node, scope, key, depth - 1)
            case form.Attr():
                return self._items_of_attribute(node, scope, key, depth - 1)
        return Items(is_open=True)

    def _of_dict(
        self, keys: Sequence[form.Expr | None], values: Sequence[form.Expr], scope: Scope, key: str, depth: int
    ) -> Items:
        parts: list[Items] = []
        for name, value in zip(keys, values, strict=True):
            if name is None:
                parts.append(self._items(value, scope, key, depth))
            elif (text := string_value(name, scope, self._project)) == key:
                parts.append(Items(tuple(self._of(value, scope, _NOTHING, depth))))
            elif text is None and not isinstance(name, form.Const | form.Attr):
                parts.append(Items(is_open=True))
        return _last_of(parts)

    def _items_of_name(self, node: form.Name, scope: Scope, key: str, depth: int) -> Items:
        bindings = scope.lookup(node.id, node.start)
        parts: list[Items] = []
        for binding in bindings:
            if binding.how is How.ASSIGN and binding.value is not None:
                parts.append(self._items(binding.value, binding.scope, key, depth))
            elif binding.how is How.IMPORT_FROM:
                parts.append(self._items_of_import(binding, key, depth))
            else:
                parts.append(Items(is_open=True))
        stored = [m for b in bindings[:1] for m in self._stored(node.id, b.scope, key, depth)]
        made = _any_of(parts) if parts else Items(is_open=True)
        return Items((*made.found, *stored), made.is_open and not stored)

    def _items_of_import(self, binding: Binding, key: str, depth: int) -> Items:
        source = self._project.import_module(binding.module, binding.level, binding.scope.module)
        if not isinstance(source, Module):
            return Items(is_open=True)
        bound = [b for b in source.scope.bindings.get(binding.name, ()) if b.value is not None and b.how is How.ASSIGN]
        parts = [self._items(b.value, b.scope, key, depth) for b in bound if b.value is not None]
        return _any_of(parts) if parts else Items(is_open=True)

    def _stored(self, name: str, scope: Scope, key: str, depth: int) -> Iterator[Meaning]:
        """What `name["key"] = value` and `name.update(key=value)` put there in the body that owns the name."""
        for node in form.walk_body(scope.body, into_definitions=False):
            value: form.Expr | None = None
            if isinstance(node, form.Assign):
                matches = any(_is_item(target, name, key) for target in node.targets)
                value = node.value if matches else None
            elif isinstance(node, form.Call) and form.dotted(node.func) == f"{name}.update":
                value = node.keyword(key)
            if value is not None:
                taken = self._taken(_guards(scope.body, node.start), scope, _NOTHING, depth)
                if taken.truth is not False:
                    for meaning in self._of(value, scope, _NOTHING, depth):
                        yield replace(meaning, is_certain=meaning.is_certain and taken.truth is True)

    def _items_of_attribute(self, node: form.Attr, scope: Scope, key: str, depth: int) -> Items:
        owner = self._project.infer(node.value, scope)
        known: list[tuple[form.Expr, Scope]] = []
        if isinstance(owner, Module):
            known = [(b.value, b.scope) for b in owner.scope.bindings.get(node.attr, ()) if b.value is not None]
        cls = owner if isinstance(owner, ClassSymbol) else owner.cls if isinstance(owner, Instance) else None
        if cls is not None:
            attribute = self._project.class_attribute(cls, node.attr)
            known = [attribute] if attribute is not None else self._project.instance_attributes(cls, node.attr)
        if isinstance(owner, External) and owner.name == "django.conf.settings":
            site = self.site(scope.module.path)
            known = [(b.value, b.scope) for b in _layered(site, node.attr, self._project) if b.value is not None]
        parts = [self._items(value, around, key, depth) for value, around in known]
        return _any_of(parts) if parts else Items(is_open=True)

    # --- branches ---

    def _taken(self, guards: Sequence[_Guard], scope: Scope, given: _Given, depth: int) -> Taken:
        """Whether production takes all of the branches."""
        result = Taken(True)
        for guard in guards:
            if guard.test is None:
                result = Taken(None, result.firmness)
                continue
            truth, firmness, evidence = self._verdict(guard.test, scope, given, depth - 1)
            if truth is None:
                result = Taken(None, result.firmness)
            elif truth is not guard.truth:
                return Taken(False, firmness, evidence)
            elif result.truth is not None:
                result = Taken(True, max(result.firmness, firmness))
        return result

    def _verdict(
        self, test: form.Expr, scope: Scope, given: _Given, depth: int
    ) -> tuple[bool | None, Firmness, Evidence | None]:
        """How the test turns out, where it turns out in one way only."""
        if depth <= 0:
            return None, Firmness.FIXED, None
        found = self._of(test, scope, given, depth)
        truths = {_truth(m.value) for m in found}
        if len(truths) != 1 or None in truths:
            return None, Firmness.FIXED, None
        return truths.pop(), max(m.firmness for m in found), found[0].evidence


# --- values -----------------------------------------------------------------------------------------------------------


def _merged(found: list[Meaning]) -> Meanings:
    """Each value once, certain ones before others."""
    by_value: dict[object, Meaning] = {}
    for meaning in sorted(found, key=lambda m: not m.is_certain):
        key = (type(meaning.value), meaning.value)
        by_value.setdefault(key, meaning)
    return tuple(by_value.values())[:_MOST_MEANINGS]


def _as_default(meaning: Meaning, place: Location, unless: str) -> Meaning:
    if meaning.value is UNKNOWN:
        return replace(meaning, firmness=Firmness.DEFAULT)
    value = "an object" if isinstance(meaning.value, Stand | External) else repr(meaning.value)
    return replace(meaning, evidence=Evidence(place, f"it is {value} {unless}"), firmness=Firmness.DEFAULT)


def _truth(value: object) -> bool | None:
    if value is UNKNOWN:
        return None
    return True if isinstance(value, Stand | External) else bool(value)


def _negated(meaning: Meaning) -> Meaning:
    truth = _truth(meaning.value)
    return replace(meaning, value=UNKNOWN) if truth is None else meaning.given(not truth)


def _parsed(value: object) -> object:
    """A yes or no from text, as the libraries that read variables understand it."""
    return value.strip().lower() in _TRUE if isinstance(value, str) else value


def _cast(name: str, value: object) -> object:
    if not isinstance(value, str | int | float):
        return UNKNOWN
    try:
        return str(value) if name == "str" else int(value)
    except ValueError:  # int("many"): the program would fail there too
        return UNKNOWN


def _text_method(value: object, name: str) -> object:
    if value is Stand.ENVIRONMENT:
        return value
    made: object = getattr(value, name)() if isinstance(value, str) else UNKNOWN
    return made


def _comparison(op: str, one: object, other: object) -> object:
    if one is Stand.ENVIRONMENT or other is Stand.ENVIRONMENT:
        return _compared_environment(op, other if one is Stand.ENVIRONMENT else one)
    if UNKNOWN in (one, other) or isinstance(one, Stand) or isinstance(other, Stand):
        return UNKNOWN
    if op in ("==", "!=", "is", "is not"):
        return (one == other) is (op in ("==", "is"))
    if op in ("in", "not in") and isinstance(other, tuple):
        return (one in other) is (op == "in")
    return UNKNOWN


def _compared_environment(op: str, text: object) -> object:
    """`ENV == "production"`, `ENV in ("local", "test")`: so far as the texts say which environments they are."""
    texts = text if isinstance(text, tuple) else (text,)
    kinds = [_is_production(t) for t in texts]
    if op in ("==", "is", "in") or op in ("!=", "is not", "not in"):
        is_positive = op in ("==", "is", "in")
        if True in kinds:
            return is_positive
        if None not in kinds:
            return not is_positive
    return UNKNOWN


def _is_production(text: object) -> bool | None:
    parts = set(words(text)) if isinstance(text, str) else set()
    if parts & _PRODUCTION:
        return True
    return False if parts & (_DEVELOPMENT | {"staging", "stage", "ci", "qa", "sandbox", "preview"}) else None


def _named(value: object) -> object:
    """What stands for an object of a library or of the project; UNKNOWN for what can't be told."""
    match value:
        case External(name=name):
            return External(name) if _is_constant(name) else UNKNOWN
        case Instance(cls=None, type_name=name):
            return External(name) if _is_made(name) else UNKNOWN
        case Instance() | ClassSymbol() | FunctionSymbol() | Literal():
            return Stand.OBJECT
    return UNKNOWN


def _is_constant(name: str) -> bool:
    """Whether a library's name reads like a constant, a class or a function, and like no setting."""
    return last_part(name)[:1].isupper() and not name.startswith("django.conf.") and "config" not in name.lower()


def _is_made(name: str) -> bool:
    """Whether a call of that name makes an object, and gives no yes or no."""
    last = last_part(name)
    return last.lstrip("_")[:1].isupper() or "context" in last


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


def _begins_https(node: form.Expr) -> bool:
    return isinstance(node, form.Const) and str(node.value).startswith("https")


def replace_value(node: form.Attr, value: form.Expr) -> form.Attr:
    """The same attribute of another expression."""
    return form.Attr(start=node.start, end=node.end, value=value, attr=node.attr, attr_start=node.attr_start)


# --- places -----------------------------------------------------------------------------------------------------------


def _guards(body: Sequence[form.Stmt], offset: int) -> list[_Guard]:
    """The branches of the body around an offset, outermost first; definitions inside it are not entered."""
    found: list[_Guard] = []
    while True:
        around = next((s for s in body if s.start <= offset < s.end), None)
        match around:
            case form.If(test=test, body=then, orelse=orelse):
                if offset < test.end:
                    return found
                is_then = bool(then) and offset < then[-1].end
                found.append(_Guard(test, is_then, around.start))
                body = then if is_then else orelse
            case form.For(body=then) | form.While(body=then):
                found.append(_Guard(None, True, around.start))
                body = then
            case form.Try(body=tried, handlers=handlers, orelse=orelse, final=final):
                handler = next((h for h in handlers if h.start <= offset < h.end), None)
                if handler is not None:
                    found.append(_Guard(None, True, handler.start))
                body = handler.body if handler is not None else [*tried, *orelse, *final]
            case form.With(body=then):
                body = then
            case form.Match():
                return [*found, _Guard(None, True, around.start)]
            case _:
                return found


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


def _last_of(parts: Sequence[Items]) -> Items:
    """Mappings merged in this order: the last one that has the key wins."""
    is_open = False
    for part in reversed(parts):
        is_open = is_open or part.is_open
        if part.found:
            return Items(part.found, is_open)
    return Items((), is_open)


def _any_of(parts: Sequence[Items]) -> Items:
    """One of several mappings, and which one can't be told."""
    found = [m for part in parts for m in part.found]
    if len(parts) > 1:
        found = [replace(m, is_certain=False) for m in found]
    return Items(tuple(found), any(part.is_open for part in parts))


def _is_item(target: form.Expr, name: str, key: str) -> bool:
    """`name["key"]`."""
    match target:
        case form.Subscript(value=form.Name(id=owner), index=form.Const(value=index)):
            return owner == name and index == key
    return False


def _layered(module: Module | None, name: str, project: Project) -> list[Binding]:
    """The bindings of a module's name, or else those of its star imports."""
    if module is None:
        return []
    own = [b for b in module.scope.bindings.get(name, ()) if b.how is How.ASSIGN]
    if own:
        return own
    for star in reversed(module.star_imports):
        source = project.import_module(star.module, star.level, module)
        if isinstance(source, Module) and source is not module and (found := _layered(source, name, project)):
            return found
    return []


def _expression_ending(module: Module, place: Location) -> tuple[form.Expr, Scope] | None:
    """The value that a statement, a keyword or an item at the place gives: it ends where the place does."""
    end = module.facts.line_starts[place.end_line - 1] + place.end_column - 1
    for scope in module.scopes:
        for node in form.walk_body(scope.body, into_definitions=False):
            values: Sequence[form.Expr | None] = ()
            match node:
                case form.Assign(value=value):
                    values = (value,)
                case form.Dict(values=items):
                    values = items
                case form.Call(args=args):
                    values = [a.value for a in args]
            found = next((v for v in values if v is not None and v.end == end), None)
            if found is not None:
                return found, scope
    return None


def _nearest(settings: Iterable[Setting], near: str) -> list[Setting]:
    """The settings that production most likely runs with, nearest to the code that asks."""
    known = [(_rank(s), s) for s in settings if s.role is Role.PROD]
    wanted = [(rank, shared_folders(s.location.path, near), s) for rank, s in known if rank >= 0]
    best = max(((shared, rank) for rank, shared, _ in wanted), default=None)
    return [s for rank, shared, s in wanted if (shared, rank) == best]


def _rank(setting: Setting) -> int:
    """Of what the module or class around it is called: for production, for anything, for development."""
    parts = set(words(setting.group.rpartition(":")[2]))
    return 1 if parts & _PRODUCTION else -1 if parts & _DEVELOPMENT else 0


def shared_folders(path: str, other: str) -> int:
    """How many leading folders two paths have in common."""
    count = 0
    for one, two in zip(PurePosixPath(path).parts, PurePosixPath(other).parts, strict=False):
        if one != two:
            break
        count += 1
    return count
