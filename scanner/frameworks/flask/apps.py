"""Flask's apps and blueprints: what is registered where, and what guards all that is below one
(https://flask.palletsprojects.com/blueprints/).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from assay.scanner.dataflow.constants import Given, definitions, string_value
from assay.scanner.dataflow.expansion import arguments, expansions, named_argument, resolved
from assay.scanner.dataflow.refusals.strangers import refusal_of_strangers
from assay.scanner.framework import Context, Guard, Sited
from assay.scanner.frameworks.flask.config_values import FlaskConfig
from assay.scanner.frameworks.flask.guards import guards_of
from assay.scanner.frameworks.flask.limits import RateLimits
from assay.scanner.linker.project import last_name, last_part
from assay.scanner.linker.scopes import ClassSymbol, FunctionSymbol, Scope
from assay.scanner.linker.values import BoundMethod, Instance, Value
from assay.scanner.model.place import Evidence
from assay.scanner.model.role import Role
from assay.scanner.readers.python import form
from assay.scanner.web.mounting import Mount, Mounts
from assay.scanner.web.unfollowed import perhaps_refuses

APPS = frozenset(
    {
        "flask.Flask",
        "apiflask.APIFlask",
        "quart.Quart",
        "flask_openapi3.OpenAPI",
        "connexion.FlaskApp",
        "connexion.App",
        "connexion.AsyncApp",
    }
)
_WRAPPED_APP = "app"
"""The attribute of Connexion's app that holds Flask's: what is registered on one is registered on the other."""
BLUEPRINTS = frozenset(
    {
        "flask.Blueprint",
        "apiflask.APIBlueprint",
        "quart.Blueprint",
        "flask_smorest.Blueprint",
        "flask_openapi3.APIBlueprint",
    }
)
_REGISTRARS = frozenset({"flask_smorest.Api"})
"""Extensions with a `register_blueprint` of their own, which acts on the app they were made for."""
_HOOKS = ("before_request", "before_app_request")


@dataclass(frozen=True, slots=True)
class Placement:
    """One way to reach an app or blueprint: the path in front of its rules, and the guards on the way."""

    prefix: str
    guards: tuple[Guard, ...]
    limits: tuple[Guard, ...] = ()
    application: Sited | None = None
    steps: tuple[Sited, ...] = ()
    """The calls that register blueprints on the way."""
    unresolved: tuple[Evidence, ...] = ()
    """What runs before its views and may turn callers away, though nobody saw it do so."""


class FlaskApps:
    """All apps and blueprints of a project."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._project = context.project
        self._mounts = Mounts()
        self._holders: dict[form.Call, Instance] = {}
        self._hooks: dict[form.Call, list[Guard]] = {}
        self._app_hooks: list[Guard] = []
        self._unfollowed: dict[form.Call | None, list[Evidence]] = {}
        self._limits: dict[form.Call, list[Guard]] = {}
        self.rate_limits = RateLimits(context.project)
        self._config = FlaskConfig(context)
        self._find_holders()
        self._find_mounts()
        self._find_hooks()
        self._find_limits()

    def _is(self, value: Value | None, names: frozenset[str]) -> bool:
        if not isinstance(value, Instance):
            return False
        return value.type_name in names or (value.cls is not None and self._project.is_subclass(value.cls, *names))

    def holder(self, node: form.Expr, scope: Scope, given: Given) -> form.Call | None:
        """The app or blueprint that an expression stands for, by the call that made it."""
        value = resolved(node, scope, self._project, given)
        if not self._is(value, APPS | BLUEPRINTS | _REGISTRARS):
            return self._wrapper(node, scope, given)
        if not isinstance(value, Instance):
            return None
        if self._is(value, _REGISTRARS):
            return self._only_app()
        if value.origin is not None:
            self._holders.setdefault(value.origin, value)
            return value.origin
        return self._only_app() if self._is(value, APPS) else None

    def _wrapper(self, node: form.Expr, scope: Scope, given: Given) -> form.Call | None:
        """The app that wraps this one: `app.app`, or a name for it."""
        named = definitions(node, scope, self._project) if isinstance(node, form.Name) else []
        for expression, around in [(node, scope), *named]:
            if isinstance(expression, form.Attr) and expression.attr == _WRAPPED_APP:
                return self.holder(expression.value, around, given)
        return None

    def _only_app(self) -> form.Call | None:
        """What a parameter is that no known caller fills, as with `init_app(app)` called by an extension."""
        apps = [origin for origin, app in self._holders.items() if self._is(app, APPS)]
        return apps[0] if len(apps) == 1 else None

    def fallback(self, node: form.Expr, scope: Scope) -> form.Call | None:
        """The only app there is, for an unannotated parameter called `app`."""
        bindings = scope.lookup(node.id) if isinstance(node, form.Name) and node.id == "app" else []
        return self._only_app() if bindings and bindings[0].param is not None else None

    def _find_holders(self) -> None:
        names = {last_part(name) for name in APPS | BLUEPRINTS}
        names |= {cls.name for cls in self._project.classes if self._project.is_subclass(cls, *APPS, *BLUEPRINTS)}
        for call, scope in self._project.calls_named(*names):
            self.holder(call, scope, {})

    def _find_mounts(self) -> None:
        for call, scope in self._project.calls_named("register_blueprint", "register_api"):
            blueprint = call.argument(0, "blueprint")
            if not isinstance(call.func, form.Attr) or blueprint is None:
                continue
            for given in expansions(call, scope, self._project):
                parent = self.holder(call.func.value, scope, given) or self.fallback(call.func.value, scope)
                child = self.holder(blueprint, scope, given)
                if parent is None or child is None:
                    self._context.unresolved(scope.module.location(call), "which blueprint goes where can't be told")
                    continue
                if scope.module.role is Role.TEST and not self._is_of_tests(child):
                    continue  # what a test registers for itself is registered elsewhere for good
                stated = named_argument(call, "url_prefix", scope, self._project, given)
                is_stated = stated is not None and not _is_none(stated[0])
                prefix = self._text(*stated, given) if stated is not None and is_stated else self._own_prefix(child)
                self._mounts.add(Mount(parent, child, prefix, Sited(call, scope), given))

    def _is_of_tests(self, holder: form.Call) -> bool:
        scope = self._holders[holder].scope
        return scope is not None and scope.module.role is Role.TEST

    def _own_prefix(self, holder: form.Call) -> str:
        """The prefix that it was made with, or that its class makes all of its objects with."""
        made = self._holders[holder]
        scope = made.scope
        given: Given = {}
        if scope is None:
            return ""
        stated = named_argument(holder, "url_prefix", scope, self._project, given)
        if stated is None and made.cls is not None:
            stated, given = self._prefix_of_class(holder, scope, made.cls)
        return self._text(*stated, given) if stated is not None else ""

    def _prefix_of_class(
        self, holder: form.Call, scope: Scope, cls: ClassSymbol
    ) -> tuple[tuple[form.Expr, Scope] | None, Given]:
        """What its `__init__` hands on: `super().__init__(name, __name__, url_prefix="/" + name)`."""
        init = self._project.method(cls, "__init__")
        if init is None:
            return None, {}
        given = arguments(holder, scope, init, self._project)
        calls = (n for n in init.walk() if isinstance(n, form.Call) and last_name(n.func) == "__init__")
        found = (named_argument(call, "url_prefix", init.scope, self._project, given) for call in calls)
        return next((f for f in found if f is not None), None), given

    def _text(self, node: form.Expr, scope: Scope, given: Given) -> str:
        if _is_none(node):
            return ""
        found = string_value(node, scope, self._project, given)
        if found is None:
            found = self._config.text(node)
        if found is None:
            self._context.unresolved(scope.module.location(node), "this part of the path can't be told")
        return found or ""

    def _find_hooks(self) -> None:
        for function in self._project.functions:
            for decorator in function.decorators:
                if isinstance(decorator, form.Attr) and decorator.attr in _HOOKS:
                    self._hook(decorator, function.outer, function)
        for call, scope in self._project.calls_named(*_HOOKS):
            value = self._project.infer(call.args[0].value, scope) if call.args else None
            hook = value.function if isinstance(value, BoundMethod) else value
            if isinstance(call.func, form.Attr) and isinstance(hook, FunctionSymbol):
                self._hook(call.func, scope, hook)

    def _hook(self, registered: form.Attr, scope: Scope, function: FunctionSymbol) -> None:
        refused = refusal_of_strangers(function, self._project)
        found = guards_of(function.decorators, function.outer, self._project)
        if refused is not None:
            found.append(Guard(function.name, refused))
        unseen = [] if found or not perhaps_refuses(function, self._project) else [_before_each(function)]
        if registered.attr == "before_app_request":
            self._app_hooks += found
            self._unfollowed.setdefault(None, []).extend(unseen)
            return
        call = form.Call(start=registered.start, end=registered.end, func=registered, args=[])
        for given in expansions(call, scope, self._project):
            holder = self.holder(registered.value, scope, given) or self.fallback(registered.value, scope)
            if holder is not None:
                self._hooks.setdefault(holder, []).extend(found)
                self._unfollowed.setdefault(holder, []).extend(unseen)

    def _find_limits(self) -> None:
        """`limiter.limit("1/second")(blueprint)`."""
        for target, limit in self.rate_limits.applied():
            holder = self.holder(target.node, target.scope, {})
            if holder is not None:
                self._limits.setdefault(holder, []).append(limit)

    def is_of(self, holder: form.Call, names: frozenset[str]) -> bool:
        """Whether it is of one of these types."""
        return self._is(self._holders[holder], names)

    def made(self, holder: form.Call) -> Instance:
        """The app or blueprint itself."""
        return self._holders[holder]

    def placements(self, holder: form.Call) -> Iterator[Placement]:
        """Every way in which requests reach the holder; none for a blueprint that no app registers."""
        has_app = any(self._is(known, APPS) for known in self._holders.values())
        for chain in self._mounts.chains(holder):
            top = chain[0].parent if chain else holder
            is_app = self._is(self._holders[top], APPS)
            if has_app and not is_app:
                continue
            prefix = "" if is_app else self._own_prefix(top)
            for mount in chain:
                prefix = joined(prefix, mount.prefix)
            around = (top, *(m.child for m in chain))
            guards = [g for key in around for g in self._hooks.get(key, ())]
            limits = tuple(g for key in around for g in self._limits.get(key, ()))
            made = self._holders[top]
            application = Sited(top, made.scope) if made.scope is not None else None
            steps = tuple(m.site for m in chain)
            unseen = tuple(e for key in (None, *around) for e in self._unfollowed.get(key, ()))
            yield Placement(prefix, (*self._app_hooks, *guards), limits, application, steps, unseen)


def _before_each(hook: FunctionSymbol) -> Evidence:
    return Evidence(hook.location, f"{hook.name} runs before each request and may turn callers away")


def _is_none(node: form.Expr) -> bool:
    return isinstance(node, form.Const) and node.value is None


def joined(prefix: str, rule: str) -> str:
    """A rule below a prefix, as `Blueprint` joins them."""
    if not prefix or not rule:
        return prefix or rule
    return f"{prefix.rstrip('/')}/{rule.lstrip('/')}"
