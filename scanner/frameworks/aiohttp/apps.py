"""aiohttp's applications and route tables: which is put into which, and the middleware that callers have to pass
(https://docs.aiohttp.org/en/stable/web_advanced.html).
"""

from __future__ import annotations

from collections.abc import Iterator

from assay.scanner.dataflow.asked import Asked
from assay.scanner.dataflow.constants import Given, constant, definitions, string_items, string_value
from assay.scanner.dataflow.expansion import expansions, resolved
from assay.scanner.dataflow.refusals.strangers import refusal_of_strangers
from assay.scanner.framework import Context, Guard, Sited
from assay.scanner.linker.project import Project, last_part
from assay.scanner.linker.scopes import FunctionSymbol, Scope
from assay.scanner.linker.values import BoundMethod, Instance, Value
from assay.scanner.readers.python import form
from assay.scanner.web.applications import Applications
from assay.scanner.web.lists import Item, ListReader
from assay.scanner.web.mounting import Mount, Mounts

APPS = frozenset({"aiohttp.web.Application", "aiohttp.web_app.Application"})
_TABLES = frozenset({"aiohttp.web.RouteTableDef", "aiohttp.web_routedef.RouteTableDef"})
_LIBRARY_MIDDLEWARE = {
    "aiohttp_jwt.JWTMiddleware": ("credentials_required", "whitelist"),
    "aiohttp_basicauth.BasicAuthMiddleware": ("force", "whitelist"),
}
"""Each with its arguments that turn it off, and that say what passes."""


class AiohttpApps:
    """All applications and route tables of a project. `listed` are the items of lists that they were given."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._project = context.project
        self._holders = Applications(context.project, APPS | _TABLES)
        self._mounts = Mounts()
        self._middleware: dict[form.Call, list[Item]] = {}
        self.listed: list[tuple[form.Call, Item]] = []
        for call, scope in self._project.calls_named("add_subapp"):
            self._add_subapp(call, scope)
        for call, scope in self._project.calls_named("add_routes"):
            self._add_routes(call, scope)
        self._find_middleware()

    # --- composition ---

    def holder(self, node: form.Expr, scope: Scope, given: Given) -> form.Call | None:
        """The application or route table that an expression (`app`, `app.router`) stands for."""
        if isinstance(node, form.Name):
            found = definitions(node, scope, self._project)
            if len(found) == 1 and isinstance(found[0][0], form.Attr) and found[0][0].attr == "router":
                return self.holder(*found[0], given)
        if isinstance(node, form.Attr) and node.attr == "router":
            return self.holder(node.value, scope, given)
        return self._holders.of(node, scope, given)

    def _is_table(self, holder: form.Call) -> bool:
        return self._holders[holder].type_name in _TABLES

    def _add_subapp(self, call: form.Call, scope: Scope) -> None:
        prefix, added = call.argument(0, "prefix"), call.argument(1, "subapp")
        for given in expansions(call, scope, self._project) if added is not None else ():
            parent = self.holder(call.func.value, scope, given) if isinstance(call.func, form.Attr) else None
            child = self.holder(added, scope, given) if added is not None else None
            text = string_value(prefix, scope, self._project, given) if prefix is not None else None
            if parent is None or child is None or text is None:
                self._context.unresolved(scope.module.location(call), "where this application is added can't be told")
            else:
                self._mounts.add(Mount(parent, child, text.rstrip("/"), Sited(call, scope), given, is_separate=True))

    def _add_routes(self, call: form.Call, scope: Scope) -> None:
        """`app.add_routes(routes)`: of a list, with route tables in it, or of a table."""
        added = call.argument(0, "routes")
        for given in expansions(call, scope, self._project) if added is not None else ():
            holder = self.holder(call.func.value, scope, given) if isinstance(call.func, form.Attr) else None
            if holder is None or added is None:
                continue
            table = self.holder(added, scope, given)
            if table is not None:
                self._mounts.add(Mount(holder, table, "", Sited(call, scope), given))
                continue
            self.listed += [(holder, item) for item in self._items(holder, added, scope, given)]

    def _items(self, holder: form.Call, listed: form.Expr, scope: Scope, given: Given) -> list[Item]:
        """The items of a list that a holder is given; what isn't a list in it may be a route table."""

        def add_table(node: form.Expr, inner: Scope) -> None:
            table = self.holder(node, inner, given)
            if table is not None and self._is_table(table):
                self._mounts.add(Mount(holder, table, "", Sited(listed, scope), given))
            else:
                self._context.unresolved(inner.module.location(node), "which routes are added here can't be told")

        return list(ListReader(self._project, add_table).items(listed, scope, given))

    def placements(self, holder: form.Call, site: Sited) -> Iterator[tuple[str, list[form.Call]]]:
        """The path in front of what the holder has, and the applications that a request passes, outermost first."""
        for chain in self._mounts.chains(holder):
            holders = [chain[0].parent, *(m.child for m in chain)] if chain else [holder]
            if self._is_table(holders[0]):
                self._context.unresolved(site.module.location(site.node), "no application takes this route table")
            yield "".join(m.prefix for m in chain), [h for h in holders if not self._is_table(h)]

    # --- middleware ---

    def _find_middleware(self) -> None:
        reader = ListReader(self._project, self._unknown_middleware)
        for app in self._holders:
            listed, scope = app.keyword("middlewares"), self._holders[app].scope
            if listed is not None and scope is not None:
                self._middleware.setdefault(app, []).extend(reader.items(listed, scope, {}))
        for call, scope in self._project.calls_named("append", "insert", "extend"):
            func, added = call.func, call.positional[-1:]
            # `app.middlewares.append(middleware)`
            if not isinstance(func, form.Attr) or not isinstance(func.value, form.Attr) or not added:
                continue
            for given in expansions(call, scope, self._project) if func.value.attr == "middlewares" else ():
                owner = self._holders.of(func.value.value, scope, given)
                if owner is not None:
                    item = Item(added[0], scope, given)
                    several = reader.items(added[0], scope, given) if func.attr == "extend" else [item]
                    self._middleware.setdefault(owner, []).extend(several)

    def _unknown_middleware(self, node: form.Expr, scope: Scope) -> None:
        self._context.unresolved(scope.module.location(node), "which middleware is installed here can't be told")

    def gates(self, holders: list[form.Call], asked: Asked) -> Iterator[Guard]:
        """The middleware of the applications that turns strangers away who ask for this."""
        for item in (item for holder in holders for item in self._middleware.get(holder, ())):
            value = resolved(item.node, item.scope, self._project, item.given)
            place = Sited(item.node, item.scope)
            if isinstance(value, Instance) and value.type_name in _LIBRARY_MIDDLEWARE:
                if self._is_asked(value, asked):
                    name = last_part(value.type_name)
                    yield Guard(name, place.module.evidence(place.node, f"{name} turns callers away"))
                continue
            for function in _runs(value, self._project):
                refused = refusal_of_strangers(function, self._project, asked)
                if refused is not None:
                    named = item.node.func if isinstance(item.node, form.Call) else item.node
                    yield Guard(form.dotted(named) or function.name, refused)
                    break

    def _is_asked(self, library: Instance, asked: Asked) -> bool:
        """Whether a library's middleware stops strangers who ask for this."""
        switch, opening = _LIBRARY_MIDDLEWARE[library.type_name]
        origin, scope = library.origin, library.scope
        if origin is None or scope is None:
            return True
        on, passes = origin.keyword(switch), origin.keyword(opening)
        known = constant(on, scope, self._project) if on is not None else None
        open_paths = string_items(passes, scope, self._project) if passes is not None else []
        return (known is None or known.value is not False) and asked.path not in open_paths


def _runs(value: Value | None, project: Project) -> Iterator[FunctionSymbol]:
    """What runs for a request: the middleware, the function inside it (the old style), or an object that is called."""
    if isinstance(value, Instance) and value.cls is not None:
        value = project.method(value.cls, "__call__") or project.method(value.cls, "middleware")
    function = value.function if isinstance(value, BoundMethod) else value
    if isinstance(function, FunctionSymbol):
        yield function
        for inner in function.module.functions:
            if inner.outer is function.scope:
                yield inner
