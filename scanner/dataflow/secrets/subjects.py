"""Where a project makes, keeps and compares secrets, for the model."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from assay.scanner.dataflow.library_calls import Calls
from assay.scanner.dataflow.nesting import Nesting
from assay.scanner.dataflow.secrets.credentials import Credentials
from assay.scanner.dataflow.secrets.digests import Digests
from assay.scanner.dataflow.secrets.passwords.logins import Logins
from assay.scanner.dataflow.secrets.passwords.uses import Passwords
from assay.scanner.dataflow.secrets.random_values import RandomValues
from assay.scanner.libraries import Library
from assay.scanner.linker.project import Project
from assay.scanner.model.crypto import Credential, HashUse, PasswordUse, RandomUse
from assay.scanner.model.table import Table


class Secrets:
    """Finds them, where library models say what to look for."""

    def __init__(self, project: Project, libraries: tuple[Library, ...], tables: Iterable[Table]) -> None:
        self._project = project
        self._libraries = libraries
        self._tables = tables
        self._nesting = Nesting()
        self._hashes = Calls(project, libraries, lambda library: library.hashes)
        self._digests = Digests(project, self._hashes, self._nesting)

    def hash_uses(self) -> Iterator[HashUse]:
        """The digests that are computed."""
        return self._digests.uses()

    def random_uses(self) -> Iterator[RandomUse]:
        """The random values that are made."""
        randoms = Calls(self._project, self._libraries, lambda library: library.randoms)
        return RandomValues(self._project, randoms, self._hashes, self._nesting).uses()

    def password_uses(self) -> Iterator[PasswordUse]:
        """The places where logins' passwords are hashed, stored and compared."""
        if not self._libraries:
            return iter(())
        calls = Calls(self._project, self._libraries, lambda library: library.passwords)
        logins = Logins(self._project, self._tables)
        return Passwords(self._project, calls, self._digests, logins, self._nesting).uses()

    def credentials(self) -> Iterator[Credential]:
        """What is given where a password or a key belongs."""
        return Credentials(self._project, self._nesting).found() if self._libraries else iter(())
