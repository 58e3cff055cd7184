"""Passwords that go through a digest, which is too fast to keep them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from assay.scanner.dataflow.lexicon import words
from assay.scanner.dataflow.library_calls import LibraryCall
from assay.scanner.dataflow.secrets.destinations import Destination, Given
from assay.scanner.dataflow.secrets.digests import Digests, dictated
from assay.scanner.dataflow.secrets.ingredients import Ingredient
from assay.scanner.dataflow.secrets.names import is_password, only_identifies
from assay.scanner.dataflow.secrets.passwords.functions import PasswordFunctions
from assay.scanner.dataflow.secrets.passwords.logins import is_of_people
from assay.scanner.dataflow.secrets.passwords.place import PasswordPlace
from assay.scanner.libraries import HashFunction
from assay.scanner.linker.project import last_part
from assay.scanner.linker.scopes import Scope
from assay.scanner.model.crypto import Act, Keeping
from assay.scanner.readers.python import form

_OWN = frozenset({"cfg", "conf", "config", "configuration", "env", "environ", "options", "setting", "settings"})
"""Words of names for the service's configuration: a password in it is the service's own."""


def digests_of_passwords(digests: Digests, functions: PasswordFunctions) -> Iterator[PasswordPlace]:
    """All of them in production code."""
    slow = {last_part(name) for name, known in functions.calls.models.items() if known[0].keeps is Keeping.HASHED}
    for call in digests.calls:
        function = call.models[0]
        made_of = digests.made_of(call.node, call.scope, function) if not function.keyed else []
        passwords = [part for part in made_of if is_password(part.name)]
        if passwords:
            destinations = digests.destinations(call.node, call.scope)
            aside = _aside(destinations, passwords, slow) or dictated(made_of, call.scope)
            yield _place(call, destinations, passwords, aside)


def _place(
    call: LibraryCall[HashFunction],
    destinations: Sequence[Destination],
    passwords: Sequence[Ingredient],
    aside: str | None,
) -> PasswordPlace:
    by = call.models[0].algorithm or last_part(call.name)
    evidence = (passwords[0].evidence, *(d.evidence for d in destinations[:1]))
    question = _question(destinations, passwords, call.scope) if aside is None else None
    return PasswordPlace(call.node, call.scope, by, Act.HASH, Keeping.DIGEST, by, evidence, question, aside)


def _aside(destinations: Sequence[Destination], passwords: Sequence[Ingredient], slow: set[str]) -> str | None:
    """Why the digest isn't what keeps a user's password; `slow` are functions made for passwords."""
    if any(d.how is Given.PASSED and last_part(d.name) in slow for d in destinations):
        return "a hash made for passwords goes over the digest"
    if all(not _OWN.isdisjoint(words(form.dotted(part.node) or part.name)) for part in passwords):
        return "it is a password of the service, not of a user"
    return None


def _question(destinations: Sequence[Destination], passwords: Sequence[Ingredient], scope: Scope) -> str | None:
    """What makes it uncertain that the digest is kept."""
    names = [d.name for d in destinations if d.how in (Given.NAME, Given.RETURNED)]
    if any(words(name)[-1:] == ("key",) and len(words(name)) < 3 for name in names):
        return "is this a key that encrypts? then derive it with scrypt or PBKDF2"
    if any(only_identifies(name) for name in names):
        return "is this digest kept anywhere?"
    if not destinations:
        return "is this digest kept, or compared with one that is?"
    node = passwords[0].node
    of_self = isinstance(node, form.Attr) and form.dotted(node.value) == "self"
    owner = scope.enclosing_function.owner if scope.enclosing_function is not None else None
    if of_self and owner is not None and not is_of_people(owner.name):
        return "whose password is this? what logs the service in elsewhere is sent as the other side demands"
    return None
