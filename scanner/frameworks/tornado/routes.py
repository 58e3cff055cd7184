"""Tornado: the rules that applications and routers are given, and the routes that come of them
(https://www.tornadoweb.org/en/stable/web.html#application-configuration).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from assay.scanner.dataflow.asked import Asked
from assay.scanner.dataflow.constants import Given, string_value
from assay.scanner.dataflow.expansion import expansions, resolved
from assay.scanner.framework import Context, Framework, Route
from assay.scanner.frameworks.tornado.handlers import SOCKETS, STATIC_FILES, VERBS, answers_of, guards_of, kind_of
from assay.scanner.linker.project import last_part
from assay.scanner.linker.scopes import ClassSymbol, FunctionSymbol, Scope
from assay.scanner.linker.values import External, Instance, Literal, Value
from assay.scanner.model.endpoint import EndpointKind
from assay.scanner.readers.python import form
from assay.scanner.web.lists import Item, ListReader, spelled_out
from assay.scanner.web.options import option

_APPS = frozenset({"tornado.web.Application"})
_ROUTERS = frozenset({"tornado.routing.RuleRouter", "tornado.routing.ReversibleRuleRouter"})
_INITIALIZERS = frozenset(f"{name}.__init__" for name in _APPS | _ROUTERS)
_RULES = frozenset({"url", "URLSpec", "Rule"})
_PATTERNS = frozenset({"PathMatches", "compile"})
_TAKES_LISTS = {"add_handlers": 1, "add_rules": 0}


class _Routes:
    """The routes of one project."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._project = context.project
        self._lists = ListReader(context.project, self._unknown)

    def _unknown(self, node: form.Expr, scope: Scope) -> None:
        self._context.unresolved(scope.module.location(node), "which handlers are added here can't be told")

    def all(self) -> Iterator[Route]:
        seen = set[tuple[form.Expr, str, str]]()
        for listed, scope, given in self._rule_lists():
            for item in self._lists.items(listed, scope, given):
                for route in self._rule(item):
                    key = (item.node, route.path, f"{route.handler_name} {route.methods}")
                    if key not in seen:
                        seen.add(key)
                        yield route

    def _rule_lists(self) -> Iterator[tuple[form.Expr, Scope, Given]]:
        """The expressions that applications and routers take their rules from."""
        subclasses = {c.name for c in self._project.classes if self._project.is_subclass(c, *_APPS, *_ROUTERS)}
        names = {last_part(name) for name in _APPS | _ROUTERS} | subclasses | {"__init__", *_TAKES_LISTS}
        for call, scope in self._project.calls_named(*sorted(names)):
            position = self._position(call, scope)
            if position is None:
                continue
            listed = call.argument(position, "handlers") or call.keyword("rules") or call.keyword("host_handlers")
            stated = (listed, scope) if listed is not None else option(call, "handlers", scope, self._project)
            if stated is None and call.has_double_star:
                self._unknown(call, scope)
            for given in expansions(call, scope, self._project) if stated is not None else ():
                if stated is not None:
                    yield *stated, given

    def _position(self, call: form.Call, scope: Scope) -> int | None:
        """Which argument of a call holds rules; None where the call takes none."""
        callee = self._project.infer(call.func, scope)
        if isinstance(callee, ClassSymbol):
            takes_rules = self._project.is_subclass(callee, *_APPS, *_ROUTERS)
            return 0 if takes_rules and self._project.method(callee, "__init__") is None else None
        name = callee.name if isinstance(callee, External) else ""
        if name in _APPS or name in _ROUTERS:
            return 0
        if name in _INITIALIZERS:
            # `super().__init__(handlers)`, `Application.__init__(self, handlers)`
            return 0 if isinstance(call.func, form.Attr) and isinstance(call.func.value, form.Call) else 1
        method = last_part(name) or (call.func.attr if callee is None and isinstance(call.func, form.Attr) else "")
        return _TAKES_LISTS.get(method)

    # --- rules ---

    def _rule(self, item: Item, depth: int = 4) -> Iterator[Route]:
        """One rule: a tuple, `url(...)`, `Rule(...)`, or a name or function that stands for one of them."""
        match item.node:
            case form.Display(items=[matcher, target, *_]):
                yield from self._matched(matcher, target, item)
            case form.Call(func=func) as call if self._is_rule(func, item.scope):
                matched, leads_to = call.argument(0, "pattern"), call.argument(1, "handler")
                matched, leads_to = matched or call.keyword("matcher"), leads_to or call.keyword("target")
                if matched is not None and leads_to is not None:
                    yield from self._matched(matched, leads_to, item)
            case _:
                meanings = spelled_out(item, self._project) if depth else []
                if not meanings:
                    self._unknown(item.node, item.scope)
                for meaning in meanings:
                    yield from self._rule(meaning, depth - 1)

    def _is_rule(self, func: form.Expr, scope: Scope) -> bool:
        name = self._project.qualified_name(func, scope) or ""
        return name.startswith("tornado.") and last_part(name) in _RULES

    def _matched(self, matcher: form.Expr, target: form.Expr, item: Item) -> Iterator[Route]:
        """A handler class, a list of rules below a matcher, or another router, which has rules of its own."""
        value = self._target(target, item)
        if isinstance(value, ClassSymbol):
            path = self._path(matcher, item)
            if path is not None:
                yield from self._handled(path, value, item)
        elif isinstance(value, Literal) and isinstance(value.node, form.Display):
            for inner in self._lists.items(target, item.scope, item.given):
                yield from self._rule(inner)
        elif not isinstance(value, Instance | External):
            self._context.unresolved(item.scope.module.location(item.node), "the handler of this rule can't be told")

    def _target(self, target: form.Expr, item: Item) -> Value | None:
        """Also of the dotted name in a string."""
        text = string_value(target, item.scope, self._project, item.given)
        if text is None:
            return resolved(target, item.scope, self._project, item.given)
        module_name, _, name = text.rpartition(".")
        module = self._project.module_named(module_name, item.scope.module.path)
        return self._project.member(module, name) if module is not None else None

    def _path(self, matcher: form.Expr, item: Item) -> str | None:
        """The regular expression of the path, without the `$` that Tornado puts at the end of each."""
        pattern: form.Expr | None = matcher
        if isinstance(matcher, form.Call):
            name = self._project.qualified_name(matcher.func, item.scope) or ""
            if last_part(name) in _PATTERNS:
                pattern = matcher.argument(0, "path_pattern")
        found = string_value(pattern, item.scope, self._project, item.given) if pattern is not None else None
        if found is None:
            self._context.unresolved(item.scope.module.location(item.node), "the path of this rule can't be told")
        return found.removesuffix("$") if found is not None else None

    # --- handlers ---

    def _handled(self, path: str, cls: ClassSymbol, item: Item) -> Iterator[Route]:
        if self._project.is_subclass(cls, *STATIC_FILES):
            return
        if self._project.is_subclass(cls, *SOCKETS):
            opened = self._project.method(cls, "open") or self._project.method(cls, "on_message")
            yield self._route("GET", path, cls, opened, cls.id, item, EndpointKind.WEBSOCKET)
            return
        for verb in VERBS:
            method = self._project.method(cls, verb)
            if method is not None:
                yield self._route(verb.upper(), path, cls, method, f"{cls.id}.{verb}", item)

    def _route(
        self,
        verb: str,
        path: str,
        cls: ClassSymbol,
        method: FunctionSymbol | None,
        name: str,
        item: Item,
        kind: EndpointKind | None = None,
    ) -> Route:
        answers = answers_of(method, self._project) if method is not None else ()
        return Route(
            methods=(verb,),
            path=path,
            handler=method,
            handler_name=name,
            location=(method or cls).location,
            framework="tornado",
            role=item.scope.module.role,
            kind=kind or (kind_of(method, answers, self._project) if method is not None else None),
            guards=tuple(guards_of(cls, method, Asked(path, verb), self._project)),
            answers=answers,
            view_class=cls,
        )


def _routes(context: Context) -> Iterable[Route]:
    return _Routes(context).all()


TORNADO = Framework("Tornado", ("tornado",), routes=_routes, applications=_APPS)
