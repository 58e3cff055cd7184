"""Names for `functools.partial(...)`: a function under a name of the project's own."""

from __future__ import annotations

from assay.scanner.linker.scopes import Module
from assay.scanner.readers.python import form


def names_bound_to(value: form.Expr, module: Module) -> set[str]:
    """The names that the module's scopes give the expression."""
    return {
        name
        for scope in module.scopes
        for name, bindings in scope.bindings.items()
        if any(binding.value is value for binding in bindings)
    }
