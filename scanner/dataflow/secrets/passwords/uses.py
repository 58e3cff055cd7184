"""All that the production code of a project does with the passwords of its users."""

from __future__ import annotations

from collections.abc import Iterator

from assay.scanner.dataflow.library_calls import Calls
from assay.scanner.dataflow.nesting import Nesting
from assay.scanner.dataflow.numbering import Ordinals, around
from assay.scanner.dataflow.secrets.digests import Digests
from assay.scanner.dataflow.secrets.passwords.digests import digests_of_passwords
from assay.scanner.dataflow.secrets.passwords.forms import PasswordForms
from assay.scanner.dataflow.secrets.passwords.functions import PasswordFunctions
from assay.scanner.dataflow.secrets.passwords.hashing import Hashing
from assay.scanner.dataflow.secrets.passwords.logins import Logins
from assay.scanner.dataflow.secrets.passwords.place import PasswordPlace
from assay.scanner.dataflow.secrets.passwords.records import UserRecords
from assay.scanner.dataflow.secrets.passwords.statements import password_statements
from assay.scanner.libraries import PasswordFunction
from assay.scanner.linker.project import Project
from assay.scanner.model.crypto import PasswordUse


class Passwords:
    """Finds the places where they are hashed, stored and compared."""

    def __init__(
        self, project: Project, calls: Calls[PasswordFunction], digests: Digests, logins: Logins, nesting: Nesting
    ) -> None:
        self._project = project
        self._functions = PasswordFunctions(project, calls)
        self._forms = PasswordForms(project, self._functions, digests)
        self._digests = digests
        self._logins = logins
        self._nesting = nesting

    def uses(self) -> Iterator[PasswordUse]:
        """Every place, in order of path and position."""
        unique = {(p.scope.module.path, p.node.start, p.node.end): p for p in reversed(self._places())}
        ordinals = Ordinals()
        for key in sorted(unique):
            place = unique[key]
            function = around(place.scope)
            yield PasswordUse(
                function=function,
                what=place.what,
                ordinal=ordinals.next(function, place.what),
                location=place.scope.module.location(place.node),
                role=place.scope.module.role,
                act=place.act,
                keeping=place.keeping,
                by=place.by,
                evidence=place.evidence,
                question=place.question,
                aside=place.aside,
            )

    def _places(self) -> list[PasswordPlace]:
        """All of them; of two for one expression the first counts."""
        return [
            *Hashing(self._project, self._functions, self._nesting).places(),
            *digests_of_passwords(self._digests, self._functions),
            *password_statements(self._project, self._forms),
            *UserRecords(self._project, self._forms, self._functions, self._logins, self._nesting).places(),
        ]
