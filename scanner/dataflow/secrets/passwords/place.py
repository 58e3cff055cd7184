"""A place that has to do with a login's password, as it is found."""

from __future__ import annotations

from dataclasses import dataclass

from assay.scanner.linker.scopes import Scope
from assay.scanner.model.crypto import Act, Keeping
from assay.scanner.model.place import Evidence
from assay.scanner.readers.python import form


@dataclass(frozen=True, slots=True)
class PasswordPlace:
    """What `PasswordUse` says of it; it isn't numbered yet."""

    node: form.Node
    scope: Scope
    what: str
    act: Act
    keeping: Keeping
    by: str = ""
    evidence: tuple[Evidence, ...] = ()
    question: str | None = None
    aside: str | None = None
