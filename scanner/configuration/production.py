"""What an expression comes to in production, as far as the source tells: constants, settings, switches, defaults.

Production is where debugging is off: `not settings.DEBUG`, `ENVIRONMENT == "production"` and `is_localhost(request)`
are told by what their names say, whatever the default is. A branch that production doesn't take gives no value.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import PurePosixPath

from assay.scanner.configuration.defaults import UNKNOWN
from assay.scanner.configuration.environment import Environment, EnvironmentRead
from assay.scanner.configuration.meanings import (
    Firmness,
    Items,
    Meaning,
    Meanings,
    Stand,
    Taken,
    any_of,
    as_default,
    cast,
    compared_scheme,
    comparison,
    is_made,
    last_of,
    merged,
    named,
    negated,
    parsed,
    text_method,
    truth_of,
)
from assay.scanner.configuration.naming import is_production, names_environment, on_in_production
from assay.scanner.dataflow.constants import string_value
from assay.scanner.dataflow.lexicon import words
from assay.scanner.dataflow.ways import Branch, Turn, Way, way_to
from assay.scanner.linker.project import Project, last_name, last_part, literal_item
from assay.scanner.linker.scopes import Binding, ClassSymbol, FunctionSymbol, How, Module, Scope
from assay.scanner.linker.values import External, Instance
from assay.scanner.model.place import Evidence, Location
from assay.scanner.model.role import Role
from assay.scanner.model.setting import Setting
from assay.scanner.readers.python import form

_DEEPEST = 16
_MOST_CALLERS = 12
_FIELDS = frozenset(
    {"Field", "field", "BooleanField", "CharField", "Column", "mapped_column", "attrib", "ib", "PrivateAttr", "Bool"}
)
"""Calls that declare a field of a class, with its default."""
_PARSERS = frozenset({"bool", "boolean", "strtobool", "str2bool", "get_bool", "getbool", "asbool", "as_bool"})
_CLIENTS = frozenset(
    {"request", "req", "form", "args", "get", "post", "json", "data", "body", "query", "payload", "headers", "cookies"}
)
"""Words of names for what clients send, where a default is no setting's."""
_SETTINGS_BASES = ("pydantic_settings.BaseSettings", "pydantic.BaseSettings", "pydantic_settings.main.BaseSettings")


_Given = Mapping[tuple[Scope, str], tuple[form.Expr, Scope]]
_NOTHING: _Given = {}


class Production:
    """Reads expressions of one project. `settings` are all that are known, `defaults` what frameworks take for those
    that nobody sets, by source and name.
    """

    def __init__(
        self,
        project: Project,
        settings: Iterable[Setting] = (),
        defaults: Mapping[tuple[str, str], object] | None = None,
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
        return merged(self._of(node, scope, _NOTHING, _DEEPEST))

    def item(self, node: form.Expr, scope: Scope, key: str) -> Items:
        """What a mapping that is made in the code holds under the key."""
        found = self._items(node, scope, key, _DEEPEST)
        return Items(merged(list(found.found)) if found.found else (), found.is_open)

    def setting(self, name: str, source: str, near: str) -> Meanings | None:
        """What a setting comes to for the code in the file `near`; None where nobody sets it."""
        found = self._setting(name, source, near, _DEEPEST)
        return merged(found) if found else None

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
        return self._taken(way_to(scope.body, node.start), scope, _NOTHING, _DEEPEST)

    def closed(self, node: form.Node, scope: Scope) -> list[Taken]:
        """The branches around a place that production doesn't take."""
        taken = (self._taken_one(b, scope, _NOTHING, _DEEPEST) for b in way_to(scope.body, node.start))
        return [t for t in taken if t.truth is False]

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
            case form.Const():
                return [Meaning(node.value, scope.module.evidence(node, f"it is {node.value!r}"))]
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
                return [negated(m) for m in self._of(operand, scope, given, depth - 1)]
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
            case form.Display() | form.Dict() | form.Lambda():
                return [Meaning(Stand.OBJECT, scope.module.evidence(node, "it is an object"))]
        return [self._unknown(node, scope)]

    def _unknown(self, node: form.Node, scope: Scope) -> Meaning:
        return Meaning(UNKNOWN, scope.module.evidence(node, "what this comes to can't be told"))

    def _told(self, name: str, node: form.Expr, scope: Scope) -> Meaning | None:
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
        if read.default is None:
            value = UNKNOWN if read.is_required or read.is_changed else None
            text = f"{variable} decides" if value is UNKNOWN else f"it is None unless {variable} is set"
            return [Meaning(value, scope.module.evidence(node, text), Firmness.DEFAULT)]
        found = self._of(read.default.node, read.default.scope, _NOTHING, depth - 1)
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
        return called in _PARSERS

    def _boolean(self, op: str, values: Sequence[form.Expr], scope: Scope, given: _Given, depth: int) -> list[Meaning]:
        """`a or b`, `a and b`: the first that decides, and all that may."""
        first, *rest = values
        found = self._of(first, scope, given, depth)
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
        self, node: form.Compare, op: str, left: form.Expr, right: form.Expr, scope: Scope, given: _Given, depth: int
    ) -> list[Meaning]:
        if op in ("in", "not in") and self._is_environment(right, scope):
            variable = string_value(left, scope, self._project) or "a variable"
            text = f"it is {op == 'not in'} unless {variable} is set"
            return [Meaning(op == "not in", scope.module.evidence(node, text), Firmness.DEFAULT)]
        found: list[Meaning] = []
        for one in self._of(left, scope, given, depth):
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

    def _is_environment(self, node: form.Expr, scope: Scope) -> bool:
        value = self._project.infer(node, scope)
        return isinstance(value, External) and value.name == "os.environ"

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
        around: Way = ()
        if owner is scope and scope.function is not None:
            earlier = [b for b in bindings if b.how is How.PARAMETER or b.offset < node.start]
            bindings = earlier or bindings
            around = way_to(scope.body, node.start)
        return self._alternatives(bindings, around, given, depth) or [self._unknown(node, scope)]

    def _alternatives(
        self, bindings: Sequence[Binding], around: Sequence[Branch], given: _Given, depth: int
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

    def _taken_binding(self, binding: Binding, around: Sequence[Branch], given: _Given, depth: int) -> Taken:
        if binding.how is How.PARAMETER:
            return Taken(True)
        way = [branch for branch in way_to(binding.scope.body, binding.offset) if branch not in around]
        return self._taken(way, binding.scope, given, depth)

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
        return [Meaning(named(value), Evidence(place, "it comes from here"))]

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
            found += [as_default(m, place, "unless the caller says otherwise") for m in defaults]
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
                found = [as_default(m, m.evidence.location, "unless the environment sets it") for m in found]
        return found or [self._unknown(node, scope)]

    def _object(self, node: form.Expr, scope: Scope) -> list[Meaning]:
        value = named(self._project.infer(node, scope))
        if value is UNKNOWN:
            return [self._unknown(node, scope)]
        text = f"it is {value.name}" if isinstance(value, External) else "it is an object"
        return [Meaning(value, scope.module.evidence(node, text))]

    # --- settings ---

    def _of_settings(self, name: str, source: str, node: form.Expr, scope: Scope, depth: int) -> list[Meaning]:
        found = self._setting(name, source, scope.module.path, depth)
        if found:
            return found
        if (source, name) in self._defaults:
            value = self._defaults[source, name]
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
            return self._by_function(node, scope, function, depth)
        name = last_name(node.func) or ""
        arguments = node.positional
        if isinstance(node.func, form.Attr):
            if name == "get" and arguments:
                return self._got(node, node.func.value, scope, given, depth)
            if name in ("lower", "upper", "strip", "casefold") and not arguments:
                made = self._of(node.func.value, scope, given, depth)
                return [m.given(text_method(m.value, name)) for m in made]
            if name == "startswith" and arguments and _begins_https(arguments[0]):
                text = "it is so where the site is served by https"
                return [Meaning(True, scope.module.evidence(node, text), Firmness.DEPLOYED)]
        if name == "getattr" and len(arguments) >= 2:
            return self._getattr(node, scope, given, depth)
        if name == "cast" and len(arguments) == 2:
            return self._of(arguments[1], scope, given, depth)
        if name in _FIELDS:
            return self._declared(node, scope, depth)
        if len(arguments) == 1 and len(node.args) == 1:
            inner = self._of(arguments[0], scope, given, depth)
            if name == "bool" and isinstance(node.func, form.Name):
                return [m.given(truth_of(m.value) if truth_of(m.value) is not None else UNKNOWN) for m in inner]
            if name in _PARSERS:
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
        found = self._returned(function, handed, depth)
        if found and all(m.value is not UNKNOWN for m in found):
            return found
        default = next((p for p in function.parameters if p.name in ("default", "fallback")), None)
        stated = self._project.bound_argument(node, function, default) if default is not None else None
        if stated is None:
            return found or [self._unknown(node, scope)]
        place = scope.module.location(node)
        return [as_default(m, place, "unless it is set") for m in self._of(stated, scope, _NOTHING, depth)]

    def _declared(self, node: form.Call, scope: Scope, depth: int) -> list[Meaning]:
        """`Field(False)`, `BooleanField(default=True)`: the default of a field."""
        default = node.keyword("default")
        if default is None and last_name(node.func) == "Field" and node.positional:
            default = node.positional[0]
        if default is None:
            return [self._unknown(node, scope)]
        place = scope.module.location(default)
        return [as_default(m, place, "unless it is set") for m in self._of(default, scope, _NOTHING, depth)]

    def _got(self, node: form.Call, owner: form.Expr, scope: Scope, given: _Given, depth: int) -> list[Meaning]:
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
        if _CLIENTS & _words_in(owner):
            return [self._unknown(node, scope)]
        offered = _offered(key, scope) if key is not None else None
        if offered is not None:
            place = scope.module.location(offered)
            return [as_default(m, place, f"unless {key} is set") for m in self._of(offered, scope, _NOTHING, depth)]
        place = scope.module.location(node)
        default = node.argument(1, "default")
        if default is None:
            return [Meaning(None, Evidence(place, f"it is None unless {key or 'it'} is set"), Firmness.DEFAULT)]
        made = self._of(default, scope, given, depth)
        return [as_default(m, place, f"unless {key or 'it'} is set") for m in made]

    def _getattr(self, node: form.Call, scope: Scope, given: _Given, depth: int) -> list[Meaning]:
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
        made = self._of(node.positional[2], scope, given, depth)
        place = scope.module.location(node)
        return [as_default(m, place, f"unless {key or 'it'} is set") for m in made]

    def _returned(self, function: FunctionSymbol, given: _Given, depth: int) -> list[Meaning]:
        """What the function gives back, in the order in which its returns are reached."""
        found: list[Meaning] = []
        is_certain = True
        firmness = Firmness.FIXED
        for node in function.returns if depth else ():
            taken = self._taken(way_to(function.node.body, node.start), function.scope, given, depth)
            firmness = max(firmness, taken.firmness)
            if taken.truth is False:
                continue
            is_certain = is_certain and taken.truth is True
            if node.value is not None:
                made = self._of(node.value, function.scope, given, depth)
                found += [replace(m.resting_on(firmness), is_certain=m.is_certain and is_certain) for m in made]
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
                return last_of(parts)
            case form.Call():
                function = self._project.callee_function(node, scope)
                if function is None or function.name == "__init__" or not function.returns:
                    return Items(is_open=True)
                parts = [
                    self._items(r.value, function.scope, key, depth - 1)
                    for r in function.returns
                    if r.value is not None
                ]
                return any_of(parts)
            case form.Binary(op="|", left=left, right=right):
                return last_of([self._items(side, scope, key, depth - 1) for side in (left, right)])
            case form.Conditional(body=body, orelse=orelse):
                return any_of([self._items(side, scope, key, depth - 1) for side in (body, orelse)])
            case form.Boolean(values=values):
                return any_of([self._items(side, scope, key, depth - 1) for side in values])
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
        return last_of(parts)

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
        made = any_of(parts) if parts else Items(is_open=True)
        stored = [part for b in bindings[:1] for part in self._stored(node.id, b.scope, key, depth)]
        certain = [part for part in stored if part.found and all(m.is_certain for m in part.found)]
        found = [m for part in (certain[-1:] or [made, *stored]) for m in part.found]
        return Items(tuple(found), any(part.is_open for part in (*stored, *(() if certain else (made,)))))

    def _items_of_import(self, binding: Binding, key: str, depth: int) -> Items:
        source = self._project.import_module(binding.module, binding.level, binding.scope.module)
        if not isinstance(source, Module):
            return Items(is_open=True)
        bound = [b for b in source.scope.bindings.get(binding.name, ()) if b.value is not None and b.how is How.ASSIGN]
        parts = [self._items(b.value, b.scope, key, depth) for b in bound if b.value is not None]
        return any_of(parts) if parts else Items(is_open=True)

    def _stored(self, name: str, scope: Scope, key: str, depth: int) -> Iterator[Items]:
        """What `name["key"] = value` and `name.update(...)` put there in the body that owns the name."""
        for node in form.walk_body(scope.body, into_definitions=False):
            part: Items | None = None
            if isinstance(node, form.Assign) and any(_is_item(target, name, key) for target in node.targets):
                part = Items(tuple(self._of(node.value, scope, _NOTHING, depth)) if node.value is not None else ())
            elif isinstance(node, form.Call) and form.dotted(node.func) == f"{name}.update":
                part = self._updated(node, scope, key, depth)
            taken = self._taken(way_to(scope.body, node.start), scope, _NOTHING, depth) if part is not None else None
            if part is not None and taken is not None and taken.truth is not False:
                is_certain = taken.truth is True
                yield Items(tuple(replace(m, is_certain=m.is_certain and is_certain) for m in part.found), part.is_open)

    def _updated(self, call: form.Call, scope: Scope, key: str, depth: int) -> Items:
        """What the arguments of `update` hold under the key."""
        named = call.keyword(key)
        if named is not None:
            return Items(tuple(self._of(named, scope, _NOTHING, depth)))
        return last_of([self._items(a.value, scope, key, depth) for a in call.args if a.name is None])

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
        return any_of(parts) if parts else Items(is_open=True)

    # --- branches ---

    def _taken(self, way: Sequence[Branch], scope: Scope, given: _Given, depth: int) -> Taken:
        """Whether production takes all of the branches."""
        result = Taken(True)
        for branch in way:
            taken = self._taken_one(branch, scope, given, depth)
            if taken.truth is False:
                return taken
            truth = None if taken.truth is None else result.truth
            result = Taken(truth, max(result.firmness, taken.firmness))
        return result

    def _taken_one(self, branch: Branch, scope: Scope, given: _Given, depth: int) -> Taken:
        if branch.test is None:
            return Taken(None)
        truth, firmness, evidence = self._verdict(branch.test, scope, given, depth - 1)
        is_taken = None if truth is None else truth is (branch.turn is Turn.THEN)
        return Taken(is_taken, firmness, evidence, branch.test)

    def _verdict(
        self, test: form.Expr, scope: Scope, given: _Given, depth: int
    ) -> tuple[bool | None, Firmness, Evidence | None]:
        """How the test turns out, where it turns out in one way only."""
        if depth <= 0:
            return None, Firmness.FIXED, None
        found = self._of(test, scope, given, depth)
        truths = {truth_of(m.value) for m in found}
        if len(truths) != 1 or None in truths:
            return None, Firmness.FIXED, None
        return truths.pop(), max(m.firmness for m in found), found[0].evidence


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


def replace_value(node: form.Attr, value: form.Expr) -> form.Attr:
    """The same attribute of another expression."""
    return form.Attr(start=node.start, end=node.end, value=value, attr=node.attr, attr_start=node.attr_start)


# --- places -----------------------------------------------------------------------------------------------------------


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
    return {True: 1, None: 0, False: -1}[is_production(setting.group.rpartition(":")[2])]


def shared_folders(path: str, other: str) -> int:
    """How many leading folders two paths have in common."""
    count = 0
    for one, two in zip(PurePosixPath(path).parts, PurePosixPath(other).parts, strict=False):
        if one != two:
            break
        count += 1
    return count
