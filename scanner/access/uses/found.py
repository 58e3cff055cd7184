"""One use of a guard as it is found, before it is counted."""

from __future__ import annotations

from dataclasses import dataclass

from assay.scanner.framework import Sited
from assay.scanner.model.access import GuardAction
from assay.scanner.model.place import Evidence


@dataclass(frozen=True, slots=True, eq=False)
class Use:
    """`site` is the guard, `around` the code it is put on as `module:qualified.name`, `more` what else proves it."""

    guard: str
    around: str
    site: Sited
    action: GuardAction
    more: tuple[Evidence, ...] = ()
