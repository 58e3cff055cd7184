"""Connexion: routes come from OpenAPI documents, which name the functions that answer
(https://connexion.readthedocs.io/en/latest/routing.html).
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from assay.scanner.dataflow.constants import Given, definitions, string_value
from assay.scanner.dataflow.expansion import expansions, resolved
from assay.scanner.framework import Context, Framework, Guard, Route, Sited
from assay.scanner.frameworks.flask.apps import FlaskApps
from assay.scanner.frameworks.flask.operations import Resolver, element, is_collection, spelled
from assay.scanner.frameworks.flask.views import View, Views
from assay.scanner.linker.project import last_part
from assay.scanner.linker.scopes import ClassSymbol, FunctionSymbol, Module, Scope
from assay.scanner.linker.values import BoundMethod, Instance
from assay.scanner.model.endpoint import EndpointKind
from assay.scanner.readers.openapi import OpenApiFacts, Operation
from assay.scanner.readers.python import form

_APPS = frozenset({"connexion.FlaskApp", "connexion.App", "connexion.AsyncApp"})
_DOCUMENT = (".yaml", ".yml", ".json")
_AUTOMATIC = ("HEAD", "OPTIONS", "TRACE")
_DEEPEST = 4
"""Assignments that a document's name is looked for behind."""


@dataclass(frozen=True, slots=True)
class _Document:
    """A document, by its path in the tree."""

    path: str
    facts: OpenApiFacts


@dataclass(frozen=True, slots=True, eq=False)
class _Api:
    """A document that an app serves below `base`, where `site` adds it."""

    document: _Document
    base: str
    resolver: Resolver
    app: form.Call
    site: Sited


class _Apis:
    """The documents that one project's Connexion apps serve."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._project = context.project
        self._apps = FlaskApps(context)
        self._views = Views(context.project, self._apps.rate_limits)
        self._documents = {p: f for p, f in context.files.items() if isinstance(f, OpenApiFacts)}

    def all(self) -> Iterator[Route]:
        for call, scope in self._project.calls_named("add_api"):
            found = [self._api(call, scope, given) for given in expansions(call, scope, self._project)]
            apis = {(api.app, api.document.path, api.base): api for api in found if api is not None}
            for api in apis.values():
                for operation in api.document.facts.operations:
                    if operation.method not in _AUTOMATIC:
                        yield from self._routes(api, operation)

    def _api(self, call: form.Call, scope: Scope, given: Given) -> _Api | None:
        specification, stated = call.argument(0, "specification"), call.keyword("base_path")
        app = self._app(call.func.value, scope, given) if isinstance(call.func, form.Attr) else None
        if app is None or specification is None:
            return None
        document = self._document(specification, scope, app, given)
        if document is None:
            self._context.unresolved(scope.module.location(call), "which OpenAPI document is served can't be told")
            return None
        base = next(iter(document.facts.base_paths), "")
        known = string_value(stated, scope, self._project, given) if stated is not None else base
        if known is None:
            self._context.unresolved(scope.module.location(call), "the path in front of this document can't be told")
        return _Api(document, (known or "").rstrip("/"), self._resolver(call, scope, app), app, Sited(call, scope))

    def _app(self, node: form.Expr, scope: Scope, given: Given) -> form.Call | None:
        made = self._apps.holder(node, scope, given)
        return made if made is not None and self._apps.is_of(made, _APPS) else None

    # --- documents ---

    def _document(self, node: form.Expr, scope: Scope, app: form.Call, given: Given) -> _Document | None:
        """By its path; where a parser was given one (`ResolvingParser("api.yaml").specification`), by that."""
        name = string_value(node, scope, self._project, given) or self._named_inside(node, scope, _DEEPEST)
        if name is None:
            return None
        made = self._apps.made(app)
        folder = app.keyword("specification_dir")
        inner = string_value(folder, made.scope, self._project) if folder is not None and made.scope is not None else ""
        home = posixpath.dirname(made.scope.module.path) if made.scope is not None else ""
        for base in (home, ""):
            path = posixpath.normpath(posixpath.join(base, inner or "", name))
            if path in self._documents:
                return _Document(path, self._documents[path])
        alike = [p for p in self._documents if f"/{p}".endswith("/" + name.removeprefix("./").lstrip("/"))]
        return _Document(alike[0], self._documents[alike[0]]) if len(alike) == 1 else None

    def _named_inside(self, node: form.Expr, scope: Scope, depth: int) -> str | None:
        """The one file name of a document in what the expression is made of."""
        names = set[str]()
        for inner in form.walk(node):
            text = string_value(inner, scope, self._project) if isinstance(inner, form.Const | form.Name) else None
            if text is not None and text.endswith(_DOCUMENT):
                names.add(text)
            elif isinstance(inner, form.Name) and depth:
                behind = (self._named_inside(*d, depth - 1) for d in definitions(inner, scope, self._project))
                names |= {name for name in behind if name is not None}
        return names.pop() if len(names) == 1 else None

    # --- operations ---

    def _resolver(self, call: form.Call, scope: Scope, app: form.Call) -> Resolver:
        made = self._apps.made(app)
        for node, around in ((call.keyword("resolver"), scope), (app.keyword("resolver"), made.scope)):
            if node is None or around is None:
                continue
            value = resolved(node, around, self._project, {})
            if isinstance(value, Instance) and value.origin is not None and value.scope is not None:
                module = value.origin.argument(0, "default_module_name") or value.origin.keyword("root_path")
                named = value.origin.keyword("collection_endpoint_name")
                return Resolver(
                    last_part(value.type_name),
                    self._module_name(module, value.scope) if module is not None else "",
                    (string_value(named, value.scope, self._project) if named is not None else None) or "search",
                )
        return Resolver()

    def _module_name(self, node: form.Expr, scope: Scope) -> str:
        value = self._project.infer(node, scope)
        return value.name if isinstance(value, Module) else string_value(node, scope, self._project) or ""

    def _routes(self, api: _Api, operation: Operation) -> Iterator[Route]:
        name = api.resolver.function_of(operation)
        view = self._view(name, api.site.scope) if name is not None else None
        location = operation.span.at(api.document.path)
        if view is None:
            self._context.unresolved(location, f"the function of {operation.method} {operation.path} isn't in the tree")
            view = View(None, None, name or operation.operation_id or "unknown")
        answer = next((r.schema for r in operation.responses if r.status.startswith("2")), None)
        statuses = sorted(int(r.status) for r in operation.responses if r.status.isdigit())
        for placement in self._apps.placements(api.app):
            yield Route(
                methods=(operation.method,),
                path=api.base + operation.path,
                handler=view.function,
                handler_name=view.name,
                location=view.function.location if view.function is not None else location,
                framework="connexion",
                role=api.site.module.role,
                kind=EndpointKind.JSON,
                guards=(*placement.guards, *self._required(api.document, operation), *view.guards),
                unresolved_guards=placement.unresolved,
                rate_limits=self._apps.rate_limits.applying(view.throttling, placement.limits),
                tags=operation.tags,
                summary=operation.summary,
                is_deprecated=operation.deprecated,
                request_model=operation.request.name if operation.request is not None else None,
                response_model=spelled(answer),
                status_codes=tuple(statuses),
                returns_collection=is_collection(answer),
                collection=element(answer),
                paginators=view.paginators,
                view_class=view.cls,
                application=placement.application,
                steps=(*placement.steps, api.site),
            )

    def _view(self, name: str, scope: Scope) -> View | None:
        """The function, or the method of a class, by its dotted name."""
        owner, _, attribute = name.rpartition(".")
        found = self._project.module_named(owner, scope.module.path) if owner else None
        value = self._project.member(found, attribute) if found is not None else None
        if value is None and "." in owner:
            module_name, _, holder = owner.rpartition(".")
            module = self._project.module_named(module_name, scope.module.path)
            cls = self._project.member(module, holder) if module is not None else None
            cls = cls.cls if isinstance(cls, Instance) else cls
            value = self._project.method(cls, attribute) if isinstance(cls, ClassSymbol) else None
        function = value.function if isinstance(value, BoundMethod) else value
        return self._views.of_function(function, function.decorators) if isinstance(function, FunctionSymbol) else None

    def _required(self, document: _Document, operation: Operation) -> Iterator[Guard]:
        """The security schemes of the operation; none where one of the alternatives asks for nothing."""
        alternatives = document.facts.security_of(operation)
        if all(alternatives):
            for scheme in dict.fromkeys(name for alternative in alternatives for name in alternative):
                yield Guard(scheme, operation.span.evidence(document.path, f"the document asks for {scheme}"))


def _routes(context: Context) -> Iterable[Route]:
    return _Apis(context).all()


CONNEXION = Framework("Connexion", ("connexion",), routes=_routes)
