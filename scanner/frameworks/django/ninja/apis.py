"""Django Ninja's APIs and routers: which URLconf serves an API, which router is added to what, and what they say for
all operations below (https://django-ninja.dev/guides/routers/).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from assay.scanner.dataflow.constants import Given, list_items, string_value
from assay.scanner.dataflow.expansion import arguments, expansions, resolved
from assay.scanner.framework import Context, Sited
from assay.scanner.frameworks.django import urls
from assay.scanner.linker.project import last_name
from assay.scanner.linker.scopes import ClassSymbol, Scope
from assay.scanner.linker.values import External, Instance
from assay.scanner.readers.python import form
from assay.scanner.web.applications import Applications
from assay.scanner.web.mounting import Mount, Mounts
from assay.scanner.web.paths import path_part

APIS = frozenset(
    {"ninja.NinjaAPI", "ninja.main.NinjaAPI", "ninja_extra.NinjaExtraAPI", "ninja_extra.main.NinjaExtraAPI"}
)
PAGINATED_ROUTERS = frozenset({"ninja.pagination.RouterPaginated", "ninja_extra.pagination.RouterPaginated"})
_ROUTERS = frozenset({"ninja.Router", "ninja.router.Router", "ninja_extra.Router", "ninja_extra.router.Router"})
CONTROLLERS = ("ninja_extra.api_controller", "ninja_extra.controllers.api_controller")
_UNSET = "NOT_SET"


@dataclass(frozen=True, slots=True, eq=False)
class Level:
    """A call whose keywords hold for all that is below: an operation, an inclusion, a router, an API."""

    call: form.Call
    scope: Scope
    given: Given

    def stated(self, name: str) -> Sited | None:
        """The keyword's value; None where it is left unset. A parameter stands for what it was given."""
        value, scope = self.call.keyword(name), self.scope
        bindings = scope.lookup(value.id) if isinstance(value, form.Name) else []
        if isinstance(value, form.Name) and bindings:
            value, scope = self.given.get((bindings[0].scope, value.id), (value, scope))
        return Sited(value, scope) if value is not None and last_name(value) != _UNSET else None


@dataclass(frozen=True, slots=True, eq=False)
class Place:
    """One way to reach the operations of an API, router or controller: `prefix` is all of the path in front of theirs;
    `levels` are those above them, nearest first.
    """

    prefix: str
    served: urls.Mount
    levels: tuple[Level, ...]
    inclusions: tuple[Level, ...] = ()
    """Those among the levels that add one router to another, nearest first."""
    api: Sited | None = None

    @property
    def steps(self) -> tuple[Sited, ...]:
        """The calls that lead there from the site's URLconf."""
        return (*self.served.steps, *(Sited(level.call, level.scope) for level in reversed(self.inclusions)))

    def path(self, own: str) -> str:
        """Where an operation answers, joined as `Router.urls_paths` does."""
        joined = "/".join(part for part in (self.prefix, own) if part)
        while "//" in joined:
            joined = joined.replace("//", "/")
        return self.served.prefix + joined.lstrip("/").replace("{", "<").replace("}", ">")


class NinjaApis:
    """All APIs, routers and controllers of a project."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._project = context.project
        self._made = Applications(self._project, APIS | _ROUTERS | PAGINATED_ROUTERS)
        self._mounts = Mounts()
        self._served: dict[form.Call, list[urls.Mount]] = {}
        self._find_served()
        self._find_inclusions()
        self._find_controllers()

    def holder(self, node: form.Expr, scope: Scope, given: Given) -> form.Call | None:
        """The API or router that an expression, or the dotted name in it, stands for: by the call that made it."""
        found = self._made.of(node, scope, given)
        text = string_value(node, scope, self._project, given) if found is None else None
        if text is not None:
            module_name, _, name = text.rpartition(".")
            module = self._project.module_named(module_name, scope.module.path)
            value = self._project.member(module, name) if module is not None else None
            if isinstance(value, Instance) and self._made.is_one(value):
                return value.origin
        return found

    def _maker(self, holder: form.Call) -> Instance | None:
        """The API or router; None for a controller, which is known by its decorator."""
        return next((self._made[call] for call in self._made if call is holder), None)

    def paginates(self, holder: form.Call) -> bool:
        """Whether it is a `RouterPaginated`."""
        made = self._maker(holder)
        names = {made.type_name} if made is not None else set()
        if made is not None and made.cls is not None:
            names |= self._project.base_names(made.cls)
        return not names.isdisjoint(PAGINATED_ROUTERS)

    def _is_of_library(self, router: form.Expr, scope: Scope, given: Given) -> bool:
        """A router that no code of the project makes, by itself or by its dotted name."""
        text = string_value(router, scope, self._project, given)
        if text is not None:
            return self._project.module_named(text.partition(".")[0], scope.module.path) is None
        return isinstance(resolved(router, scope, self._project, given), External)

    # --- what is served where ---

    def _find_served(self) -> None:
        """The APIs whose `urls` are in a URLconf."""
        for mount in urls.urlconf(self._project).mounts:
            api = self._made.of(mount.owner.node, mount.owner.scope, {})
            if api is not None:
                self._served.setdefault(api, []).append(mount)

    def _find_inclusions(self) -> None:
        for call, scope in self._project.calls_named("add_router"):
            added = call.argument(1, "router")
            if not isinstance(call.func, form.Attr) or added is None:
                continue
            for given in expansions(call, scope, self._project):
                parent = self.holder(call.func.value, scope, given)
                child = self.holder(added, scope, given)
                if parent is not None and child is None and self._is_of_library(added, scope, given):
                    continue
                if parent is None or child is None:
                    self._context.unresolved(scope.module.location(call), "which router goes where can't be told")
                    continue
                prefix = self.text(call.argument(0, "prefix"), scope, given)
                self._mounts.add(Mount(parent, child, prefix, Sited(call, scope), given))

    def _find_controllers(self) -> None:
        """`api.register_controllers(A, B)`; `api.auto_discover_controllers()` takes all there are."""
        for call, scope in self._project.calls_named("register_controllers", "auto_discover_controllers"):
            owner = call.func.value if isinstance(call.func, form.Attr) else None
            for given in expansions(call, scope, self._project) if owner is not None else ():
                api = self.holder(owner, scope, given) if owner is not None else None
                for cls in self._controllers(call, scope, given) if api is not None else ():
                    controller = self.controller(cls)
                    if api is not None and controller is not None:
                        prefix = self.text(controller.argument(0, "prefix_or_class"), cls.outer, {})
                        self._mounts.add(Mount(api, controller, prefix, Sited(call, scope), given))

    def _controllers(self, call: form.Call, scope: Scope, given: Given) -> Iterator[ClassSymbol]:
        if last_name(call.func) == "auto_discover_controllers":
            yield from self._project.classes
        for arg in call.args:
            listed = list_items(arg.value, scope, self._project, given) if arg.star else [(arg.value, scope)]
            for value in (self._project.infer(*item) for item in listed):
                if isinstance(value, ClassSymbol):
                    yield value

    def controller(self, cls: ClassSymbol) -> form.Call | None:
        """The `@api_controller(...)` on a class."""
        for decorator in cls.node.decorators:
            callee = decorator.func if isinstance(decorator, form.Call) else decorator
            if self._project.qualified_name(callee, cls.outer) in CONTROLLERS and isinstance(decorator, form.Call):
                return decorator
        return None

    def text(self, node: form.Expr | None, scope: Scope, given: Given) -> str:
        """A path or prefix; what can't be computed is said and left out."""
        return path_part(node, scope, self._context, given)

    # --- the ways down ---

    def places(self, holder: form.Call, scope: Scope) -> Iterator[Place]:
        """Every way in which requests reach the holder's operations. `scope` is where the holder is made."""
        for chain in self._mounts.chains(holder):
            api = chain[0].parent if chain else holder
            for served in self._served.get(api, ()):
                prefix, inclusions = "", list[Level]()
                levels = self._levels(api, self._scope_of(api, scope), {})
                for mount in chain:
                    prefix = "/".join(part for part in (prefix, mount.prefix) if part)
                    assert isinstance(mount.site.node, form.Call)
                    inclusion = Level(mount.site.node, mount.site.scope, mount.given)
                    inclusions.insert(0, inclusion)
                    own = self._levels(mount.child, self._scope_of(mount.child, scope), mount.given)
                    levels = [inclusion, *own, *levels]
                made = Sited(api, self._scope_of(api, scope))
                yield Place(prefix, served, tuple(levels), tuple(inclusions), made)

    def _scope_of(self, holder: form.Call, default: Scope) -> Scope:
        made = self._maker(holder)
        return made.scope if made is not None and made.scope is not None else default

    def _levels(self, holder: form.Call, scope: Scope, given: Given) -> list[Level]:
        """The call that makes it, then what its class passes to the library's."""
        made = self._maker(holder)
        init = self._project.method(made.cls, "__init__") if made is not None and made.cls is not None else None
        if init is None:
            return [Level(holder, scope, given)]
        passed = (n for n in init.walk() if isinstance(n, form.Call) and last_name(n.func) == "__init__")
        inside = arguments(holder, scope, init, self._project)
        return [Level(holder, scope, given), *(Level(call, init.scope, inside) for call in passed)]
