"""The nouns about tests: endpoints with the tests that call them, tests with what they assert."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from assay.scanner.framework import Route
from assay.scanner.gathered import Gathered
from assay.scanner.linker.scopes import Module
from assay.scanner.model.endpoint import Endpoint
from assay.scanner.model.role import Role
from assay.scanner.model.subject import Subject
from assay.scanner.services import Ownership, ServiceRoot
from assay.scanner.suite.authentication import authentication_tests
from assay.scanner.suite.calls import all_calls
from assay.scanner.suite.checking import Checking
from assay.scanner.suite.collected import Suite
from assay.scanner.suite.endpoints import endpoint_tests
from assay.scanner.suite.project import tests_among, with_tests
from assay.scanner.suite.requests import Requests
from assay.scanner.suite.texts import Texts


def test_suites(gathered: Gathered) -> Iterator[Subject]:
    """Of every service: its tests, and how they call its endpoints."""
    suite = Suite(with_tests(tests_among(gathered.context.files), gathered.project))
    texts = Texts(suite)
    roots = _services_of(suite, gathered.owners)
    named = {module: root.root for module, root in roots.items()}
    checking = Checking(suite, texts)
    for test in suite.tests:
        module = test.function.module
        if module in named:
            yield checking.of_test(test, named[module])
    yield from checking.of_functions(named)
    requests = Requests(suite, texts)
    served = _served(gathered)
    calls = all_calls([pair for pairs in served.values() for pair in pairs], requests, gathered)
    for root, pairs in served.items():
        tests = [t for t in suite.tests if roots.get(t.function.module) in (root, None)]
        mine = calls.of(pairs, tests)
        yield from endpoint_tests(root, pairs, mine, suite, tests, gathered)
        yield from authentication_tests(root, pairs, mine, suite, tests)


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
