"""FastAPI's and Starlette's apps and routers: what is included in or mounted on what, and what it passes down
(https://fastapi.tiangolo.com/tutorial/bigger-applications/).
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

from assay.scanner.dataflow.constants import Given, definitions, list_items
from assay.scanner.dataflow.expansion import arguments, expansions, named_argument, resolved
from assay.scanner.framework import Context, Sited
from assay.scanner.frameworks.fastapi.dependencies import Closure, Dependencies
from assay.scanner.linker.project import last_name, last_part
from assay.scanner.linker.scopes import FunctionSymbol, Scope
from assay.scanner.linker.values import External, Instance, Value
from assay.scanner.readers.python import form
from assay.scanner.web.lists import Item
from assay.scanner.web.mounting import Mount, Mounts
from assay.scanner.web.paths import path_part
from assay.scanner.web.ready_made import ReadyMade, ready_made_router, ready_made_view, router_names

_APPS = frozenset({"fastapi.FastAPI", "starlette.applications.Starlette"})
_ROUTERS = frozenset(
    {
        "fastapi.APIRouter",
        "starlette.routing.Router",
        "fastapi_utils.inferring_router.InferringRouter",
        "fastapi_restful.inferring_router.InferringRouter",
    }
)
_MOUNT = "starlette.routing.Mount"
_FILES = ("StaticFiles",)
_DEEPEST_WRAPPER = 4


class FastApiApps:
    """All apps and routers of a project."""

    def __init__(self, context: Context, dependencies: Dependencies) -> None:
        self._context = context
        self._project = context.project
        self._dependencies = dependencies
        self._routers = _ROUTERS | router_names()
        self._mounts = Mounts()
        self._holders: dict[form.Call, Instance] = {}
        self._closures: dict[form.Call, Closure] = {}
        self.mounted_views: list[tuple[form.Call, str, Sited]] = []
        """Where apps that come from a library are mounted: on what, at which path, by which call."""
        self.wrapped_in: dict[form.Call, list[Sited]] = {}
        """The ASGI apps made around mounted ones, by what is mounted: calls of their classes."""
        self._find_holders()
        self._find_mounts()

    def _is(self, value: Value | None, names: frozenset[str] | None = None) -> bool:
        if not isinstance(value, Instance):
            return False
        names = names or _APPS | self._routers
        return value.type_name in names or (value.cls is not None and self._project.is_subclass(value.cls, *names))

    def holder(self, node: form.Expr, scope: Scope, given: Given) -> form.Call | None:
        """The app or router that an expression stands for, by the call that made it."""
        value = resolved(node, scope, self._project, given)
        if not self._is(value) and isinstance(node, form.Attr) and node.attr == "router":
            value = resolved(node.value, scope, self._project, given)
        if not isinstance(value, Instance) or not self._is(value):
            return None
        if value.origin is not None:
            self._holders.setdefault(value.origin, value)
            return value.origin
        if not self._is(value, _APPS):
            return None
        apps = [origin for origin, app in self._holders.items() if self._is(app, _APPS)]
        return apps[0] if len(apps) == 1 else None  # a parameter that only its annotation describes

    def route_lists(self) -> Iterator[tuple[form.Call, Sited]]:
        """Each `routes=[...]` that an app or router is made with; Starlette's take it by position too."""
        for origin, holder in list(self._holders.items()):
            place = {"starlette.applications.Starlette": 1, "starlette.routing.Router": 0}.get(holder.type_name)
            routes = origin.keyword("routes") if place is None else origin.argument(place, "routes")
            if routes is not None and holder.scope is not None:
                yield origin, Sited(routes, holder.scope)

    def ready_made_routers(self) -> Iterator[tuple[Instance, ReadyMade]]:
        """Each router that has routes from the library that it comes from."""
        for holder in list(self._holders.values()):
            made = ready_made_router(holder, self._project)
            if made is not None:
                yield holder, made

    def _find_holders(self) -> None:
        known = _APPS | self._routers
        names = {last_part(name) for name in known}
        names |= {cls.name for cls in self._project.classes if self._project.is_subclass(cls, *known)}
        for call, scope in self._project.calls_named(*names):
            self.holder(call, scope, {})

    def _find_mounts(self) -> None:
        for call, scope in self._project.calls_named("include_router", "mount", "host"):
            if not isinstance(call.func, form.Attr):
                continue
            for given in expansions(call, scope, self._project):
                parent = self.holder(call.func.value, scope, given)
                if parent is not None and call.func.attr == "include_router":
                    self._include(call, scope, parent, given)
                elif parent is not None:
                    is_mount = call.func.attr == "mount"  # a host says nothing about the path
                    path = self.text(call.argument(0, "path"), scope, given) if is_mount else ""
                    self.mount_app(path, call.argument(1, "app"), parent, Sited(call, scope), given)

    def _include(self, call: form.Call, scope: Scope, parent: form.Call, given: Given) -> None:
        router = call.argument(0, "router")
        if router is None:
            return
        child = self.holder(router, scope, given)
        children = [child] if child is not None else []
        value = resolved(router, scope, self._project, given) if child is None else None
        if child is None and value is None:
            children = self._by_attribute(router)
        if not children:
            self._context.unresolved(scope.module.location(call), _unread_router(value))
        stated = named_argument(call, "prefix", scope, self._project, given)
        prefix = self.text(*stated, given) if stated is not None else ""
        made_with = {**given, **self._factory_arguments(router, scope)}
        for child in children:
            self._mounts.add(Mount(parent, child, prefix, Sited(call, scope), made_with))

    def _factory_arguments(self, router: form.Expr, scope: Scope) -> Given:
        """What the function that makes the router was called with."""
        for node, node_scope in [(router, scope), *definitions(router, scope, self._project)]:
            callee = self._project.infer(node.func, node_scope) if isinstance(node, form.Call) else None
            if isinstance(node, form.Call) and isinstance(callee, FunctionSymbol):
                return arguments(node, node_scope, callee, self._project)
        return {}

    def _by_attribute(self, node: form.Expr) -> list[form.Call]:
        """Of an object whose class can't be told: the routers that classes of the project have under that name."""
        if not isinstance(node, form.Attr):
            return []
        bindings = [cls.own(node.attr)[-1] for cls in self._project.classes if cls.own(node.attr)]
        found = [self.holder(b.value, b.scope, {}) for b in bindings if b.value is not None]
        return [holder for holder in found if holder is not None]

    def mount_app(self, path: str, app: form.Expr | None, parent: form.Call, site: Sited, given: Given) -> None:
        """Note that an app answers below a path of another; static files are none of either's routes."""
        prefix = path.rstrip("/")
        child = self._below_wrappers(app, site.scope, given, _DEEPEST_WRAPPER) if app is not None else None
        if child is not None:
            self._mounts.add(Mount(parent, child, prefix, site, given, is_separate=True))
            return
        value = resolved(app, site.scope, self._project, given) if app is not None else None
        if app is not None and ready_made_view(value, self._project) is not None:
            self.mounted_views.append((parent, prefix, site))
        elif not (isinstance(value, Instance) and self._serves_files(value)):
            self._context.unresolved(site.module.location(site.node), f"the app mounted at {prefix or '/'} isn't read")

    def mount_list(self, path: str, parent: form.Call, site: Sited, given: Given) -> form.Call | None:
        """Note that `Mount(path, routes=[...])` itself holds routes below the path; what holds them is returned."""
        if not isinstance(site.node, form.Call):
            return None
        self._holders.setdefault(site.node, Instance(None, _MOUNT, site.node, site.scope))
        self._mounts.add(Mount(parent, site.node, path.rstrip("/"), site, given, is_separate=True))
        return site.node

    def _below_wrappers(self, app: form.Expr, scope: Scope, given: Given, depth: int) -> form.Call | None:
        """The app or router, also where another ASGI app was made around it: `SessionMiddleware(app, secret)`."""
        found = self.holder(app, scope, given)
        value = resolved(app, scope, self._project, given) if found is None and depth else None
        if not isinstance(value, Instance) or value.origin is None or value.scope is None:
            return found
        for argument in value.origin.args:
            inside = argument.value if argument.name in (None, "app", "other_asgi_app") else None
            child = self._below_wrappers(inside, value.scope, given, depth - 1) if inside is not None else None
            if child is not None:
                self.wrapped_in.setdefault(child, []).append(Sited(value.origin, value.scope))
                return child
        return None

    def _serves_files(self, app: Instance) -> bool:
        bases = self._project.base_names(app.cls) if app.cls is not None else {app.type_name}
        return any(name.endswith(_FILES) for name in bases)

    def text(self, node: form.Expr | None, scope: Scope, given: Given) -> str:
        """A path or prefix; what can't be computed is said and left out."""
        return path_part(node, scope, self._context, given)

    def chains(self, holder: form.Call) -> list[tuple[Mount, ...]]:
        """The ways from an app down to the holder; none where no app includes it, unless the project has no app."""
        return [
            chain
            for chain in self._mounts.chains(holder)
            if not self._has_app or self._is(self._holders[chain[0].parent if chain else holder], _APPS)
        ]

    @cached_property
    def _has_app(self) -> bool:
        return any(self._is(known, _APPS) for known in self._holders.values())

    def path(self, holders: list[form.Call], chain: tuple[Mount, ...], *, is_fastapi: bool) -> str:
        """All prefixes on the way down; a router's own is for FastAPI's routes, not for what Starlette adds to it."""
        path = ""
        for index, holder in enumerate(holders):
            below = chain[index] if index < len(chain) else None
            if is_fastapi if below is None else not below.is_separate:
                path += self._own_prefix(holder, chain[index - 1].given if index else {})
            path += below.prefix if below is not None else ""
        return path

    def application(self, holders: list[form.Call], chain: tuple[Mount, ...]) -> Sited | None:
        """The innermost app on the way down: what is mounted has a route table of its own."""
        separate = [mount.child for mount in chain if mount.is_separate]
        made = self._holders[separate[-1] if separate else holders[0]]
        return Sited(made.origin, made.scope) if made.origin is not None and made.scope is not None else None

    def stated(self, name: str, holders: list[form.Call], chain: tuple[Mount, ...], own: Item) -> list[Item]:
        """What apps, inclusions, routers and the registration itself say under the name, from the outside in."""
        found = [Item(*option) for option in self.options(holders[0], name)]
        for mount in chain:
            site = Item(mount.site.node, mount.site.scope, mount.given)
            found = [] if mount.is_separate else [*found, *self._argument(site, name)]
            inner = self.options(mount.child, name)
            found += [Item(node, scope, {**mount.given, **given}) for node, scope, given in inner]
        return [*found, *self._argument(own, name)]

    def _argument(self, site: Item, name: str) -> list[Item]:
        if not isinstance(site.node, form.Call):
            return []
        stated = named_argument(site.node, name, site.scope, self._project, site.given)
        return [Item(*stated, site.given)] if stated is not None else []

    def options(self, holder: form.Call, name: str) -> Iterator[tuple[form.Expr, Scope, Given]]:
        """What an app or router was made with, by its own arguments and those its class passes to the base's."""
        instance = self._holders[holder]
        assert instance.scope is not None
        own = holder.keyword(name)
        if own is not None:
            yield own, instance.scope, {}
        init = self._project.method(instance.cls, "__init__") if instance.cls is not None else None
        for node in init.walk() if init is not None else ():
            if init is None or not isinstance(node, form.Call) or last_name(node.func) != "__init__":
                continue
            passed = node.keyword(name)
            if passed is not None and not (own is not None and isinstance(passed, form.Name)):
                yield passed, init.scope, arguments(holder, instance.scope, init, self._project)

    def _own_prefix(self, holder: form.Call, made_with: Given) -> str:
        if self._is(self._holders[holder], _APPS):
            return ""  # FastAPI's `root_path` is a proxy's, and no part of its routes
        for node, scope, given in self.options(holder, "prefix"):
            return self.text(node, scope, {**made_with, **given})
        return ""

    def _of_class(self, instance: Instance) -> Closure:
        """Of what a project's own class of routers adds itself: `kwargs["dependencies"].append(Depends(...))`."""
        found = Closure()
        cls = instance.cls
        methods = [self._project.method(cls, name) for name in ("__init__", "add_api_route")] if cls is not None else []
        for method in (each for each in methods if each is not None):
            calls = [(node, method.scope) for node in method.walk() if isinstance(node, form.Call)]
            found |= self._dependencies.of_list(calls)
        return found

    def _of_holder(self, holder: form.Call) -> Closure:
        if holder not in self._closures:
            found = Closure()
            for node, scope, given in self.options(holder, "dependencies"):
                found |= self._dependencies.of_list(list_items(node, scope, self._project, given))
            if not found.guards:
                found |= self._of_class(self._holders[holder])
            self._closures[holder] = found
        return self._closures[holder]

    def inherited(self, holders: list[form.Call], chain: tuple[Mount, ...]) -> Closure:
        """What apps, inclusions and routers ask of all their routes; a mounted app inherits nothing."""
        found = self._of_holder(holders[0])
        for mount in chain:
            if mount.is_separate:
                found = Closure()
            else:
                found |= self.closure_of(Item(mount.site.node, mount.site.scope, mount.given))
            found |= self._of_holder(mount.child)
        return found

    def closure_of(self, site: Item) -> Closure:
        """Of the `dependencies=` of a registration or inclusion."""
        found = Closure()
        for listed in self._argument(site, "dependencies"):
            found |= self._dependencies.of_list(list_items(listed.node, listed.scope, self._project, listed.given))
        return found


def _unread_router(value: Value | None) -> str:
    """Why a router's routes are not listed."""
    name = value.name if isinstance(value, External) else value.type_name if isinstance(value, Instance) else ""
    if name:
        return f"the routes of the router from {name} come with the library and aren't listed"
    return "which router is included here can't be told"
