"""Where a project makes, keeps and compares secrets, for the model."""

from __future__ import annotations

from collections.abc import Iterator

from assay.scanner.dataflow.crypto_functions import CryptoFunctions
from assay.scanner.dataflow.hash_uses import Digests
from assay.scanner.dataflow.nesting import Nesting
from assay.scanner.dataflow.random_uses import RandomValues
from assay.scanner.libraries import Library
from assay.scanner.linker.project import Project
from assay.scanner.model.crypto import Credential, HashUse, PasswordUse, RandomUse


class Secrets:
    """Finds them; without library models there is nothing to find."""

    def __init__(self, project: Project, libraries: tuple[Library, ...]) -> None:
        self._project = project
        self._nesting = Nesting()
        self._functions = CryptoFunctions.of(libraries, project.imported_packages)

    def hash_uses(self) -> Iterator[HashUse]:
        """The digests that are computed."""
        return Digests(self._project, self._functions, self._nesting).uses()

    def random_uses(self) -> Iterator[RandomUse]:
        """The random values that are made."""
        return RandomValues(self._project, self._functions, self._nesting).uses()

    def password_uses(self) -> Iterator[PasswordUse]:
        """The places where logins' passwords are hashed, stored and compared."""
        return iter(())

    def credentials(self) -> Iterator[Credential]:
        """What is given where a password or a key belongs."""
        return iter(())
