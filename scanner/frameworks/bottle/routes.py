"""Bottle: routes of its applications, the default one among them (https://bottlepy.org/docs/dev/api.html)."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

from assay.scanner.dataflow.asked import Asked
from assay.scanner.dataflow.constants import Given, one_or_many, string_value
from assay.scanner.dataflow.expansion import expansions
from assay.scanner.framework import Context, Framework, Route, Sited
from assay.scanner.frameworks.bottle.guards import GUARDS, hook_guards, plugin_guards
from assay.scanner.linker.project import last_name
from assay.scanner.linker.scopes import FunctionSymbol, Scope
from assay.scanner.model.endpoint import EndpointKind
from assay.scanner.readers.python import form
from assay.scanner.web.answers import kind_of_handler
from assay.scanner.web.applications import DEFAULT, Applications
from assay.scanner.web.guards import handler_guards
from assay.scanner.web.mounting import Mount, Mounts
from assay.scanner.web.registrations import Registration, registrations

_APP = "bottle.Bottle"
_DEFAULT_APPS = frozenset({"bottle.app", "bottle.default_app"})
_ADDING = {"route": "GET", "get": "GET", "post": "POST", "put": "PUT", "delete": "DELETE", "patch": "PATCH"}
_PAGES = [f"{engine}{name}" for engine in ("", "jinja2_", "mako_", "cheetah_") for name in ("template", "view")]
_KINDS = {"static_file": EndpointKind.FILE, "dumps": EndpointKind.JSON, **dict.fromkeys(_PAGES, EndpointKind.HTML)}


class _Routes:
    """The routes of one project, and what holds for all routes of an application."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._project = context.project
        self._apps = Applications(context.project, frozenset({_APP}), _DEFAULT_APPS)
        self._mounts = Mounts()
        self._hooks: dict[form.Call, list[FunctionSymbol]] = {}
        self._plugins: dict[form.Call, list[Sited]] = {}

    def all(self) -> Iterator[Route]:
        for call, scope in self._project.calls_named("mount", "merge"):
            self._mount(call, scope)
        for call, scope in self._project.calls_named("install"):
            for app, _ in self._apps_of(call, scope):
                self._plugins.setdefault(app, []).extend(Sited(arg.value, scope) for arg in call.args)
        for added in registrations(self._project, ("hook", "add_hook"), 1, "func"):
            for app, given in self._apps_of(added.call, added.scope):
                function = added.handled_by(self._project, given)
                moment = self._texts(added, 0, "name", given, otherwise=[])
                if isinstance(function, FunctionSymbol) and moment == ["before_request"]:
                    self._hooks.setdefault(app, []).append(function)
        for added in registrations(self._project, _ADDING, 2, "callback"):
            for app, given in self._apps_of(added.call, added.scope):
                yield from self._added(added, app, given)

    def _apps_of(self, call: form.Call, scope: Scope) -> Iterator[tuple[form.Call, Given]]:
        """What `app.route(...)` or `bottle.route(...)` acts on, for each meaning that the names in the call have."""
        callee = self._project.qualified_name(call.func, scope) or ""
        for given in expansions(call, scope, self._project):
            app = self._apps.of(call.func.value, scope, given) if isinstance(call.func, form.Attr) else None
            if callee.startswith("bottle.") and callee.count(".") == 1:
                yield DEFAULT, given
            elif app is not None:
                yield app, given
            elif callee.startswith(_APP):
                self._context.unresolved(scope.module.location(call), "which application this acts on can't be told")

    def _mount(self, call: form.Call, scope: Scope) -> None:
        """`app.mount(prefix, other)`, and `app.merge(other)`, which takes the other's routes as they are."""
        for parent, given in self._apps_of(call, scope):
            *before, mounted = call.positional or [call]
            child = self._apps.of(mounted, scope, given)
            prefix = string_value(before[0], scope, self._project, given) if before else ""
            if child is None or prefix is None:
                self._context.unresolved(scope.module.location(call), "what is mounted here, and where, can't be told")
                continue
            # Without a slash at the end, the other stays an application of its own, with its own hooks.
            is_separate = bool(prefix) and not prefix.endswith("/")
            self._mounts.add(Mount(parent, child, prefix.rstrip("/"), Sited(call, scope), given, is_separate))

    def _added(self, added: Registration, app: form.Call, given: Given) -> Iterator[Route]:
        handler = added.handled_by(self._project, given)
        function = handler if isinstance(handler, FunctionSymbol) else None
        by_signature = _rules_by_signature(function) if function is not None else []
        rules = self._texts(added, 0, "path", given, otherwise=by_signature)
        verbs = self._texts(added, 1, "method", given, otherwise=[_ADDING[last_name(added.call.func) or ""]])
        guards = [
            *plugin_guards(added, self._plugins.get(app, []), self._project),
            *handler_guards(added, function, self._project, GUARDS),
        ]
        for rule, chain, verb in product(rules, self._mounts.chains(app), verbs):
            prefix = "".join(mount.prefix for mount in chain)
            asked = Asked(f"{prefix}/{rule.lstrip('/')}" if prefix else rule, verb.upper())
            called = [chain[0].parent if chain else app, *(mount.child for mount in chain if mount.is_separate)]
            hooks = [hook for each in called for hook in self._hooks.get(each, ())]
            yield Route(
                methods=(asked.method,),
                path=asked.path,
                handler=function,
                handler_name=added.name_of(handler),
                location=(function or added).location,
                framework="bottle",
                role=added.scope.module.role,
                kind=kind_of_handler(function, self._project, _KINDS) if function is not None else None,
                guards=(*hook_guards(hooks, asked, self._project), *guards),
            )

    def _texts(self, added: Registration, index: int, name: str, given: Given, otherwise: list[str]) -> list[str]:
        """One string or several, as paths and methods are given."""
        node, scope = added.call.argument(index, name), added.scope
        if node is None:
            return otherwise
        found = [string_value(*item, self._project, given) for item in one_or_many(node, scope, self._project, given)]
        if None in found:
            self._context.unresolved(scope.module.location(node), f"this {name} can't be told")
        return [text for text in found if text is not None]


def _rules_by_signature(function: FunctionSymbol) -> list[str]:
    """What a route without a path is reached by: `b(x, y=5)` by `/b/<x>` and `/b/<x>/<y>`."""
    path = "/" + function.name.replace("__", "/").lstrip("/")
    rules = []
    for param in function.parameters:
        if param.default is not None:
            rules.append(path)
        path += f"/<{param.name}>"
    return [*rules, path]


BOTTLE = Framework(
    name="Bottle",
    packages=("bottle",),
    routes=lambda context: _Routes(context).all(),
    applications=frozenset({_APP, "bottle.run", *_DEFAULT_APPS}),
)
