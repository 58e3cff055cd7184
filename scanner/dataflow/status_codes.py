"""The HTTP statuses that expressions name."""

from __future__ import annotations

from http import HTTPStatus

from assay.scanner.dataflow.constants import Given, int_value
from assay.scanner.linker.project import Project, last_name, last_part
from assay.scanner.linker.scopes import Scope
from assay.scanner.linker.values import External
from assay.scanner.readers.python import form

_NOTHING: Given = {}


def status_code(node: form.Expr, scope: Scope, project: Project, given: Given = _NOTHING) -> int | None:
    """The HTTP status an expression names: 403, `status.HTTP_403_FORBIDDEN`, `HTTPStatus.FORBIDDEN`, a constant."""
    found = int_value(node, scope, project, given)
    if found is not None:
        return found
    value = project.infer(node, scope)
    name = last_part(value.name) if isinstance(value, External) else (last_name(node) or "")
    for part in name.split("_"):  # `WS_1008_POLICY_VIOLATION` too
        if len(part) in (3, 4) and part.isdigit():
            return int(part)
    return HTTPStatus[name].value if name in HTTPStatus.__members__ else None
