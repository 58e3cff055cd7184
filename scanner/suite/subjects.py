"""The nouns about tests: endpoints with the tests that call them, tests with what they assert."""

from __future__ import annotations

from collections.abc import Iterator

from assay.scanner.gathered import Gathered
from assay.scanner.model.subject import Subject
from assay.scanner.suite.authentication import authentication_tests
from assay.scanner.suite.checking import Checking
from assay.scanner.suite.endpoints import endpoint_tests
from assay.scanner.suite.tested import tested


def test_suites(gathered: Gathered) -> Iterator[Subject]:
    """Of every service: its tests, and how they call its endpoints."""
    known = tested(gathered)
    suite = known.suite
    named = {module: root.root for module, root in known.roots.items()}
    checking = Checking(suite, known.texts)
    for test in suite.tests:
        module = test.function.module
        if module in named:
            yield checking.of_test(test, named[module])
    yield from checking.of_functions(named)
    for root, pairs in known.served.items():
        tests = [t for t in suite.tests if known.roots.get(t.function.module) in (root, None)]
        mine = known.calls.of(pairs, tests)
        yield from endpoint_tests(root, pairs, mine, suite, tests, gathered)
        yield from authentication_tests(root, pairs, mine, suite, tests)
