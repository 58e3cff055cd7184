"""How guarantees of publishing are told apart: by kind, in the order in which they are found."""

from __future__ import annotations

from collections.abc import Sequence

from assay.scanner.dataflow.numbering import Ordinals, around
from assay.scanner.delivery.declarations import Declaration
from assay.scanner.gathered import Gathered
from assay.scanner.linker.scopes import Scope
from assay.scanner.model.delivery import PublishingGuarantee, Surety
from assay.scanner.model.place import Evidence
from assay.scanner.readers.python import form


class Guarantees:
    """Makes those of one tree."""

    def __init__(self, gathered: Gathered, declared: Sequence[Declaration]) -> None:
        self._project = gathered.project
        self._declared = declared
        self._ordinals = Ordinals()
        self._packages = gathered.project.imported_packages

    def _made(
        self,
        framework: str,
        what: str,
        call: form.Call,
        scope: Scope,
        surety: Surety,
        *evidence: Evidence,
        fix: str = "",
    ) -> PublishingGuarantee:
        module = scope.module
        ordinal = self._ordinals.next(around(scope), f"{framework} {what}")
        return PublishingGuarantee(
            framework, around(scope), ordinal, module.location(call), module.role, what, surety, evidence, fix
        )
