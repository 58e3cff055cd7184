"""CORS as middleware, extensions and configuration objects of the web frameworks set it up."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from assay.scanner.configuration.defaults import UNKNOWN
from assay.scanner.configuration.meanings import truth_of
from assay.scanner.configuration.production import Production
from assay.scanner.dataflow.safeguards.options import CallOptions, option_of
from assay.scanner.framework import Sited
from assay.scanner.linker.project import Project, last_name, last_part
from assay.scanner.linker.scopes import ClassSymbol, Scope
from assay.scanner.linker.values import External, Instance, Literal
from assay.scanner.model.option import Option
from assay.scanner.model.place import Evidence
from assay.scanner.model.setting import Setting
from assay.scanner.readers.python import form
from assay.scanner.traffic.cors_libraries import BY_NAME, PACKAGES, Mechanism
from assay.scanner.traffic.origins import Origins, lets_everybody_in

_WRAPPING = ("add_middleware", "Middleware", "DefineMiddleware")
"""Calls that are given a class and what to make it with."""
_ANY_PATH = frozenset({"*", "/*", ".*", "/.*", r"/*/*", "^/.*", "^.*", r"^/.*$", "/"})
NOTHING_SAID = Option(True)


@dataclass(frozen=True, slots=True)
class FoundPolicy:
    """A policy before what surrounds it is known. `is_for_all` is off where it opens some paths or handlers only."""

    mechanism: str
    node: form.Expr
    scope: Scope
    any_origin: Option
    credentials: Option
    is_literal_star: bool = False
    exclusive: Evidence | None = None
    is_for_all: bool = True


class CorsCalls:
    """The policies of one project that calls set up."""

    def __init__(
        self, project: Project, production: Production, origins: Origins, settings: tuple[Setting, ...]
    ) -> None:
        self._project = project
        self._production = production
        self._origins = origins
        self._options = CallOptions(project, production)
        self._settings = settings

    def all(self) -> Iterator[FoundPolicy]:
        """In no order."""
        if self._project.imported_packages.isdisjoint(PACKAGES):
            return
        for call, scope in self._project.calls_named(*_WRAPPING):
            made = call.args[0].value if call.args else None
            mechanism = self._mechanism(made, scope) if made is not None else None
            if mechanism is not None:
                yield self._policy([(call, scope)], mechanism, call, {})
        names = {last_part(name) for name in BY_NAME} | {cls.name for cls in self._own_middleware()}
        for call, scope in self._project.calls_named(*sorted(names)):
            mechanism = self._mechanism(call.func, scope)
            if mechanism is not None:
                yield from self._of_call(call, scope, mechanism)

    def _own_middleware(self) -> Iterator[ClassSymbol]:
        """Classes of the project that derive from a library's: they mostly bear a part of its name."""
        for cls in self._project.classes:
            if "cors" in cls.name.lower() and self._project.is_subclass(cls, *BY_NAME):
                yield cls

    def _mechanism(self, node: form.Expr, scope: Scope) -> Mechanism | None:
        value = self._project.infer(node, scope)
        if isinstance(value, External):
            return BY_NAME.get(value.name)
        if isinstance(value, ClassSymbol):
            return next((BY_NAME[n] for n in sorted(self._project.base_names(value)) if n in BY_NAME), None)
        return None

    def _of_call(self, call: form.Call, scope: Scope, mechanism: Mechanism) -> Iterator[FoundPolicy]:
        """One policy for each pattern of paths that Flask-CORS is given options for; else one for all."""
        calls = [(call, scope)]
        if last_name(call.func) == "CORS":
            # `init_app` takes the same options, and they win over those of the constructor.
            calls = [*self._set_up_later(call), *calls]
        stated = self._argument(calls, "resources") if mechanism.sends_star else None
        value = self._project.infer(stated.node, stated.scope) if stated is not None else None
        if not isinstance(value, Literal) or not isinstance(value.node, form.Dict):
            yield self._policy(calls, mechanism, calls[0][0], {})
            return
        for pattern, options in zip(value.node.keys, value.node.values, strict=True):
            own = self._project.infer(options, value.scope)
            named: Mapping[str, Sited] = {}
            if isinstance(own, Literal) and isinstance(own.node, form.Dict):
                named = {key: Sited(node, own.scope) for key, node in _items(own.node)}
            place = options if value.scope.module is calls[0][1].module else calls[0][0]
            yield self._policy(calls, mechanism, place, named, pattern)

    def _set_up_later(self, made: form.Call) -> list[tuple[form.Call, Scope]]:
        for call, scope in self._project.calls_named("init_app"):
            owner = self._project.infer(call.func.value, scope) if isinstance(call.func, form.Attr) else None
            if isinstance(owner, Instance) and owner.origin is made:
                return [(call, scope)]
        return []

    def _policy(
        self,
        calls: list[tuple[form.Call, Scope]],
        mechanism: Mechanism,
        place: form.Expr,
        own: Mapping[str, Sited],
        path: form.Expr | None = None,
    ) -> FoundPolicy:
        """`own` are the options for the pattern `path`, which win over those of the calls."""
        call, scope = calls[0]
        origins = own.get(mechanism.origins) or self._argument(calls, mechanism.origins)
        credentials = own.get(mechanism.credentials) or self._argument(calls, mechanism.credentials)
        star = self._argument(calls, mechanism.sends_star)
        is_star = star is not None and all(truth_of(m.value) for m in self._production.meanings(star.node, star.scope))
        covers_all = path is None or (isinstance(path, form.Const) and path.value in _ANY_PATH)
        return FoundPolicy(
            mechanism.name,
            place,
            scope,
            self._any_origin(calls, mechanism, origins),
            self._credentials(calls, mechanism, credentials),
            is_star,
            _exclusive(origins, credentials),
            covers_all and last_name(call.func) not in mechanism.of_one,
        )

    def _argument(self, calls: list[tuple[form.Call, Scope]], name: str) -> Sited | None:
        """What the first call that says it gives by keyword, or in a mapping: `CORS(app, **options)`."""
        for call, scope in calls if name else ():
            node = call.keyword(name)
            if node is not None:
                return Sited(node, scope)
            for mapping in (a.value for a in call.args if a.star == 2):
                value = self._project.infer(mapping, scope)
                if isinstance(value, Literal) and isinstance(value.node, form.Dict):
                    spread = dict(_items(value.node)).get(name)
                    if spread is not None:
                        return Sited(spread, value.scope)
        return None

    def _any_origin(self, calls: list[tuple[form.Call, Scope]], mechanism: Mechanism, stated: Sited | None) -> Option:
        pattern = self._argument(calls, mechanism.pattern)
        by_pattern = self._origins.option(pattern.node, pattern.scope) if pattern is not None else NOTHING_SAID
        if by_pattern.is_safe is False:
            return by_pattern
        if stated is not None:
            found = self._origins.option(stated.node, stated.scope)
            return found if found.is_safe is not True or pattern is None else by_pattern
        call, scope = calls[0]
        in_settings = self._of_setting(mechanism, scope)
        if in_settings is not None:
            return in_settings
        place = scope.module.location(call)
        if any(call.has_double_star for call, _ in calls):
            return Option(None, (Evidence(place, "its options come from elsewhere"),))
        if pattern is not None:
            return by_pattern
        text = "every origin is let in where none is named" if mechanism.lets_all_in else "no origin is let in"
        return Option(not mechanism.lets_all_in, (Evidence(place, text),))

    def _of_setting(self, mechanism: Mechanism, scope: Scope) -> Option | None:
        """Of a list in the settings, the text by which it is shown says whether it lets everybody in."""
        name = mechanism.settings[0]
        place = self._production.place_of(name, mechanism.source, scope.module.path) if name else None
        setting = next((s for s in self._settings if s.name == name and s.location == place), None)
        if setting is None:
            return None
        found = self._production.setting(name, mechanism.source, scope.module.path) or ()
        if any(isinstance(m.value, str) for m in found):
            return option_of(found, lambda value: isinstance(value, str) and lets_everybody_in(value))
        if setting.value is None:
            return Option(None, (Evidence(setting.location, f"what {name} comes to can't be told"),))
        is_open = lets_everybody_in(setting.value)
        text = "lets every origin in" if is_open else "names the origins"
        return Option(not is_open, (Evidence(setting.location, f"{name} {text}"),))

    def _credentials(self, calls: list[tuple[form.Call, Scope]], mechanism: Mechanism, stated: Sited | None) -> Option:
        if stated is not None:
            if isinstance(stated.node, form.Display) or _is_text(stated.node):
                return self._origins.option(stated.node, stated.scope)  # Falcon takes the origins that may send them
            return credentials_option(stated, self._production)
        name = mechanism.settings[1]
        call, scope = calls[0]
        found = self._production.setting(name, mechanism.source, scope.module.path) if name else None
        if found:
            return _explained(option_of(found, _is_on), f"{name} lets browsers send cookies")
        for call, scope in calls:
            items = self._options.given(call, scope, mechanism.credentials)
            if items.found:
                return option_of(items.found, _is_on)
        return NOTHING_SAID


def credentials_option(stated: Sited, production: Production) -> Option:
    """Unsafe where the expression lets browsers send cookies along."""
    asked = stated.module.evidence(stated.node, "whether cookies are sent along can't be told")
    option = option_of(production.meanings(stated.node, stated.scope), _is_on, asked)
    if option.is_safe is not False:
        return option
    text = "browsers send cookies along by default" if option.is_default else "browsers send cookies along"
    return Option(False, (stated.module.evidence(stated.node, text),), option.is_default)


def _items(node: form.Dict) -> Iterator[tuple[str, form.Expr]]:
    for key, value in zip(node.keys, node.values, strict=True):
        if isinstance(key, form.Const) and isinstance(key.value, str):
            yield key.value, value


def _is_text(node: form.Expr) -> bool:
    return isinstance(node, form.Const) and isinstance(node.value, str)


def _is_on(value: object) -> bool:
    if isinstance(value, str):
        return value.strip().lower() in ("true", "1", "yes", "on", "*")
    return value is not UNKNOWN and bool(value)


def _explained(option: Option, text: str) -> Option:
    if option.is_safe is not False:
        return option
    return Option(False, tuple(Evidence(e.location, text) for e in option.evidence), option.is_default)


def _exclusive(origins: Sited | None, credentials: Sited | None) -> Evidence | None:
    """Never both: `allow_origins=["*"] if open else ORIGINS, allow_credentials=not open`, `"*" not in ORIGINS`."""
    if origins is None or credentials is None:
        return None
    match credentials.node, origins.node:
        case form.Unary(op="not", operand=switch), form.Conditional(test=asked):
            text = f"cookies are sent along only where `{form.dotted(switch)}` is off"
        case form.Compare(left=form.Const(value="*"), ops=["not in"], rights=[switch]), asked:
            text = f"cookies are sent along only where `{form.dotted(switch)}` names the origins"
        case _:
            return None
    if form.dotted(switch) is None or form.dotted(switch) != form.dotted(asked):
        return None
    return credentials.module.evidence(credentials.node, text)
