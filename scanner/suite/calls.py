"""Which tests send a request to which endpoint, and what they expect of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from assay.scanner.framework import Route
from assay.scanner.gathered import Gathered
from assay.scanner.model.endpoint import Endpoint
from assay.scanner.readers.python import form
from assay.scanner.suite.collected import Collected
from assay.scanner.suite.matching import Matcher
from assay.scanner.suite.requests import Request, Requests
from assay.scanner.suite.texts import Gap


@dataclass(slots=True, eq=False)
class Called:
    """One test that calls an endpoint: the first request, and the statuses that it expects of any."""

    test: Collected
    request: Request
    statuses: set[int] = field(default_factory=set)


@dataclass(slots=True, eq=False)
class Calls:
    """Of one service: by the endpoint's identity (comparing endpoints takes long), the tests that surely call it and
    those that may.

    `unknown` are calls whose path can't be told at all, by method; `sites` counts all places that send a request.
    """

    certain: dict[int, dict[Collected, Called]] = field(default_factory=dict)
    perhaps: dict[int, dict[Collected, Called]] = field(default_factory=dict)
    unknown: dict[form.Call, tuple[str, Called]] = field(default_factory=dict)
    sites: set[form.Call] = field(default_factory=set)


@dataclass(slots=True, eq=False)
class AllCalls:
    """The requests of all tests, handed out by service."""

    matcher: Matcher
    by_test: dict[Collected, tuple[Request, ...]]

    def of(self, served: Sequence[tuple[Route, Endpoint]], tests: Sequence[Collected]) -> Calls:
        """Those of tests of the service, and of tests that are nobody's, to its endpoints."""
        own = {id(endpoint) for _, endpoint in served}
        found = Calls()
        for test in tests:
            for request in self.by_test.get(test, ()):
                found.sites.add(request.call)
                matched = self.matcher.match(request.method, request.path)
                for endpoint in matched.certain:
                    if id(endpoint) in own:
                        _note(found.certain, endpoint, test, request)
                for endpoint in matched.perhaps:
                    if id(endpoint) in own:
                        _note(found.perhaps, endpoint, test, request)
                if not matched.certain and set(request.path) == {Gap.ANY}:
                    found.unknown.setdefault(request.call, (request.method, Called(test, request)))
        return found


def _note(into: dict[int, dict[Collected, Called]], endpoint: Endpoint, test: Collected, request: Request) -> None:
    tests = into.setdefault(id(endpoint), {})
    called = tests.get(test)
    if called is None:
        called = tests[test] = Called(test, request)
    elif called.request.top is None and request.top is not None:
        called.request = request
    called.statuses |= request.statuses


def all_calls(served: Sequence[tuple[Route, Endpoint]], requests: Requests, gathered: Gathered) -> AllCalls:
    """All requests that the tests send."""
    by_test = {test: tuple(requests.of(test)) for test in requests.suite.tests}
    return AllCalls(Matcher(served, gathered.project), by_test)
