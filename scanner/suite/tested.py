"""The tests of a tree and the requests that they send, worked out once for all nouns that ask for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from weakref import WeakKeyDictionary

from assay.scanner.framework import Route
from assay.scanner.gathered import Gathered
from assay.scanner.linker.project import Project
from assay.scanner.linker.scopes import Module
from assay.scanner.model.endpoint import Endpoint
from assay.scanner.model.role import Role
from assay.scanner.services import Ownership, ServiceRoot
from assay.scanner.suite.calls import AllCalls, all_calls
from assay.scanner.suite.collected import Suite
from assay.scanner.suite.project import tests_among, with_tests
from assay.scanner.suite.requests import Requests
from assay.scanner.suite.texts import Texts


@dataclass(frozen=True, slots=True, eq=False)
class Tested:
    """`roots` says whose each module of the tests is, `served` which endpoints each service has."""

    suite: Suite
    texts: Texts
    roots: Mapping[Module, ServiceRoot]
    served: Mapping[ServiceRoot, Sequence[tuple[Route, Endpoint]]]
    calls: AllCalls


_KNOWN: WeakKeyDictionary[Project, Tested] = WeakKeyDictionary()


def tested(gathered: Gathered) -> Tested:
    """There is one answer for a project."""
    if gathered.project not in _KNOWN:
        suite = Suite(with_tests(tests_among(gathered.context.files), gathered.project))
        texts = Texts(suite)
        served = _served(gathered)
        pairs = [pair for own in served.values() for pair in own]
        calls = all_calls(pairs, Requests(suite, texts), gathered)
        _KNOWN[gathered.project] = Tested(suite, texts, _services_of(suite, gathered.owners), served, calls)
    return _KNOWN[gathered.project]


def _services_of(suite: Suite, owners: Ownership) -> Mapping[Module, ServiceRoot]:
    """Whose each module of the tests is: the service's around it, else one's that it imports, directly or by others."""
    found: dict[Module, ServiceRoot] = {}
    homeless = []
    for module in suite.modules:
        owner = owners.of(module.path)
        if owner is not None:
            found[module] = owner
        else:
            homeless.append(module)
    for _ in range(3 if homeless else 0):
        for module in homeless:
            imported = sorted(suite.project.imports(module), key=lambda m: m.path)
            owned = (found.get(other) or owners.of(other.path) for other in imported)
            owner = next((o for o in owned if o is not None), None)
            if owner is not None:
                found[module] = owner
        homeless = [module for module in homeless if module not in found]
    return found


def _served(gathered: Gathered) -> dict[ServiceRoot, Sequence[tuple[Route, Endpoint]]]:
    found: dict[ServiceRoot, list[tuple[Route, Endpoint]]] = {}
    for route, endpoint in gathered.endpoints:
        root = gathered.owners.of(endpoint.location.path)
        if root is not None and root in gathered.services and endpoint.role is Role.PROD:
            found.setdefault(root, []).append((route, endpoint))
    return dict(found)
