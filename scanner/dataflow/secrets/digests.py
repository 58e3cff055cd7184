"""Digests that are computed: with which algorithm, of what, and what becomes of them."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

from assay.scanner.dataflow.constants import string_value
from assay.scanner.dataflow.lexicon import words
from assay.scanner.dataflow.library_calls import Calls, LibraryCall
from assay.scanner.dataflow.nesting import Nesting
from assay.scanner.dataflow.numbering import Ordinals, around
from assay.scanner.dataflow.secrets.destinations import Destination, Destinations, Given
from assay.scanner.dataflow.secrets.ingredients import Ingredient, ingredients
from assay.scanner.dataflow.secrets.names import (
    Secrecy,
    is_address,
    is_of_protocol,
    is_password,
    is_signature,
    named_before,
    names_things,
    only_identifies,
    secrecy,
    speaks_of_leaks,
)
from assay.scanner.libraries import HashFunction
from assay.scanner.linker.project import Project, last_name, last_part
from assay.scanner.linker.scopes import Module, Scope
from assay.scanner.linker.values import External
from assay.scanner.model.crypto import HashUse
from assay.scanner.model.place import Evidence
from assay.scanner.readers.python import form

_WEAK = frozenset({"md2", "md4", "md5", "sha", "sha0", "sha1"})
"""Two texts of one digest can be made at will (RFC 6151, RFC 6194; https://shattered.io)."""
_CONSTRUCTIONS = frozenset(
    {"HMAC", "MGF1", "OAEP", "HOTP", "TOTP", "PBKDF2HMAC", "HKDF", "HKDFExpand", "PSS", "ConcatKDFHash", "X963KDF"}
)
"""What takes an algorithm as a part and doesn't rest on nobody finding two texts of one digest."""
_SETTING = ("set", "store", "save", "send")


class Digests:
    """All digests that the production code of a project computes."""

    def __init__(self, project: Project, hashes: Calls[HashFunction], nesting: Nesting) -> None:
        self._project = project
        self._hashes = hashes
        self._nesting = nesting
        self._destinations = Destinations(project, nesting, {"Hash"})

    def uses(self) -> Iterator[HashUse]:
        """Every digest with what it is for, in order of path and position."""
        ordinals = Ordinals()
        for known in self.calls:
            call, scope, function = known.node, known.scope, known.models[0]
            algorithm = self._algorithm(call, scope, function)
            what = algorithm or last_part(known.name)
            is_weak = algorithm in _WEAK
            made_of = self.made_of(call, scope, function) if is_weak else []
            protects, identifies = self._purposes(call, scope, made_of) if is_weak else ((), ())
            yield HashUse(
                function=around(scope),
                what=what,
                ordinal=ordinals.next(around(scope), what),
                location=scope.module.location(call),
                role=scope.module.role,
                algorithm=algorithm,
                is_weak=is_weak,
                keyed=function.keyed or self._construction(call, scope),
                declared=_declared_harmless(call, scope),
                protects=protects,
                identifies=identifies,
                aside=dictated(made_of, scope),
            )

    @cached_property
    def calls(self) -> list[LibraryCall[HashFunction]]:
        """The calls that begin a digest."""
        return self._hashes.in_production()

    def name_of(self, call: form.Call, scope: Scope) -> str | None:
        """The dotted name of the function that begins a digest, where the call is one of such a function."""
        return self._hashes.name_of(call, scope)

    def made_of(self, call: form.Call, scope: Scope, function: HashFunction) -> list[Ingredient]:
        """What is digested: the argument, and what later `update` calls add."""
        given = call.positional[function.data] if 0 <= function.data < len(call.positional) else None
        given = given or call.keyword("data") or call.keyword("msg") or call.keyword("string")
        nodes = [given] if given is not None else []
        nodes += self._updates(call, scope)
        return [part for node in nodes for part in ingredients(node, scope, self._project)]

    def destinations(self, call: form.Call, scope: Scope) -> list[Destination]:
        """The names that the digest is given."""
        return self._destinations.of(call, scope)

    def _updates(self, call: form.Call, scope: Scope) -> list[form.Expr]:
        """The arguments of `h.update(...)`, where `h` is the digest."""
        parents = self._nesting.parents(scope)
        parent = parents.get(call)
        if isinstance(parent, form.Call) and last_name(parent.func) == "Hash":
            parent = parents.get(parent)
        if not isinstance(parent, form.Assign) or not isinstance(parent.targets[0], form.Name):
            return []
        name = parent.targets[0].id
        return [
            argument.value
            for node in parents
            if isinstance(node, form.Call)
            and isinstance(node.func, form.Attr)
            and node.func.attr == "update"
            and form.dotted(node.func.value) == name
            for argument in node.args
        ]

    def _algorithm(self, call: form.Call, scope: Scope, function: HashFunction) -> str | None:
        """The algorithm's name in small letters, without hyphens."""
        if function.algorithm:
            return function.algorithm
        node = call.argument(function.position, function.named_by)
        if node is None:
            return None
        text = string_value(node, scope, self._project) or self._named(node, scope)
        return text.lower().replace("-", "").replace("_", "") if text else None

    def _named(self, node: form.Expr, scope: Scope) -> str | None:
        """The algorithm of `hashlib.sha1`, which is handed on without being called, or of a module `SHA1`."""
        value = self._project.infer(node, scope)
        if isinstance(value, Module) or not isinstance(value, External):
            return None
        known = self._hashes.models.get(value.name) or self._hashes.models.get(f"{value.name}.new")
        return known[0].algorithm or None if known else None

    def _construction(self, call: form.Call, scope: Scope) -> str | None:
        """What takes the algorithm as a part: `HMAC(key, hashes.SHA1())`."""
        parent = self._nesting.parents(scope).get(call)
        name = last_name(parent.func) if isinstance(parent, form.Call) else None
        return name if name in _CONSTRUCTIONS else None

    def _purposes(
        self, call: form.Call, scope: Scope, made_of: list[Ingredient]
    ) -> tuple[tuple[Evidence, ...], tuple[Evidence, ...]]:
        """What shows that security hangs on the digest, and what shows that it only is a name."""
        found = self.destinations(call, scope)
        protects = [part.evidence for part in made_of if is_password(part.name)]
        protects += [d.evidence for d in found if _protects(d)]
        identifies = [d.evidence for d in found if _identifies(d)]
        if not protects and made_of and all(is_address(part.name) for part in made_of):
            identifies.append(made_of[0].evidence)
        if not protects and not identifies and names_things(scope.qualname):
            around_it = scope.enclosing_function
            text = f"`{scope.qualname}` gives something a name"
            identifies = [Evidence(around_it.location, text)] if around_it is not None else []
        return _distinct(protects), _distinct(identifies)


def _protects(destination: Destination) -> bool:
    name = destination.name
    match destination.how:
        case Given.TEXT:
            name = named_before(name)
        case Given.PASSED:
            name = last_part(name)
            if words(name)[:1] not in {(verb,) for verb in _SETTING} and not is_signature(name):
                return False
    return secrecy(name) is Secrecy.SECRET or is_signature(name)


def _identifies(destination: Destination) -> bool:
    match destination.how:
        case Given.TEXT:
            return names_things(destination.name) or only_identifies(named_before(destination.name))
        case Given.PASSED:
            return names_things(destination.name)
    return secrecy(destination.name) is None and only_identifies(destination.name)


def _distinct(evidence: list[Evidence]) -> tuple[Evidence, ...]:
    """The first place of each text."""
    return tuple({e.text: e for e in reversed(evidence)}.values())[::-1]


def dictated(made_of: list[Ingredient], scope: Scope) -> str | None:
    """Who chose the algorithm of a digest that is made of a password, where that wasn't this code."""
    if not any(is_password(part.name) for part in made_of):
        return None
    if any(is_of_protocol(part.name) for part in made_of):
        return "HTTP's digest authentication dictates it"
    function = scope.enclosing_function
    if function is None:
        return None
    texts = (n.value for n in function.walk() if isinstance(n, form.Const) and isinstance(n.value, str))
    names = (n.id for n in function.walk() if isinstance(n, form.Name))
    if any(speaks_of_leaks(text) for text in (function.qualname, *texts, *names)):
        return "it is looked up among leaked passwords"
    return None


def _declared_harmless(call: form.Call, scope: Scope) -> Evidence | None:
    node = call.keyword("usedforsecurity")
    if isinstance(node, form.Const) and node.value is False:
        return scope.module.evidence(node, "the code says that it doesn't serve security")
    return None
