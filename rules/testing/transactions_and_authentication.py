"""TEST3: rollbacks are tested, and so are the ways in which authentication must refuse."""

from __future__ import annotations

from assay.scanner.model.service import Service
from assay.scanner.model.suite import AuthenticationTesting, RollbackTesting, TestedEndpoint
from assay.scanner.rulebook import rule
from assay.scanner.verdicts import Severity, Verdict, fail, not_applicable, passed, review


@rule(
    "TEST301",
    severity=Severity.MEDIUM,
    references=("https://docs.djangoproject.com/en/stable/topics/testing/tools/#transactiontestcase",),
)
def rollback_untested(rollback: RollbackTesting, service: Service) -> Verdict:
    """No test lets a transaction fail halfway, and looks whether anything remained.

    Why: a commit in the wrong place, or an `except` that swallows the error, leaves half of the writes behind. Tests in
    which all goes well don't notice.
    Fix: make the last write raise (a mock with `side_effect`, a constraint), and assert that no row is left.
    """
    if rollback.proven:
        return passed("a test lets it fail, and looks whether anything was left", *rollback.proven)
    if rollback.forced:
        return review("does a test look whether anything was left after this failure?", *rollback.forced)
    if rollback.refused:
        return review("does what these tests provoke fail after the first write?", *rollback.refused)
    if not rollback.is_bound:
        return not_applicable("nothing shows that one write needs the other", *rollback.transaction)
    if not rollback.tests:
        return not_applicable("no test runs it, as far as can be seen", *rollback.transaction)
    if rollback.perhaps:
        return review(f"is it {rollback.function} that these tests let fail?", *rollback.perhaps)
    return fail(
        f"no test lets {rollback.function} fail halfway; make its last write raise, and assert that nothing is left",
        *rollback.transaction,
        *rollback.tests,
    )


@rule(
    "TEST303", severity=Severity.HIGH, cwe=(862,), references=("OWASP API5:2023 Broken Function Level Authorization",)
)
def protected_endpoint_without_denial_test(endpoint: TestedEndpoint, service: Service) -> Verdict:
    """No test expects a guarded endpoint to turn anybody away.

    Why: a guard that a change takes off is missed by no test with a signed-in user, and everybody is let in.
    Fix: ask for it without a credential, and as a user without the right, and expect 401 or 403.
    """
    if not endpoint.guards:
        return not_applicable("nothing guards it")
    if not endpoint.tests:
        return not_applicable("no test calls it at all")
    if endpoint.denials_expected:
        return passed("a test expects it to turn callers away", *endpoint.denials_expected)
    if endpoint.denials_beside:
        return passed("a test expects it of another endpoint behind the same guard", *endpoint.denials_beside)
    if endpoint.denials_perhaps:
        return review(f"do these tests expect {endpoint.label} to turn callers away?", *endpoint.denials_perhaps)
    return fail(f"no test expects {endpoint.label} to turn anybody away; expect 401 or 403 of it", *endpoint.guards)


@rule("TEST305", severity=Severity.HIGH, cwe=(287,))
def authentication_always_bypassed(tests: AuthenticationTesting, service: Service) -> Verdict:
    """All tests put a user in place, and none sends a credential.

    Why: what reads tokens, sessions and passwords never runs in a test, and is what attackers try first.
    Fix: let one test for each way of signing in get a real token or session and use it.
    """
    if tests.real:
        return passed("tests send credentials that the service has to look at", *tests.real)
    if not tests.bypasses:
        return not_applicable("the tests put no user in place")
    if tests.direct:
        return review("is what looks at credentials tested well enough by calling it?", *tests.direct)
    return fail(
        f"tests reach {tests.guarded} guarded endpoints, and never with a credential; sign in for real in one",
        *tests.bypasses,
    )
