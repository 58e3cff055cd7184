"""Class-based views of FastAPI: the libraries that make routes of a class's methods by their names
(https://fastapi-utils.davidmontague.xyz/user-guide/class-based-views/, https://github.com/yezz123/fastapi-class).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from assay.scanner.dataflow.constants import string_items
from assay.scanner.linker.project import Project, last_name, last_part
from assay.scanner.linker.scopes import ClassSymbol, FunctionSymbol, Scope
from assay.scanner.linker.values import External, Instance
from assay.scanner.readers.python import form

_VERBS = ("get", "post", "put", "patch", "delete")
_CBV = ("fastapi_utils.", "fastapi_restful.")
_CLASS = "fastapi_class."


@dataclass(frozen=True, slots=True, eq=False)
class ViewMethod:
    """A method that a library puts on `router`.

    `call` is what names the router, in `scope`. `path` is None for the root, `options` is the call that has the route's
    options; both stand in `path_scope`.
    """

    cls: ClassSymbol
    method: FunctionSymbol
    methods: tuple[str, ...]
    router: form.Expr
    call: form.Call
    scope: Scope
    path: form.Expr | None
    path_scope: Scope
    options: form.Call


class ClassViews:
    """The class-based views of one project, but for methods that bear `@router.get(...)` themselves."""

    def __init__(self, project: Project) -> None:
        self._project = project

    def all(self) -> Iterator[ViewMethod]:
        decorated = {d: cls for cls in self._project.classes for d in cls.node.decorators}
        for call, scope in self._project.calls_named("cbv", "View", "add_resource"):
            name = self._project.callee_name(call, scope) or ""
            cls = decorated.get(call)
            if cls is not None and call.positional and name.startswith(_CBV):
                yield from self._by_verb(cls, call, call.positional[0], call.positional[1:], scope)
            elif cls is not None and name.startswith(_CLASS):
                yield from self._of_fastapi_class(cls, call, scope)
            elif last_part(name) == "add_resource" and name.startswith(_CBV):
                yield from self._resource(call, scope)

    def _by_verb(
        self, cls: ClassSymbol, call: form.Call, router: form.Expr, paths: list[form.Expr], scope: Scope
    ) -> Iterator[ViewMethod]:
        """`@cbv(router, "/path")`: each method that bears a verb's name."""
        for path in paths:
            for verb in _VERBS:
                method = self._project.method(cls, verb)
                if method is not None:
                    yield ViewMethod(cls, method, (verb.upper(),), router, call, scope, path, scope, call)

    def _resource(self, call: form.Call, scope: Scope) -> Iterator[ViewMethod]:
        """`api = Api(app)`, `api.add_resource(Users(), "/users")`."""
        api = self._project.infer(call.func.value, scope) if isinstance(call.func, form.Attr) else None
        resource = self._project.infer(call.positional[0], scope) if call.positional else None
        app = api.origin.argument(0, "app") if isinstance(api, Instance) and api.origin is not None else None
        if isinstance(resource, Instance) and resource.cls is not None and app is not None:
            owner = api.scope if isinstance(api, Instance) and api.scope is not None else scope
            for found in self._by_verb(resource.cls, call, app, call.positional[1:], scope):
                yield ViewMethod(
                    found.cls, found.method, found.methods, app, call, owner, found.path, scope, found.options
                )

    def _of_fastapi_class(self, cls: ClassSymbol, call: form.Call, scope: Scope) -> Iterator[ViewMethod]:
        """`@View(router, path="/")`: methods by their verbs' names, and those that bear `@endpoint`."""
        if not call.positional:
            return
        for method in cls.methods.values():
            endpoint = next((d for d in method.decorators if self._is_endpoint(d, method.outer)), None)
            if endpoint is None and method.name not in _VERBS:
                continue
            options = endpoint if isinstance(endpoint, form.Call) else call
            own = options.keyword("path") if options is not call else None
            path, path_scope = (own, method.outer) if own is not None else (call.keyword("path"), scope)
            methods = self._methods(endpoint, method)
            yield ViewMethod(cls, method, methods, call.positional[0], call, scope, path, path_scope, options)

    def _is_endpoint(self, decorator: form.Expr, scope: Scope) -> bool:
        callee = decorator.func if isinstance(decorator, form.Call) else decorator
        value = self._project.infer(callee, scope)
        return isinstance(value, External) and value.name.startswith(_CLASS) and last_name(callee) == "endpoint"

    def _methods(self, endpoint: form.Expr | None, method: FunctionSymbol) -> tuple[str, ...]:
        listed = endpoint.argument(0, "methods") if isinstance(endpoint, form.Call) else None
        found = string_items(listed, method.outer, self._project) if listed is not None else [method.name]
        return tuple(name.upper() for name in found if name is not None)
