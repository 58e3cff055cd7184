"""What the parameters of a function are in one of its calls."""

from __future__ import annotations

from collections.abc import Mapping

from assay.scanner.linker.scopes import Scope
from assay.scanner.readers.python import form

Given = Mapping[tuple[Scope, str], tuple[form.Expr, Scope]]
NOTHING: Given = {}
