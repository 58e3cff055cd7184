"""The applications of a service, and whether a library describes each of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from assay.scanner.dataflow.constants import constant, definitions, list_items
from assay.scanner.framework import Sited
from assay.scanner.linker.project import Project, literal_item
from assay.scanner.model.description import DescriptionSource
from assay.scanner.model.place import Evidence, Location
from assay.scanner.model.role import Role
from assay.scanner.naming.apis import Api, ApiRoute
from assay.scanner.naming.places import registered_at
from assay.scanner.readers.python import form

_SWITCHES = {"fastapi": "openapi_url", "django-ninja": "openapi_url", "litestar": "openapi_config"}
"""Frameworks that describe their applications by themselves, with the argument that switches it off."""
_OFF_SWITCHES = {"APIFlask": "enable_openapi", "Api": "add_specs"}
"""Calls of APIFlask and of Flask-RESTX, with the argument that switches their description off."""
_CALLS = {"litestar": "Litestar"}
"""What makes an application whose routes don't say which they are of."""
_GENERATORS = frozenset({"drf_spectacular", "drf_yasg", "flask_smorest", "flask_restx", "flask_restplus", "flasgger",
    "apiflask", "apifairy", "apispec", "apispec_webframeworks", "flask_openapi3", "spectree", "flask_apispec",
    "flask_swagger", "flask_pydantic_spec", "flask_rebar", "flask_pydantic_openapi", "quart_schema", "aiohttp_apispec",
    "aiohttp_swagger", "aiohttp_swagger3", "aiohttp_pydantic", "sanic_ext", "sanic_openapi", "sanic_openapi3e",
    "falcon_apispec", "falcon_swagger_ui", "starlette_apispec", "pyramid_openapi3", "cornice_swagger",
    "tornado_swagger", "pydantic_openapi3", "chanfana", "ninja_schema", "swagger_ui", "flask_swagger_ui"})  # fmt: skip
"""Packages whose import shows that a description is made of the code, or a written one served."""
_EXPORTS = ("openapi", "get_openapi", "get_openapi_schema", "generate_schema", "SchemaGenerator", "get_schema_view",
    "generateschema")  # fmt: skip
"""Calls that make the document: FastAPI's, Ninja's, and those of Starlette and REST framework."""


@dataclass(frozen=True, slots=True, eq=False)
class Application:
    """Routes for programs that one description would be of. `made` is the call that makes it, where one does."""

    name: str
    root: str
    framework: str
    routes: tuple[ApiRoute, ...]
    made: Sited | None
    location: Location


def applications_of(api: Api) -> Iterator[Application]:
    """The applications of a service, by their calls; what has none is one for each framework."""
    found: dict[tuple[str, int], list[ApiRoute]] = {}
    for each in api.routes:
        made = each.route.application
        key = (made.module.path, made.node.start) if made is not None else (each.route.framework, -1)
        found.setdefault(key, []).append(each)
    names: dict[str, int] = {}
    for _, routes in sorted(found.items()):
        first = routes[0].route
        frameworks = {r.route.framework for r in routes}
        framework = next((name for name in _SWITCHES if name in frameworks), first.framework)
        made = first.application
        name = f"{made.module.name if made is not None else api.root or 'the service'} ({framework})"
        names[name] = names.get(name, 0) + 1
        if names[name] > 1:
            name += f" {names[name]}"
        place = made.module.location(made.node) if made is not None else min(registered_at(r.route) for r in routes)
        yield Application(name, api.root, framework, tuple(routes), made, place)


def generated(app: Application, project: Project) -> tuple[DescriptionSource, Evidence | None]:
    """What the framework, or a library, makes of the code."""
    source, said = DescriptionSource.NONE, _library(app.root, project)
    if app.framework in _SWITCHES:
        source = _by_switch(app, _SWITCHES[app.framework], project)
        said = Evidence(
            app.location, f"{app.framework} describes it" if source is _GENERATED else "this is what decides"
        )
    elif said is not None:
        off = _is_switched_off(app.root, project)
        source, said = (_GENERATED, said) if off is None else (DescriptionSource.SWITCHED_OFF, off)
    if source is not _GENERATED:
        exported = _export(app.root, project)
        if exported is not None:
            return DescriptionSource.EXPORTED, exported
    return source, said


_GENERATED = DescriptionSource.GENERATED


def _by_switch(app: Application, switch: str, project: Project) -> DescriptionSource:
    made = app.made or next((Sited(*call) for call in project.calls_named(_CALLS.get(app.framework, ""))), None)
    stated = _stated(made, switch, project) if made is not None else None
    if stated is None or made is None:
        return _GENERATED
    if isinstance(stated, form.Const):
        return DescriptionSource.SWITCHED_OFF if stated.value in (None, "") else _GENERATED
    known = constant(stated, made.scope, project)
    is_empty = known is not None and known.value in (None, "") and not isinstance(stated, form.Conditional)
    return DescriptionSource.CONFIGURED if is_empty else _GENERATED


def _stated(made: Sited, name: str, project: Project) -> form.Expr | None:
    """The argument, by name or in what `**options` stands for."""
    if not isinstance(made.node, form.Call):
        return None
    options = (arg.value for arg in made.node.args if arg.star == 2)
    known = (node for option in options for node, _ in definitions(option, made.scope, project))
    return made.node.keyword(name) or next((item for n in known if (item := literal_item(n, name)) is not None), None)


def _is_switched_off(root: str, project: Project) -> Evidence | None:
    """Whether a library that would describe the application is told not to."""
    inside = f"{root}/" if root else ""
    for name, switch in _OFF_SWITCHES.items():
        for call, scope in project.calls_named(name):
            stated = call.keyword(switch)
            if isinstance(stated, form.Const) and stated.value is False and scope.module.path.startswith(inside):
                return scope.module.evidence(stated, "this is what decides")
    return None


def _library(root: str, project: Project) -> Evidence | None:
    inside = f"{root}/" if root else ""
    for module in project.modules.values():
        if module.role is not Role.PROD or not module.path.startswith(inside):
            continue
        found = module.imported_packages & _GENERATORS
        if found:
            return Evidence(Location.whole_file(module.path), f"it uses {min(found)}")
        for binding in module.scope.bindings.get("INSTALLED_APPS", ()):
            for node, scope in list_items(binding.value, binding.scope, project) if binding.value is not None else ():
                if isinstance(node, form.Const) and str(node.value).partition(".")[0] in _GENERATORS:
                    return scope.module.evidence(node, f"it uses {node.value}")
    return None


def _export(root: str, project: Project) -> Evidence | None:
    inside = f"{root}/" if root else ""
    for call, scope in project.calls_named(*_EXPORTS):
        if scope.module.role in (Role.PROD, Role.TOOL, Role.DEV) and scope.module.path.startswith(inside):
            return scope.module.evidence(call, "the description is made here")
    return None
