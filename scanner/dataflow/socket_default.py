"""`socket.setdefaulttimeout(10)`: a limit for all sockets of the process that are told nothing else."""

from __future__ import annotations

from assay.scanner.linker.project import Project
from assay.scanner.model.place import Evidence
from assay.scanner.model.role import Role
from assay.scanner.readers.python import form


def socket_default(project: Project) -> Evidence | None:
    """Where production sets it."""
    for call, scope in project.calls_named("setdefaulttimeout"):
        limit = call.argument(0, "timeout")
        is_limit = limit is not None and not (isinstance(limit, form.Const) and limit.value is None)
        if is_limit and scope.module.role is Role.PROD:
            return scope.module.evidence(call, "every socket of the process has a limit")
    return None
