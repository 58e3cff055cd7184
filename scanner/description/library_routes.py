"""Where libraries answer: their views and routers, put into the application under a path of the project's."""

from __future__ import annotations

from collections.abc import Iterator

from assay.scanner.linker.project import Project, last_name, last_part
from assay.scanner.linker.remembered import remembered
from assay.scanner.linker.scopes import ClassSymbol, Scope
from assay.scanner.linker.values import External, Instance, Value
from assay.scanner.model.place import Evidence
from assay.scanner.model.role import Role
from assay.scanner.readers.python import form

_MOUNTING = {
    "path": (0, "route", 1, "view"),
    "re_path": (0, "route", 1, "view"),
    "url": (0, "regex", 1, "view"),
    "register": (0, "prefix", 1, "viewset"),
    "include_router": (None, "prefix", 0, "router"),
    "register_blueprint": (None, "url_prefix", 0, "blueprint"),
    "mount": (0, "path", 1, "app"),
}
"""What puts something under a path: the places and names of the path and of what is put there."""
_FRAMEWORKS = frozenset(
    {"rest_framework", "django", "flask", "fastapi", "starlette", "abc", "typing", "builtins", "object"}
)
_ROUTERS = frozenset({"APIRouter", "InferringRouter", "Blueprint", "FastAPI", "Starlette", "Flask", "StaticFiles"})
"""Types whose routes are the project's own, though their classes are a library's; and files."""


def answered_by_library(path: str, root: str, project: Project) -> Evidence | None:
    """What mounts a library's view or router where the path leads to."""
    inside = f"{root}/" if root else ""
    for prefix, place in _mounts(project):
        if place.location.path.startswith(inside) and f"/{prefix}/".replace("//", "/") in f"{path.rstrip('/')}/":
            return place
    return None


@remembered
def _mounts(project: Project) -> tuple[tuple[str, Evidence], ...]:
    return tuple(_found(project))


def _found(project: Project) -> Iterator[tuple[str, Evidence]]:
    for name, (at, path_name, target_at, target_name) in _MOUNTING.items():
        for call, scope in project.calls_named(name):
            if scope.module.role is not Role.PROD:
                continue
            target = call.argument(target_at, target_name)
            stated = call.argument(at, path_name) if at is not None else call.keyword(path_name)
            if target is None or not _is_of_library(target, scope, project):
                continue
            text = stated.value if isinstance(stated, form.Const) else "" if stated is None else None
            if isinstance(text, str):
                yield text.strip("^$/"), scope.module.evidence(call, "a library answers there")


def _is_of_library(node: form.Expr, scope: Scope, project: Project) -> bool:
    if isinstance(node, form.Call) and last_name(node.func) == "include":
        named = node.args[0].value if node.args else None
        text = named.value if isinstance(named, form.Const) else None
        return isinstance(text, str) and project.module_named(text, scope.module.path) is None
    if isinstance(node, form.Call) and isinstance(node.func, form.Attr) and node.func.attr == "as_view":
        return _answers_by_itself(project.infer(node.func.value, scope), project)
    value = project.infer(node, scope)
    if isinstance(value, Instance):
        return value.cls is None and last_part(value.type_name) not in _ROUTERS
    return _answers_by_itself(value, project)


def _answers_by_itself(value: Value | None, project: Project) -> bool:
    """A view of a library, or one that inherits its actions from it; a framework's bases have known ones."""
    if isinstance(value, ClassSymbol):
        bases = (base.name for base in project.mro(value) if isinstance(base, External))
        return any(name.partition(".")[0] not in _FRAMEWORKS for name in bases)
    return isinstance(value, External)
