"""Where a project makes, keeps and compares secrets, for the model."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from assay.scanner.dataflow.credentials import Credentials
from assay.scanner.dataflow.crypto_functions import CryptoFunctions
from assay.scanner.dataflow.hash_uses import Digests
from assay.scanner.dataflow.logins import Logins
from assay.scanner.dataflow.nesting import Nesting
from assay.scanner.dataflow.password_uses import Passwords
from assay.scanner.dataflow.random_uses import RandomValues
from assay.scanner.libraries import Library
from assay.scanner.linker.project import Project
from assay.scanner.model.crypto import Credential, HashUse, PasswordUse, RandomUse
from assay.scanner.model.table import Table


class Secrets:
    """Finds them, where library models say what to look for."""

    def __init__(self, project: Project, libraries: tuple[Library, ...], tables: Iterable[Table]) -> None:
        self._project = project
        self._nesting = Nesting()
        self._functions = CryptoFunctions(libraries, project)
        self._tables = tables
        self._is_asked = bool(libraries)
        self._digests = Digests(project, self._functions, self._nesting)

    def hash_uses(self) -> Iterator[HashUse]:
        """The digests that are computed."""
        return self._digests.uses()

    def random_uses(self) -> Iterator[RandomUse]:
        """The random values that are made."""
        return RandomValues(self._project, self._functions, self._nesting).uses()

    def password_uses(self) -> Iterator[PasswordUse]:
        """The places where logins' passwords are hashed, stored and compared."""
        if not self._is_asked:
            return iter(())
        logins = Logins(self._project, self._tables)
        return Passwords(self._project, self._functions, self._nesting, self._digests, logins).uses()

    def credentials(self) -> Iterator[Credential]:
        """What is given where a password or a key belongs."""
        return Credentials(self._project, self._nesting).found() if self._is_asked else iter(())
