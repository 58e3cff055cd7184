"""TEST2: logic has unit tests, and every endpoint has integration tests."""

from __future__ import annotations

from assay.scanner.model.role import Role
from assay.scanner.model.service import Service
from assay.scanner.model.suite import AssertingFunction, CollectedTest, TestedEndpoint
from assay.scanner.rulebook import rule
from assay.scanner.verdicts import Severity, Verdict, fail, not_applicable, passed, review

_TESTS = frozenset({Role.TEST})


@rule("TEST201", severity=Severity.MEDIUM)
def endpoint_without_test(endpoint: TestedEndpoint, service: Service) -> Verdict:
    """No test sends a request to an endpoint.

    Why: routing, validation, authentication and serialisation of it are first tried by its users.
    Fix: send it a request through the framework's test client, and assert the status and what came of it.
    """
    if endpoint.exempt:
        return not_applicable(endpoint.exempt)
    if endpoint.tests:
        more = f"{endpoint.count} tests call it" if endpoint.count > 1 else "a test calls it"
        return passed(more, *endpoint.tests)
    if endpoint.fuzzers:
        return passed("a tool makes requests to it of the API's description", *endpoint.fuzzers)
    if endpoint.direct:
        return review(
            f"tests call the handler of {endpoint.label} as a function, past routing, validation and guards; is a "
            "request through the application tested elsewhere?",
            *endpoint.direct,
        )
    if endpoint.perhaps:
        return review(f"is {endpoint.label} among what these requests call?", *endpoint.perhaps)
    return fail(f"no test calls {endpoint.label}; send it a request with the test client, and assert what comes of it")


@rule("TEST202", severity=Severity.MEDIUM)
def endpoint_errors_untested(endpoint: TestedEndpoint, service: Service) -> Verdict:
    """An endpoint that refuses bad requests is only tested with good ones.

    Why: what clients get for a missing object, a conflict or a bad value is part of the API, and breaks unseen.
    Fix: add a test for each error status that the handler answers with.
    """
    if endpoint.exempt:
        return not_applicable(endpoint.exempt)
    if not endpoint.tests:
        return not_applicable("no test calls it at all")
    if not endpoint.refusing:
        return not_applicable("it refuses nothing by its own code")
    if endpoint.refusals_expected:
        return passed("a test expects that it refuses a request", *endpoint.refusals_expected)
    if not endpoint.statuses_known:
        return review(f"does a test expect the errors that {endpoint.label} answers with?", *endpoint.tests)
    return fail(f"{endpoint.label} refuses requests here, and no test expects it to; add one", *endpoint.refusing)


@rule("TEST204", severity=Severity.MEDIUM, roles=_TESTS)
def test_without_assertion(test: CollectedTest, service: Service) -> Verdict:
    """A test asserts nothing.

    Why: it passes whatever the code does, and coverage counts the lines that it runs as tested.
    Fix: assert what the call returned or changed.
    """
    if test.excuse:
        return not_applicable(test.excuse)
    if test.assertions:
        return passed(f"it asserts: {test.kind}", *test.assertions)
    if test.trivial:
        return fail(f"all that {test.label} asserts is always true; assert what the code did", *test.trivial)
    if test.smoke:
        return review("is it enough that it runs without an error?", test.smoke)
    if test.unfollowed:
        return review("does what it calls assert anything?", *test.unfollowed)
    return fail(f"{test.label} asserts nothing; assert what the code returned or changed")


@rule("TEST205", severity=Severity.HIGH, roles=_TESTS, references=("flake8-bugbear B015", "pyflakes F631"))
def assertion_never_evaluated(assertions: AssertingFunction, service: Service) -> Verdict:
    """An assertion in a test is never evaluated.

    Why: it reads as if something were checked, and the test passes whatever the code does.
    Fix: put `assert` before the comparison, `with` before the context manager, parentheses behind the method.
    """
    if assertions.dead:
        where = assertions.label.removeprefix("assertions in ")
        return fail(f"in {where}: {assertions.dead[0].text}", *assertions.dead)
    several = assertions.count > 1
    return passed(f"{assertions.count} assertions are evaluated" if several else "its assertion is evaluated")
