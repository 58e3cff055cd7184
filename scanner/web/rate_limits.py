"""Rate limits that a project keeps itself: code that answers 429."""

from __future__ import annotations

from assay.scanner.dataflow.status_codes import status_code
from assay.scanner.linker.project import Project
from assay.scanner.linker.remembered import remembered
from assay.scanner.linker.scopes import FunctionSymbol
from assay.scanner.model.place import Evidence
from assay.scanner.readers.python import form

_TOO_MANY_REQUESTS = 429


@remembered
def answers_too_many(function: FunctionSymbol, project: Project) -> Evidence | None:
    """Where a dependency, hook or wrapper itself tells callers that they ask too often."""
    for node in function.walk():
        answer = node.exc if isinstance(node, form.Raise) else node.value if isinstance(node, form.Return) else None
        if isinstance(answer, form.Call) and any(
            argument.name in (None, "status_code", "status", "code")
            and status_code(argument.value, function.scope, project) == _TOO_MANY_REQUESTS
            for argument in answer.args
        ):
            return function.module.evidence(node, "turns away callers who ask too often")
    return None
