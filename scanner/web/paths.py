"""Parts of paths as code states them: a route's own path, a prefix of what it is mounted in."""

from __future__ import annotations

from assay.scanner.dataflow.constants import Given, string_value
from assay.scanner.framework import Context
from assay.scanner.linker.scopes import Scope
from assay.scanner.readers.python import form


def path_part(node: form.Expr | None, scope: Scope, context: Context, given: Given) -> str:
    """The text of the part; what can't be computed is said and left out."""
    if node is None:
        return ""
    found = string_value(node, scope, context.project, given)
    if found is None:
        context.unresolved(scope.module.location(node), "this part of the path can't be told")
    return found or ""
