"""TEST4: load is tested against thresholds, and code and dependencies are scanned for vulnerabilities."""

from __future__ import annotations

from assay.scanner.model.load import LoadTesting
from assay.scanner.model.scanning import Blocking, ScanCoverage, ScanKind, SecurityScan
from assay.scanner.model.service import Service
from assay.scanner.rulebook import rule
from assay.scanner.verdicts import Severity, Verdict, fail, not_applicable, passed, review

_TO_ADD = {
    ScanKind.CODE: "CodeQL, Semgrep or Bandit",
    ScanKind.DEPENDENCIES: "pip-audit or OSV-Scanner",
    ScanKind.SECRETS: "Gitleaks or detect-secrets",
    ScanKind.IMAGE: "Trivy or Grype on the built image",
    ScanKind.INFRASTRUCTURE: "Checkov, kube-linter or zizmor",
}


@rule("TEST401", severity=Severity.MEDIUM)
def load_test_missing(testing: LoadTesting, service: Service) -> Verdict:
    """Nobody has tried what load the service bears.

    Why: the first load test is then the day of the most customers.
    Fix: write a scenario of the three journeys that are used most, with Locust or k6, and give it thresholds.
    """
    if not testing.serves_requests:
        return not_applicable("it answers no requests")
    found = (*testing.scenarios, *testing.measured)
    if found:
        return passed("load is put on it", *found, *testing.runs)
    if testing.runs:
        return review("a load test is run whose scenario isn't here; does it drive this service?", *testing.runs)
    return fail("no scenario of a load test is here; add one for what is asked most, with Locust or k6")


@rule("TEST405", severity=Severity.MEDIUM, cwe=(1395, 1104))
def security_scan_missing(coverage: ScanCoverage, service: Service) -> Verdict:
    """A kind of hole that tools find is looked for by none.

    Why: known holes, secrets in commits and injectable code are found by tools within minutes, and by others later.
    Fix: add a step to a pipeline that runs on pull requests, and let it fail on what it finds.
    """
    if coverage.scans:
        return passed(
            f"{coverage.kind} are scanned" if coverage.kind.is_plural else f"{coverage.kind} is scanned",
            *(scan.evidence for scan in coverage.scans[:3]),
        )
    if coverage.absent:
        return not_applicable(coverage.absent)
    if not coverage.has_ci:
        return not_applicable("no pipeline is in this tree: what scans it has to be attested")
    if coverage.weaker:
        return review(f"does anything else scan {coverage.kind}?", *coverage.weaker)
    return fail(f"no pipeline scans {coverage.kind}; add {_TO_ADD[coverage.kind]}")


@rule("TEST406", severity=Severity.MEDIUM)
def security_scan_cannot_fail(scan: SecurityScan, service: Service) -> Verdict:
    """A scan for holes runs, and whatever it finds stops nothing.

    Why: findings that nobody has to look at are not looked at.
    Fix: let the step fail on what is grave: take out `|| true` and `continue-on-error`, and set the tool's exit code.
    """
    if scan.blocking is Blocking.UNMEANT:
        return not_applicable(f"{scan.tool} stops no change by design: {scan.why}", scan.evidence)
    if scan.tolerated is not None:
        return fail(f"what {scan.tool} finds stops nothing; let the step fail", scan.tolerated, scan.evidence)
    if scan.blocking is Blocking.NO:
        return fail(f"what {scan.tool} finds stops nothing: {scan.why}", scan.evidence)
    if scan.not_on_changes:
        return review(f"{scan.tool} runs by {scan.not_on_changes} alone; who is told of what it finds?", scan.evidence)
    if scan.blocking is Blocking.ELSEWHERE:
        return review(f"is a change held back by what {scan.tool} finds? {scan.why}", scan.evidence)
    return passed(f"{scan.tool} stops a change: {scan.why}", scan.evidence)
