"""FastAPI's dependency injection: what a handler's dependencies are, which of them keep callers out, and the parameters
they read from the request (https://fastapi.tiangolo.com/tutorial/dependencies/).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from assay.scanner.dataflow.constants import Given, constant, definitions, list_items
from assay.scanner.dataflow.expansion import arguments
from assay.scanner.dataflow.model_options import model_option
from assay.scanner.dataflow.refusals.strangers import dependency_refusal
from assay.scanner.framework import Guard, Sited
from assay.scanner.linker.project import Project, last_name, last_part
from assay.scanner.linker.scopes import ClassSymbol, FunctionSymbol, How, Module, Scope
from assay.scanner.linker.values import BoundMethod, External, Instance, Value
from assay.scanner.model.place import Evidence, Location
from assay.scanner.readers.python import form
from assay.scanner.web.guard_names import waives
from assay.scanner.web.rate_limits import answers_too_many
from assay.scanner.web.unfollowed import may_guard

_ANNOTATED = ("typing.Annotated", "typing_extensions.Annotated")
_DEEPEST_ALIAS = 6
_SCHEME_MODULES = ("fastapi.security.", "fastapi_users.authentication.")
_DATA = ("Form", "FormStrict", "Credentials", "SecurityScopes")
"""What the classes beside the schemes are called: they carry what was sent and check nothing."""
_LIBRARY_GUARDS = frozenset(
    {
        "fastapi_users.FastAPIUsers.current_user",
        "fastapi_users.FastAPIUsers.authenticator.current_user",
        "fastapi_azure_auth.SingleTenantAzureAuthorizationCodeBearer",
        "fastapi_azure_auth.MultiTenantAzureAuthorizationCodeBearer",
        "fastapi_azure_auth.B2CMultiTenantAuthorizationCodeBearer",
        "fastapi_login.LoginManager",
        "fastapi_clerk_auth.ClerkHTTPBearer",
        "fastapi_keycloak.FastAPIKeycloak.get_current_user",
    }
)
_OF_MODELS = ("Query", "Header", "Cookie")
"""What says where the fields of a model are read from
(https://fastapi.tiangolo.com/tutorial/query-param-models/).
"""
_ENUMS = ("Enum", "enum.Enum", "enum.StrEnum", "enum.IntEnum")
_LIMITERS = ("ratelimiter", "ratelimit", "throttle", "throttler")
"""How the names of libraries' limiters end: fastapi-limiter's is `RateLimiter`, and so is that of others."""
_OPTIONAL_SWITCHES = {"auto_error": False, "optional": True}
"""Arguments that make a security scheme let anonymous callers pass."""


@dataclass(frozen=True, slots=True, eq=False)
class Parameter:
    """Something a handler or a dependency takes: a parameter, or a field of a model that stands for several."""

    name: str
    annotation: Sited | None
    default: Sited | None
    declared_by: str
    function: FunctionSymbol | None
    module: Module
    location: Location
    renamed: Sited | None = None
    """What makes a field's name that clients use of its own one: `alias_generator`."""
    mark: str | None = None
    """Of a field: where all of its model is read from, as in `Annotated[Page, Query()]`."""


@dataclass(frozen=True, slots=True)
class Closure:
    """What a dependency, with all it depends on, amounts to."""

    guards: tuple[Guard, ...] = ()
    parameters: tuple[Parameter, ...] = ()
    limits: tuple[Guard, ...] = ()
    unresolved: tuple[Evidence, ...] = ()
    """Dependencies that may turn callers away, though nobody saw them do so."""
    opened: tuple[Evidence, ...] = ()
    """Dependencies that ask who is calling, and take it that nobody says."""
    runs: tuple[FunctionSymbol, ...] = ()
    """The functions of the project behind it."""

    def __or__(self, other: Closure) -> Closure:
        return Closure(
            self.guards + tuple(g for g in other.guards if g not in self.guards),
            self.parameters + tuple(p for p in other.parameters if p not in self.parameters),
            self.limits + tuple(limit for limit in other.limits if limit not in self.limits),
            self.unresolved + tuple(e for e in other.unresolved if e not in self.unresolved),
            self.opened + tuple(e for e in other.opened if e not in self.opened),
            self.runs + tuple(f for f in other.runs if f not in self.runs),
        )


class Dependencies:
    """The dependencies of one project; what a dependency amounts to is worked out once."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._known: dict[FunctionSymbol | ClassSymbol, Closure] = {}

    def of_handler(self, handler: FunctionSymbol) -> Closure:
        """Of its parameters, and for a class-based view of the class's attributes."""
        found = self._of_function(handler)
        for base in self._project.mro(handler.owner) if handler.owner is not None else ():
            for name in base.scope.bindings if isinstance(base, ClassSymbol) else ():
                parameter = self._field(base, name) if isinstance(base, ClassSymbol) else None
                if parameter is not None and self._is_injected(parameter):
                    found |= self._of_parameter(parameter)
        return found

    def _is_injected(self, parameter: Parameter) -> bool:
        sites = [parameter.default] if parameter.default is not None else []
        sites += self.metadata(parameter.annotation)[1] if parameter.annotation is not None else []
        return any(isinstance(s.node, form.Call) and self._is_depends(s.node, s.scope) for s in sites)

    def of_list(self, items: Iterable[tuple[form.Expr, Scope]]) -> Closure:
        """Of `dependencies=[Depends(...), ...]`."""
        found = Closure()
        for node, scope in items:
            for call, call_scope in [(node, scope), *definitions(node, scope, self._project)]:
                if isinstance(call, form.Call) and self._is_depends(call, call_scope):
                    found |= self._of_depends(call, call_scope, None)
        return found

    def metadata(self, annotation: Sited) -> tuple[Sited, list[Sited]]:
        """The type that an annotation comes down to, and what `Annotated` adds to it, through aliases."""
        node, scope, extras = annotation.node, annotation.scope, list[Sited]()
        for _ in range(_DEEPEST_ALIAS):
            if isinstance(node, form.Subscript) and self._is_annotated(node.value, scope):
                items = node.index.items if isinstance(node.index, form.Display) else [node.index]
                if not items:  # `Annotated[()]`: the program would fail there too
                    break
                extras += [Sited(extra, scope) for extra in items[1:]]
                node = items[0]
                continue
            aliases = [d for d in definitions(node, scope, self._project) if isinstance(d[0], form.Subscript)]
            if not aliases:
                break
            node, scope = aliases[-1]
        return Sited(node, scope), extras

    def _is_annotated(self, node: form.Expr, scope: Scope) -> bool:
        value = self._project.infer(node, scope)
        return isinstance(value, External) and value.name in _ANNOTATED

    def _is_depends(self, call: form.Call, scope: Scope) -> bool:
        callee = self._project.infer(call.func, scope)
        return isinstance(callee, External) and last_part(callee.name) in ("Depends", "Security")

    def _of_function(self, function: FunctionSymbol) -> Closure:
        if function not in self._known:
            self._known[function] = Closure()  # for a dependency that depends on itself
            found = Closure()
            for param in function.parameters:
                parameter = Parameter(
                    param.name,
                    Sited(param.annotation, function.outer) if param.annotation is not None else None,
                    Sited(param.default, function.outer) if param.default is not None else None,
                    function.id,
                    function,
                    function.module,
                    function.module.location(param),
                )
                found |= self._of_parameter(parameter)
            self._known[function] = found
        return self._known[function]

    def _of_parameter(self, parameter: Parameter) -> Closure:
        declared, extras = self.metadata(parameter.annotation) if parameter.annotation is not None else (None, [])
        candidates = [*extras, *([parameter.default] if parameter.default is not None else [])]
        found = Closure()
        mark: str | None = None
        for candidate in candidates:
            call, scope = candidate.node, candidate.scope
            if not isinstance(call, form.Call):
                continue
            if self._is_depends(call, scope):
                return self._of_depends(call, scope, declared)
            mark = mark or next((name for name in _OF_MODELS if last_name(call.func) == name), None)
        if mark is not None and declared is not None:
            cls = self._project.infer(declared.node, declared.scope)
            if isinstance(cls, ClassSymbol) and not self._project.is_subclass(cls, *_ENUMS):
                fields = self._of_fields(cls)
                found = replace(fields, parameters=tuple(replace(p, mark=mark) for p in fields.parameters))
        return found if found.parameters else Closure(parameters=(parameter,))

    def _of_depends(self, call: form.Call, scope: Scope, declared: Sited | None) -> Closure:
        provider = call.argument(0, "dependency")
        site = Sited(provider, scope) if provider is not None else declared
        return self.on(site, Sited(call, scope)) if site is not None else Closure()

    def on(self, provider: Sited, place: Sited) -> Closure:
        """Of depending on the callable, at a place that says so."""
        name = _spelling(provider.node) or "dependency"
        found = Closure()
        for value in self._provided(provider):
            found |= self._of_provider(value, name, place.module.evidence(place.node, f"depends on {name}"))
        if found.guards or found.limits or not isinstance(place.node, form.Call):
            return found
        asked = provider.node.func if isinstance(provider.node, form.Call) else provider.node
        if waives(last_part(name)):
            found |= Closure(opened=(place.module.evidence(place.node, f"{name} takes callers whom nobody knows"),))
        elif not found.opened and may_guard(asked, provider.scope, self._project):
            found |= Closure(unresolved=(place.module.evidence(place.node, f"{name} may turn callers away"),))
        return found

    def _provided(self, site: Sited) -> Iterator[Value]:
        """The callables behind a provider expression: for a factory's call, the function that it returns."""
        for node, scope in [(site.node, site.scope), *definitions(site.node, site.scope, self._project)]:
            if not isinstance(node, form.Call):
                continue
            callee = self._project.infer(node.func, scope)
            factory = callee.function if isinstance(callee, BoundMethod) else callee
            if isinstance(factory, FunctionSymbol):
                given = arguments(node, scope, factory, self._project)
                inner = [self._project.infer(r, factory.scope) for r in self._reached(factory, given)]
                functions = [f for f in inner if isinstance(f, FunctionSymbol | BoundMethod)]
                if functions:
                    yield from functions
                    return
        value = self._project.infer(site.node, site.scope)
        if value is not None:
            yield value

    def _reached(self, factory: FunctionSymbol, given: Given) -> Iterator[form.Expr]:
        """What a factory returns for these arguments: `_user if required else _perhaps_user`."""
        for returned in factory.returns:
            node = returned.value
            while isinstance(node, form.Conditional):
                known = constant(node.test, factory.scope, self._project, given)
                if known is None:
                    yield node.orelse
                node = node.body if known is None or known.value else node.orelse
            if node is not None:
                yield node

    def _of_provider(self, value: Value, name: str, place: Evidence) -> Closure:
        match value:
            case BoundMethod(function=function):
                return self._of_callable(function, name, place)
            case FunctionSymbol():
                return self._of_callable(value, name, place)
            case ClassSymbol():
                init = self._project.method(value, "__init__")
                return self._of_callable(init, name, place) if init is not None else self._of_fields(value)
            case Instance(cls=ClassSymbol() as cls):
                call = self._project.method(cls, "__call__")
                found = self._of_callable(call, name, place) if call is not None else Closure()
                found |= self._of_scheme(value, sorted(self._project.base_names(cls)), name, place)
                return found | self._of_checks(value, name, place)
            case Instance(type_name=type_name):
                return self._of_scheme(value, [type_name], name, place)
            case External(name=dotted):
                return self._of_scheme(None, [dotted], name, place)
        return Closure()

    def _of_callable(self, function: FunctionSymbol, name: str, place: Evidence) -> Closure:
        found = self._of_function(function) | Closure(runs=(function,))
        if answers_too_many(function, self._project) is not None:
            found |= Closure(limits=(Guard(name, place),))
        if found.guards or dependency_refusal(function, self._project) is None:
            return found
        return found | Closure(guards=(Guard(name, place),))

    def _of_checks(self, value: Instance, name: str, place: Evidence) -> Closure:
        """Of the checks that a callable object was made with, such as `Permissions([IsAdmin, is_member])`."""
        found = Closure()
        if value.origin is None or value.scope is None:
            return found
        for argument in value.origin.args:
            items = list_items(argument.value, value.scope, self._project) or [(argument.value, value.scope)]
            for check in (self._project.infer(*item) for item in items):
                if isinstance(check, ClassSymbol):
                    check = self._project.method(check, "__init__") or self._project.method(check, "__call__")
                if isinstance(check, FunctionSymbol):
                    found |= self._of_callable(check, name, place)
        return found

    def _of_scheme(self, value: Instance | None, type_names: list[str], name: str, place: Evidence) -> Closure:
        if any(last_part(t).lower().endswith(_LIMITERS) for t in type_names):
            return Closure(limits=(Guard(name, place),))
        known = any(
            t in _LIBRARY_GUARDS or (t.startswith(_SCHEME_MODULES) and not last_part(t).endswith(_DATA))
            for t in type_names
        )
        if known and value is not None and self._lets_anonymous_pass(value):
            return Closure(opened=(place,))
        if not known:
            return Closure()
        return Closure(guards=(Guard(name, place),))

    def _lets_anonymous_pass(self, scheme: Instance) -> bool:
        calls = [(scheme.origin, scheme.scope)]
        init = self._project.method(scheme.cls, "__init__") if scheme.cls is not None else None
        if init is not None:
            calls += [
                (n, init.scope) for n in init.walk() if isinstance(n, form.Call) and last_name(n.func) == "__init__"
            ]
        for call, scope in calls:
            for switch, off in _OPTIONAL_SWITCHES.items():
                argument = call.keyword(switch) if call is not None else None
                known = constant(argument, scope, self._project) if argument is not None and scope is not None else None
                if known is not None and known.value is off:
                    return True
        return False

    def _of_fields(self, cls: ClassSymbol) -> Closure:
        """A model or data class that stands for several parameters."""
        if cls not in self._known:
            self._known[cls] = Closure()
            found = Closure()
            renamed = model_option(cls, "alias_generator", self._project)
            for base in self._project.mro(cls):
                for name in base.scope.bindings if isinstance(base, ClassSymbol) else ():
                    parameter = self._field(base, name, renamed) if isinstance(base, ClassSymbol) else None
                    if parameter is not None and parameter.annotation is not None:
                        found |= self._of_parameter(parameter)
            self._known[cls] = found
        return self._known[cls]

    def _field(self, cls: ClassSymbol, name: str, renamed: Sited | None = None) -> Parameter | None:
        binding = cls.own(name)[-1]
        if binding.how is not How.ASSIGN:
            return None
        start = binding.offset
        return Parameter(
            name,
            Sited(binding.annotation, cls.scope) if binding.annotation is not None else None,
            Sited(binding.value, cls.scope) if binding.value is not None else None,
            cls.id,
            None,
            cls.module,
            cls.module.span(start, start + len(name)),
            renamed,
        )


def _spelling(node: form.Expr) -> str | None:
    return form.dotted(node.func if isinstance(node, form.Call) else node)
