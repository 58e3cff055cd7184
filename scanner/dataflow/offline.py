"""Code that no client reaches: migrations, management commands, command lines, scripts."""

from __future__ import annotations

from pathlib import PurePosixPath

from assay.scanner.linker.scopes import Module, Scope
from assay.scanner.readers.python import form

_COMMAND_DECORATORS = frozenset({"command", "cli", "group", "task_command", "argument", "option"})
_SCRIPT_FOLDERS = frozenset({"scripts", "script", "bin", "tools"})


def offline_reason(scope: Scope) -> str | None:
    """Why the code runs by hand or at deployment and not for clients; None for the running service."""
    path = PurePosixPath(scope.module.path)
    folders = path.parts[:-1]
    if (
        "migrations" in folders
        or _is_revision(scope.module)
        or (path.name == "env.py" and _imports(scope.module, "alembic"))
    ):
        return "migration"
    if "management" in folders and "commands" in folders:
        return "management command"
    if _is_command(scope):
        return "command line"
    if _SCRIPT_FOLDERS & set(folders) and not path.name.startswith("__init__"):
        return "script"
    return None


def _is_revision(module: Module) -> bool:
    return {"revision", "down_revision"} <= module.scope.bindings.keys()


def _imports(module: Module, package: str) -> bool:
    found = (b for bindings in module.scope.bindings.values() for b in bindings)
    return any(b.module.split(".", 1)[0] == package for b in found)


def _is_command(scope: Scope) -> bool:
    function = scope.enclosing_function
    while function is not None:
        for decorator in function.decorators:
            callee = decorator.func if isinstance(decorator, form.Call) else decorator
            name = form.dotted(callee) or ""
            if name.rsplit(".", 1)[-1] in _COMMAND_DECORATORS:
                return True
        function = function.outer.enclosing_function
    return False
