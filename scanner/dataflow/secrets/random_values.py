"""Random values, and what stands in for them: where they become something that nobody may guess."""

from __future__ import annotations

from collections.abc import Iterator

from assay.scanner.dataflow.constants import constant, definitions
from assay.scanner.dataflow.lexicon import words
from assay.scanner.dataflow.library_calls import Calls
from assay.scanner.dataflow.nesting import Nesting
from assay.scanner.dataflow.numbering import Ordinals, around
from assay.scanner.dataflow.secrets.destinations import Destination, Destinations, Given, own_name
from assay.scanner.dataflow.secrets.names import Secrecy, named_before, secrecy
from assay.scanner.dataflow.secrets.undeployed import is_undeployed
from assay.scanner.libraries import HashFunction, RandomFunction
from assay.scanner.linker.project import Project, last_part
from assay.scanner.linker.scopes import Scope
from assay.scanner.linker.values import External
from assay.scanner.model.crypto import Randomness, RandomUse
from assay.scanner.model.place import Evidence
from assay.scanner.readers.python import form

_MAKING = frozenset({"set", "send", "store", "save", "hash", "make", "encrypt", "email", "mail", "reset"})
"""How functions begin whose name says what they are given."""
_ALPHABETS = frozenset(
    {
        "alphabet", "alphanumeric", "alnum", "ascii", "characters", "chars", "charset", "digits", "letters",
        "lowercase", "pool", "punctuation", "symbols", "uppercase", "wordlist", "words",
    }
)  # fmt: skip
_DEEPEST = 4


class RandomValues:
    """All random values that the production code of a project makes."""

    def __init__(
        self, project: Project, randoms: Calls[RandomFunction], hashes: Calls[HashFunction], nesting: Nesting
    ) -> None:
        self._project = project
        self._randoms = randoms
        self._destinations = Destinations(project, nesting, _unkeyed(hashes), by_index=True)

    def uses(self) -> Iterator[RandomUse]:
        """Every random value with where it goes, in order of path and position; the time only where it becomes a
        secret.
        """
        ordinals = Ordinals()
        for known in self._randoms.in_production():
            call, scope, function = known.node, known.scope, known.models[0]
            secret, perhaps = self._secrets(call, scope, function.gives)
            if function.gives is Randomness.CLOCK and secret is perhaps is None:
                continue
            what = known.name.removeprefix("*.")
            yield RandomUse(
                function=around(scope),
                what=what,
                ordinal=ordinals.next(around(scope), what),
                location=scope.module.location(call),
                role=scope.module.role,
                randomness=function.gives,
                is_for_secrets=function.for_secrets,
                secret=secret,
                perhaps=perhaps,
                aside=self._aside(call, scope, function) if secret or perhaps else None,
            )

    def _secrets(
        self, call: form.Call, scope: Scope, randomness: Randomness
    ) -> tuple[Evidence | None, Evidence | None]:
        """Where the value becomes a secret, and where it becomes what may be one."""
        secret: Evidence | None = None
        perhaps: Evidence | None = None
        for destination in self._destinations.of(call, scope):
            name = _told_by(destination)
            found = secrecy(name)
            if randomness is Randomness.CLOCK:
                # A moment may well be the token of a lock or of a version; its name has to say more.
                found = None if found is Secrecy.PERHAPS else found
                found = Secrecy.PERHAPS if words(name) == ("token",) else found
            if found is Secrecy.SECRET:
                secret = secret or destination.evidence
            elif found is Secrecy.PERHAPS and destination.how is not Given.TEXT:
                perhaps = perhaps or destination.evidence
        return secret, perhaps

    def _aside(self, call: form.Call, scope: Scope, function: RandomFunction) -> str | None:
        """Why the value needn't be unforeseeable, or is so all the same."""
        if function.gives is Randomness.SYSTEM:
            return None
        if any(self._is_unguessable(part, scope) for part in self._destinations.company(call, scope)):
            return "what it is joined with can't be guessed"
        if is_undeployed(scope):
            return "it is for development or tests"
        picked = call.positional[0] if function.picks and call.positional else None
        if picked is not None and not self._is_alphabet(picked, scope, _DEEPEST):
            return "it picks one of several that exist"
        return None

    def _is_unguessable(self, part: form.Expr, scope: Scope) -> bool:
        for node in form.walk(part):
            if isinstance(node, form.Call) and self._is_strong(node, scope):
                return True
            if isinstance(node, form.Name | form.Attr | form.Subscript):
                if secrecy(own_name(node) or "") is Secrecy.SECRET:
                    return True
                values = definitions(node, scope, self._project) if isinstance(node, form.Name) else []
                if any(self._is_strong(inner, s) for value, s in values for inner in form.walk(value)):
                    return True
        return False

    def _is_strong(self, node: form.Expr | form.Stmt, scope: Scope) -> bool:
        if not isinstance(node, form.Call):
            return False
        name = self._randoms.name_of(node, scope)
        return name is not None and self._randoms.models[name][0].gives is Randomness.SYSTEM

    def _is_alphabet(self, node: form.Expr, scope: Scope, depth: int) -> bool:
        """Whether a choice among these makes something new: characters, numbers, a list of words."""
        if secrecy(own_name(node) or "") is Secrecy.SECRET:
            return False
        known = constant(node, scope, self._project)
        if known is not None:
            return isinstance(known.value, str)
        match node:
            case form.Binary(left=left, right=right):
                return self._is_alphabet(left, scope, depth) or self._is_alphabet(right, scope, depth)
            case form.Display(items=items):
                return all(isinstance(item, form.Const | form.Starred) for item in items)
            case form.Call(args=[form.Arg(value=inner), *_]) if last_part(form.dotted(node.func) or "") in _SEQUENCES:
                return last_part(form.dotted(node.func) or "") == "range" or self._is_alphabet(inner, scope, depth)
            case form.Comprehension(generators=[generator]):
                return self._is_alphabet(generator.iter, scope, depth)
            case form.Name() | form.Attr():
                value = self._project.infer(node, scope)
                if isinstance(value, External) and value.name.startswith("string."):
                    return True
                found = definitions(node, scope, self._project) if depth else []
                if found:
                    return all(self._is_alphabet(*definition, depth - 1) for definition in found)
        return not _ALPHABETS.isdisjoint(words(own_name(node) or ""))


_SEQUENCES = frozenset({"list", "tuple", "sorted", "set", "range", "join", "split"})


def _unkeyed(hashes: Calls[HashFunction]) -> frozenset[str]:
    """The last names of functions whose digest hides nothing that can be guessed: those without a key."""
    found = (last_part(name) for name, known in hashes.models.items() if not known[0].keyed)
    return frozenset(name for name in found if name != "new")


def _told_by(destination: Destination) -> str:
    """The name that tells what the value is for; an empty one where the way it is given tells nothing."""
    match destination.how:
        case Given.COMPARED:
            return ""
        case Given.TEXT:
            return named_before(destination.name)
        case Given.PASSED:
            name = last_part(destination.name)
            return name if words(name)[:1] and words(name)[0] in _MAKING else ""
    return destination.name
