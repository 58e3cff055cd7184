"""The files of code that Gunicorn is configured with.

https://docs.gunicorn.org/en/stable/configure.html
"""

from __future__ import annotations

import posixpath
import re

from assay.scanner.framework import Sited
from assay.scanner.linker.project import Project
from assay.scanner.linker.scopes import Module
from assay.scanner.model.role import Role
from assay.scanner.model.workload import Workload

_CONFIGURED = re.compile(r"(?:^| )(?:-c|--config)[= ](?P<how>python:|file:)?(?P<name>\S+)")
_UNNAMED = "gunicorn.conf.py"
"""It is read without being named, from the folder where Gunicorn starts."""


def gunicorn_setting(name: str, workload: Workload, service_root: str, project: Project) -> Sited | None:
    """What the file that a workload's Gunicorn reads gives a setting last; None where that isn't known."""
    module = _configuration(workload, service_root, project) if workload.process.server == "gunicorn" else None
    bindings = module.scope.bindings.get(name, ()) if module is not None else ()
    last = bindings[-1] if bindings else None
    return Sited(last.value, last.scope) if last is not None and last.value is not None else None


def _configuration(workload: Workload, service_root: str, project: Project) -> Module | None:
    """The production's file of that name which lies nearest to the service's folder, of those that fit best."""
    named = _CONFIGURED.search(workload.process.text)
    wanted = _UNNAMED if named is None else named["name"]
    if named is not None and named["how"] == "python:":
        wanted = f"{wanted.replace('.', '/')}.py"
    wanted = posixpath.normpath(wanted)
    found = [
        module
        for module in project.modules.values()
        if module.role is Role.PROD and posixpath.basename(module.path) == posixpath.basename(wanted)
    ]

    def distance(module: Module) -> tuple[bool, int, str]:
        around = posixpath.relpath(posixpath.dirname(module.path) or ".", service_root)
        return not f"/{module.path}".endswith(f"/{wanted.lstrip('/')}"), around.count("/") + (around != "."), around

    return min(found, key=distance, default=None)
