"""Routers of Django REST framework: the patterns that `register()` makes.

https://www.django-rest-framework.org/api-guide/routers/
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TypeAlias
from weakref import WeakKeyDictionary

from assay.scanner.dataflow.constants import Given, list_items
from assay.scanner.dataflow.expansion import expansions, resolved
from assay.scanner.framework import Sited
from assay.scanner.frameworks.django.constants import Evaluator, definition
from assay.scanner.frameworks.django.rest_framework.viewsets import (
    STANDARD_ACTIONS,
    Action,
    action_named,
    extra_actions,
)
from assay.scanner.frameworks.django.urls import Mount
from assay.scanner.linker.project import Project, last_part
from assay.scanner.linker.scopes import ClassSymbol, Scope
from assay.scanner.linker.values import External, Instance
from assay.scanner.model.place import Location
from assay.scanner.readers.python import form

_DEFAULT_LOOKUP = "[^/.]+"
_DEEPEST = 5


@dataclass(frozen=True, slots=True, eq=False)
class Registered:
    """One verb of one pattern that a router makes for a viewset."""

    path: str
    verb: str
    viewset: ClassSymbol
    action: Action
    location: Location
    registered: Sited
    """The call of `register()`."""


@dataclass(frozen=True, slots=True, eq=False)
class _Registration:
    prefix: str
    viewset: ClassSymbol
    call: Sited

    @property
    def location(self) -> Location:
        return self.call.module.location(self.call.node)


@dataclass(frozen=True, slots=True, eq=False)
class _Call:
    """A call of `register()`, with what its names stand for in one turn of a loop or for one caller."""

    node: form.Call
    scope: Scope
    given: Given


@dataclass(frozen=True, slots=True)
class _Template:
    """One entry of a router's `routes`: a pattern, and a mapping of verbs to action names, None for a dynamic one."""

    url: str
    mapping: tuple[tuple[str, str], ...] | None
    detail: bool


_TEMPLATES = (
    _Template("^{prefix}{trailing_slash}$", (("get", "list"), ("post", "create")), False),
    _Template("^{prefix}/{url_path}{trailing_slash}$", None, False),
    _Template(
        "^{prefix}/{lookup}{trailing_slash}$",
        (("get", "retrieve"), ("put", "update"), ("patch", "partial_update"), ("delete", "destroy")),
        True,
    ),
    _Template("^{prefix}/{lookup}/{url_path}{trailing_slash}$", None, True),
)
_BULK = (("put", "bulk_update"), ("patch", "partial_bulk_update"), ("delete", "bulk_destroy"))


def is_router(value: object, project: Project) -> bool:
    """Whether the value is a router, of the library or derived from one."""
    if not isinstance(value, Instance):
        return False
    names = project.base_names(value.cls) if value.cls is not None else {value.type_name}
    return any(last_part(n).endswith("Router") and n.startswith("rest_framework") for n in names)


class Router:
    """A router by the call that made it, and what is registered on it in the whole project."""

    def __init__(self, instance: Instance, project: Project, evaluator: Evaluator) -> None:
        self._instance = instance
        self._project = project
        self._evaluator = evaluator
        self._parent: Router | None = None
        self.unresolved: list[Location] = []
        """Where something is registered, or routes are made, that only run time tells."""

    def patterns(self, prefix: str) -> Iterator[Registered]:
        """Everything the router serves, its patterns put behind `prefix`."""
        slash, is_regex = self._trailing_slash(), self._is_regex()
        nested = self._nested_prefix(0)
        self._note_own_routes()
        templates = list(self._templates())
        for registration in self.registrations(0):
            lookup = self.lookup(registration.viewset)
            for template in templates:
                for url_path, mapping in self._mappings(template, registration.viewset):
                    path = template.url.replace("{prefix}", nested + registration.prefix)
                    path = path.replace("{lookup}", lookup).replace("{trailing_slash}", slash)
                    path = path.replace("{url_path}", url_path)
                    if path.startswith("^/"):
                        path = "^" + path[2:]
                    if not is_regex:
                        path = path.removeprefix("^").removesuffix("$")
                    for verb, action in mapping.items():
                        made = (verb.upper(), registration.viewset, action, registration.location)
                        yield Registered(prefix + path, *made, registration.call)

    def _mappings(self, template: _Template, viewset: ClassSymbol) -> Iterator[tuple[str, dict[str, Action]]]:
        if template.mapping is not None:
            found = {verb: action_named(viewset, name, self._project) for verb, name in template.mapping}
            yield "", {verb: action for verb, action in found.items() if action is not None}
            return
        for extra in extra_actions(viewset, self._project):
            is_standard = any(a.name in STANDARD_ACTIONS for a in extra.mapping.values())
            if extra.detail == template.detail and not is_standard:
                yield extra.url_path, extra.mapping

    def lookup(self, viewset: ClassSymbol, before: str = "") -> str:
        """The pattern of the part of the path that names one object."""
        field = self._text(viewset, "lookup_field") or "pk"
        name = self._text(viewset, "lookup_url_kwarg") or field
        if not self._is_regex():
            return f"<{self._text(viewset, 'lookup_value_converter') or 'str'}:{before}{name}>"
        pattern = self._text(viewset, "lookup_value_regex") or _DEFAULT_LOOKUP
        return f"(?P<{before}{name}>{pattern})"

    def _is_regex(self) -> bool:
        given = self._instance.origin.keyword("use_regex_path") if self._instance.origin is not None else None
        return not (isinstance(given, form.Const) and given.value is False)

    def _text(self, cls: ClassSymbol, attribute: str) -> str | None:
        found = self._project.class_attribute(cls, attribute)
        return self._evaluator.text(Sited(*found)) if found is not None else None

    # --- what is registered ---

    def _is_this(self, node: form.Expr, binding_scope: Sited) -> bool:
        value = self._project.infer(node, binding_scope.scope)
        return isinstance(value, Instance) and value.origin is not None and value.origin is self._instance.origin

    def registrations(self, depth: int) -> Iterator[_Registration]:
        """Every `register()` on this router, and those on routers whose registry it takes over."""
        origin = self._instance.origin
        for added in _additions(self._project).get(origin, ()) if origin is not None else ():
            if isinstance(added, _Call):
                yield from self._registered_by(added)
            elif depth < _DEEPEST:
                yield from Router(added, self._project, self._evaluator).registrations(depth + 1)

    def _registered_by(self, register: _Call) -> Iterator[_Registration]:
        prefix, viewset = self._argument(register, 0, "prefix"), self._argument(register, 1, "viewset")
        location = register.scope.module.location(register.node)
        text = self._evaluator.text(prefix, register.given) if prefix is not None else None
        viewset_at = definition(viewset, self._project, register.given) if viewset is not None else None
        cls = self._project.infer(viewset_at.node, viewset_at.scope) if viewset_at is not None else None
        if text is not None and isinstance(cls, ClassSymbol):
            yield _Registration(text, cls, Sited(register.node, register.scope))
        elif not isinstance(cls, External):
            self.unresolved.append(location)

    def _argument(self, register: _Call, place: int, name: str) -> Sited | None:
        """The argument in that place, be it among those of `register(*item)`."""
        in_order: list[tuple[form.Expr, Scope]] = []
        for arg in register.node.args:
            if arg.name == name:
                return Sited(arg.value, register.scope)
            if arg.star:
                in_order += list_items(arg.value, register.scope, self._project, register.given)
            elif arg.name is None:
                in_order.append((arg.value, register.scope))
        return Sited(*in_order[place]) if place < len(in_order) else None

    # --- how it is set up ---

    def _note_own_routes(self) -> None:
        """A project's router that works its routes out in code may make others than the usual ones."""
        cls = self._instance.cls
        for name in ("get_routes", "get_urls", "urls") if cls is not None else ():
            method = self._project.method(cls, name) if cls is not None else None
            if method is not None:
                self.unresolved.append(method.location)

    def _trailing_slash(self) -> str:
        origin, scope = self._instance.origin, self._instance.scope
        if origin is not None and scope is not None and (given := origin.keyword("trailing_slash")) is not None:
            value = self._evaluator.constant(Sited(given, scope))
            return value if isinstance(value, str) else "/" if value else ""
        cls = self._instance.cls
        if cls is not None:
            stated = self._project.class_attribute(cls, "trailing_slash")
            assigned = self._project.instance_attributes(cls, "trailing_slash")
            for expression in [*assigned, *([stated] if stated is not None else [])]:
                text = self._evaluator.text(Sited(*expression))
                if text is not None:
                    return text
        return "/"

    def _nested_prefix(self, depth: int) -> str:
        """drf-nested-routers: `NestedSimpleRouter(parent, "domains", lookup="domain")`."""
        origin, scope = self._instance.origin, self._instance.scope
        if origin is None or scope is None or "Nested" not in self._instance.type_name or depth > _DEEPEST:
            return ""
        parent_node, prefix = origin.argument(0, "parent_router"), origin.argument(1, "parent_prefix")
        lookup = origin.argument(2, "lookup")
        if parent_node is None or prefix is None:
            return ""
        value = self._project.infer(parent_node, scope)
        text = self._evaluator.text(Sited(prefix, scope))
        if not isinstance(value, Instance) or text is None:
            return ""
        parent = Router(value, self._project, self._evaluator)
        before = (self._evaluator.text(Sited(lookup, scope)) if lookup is not None else "nested") or ""
        viewset = next((r.viewset for r in parent.registrations(depth + 1) if r.prefix == text), None)
        one = parent.lookup(viewset, f"{before}_") if viewset is not None else f"(?P<{before}_pk>{_DEFAULT_LOOKUP})"
        return f"{parent._nested_prefix(depth + 1)}{text}/{one}/"

    def _templates(self) -> Iterator[_Template]:
        cls = self._instance.cls
        templates: list[_Template] = list(_TEMPLATES)
        if cls is not None:
            stated = self._project.class_attribute(cls, "routes")
            own = list(_own_templates(Sited(*stated))) if stated is not None else []
            templates = own or templates
            for index, added in self._mapping_updates(cls):
                if index < len(templates) and templates[index].mapping is not None:
                    merged = {**dict(templates[index].mapping or ()), **dict(added)}
                    templates[index] = replace(templates[index], mapping=tuple(merged.items()))
        names = self._project.base_names(cls) if cls is not None else {self._instance.type_name}
        if any(last_part(n) == "BulkRouter" for n in names):
            templates[0] = replace(templates[0], mapping=(*(templates[0].mapping or ()), *_BULK))
        yield from templates

    def _mapping_updates(self, cls: ClassSymbol) -> Iterator[tuple[int, tuple[tuple[str, str], ...]]]:
        """`self.routes[0].mapping.update({...})` in methods of a project's router."""
        for base in self._project.mro(cls):
            if not isinstance(base, ClassSymbol):
                continue
            for method in base.methods.values():
                for node in method.walk():
                    if not isinstance(node, form.Call) or not isinstance(node.func, form.Attr):
                        continue
                    owner = node.func.value
                    if node.func.attr == "update" and isinstance(owner, form.Attr) and owner.attr == "mapping":
                        index = owner.value.index if isinstance(owner.value, form.Subscript) else None
                        given = node.positional[0] if node.positional else None
                        match index, given:
                            case form.Const(value=int() as place), form.Dict():
                                yield place, _string_pairs(given)

    def root_view(self, mount: Mount) -> ClassSymbol | None:
        """The project's own class for the router's index page; the library's own page is left out."""
        cls = self._instance.cls
        if cls is not None:
            stated = self._project.class_attribute(cls, "APIRootView")
            value = self._project.infer(*stated) if stated is not None else None
            if isinstance(value, ClassSymbol):
                return value
        scope = self._instance.scope
        for module in {mount.owner.module, scope.module if scope is not None else mount.owner.module}:
            for node in form.walk_body(module.facts.body):
                if not isinstance(node, form.Assign) or node.value is None:
                    continue
                for target in node.targets:
                    if not isinstance(target, form.Attr) or target.attr != "APIRootView":
                        continue
                    if self._is_this(target.value, Sited(target, module.scope)):
                        value = self._project.infer(node.value, module.scope)
                        return value if isinstance(value, ClassSymbol) else None
        return None


def _own_templates(routes: Sited) -> Iterator[_Template]:
    if not isinstance(routes.node, form.Display):
        return
    for item in routes.node.items:
        if not isinstance(item, form.Call):
            continue
        url, detail = item.keyword("url"), item.keyword("detail")
        mapping = item.keyword("mapping")
        if isinstance(url, form.Const) and isinstance(url.value, str):
            pairs = _string_pairs(mapping) if isinstance(mapping, form.Dict) else None
            is_detail = detail.value is True if isinstance(detail, form.Const) else "{lookup}" in url.value
            yield _Template(url.value, pairs, is_detail)


def _string_pairs(node: form.Dict) -> tuple[tuple[str, str], ...]:
    return tuple(
        (key.value, value.value)
        for key, value in zip(node.keys, node.values, strict=True)
        if isinstance(key, form.Const) and isinstance(key.value, str)
        and isinstance(value, form.Const) and isinstance(value.value, str)
    )  # fmt: skip


_Additions: TypeAlias = dict[form.Call, list[_Call | Instance]]
_REMEMBERED: WeakKeyDictionary[Project, _Additions] = WeakKeyDictionary()


def _additions(project: Project) -> _Additions:
    """What every router is given, by the call that made it: viewsets by `register()`, and other routers' registries.

    Loops and functions around the calls are run through.
    """
    if project not in _REMEMBERED:
        found = _REMEMBERED[project] = {}
        for call, scope in project.calls_named("register", "extend"):
            other: form.Expr | None
            match call:
                case form.Call(func=form.Attr(value=owner, attr="register")):
                    other = None
                case form.Call(
                    func=form.Attr(value=form.Attr(value=owner, attr="registry")),
                    args=[form.Arg(value=form.Attr(value=other, attr="registry"))],
                ):
                    pass
                case _:
                    continue
            for given in expansions(call, scope, project):
                router = resolved(owner, scope, project, given)
                added = _Call(call, scope, given) if other is None else resolved(other, scope, project, given)
                if isinstance(router, Instance) and router.origin is not None and isinstance(added, _Call | Instance):
                    found.setdefault(router.origin, []).append(added)
    return _REMEMBERED[project]
