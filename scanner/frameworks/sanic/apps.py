"""Sanic's apps, blueprints and groups of blueprints: what is registered where, and what guards all that is below one
(https://sanic.dev/en/guide/best-practices/blueprints.html).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from assay.scanner.dataflow.constants import Given, constant, list_items
from assay.scanner.dataflow.expansion import expansions, resolved
from assay.scanner.dataflow.refusals.strangers import refusal_of_strangers
from assay.scanner.framework import Context, Guard
from assay.scanner.linker.scopes import FunctionSymbol, Scope
from assay.scanner.linker.values import Instance
from assay.scanner.model.role import Role
from assay.scanner.readers.python import form
from assay.scanner.web.applications import Applications
from assay.scanner.web.guards import decorator_guards
from assay.scanner.web.registrations import Registration, registrations

APPS = frozenset({"sanic.Sanic", "sanic.app.Sanic"})
_BLUEPRINTS = frozenset({"sanic.Blueprint", "sanic.blueprints.Blueprint"})
_COPIES = frozenset(f"{name}.copy" for name in _BLUEPRINTS)
_GROUPS = frozenset(f"{name}.group" for name in _BLUEPRINTS) | {
    "sanic.blueprints.BlueprintGroup",
    "sanic.blueprint_group.BlueprintGroup",
}
_LOOK_UPS = frozenset(f"{name}.get_app" for name in APPS)
_HOOKS = ("on_request", "middleware", "register_middleware")
_DEFAULT_VERSION_PREFIX = "/v"
_DEEPEST = 8


@dataclass(frozen=True, slots=True)
class Options:
    """What a route, blueprint, group or registration says about paths; None where it says nothing."""

    url_prefix: str | None = None
    version: str | None = None
    version_prefix: str = _DEFAULT_VERSION_PREFIX
    strict_slashes: bool | None = None


@dataclass(frozen=True, slots=True)
class Placement:
    """One way to reach an app's or blueprint's routes: what it says itself, what its registration says, and the guards
    on the way.
    """

    own: Options = Options()
    given: Options = Options()
    guards: tuple[Guard, ...] = ()

    def path(self, uri: str, route: Options) -> str:
        """Where a route answers, joined as `Blueprint.register` and `Router.add` do."""
        prefix = self.given.url_prefix
        if prefix is None:
            prefix = (self.own.url_prefix or "").removesuffix("/")
        path = prefix + (uri[1:] if uri.startswith("/") and prefix.endswith("/") else uri)
        version = next((v for v in (route.version, self.given.version, self.own.version) if v is not None), None)
        if version is not None:
            stated = (route.version_prefix, self.given.version_prefix, self.own.version_prefix)
            before = next((p for p in stated if p != _DEFAULT_VERSION_PREFIX), _DEFAULT_VERSION_PREFIX)
            path = f"{before}{version.strip('/').lstrip('v')}/{path.lstrip('/')}"
        slashes = (route.strict_slashes, self.given.strict_slashes, self.own.strict_slashes)
        is_strict = next((s for s in slashes if s is not None), False)
        return "/" + (path.lstrip("/") if is_strict else path.strip("/"))


@dataclass(frozen=True, slots=True, eq=False)
class _Registration:
    """A blueprint on an app: the app and the groups it came through, outermost first."""

    above: tuple[form.Call, ...]
    options: Options


class SanicApps:
    """All apps, blueprints and groups of a project."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._project = context.project
        self._made = Applications(self._project, APPS | _BLUEPRINTS | _GROUPS | _COPIES)
        self._members: dict[form.Call, list[form.Call]] = {}
        self._registrations: dict[form.Call, list[_Registration]] = {}
        self._discovering: dict[form.Call, _Registration] = {}
        """Apps that take blueprints which only run time tells."""
        self._hooks: dict[form.Call, list[Guard]] = {}
        self._owned: dict[form.Call, Options] = {}
        self._copies: dict[form.Call, list[form.Call]] = {}
        for copy in list(self._made):
            original = self._original(copy)
            if original is not None:
                self._copies.setdefault(original, []).append(copy)
        self._has_app = any(self._is(made, APPS) for made in self._made)
        self._find_members()
        self._find_registrations()
        self._find_hooks()

    def holder(self, node: form.Expr, scope: Scope, given: Given) -> form.Call | None:
        """The app, blueprint or group that an expression stands for, by the call that made it."""
        found = self._made.of(node, scope, given)
        if found is not None:
            return found
        value = resolved(node, scope, self._project, given)
        bindings = scope.lookup(node.id) if isinstance(node, form.Name) and node.id == "app" else []
        is_looked_up = isinstance(value, Instance) and value.type_name in _LOOK_UPS
        if is_looked_up or (value is None and bindings and bindings[0].param is not None):
            apps = [call for call in self._made if self._is(call, APPS) and self._is_deployed(call)]
            return apps[0] if len(apps) == 1 else None
        return None

    def _is(self, holder: form.Call, names: frozenset[str]) -> bool:
        made = self._made[holder]
        is_subclass = made.cls is not None and self._project.is_subclass(made.cls, *names)
        return made.type_name in names or is_subclass

    def _is_deployed(self, holder: form.Call) -> bool:
        """Whether production code makes it."""
        scope = self._made[holder].scope
        return scope is not None and scope.module.role is Role.PROD

    # --- what is said about paths ---

    def options(self, call: form.Call, scope: Scope, given: Given) -> Options:
        """The keywords of a route, blueprint, group or registration."""
        prefix, version = call.keyword("url_prefix"), call.keyword("version")
        before, strict = call.keyword("version_prefix"), call.keyword("strict_slashes")
        is_strict = constant(strict, scope, self._project, given) if strict is not None else None
        return Options(
            url_prefix=self.text(prefix, scope, given),
            version=self.text(version, scope, given),
            version_prefix=self.text(before, scope, given) or _DEFAULT_VERSION_PREFIX,
            strict_slashes=bool(is_strict.value) if is_strict is not None and is_strict.value is not None else None,
        )

    def text(self, node: form.Expr | None, scope: Scope, given: Given) -> str | None:
        """A part of a path; what can't be computed is said and left out."""
        found = constant(node, scope, self._project, given) if node is not None else None
        if found is None and node is not None:
            self._context.unresolved(scope.module.location(node), "this part of the path can't be told")
        return str(found.value) if found is not None and found.value is not None else None

    def _own(self, holder: form.Call) -> Options:
        """What an app, a blueprint or a group was made with; a copy has what it doesn't say from its original."""
        if holder not in self._owned:
            self._owned[holder] = self._made_with(holder)
        return self._owned[holder]

    def _made_with(self, holder: form.Call) -> Options:
        scope = self._made[holder].scope
        assert scope is not None
        own = self.options(holder, scope, {})
        if self._is(holder, _BLUEPRINTS | _COPIES) and len(holder.positional) > 1:
            own = replace(own, url_prefix=self.text(holder.positional[1], scope, {}))
        original = self._original(holder)
        if original is None:
            return own
        copied, stated = self._own(original), {arg.name for arg in holder.args}
        if len(holder.positional) > 1:
            stated.add("url_prefix")
        kept = {name: getattr(copied, name) for name in Options.__dataclass_fields__ if name not in stated}
        return replace(own, **kept)

    def _original(self, holder: form.Call) -> form.Call | None:
        made = self._made[holder]
        if not self._is(holder, _COPIES) or not isinstance(holder.func, form.Attr) or made.scope is None:
            return None
        return self.holder(holder.func.value, made.scope, {})

    # --- composition ---

    def _find_members(self) -> None:
        """The blueprints and groups in each group: those it was made of, then those put in later."""
        for group in self._made:
            scope = self._made[group].scope
            if self._is(group, _GROUPS) and scope is not None:
                made_of = self._listed((a.value for a in group.args if not a.name), scope, {})
                self._members[group] = [member for member in made_of if member is not None]
        for call, scope in self._project.calls_named("append", "extend", "insert") if self._members else ():
            if not isinstance(call.func, form.Attr) or not call.positional:
                continue
            for given in expansions(call, scope, self._project):
                added_to = self._made.of(call.func.value, scope, given)
                if added_to in self._members and added_to is not None:
                    added = self._listed(call.positional[-1:], scope, given)
                    self._members[added_to] += [a for a in added if a and a not in self._members[added_to]]

    def _listed(
        self, nodes: Iterable[form.Expr], scope: Scope, given: Given, depth: int = 4
    ) -> Iterator[form.Call | None]:
        """The blueprints and groups that expressions stand for, through lists of them; None for what can't be told."""
        for node in nodes:
            holder = self.holder(node, scope, given)
            if holder is not None:
                yield holder
                continue
            items = list_items(node, scope, self._project, given) if depth else []
            for item, item_scope in items:
                yield from self._listed([item], item_scope, given, depth - 1)
            if not items:
                place = scope.module.location(node)
                self._context.unresolved(place, "which blueprints these are is only known at run time")
                yield None

    def _find_registrations(self) -> None:
        for call, scope in self._project.calls_named("blueprint"):
            registered = call.argument(0, "blueprint")
            if not isinstance(call.func, form.Attr) or registered is None:
                continue
            for given in expansions(call, scope, self._project):
                app = self.holder(call.func.value, scope, given)
                if app is None or not self._is(app, APPS):
                    self._context.unresolved(
                        scope.module.location(call), "which app this blueprint is for can't be told"
                    )
                    continue
                options = self.options(call, scope, given)
                found = list(self._listed([registered], scope, given))
                for item in found:
                    if item is not None:
                        self._register(item, (app,), options)
                if None in found:
                    self._discovering.setdefault(app, _Registration((app,), options))

    def _register(self, item: form.Call, above: tuple[form.Call, ...], options: Options) -> None:
        """As `Sanic.blueprint` does: a group hands down what it says to what says nothing itself."""
        if not self._is(item, _GROUPS):
            known = self._registrations.setdefault(item, [])
            if all((r.above, r.options) != (above, options) for r in known):
                known.append(_Registration(above, options))
            return
        group = self._own(item)
        for member in self._members.get(item, ()) if len(above) < _DEEPEST else ():
            own = self._own(member)
            prefixes = [options.url_prefix, group.url_prefix]
            prefixes += [own.url_prefix] if not self._is(member, _GROUPS) else []
            merged = "/".join(p.strip("/") for p in prefixes if p).rstrip("/")
            passed = replace(options, url_prefix=f"/{merged}")
            if own.version is None:
                passed = replace(passed, version=group.version or options.version)
            if own.strict_slashes is None:
                passed = replace(passed, strict_slashes=group.strict_slashes or options.strict_slashes)
            if own.version_prefix == group.version_prefix == _DEFAULT_VERSION_PREFIX:
                passed = replace(passed, version_prefix=options.version_prefix)
            elif own.version_prefix == _DEFAULT_VERSION_PREFIX:
                passed = replace(passed, version_prefix=group.version_prefix)
            self._register(member, (*above, item), passed)

    def placements(self, holder: form.Call, route: form.Call) -> Iterator[Placement]:
        """Every way in which requests reach a route of the holder; none for a blueprint that no app takes."""
        if self._is(holder, APPS):
            own = Options(strict_slashes=self._own(holder).strict_slashes)
            yield Placement(own, guards=tuple(self._hooks.get(holder, ())))
            return
        for blueprint in (holder, *self._copies_with(holder, route)):
            hooks = [*self._hooks.get(holder, ()), *(self._hooks.get(blueprint, ()) if blueprint is not holder else ())]
            for found in self._registrations.get(blueprint, self._discovered()):
                above = [guard for each in found.above for guard in self._hooks.get(each, ())]
                yield Placement(self._own(blueprint), found.options, (*above, *hooks))
            if not self._has_app:
                yield Placement(self._own(blueprint), guards=tuple(hooks))

    def _discovered(self) -> tuple[_Registration, ...]:
        """Of blueprints that nothing registers by name: that the only app which looks for some finds them."""
        return tuple(self._discovering.values()) if len(self._discovering) == 1 else ()

    def _copies_with(self, blueprint: form.Call, route: form.Call) -> Iterator[form.Call]:
        """Its copies that were made after the route was added: they hold it too."""
        for copy in self._copies.get(blueprint, ()):
            first, copied_in = self._made[blueprint].scope, self._made[copy].scope
            in_one_module = first is not None and copied_in is not None and first.module is copied_in.module
            if not in_one_module or route.start < copy.start:
                yield copy

    # --- middleware ---

    def _find_hooks(self) -> None:
        for found in registrations(self._project, _HOOKS, 0, "middleware"):
            hook = found.handled_by(self._project, {})
            if isinstance(hook, FunctionSymbol) and isinstance(found.call.func, form.Attr):
                self._hook(found, found.call.func.value, hook)

    def _hook(self, found: Registration, owner: form.Expr, function: FunctionSymbol) -> None:
        """A function that runs before each request, unless it is for responses."""
        call, scope = found.call, found.scope
        attached = [call.keyword("attach_to"), *call.positional[:2]]
        if any(isinstance(node, form.Const) and node.value == "response" for node in attached):
            return
        refused = refusal_of_strangers(function, self._project)
        guards = decorator_guards(found.decorators_of(function), scope, self._project)
        guards += [Guard(function.name, refused)] if refused is not None else []
        for given in expansions(call, scope, self._project) if guards else ():
            holder = self.holder(owner, scope, given)
            if holder is not None:
                known = self._hooks.setdefault(holder, [])
                known += [guard for guard in guards if guard not in known]
