"""Which functions a server, a worker or the application's start calls, and which a command line does."""

from __future__ import annotations

from collections.abc import Iterator
from weakref import WeakKeyDictionary

from assay.scanner.linker.project import Project, last_name, last_part
from assay.scanner.linker.scopes import ClassSymbol, FunctionSymbol, Module
from assay.scanner.linker.values import BoundMethod, External
from assay.scanner.model.role import Role
from assay.scanner.readers.python import form
from assay.scanner.roles import is_offline

_REGISTERING = frozenset(
    {
        "route", "get", "post", "put", "patch", "delete", "head", "options", "api_route", "websocket",
        "websocket_route",
        "action", "api_view", "view", "middleware", "exception_handler", "errorhandler", "app_errorhandler",
        "on_event", "listener", "before_request", "after_request", "teardown_request", "teardown_appcontext",
        "before_app_request", "after_app_request", "before_first_request", "context_processor", "user_loader",
        "request_loader", "unauthorized_handler", "before_serving", "after_serving", "before_server_start",
        "after_server_start", "task", "shared_task", "periodic_task", "job", "scheduled_job", "actor", "cron",
        "db_task", "db_periodic_task", "receiver", "connect", "connect_via", "listens_for", "subscriber", "subscribe",
        "on", "event", "consumer", "agent", "timer", "handler",
    }
)  # fmt: skip
"""Last names of library decorators after which the library calls the function while it serves."""
_COMMANDS = frozenset({"command", "group", "callback", "cli"})
_COMMAND_LIBRARIES = ("click.", "typer.", "flask.cli.", "invoke.", "cyclopts.", "fire.", "rich_click.")
_MIGRATING = frozenset({"pre_migrate", "post_migrate"})
_COMMAND_BASES = ("django.core.management.",)
_CALLING_PACKAGES = frozenset(
    {
        "django", "rest_framework", "flask", "flask_restful", "flask_restx", "flask_login", "fastapi", "starlette",
        "aiohttp", "sanic", "tornado", "falcon", "litestar", "quart", "celery", "rq", "dramatiq", "huey", "channels",
        "graphene", "graphene_django", "strawberry", "ninja", "ninja_extra", "marshmallow", "wtforms", "flask_wtf",
        "faust", "scrapy", "django_filters", "pydantic", "sqlalchemy", "flask_admin", "logging",
    }
)  # fmt: skip
"""Packages that call methods of the classes one derives from theirs."""


_serving: WeakKeyDictionary[Project, tuple[FunctionSymbol, ...]] = WeakKeyDictionary()


def serving_functions(project: Project) -> tuple[FunctionSymbol, ...]:
    """Functions that a library calls while the service serves or starts. Routes that a framework module found are the
    caller's to add.
    """
    found = _serving.get(project)
    if found is None:
        found = _serving[project] = tuple(_found_serving(project))
    return found


def _found_serving(project: Project) -> Iterator[FunctionSymbol]:
    for function in project.functions:
        if _is_served(function.module) and any(_registers(d, function, project) for d in function.decorators):
            yield function
    for cls in project.classes:
        if _is_served(cls.module) and _is_called_by_library(cls, project):
            yield from cls.methods.values()
    for module in project.modules.values():
        if _is_served(module):
            yield from _handed_over(module, project)


def offline_functions(project: Project) -> Iterator[FunctionSymbol]:
    """Functions that run from a command line: in scripts and migrations, of commands, below `__main__`."""
    for module in project.modules.values():
        if module.role is Role.PROD:
            is_script = _is_script(module)
            yield from (f for f in module.functions if is_script or _is_command(f, project))


def is_command(function: FunctionSymbol, project: Project) -> bool:
    """Whether a person or a deployment runs it."""
    return _is_script(function.module) or _is_command(function, project)


def _is_script(module: Module) -> bool:
    return is_offline(module.path) or is_schema_script(module)


def _is_command(function: FunctionSymbol, project: Project) -> bool:
    if _follows_migrations(function, project):
        return True
    owner = function.owner
    if owner is not None and any(name.startswith(_COMMAND_BASES) for name in project.base_names(owner)):
        return True
    return any(_is_command_decorator(d, function, project) for d in function.decorators)


def is_schema_script(module: Module) -> bool:
    """Whether Alembic or Django runs the module to change tables, wherever it lies."""
    bound = [*module.scope.bindings.get("context", ()), *module.scope.bindings.get("op", ())]
    if any(binding.module == "alembic" for binding in bound):
        return True
    return any(form.dotted(b.value) == "migrations.Migration" for c in module.classes for b in c.node.bases)


def _follows_migrations(function: FunctionSymbol, project: Project) -> bool:
    """Whether it is connected to the signals that `manage.py migrate` sends."""
    decorators = [d for d in function.decorators if isinstance(d, form.Call)]
    if any(last_name(a) in _MIGRATING for d in decorators for a in d.positional[:1]):
        return True
    return any(
        isinstance(call.func, form.Attr)
        and last_name(call.func.value) in _MIGRATING
        and (receiver := call.argument(0, "receiver")) is not None
        and project.infer(receiver, scope) is function
        for call, scope in project.calls_named("connect")
    )


def _is_served(module: Module) -> bool:
    return module.role is Role.PROD and not is_offline(module.path)


def _decorator_name(decorator: form.Expr, function: FunctionSymbol, project: Project) -> str | None:
    callee = decorator.func if isinstance(decorator, form.Call) else decorator
    value = project.infer(callee, function.outer)
    return value.name if isinstance(value, External) else None


def _registers(decorator: form.Expr, function: FunctionSymbol, project: Project) -> bool:
    name = _decorator_name(decorator, function, project)
    return name is not None and last_part(name) in _REGISTERING and not name.startswith(_COMMAND_LIBRARIES)


def _is_command_decorator(decorator: form.Expr, function: FunctionSymbol, project: Project) -> bool:
    name = _decorator_name(decorator, function, project)
    if name is None:
        # `@cli.command()` below a group that is itself a decorated function.
        callee = decorator.func if isinstance(decorator, form.Call) else decorator
        return isinstance(callee, form.Attr) and callee.attr in _COMMANDS
    return last_part(name) in _COMMANDS and (name.startswith(_COMMAND_LIBRARIES) or ".cli." in name)


def _is_called_by_library(cls: ClassSymbol, project: Project) -> bool:
    names = project.base_names(cls)
    if any(name.startswith(_COMMAND_BASES) or name.startswith("django.db.migrations") for name in names):
        return False
    return any(name.split(".", 1)[0] in _CALLING_PACKAGES for name in names)


def _handed_over(module: Module, project: Project) -> Iterator[FunctionSymbol]:
    """Functions given by name to a library when the module is imported: URL tables, event handlers, thread targets."""
    for call, scope in module.calls:
        if scope.function is not None:
            continue
        for arg in call.args:
            for node in _names_in(arg.value):
                value = project.infer(node, scope)
                if isinstance(value, FunctionSymbol):
                    yield value
                elif isinstance(value, BoundMethod):
                    yield value.function


def _names_in(node: form.Expr) -> Iterator[form.Expr]:
    if isinstance(node, form.Name | form.Attr):
        yield node
    elif isinstance(node, form.Display):
        for item in node.items:
            yield from _names_in(item)
