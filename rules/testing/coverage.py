"""TEST1: tests run more than 80 % of the code, and a gate keeps it so."""

from __future__ import annotations

from dataclasses import dataclass

from assay.scanner.model.measurement import CoverageFigure
from assay.scanner.model.service import Service
from assay.scanner.model.test_gate import CoverageGate, TestSuite
from assay.scanner.rulebook import rule
from assay.scanner.verdicts import Severity, Verdict, fail, not_applicable, passed, review


@dataclass(frozen=True)
class GateOptions:
    """`minimum` is the limit of coverage that CI has to enforce, in percent."""

    minimum: float = 80


@rule("TEST101", severity=Severity.HIGH, references=("coverage.py, fail_under", "pytest-cov, --cov-fail-under"))
def coverage_gate_missing(gate: CoverageGate, service: Service, options: GateOptions) -> Verdict:
    """Nothing in CI stops a change that lowers the coverage below 80 %.

    Why: a number that nobody enforces falls a little with every change, and nobody notices which one.
    Fix: write `fail_under = 80` into coverage's settings, and let a job on pull requests run `coverage report`, or run
    pytest with `--cov-fail-under=80`.
    """
    best = gate.highest
    if not (gate.has_ci or gate.has_tests):
        return not_applicable("neither tests nor a pipeline are here")
    if best is not None and best.percent < options.minimum:
        return fail(
            f"CI lets a coverage of {best.percent:g} % through; raise the limit to {options.minimum:g} %",
            best.limit,
            best.enforced,
        )
    if best is not None:
        return passed(f"CI fails below {best.percent:g} %", best.enforced, best.limit)
    unused = (gate.unused.limit,) if gate.unused is not None else ()
    if not gate.has_ci:
        return review("no pipeline is in this tree; is a limit of coverage enforced somewhere else?", *unused)
    if gate.doubtful:
        return review("does this really stop a change that lowers the coverage of the whole?", *gate.doubtful)
    if unused:
        return fail("a limit is set, and no job on changes reports against it; run `coverage report`", *unused)
    if gate.measured:
        return fail(f"CI measures coverage and enforces no limit; add one of {options.minimum:g} %", *gate.measured)
    return fail(f"CI enforces no limit of coverage; add one of {options.minimum:g} %")


@dataclass(frozen=True)
class CoverageOptions:
    """`minimum` is what tests have to run of the whole service, in percent, and `package` of each package."""

    minimum: float = 80
    package: float = 50


@rule("TEST102", severity=Severity.HIGH)
def measured_coverage_below_target(figure: CoverageFigure, service: Service, options: CoverageOptions) -> Verdict:
    """Tests run less of the code than they should, as a report of coverage says.

    Why: what no test runs breaks without anybody knowing.
    Fix: test the packages with the least coverage first, beginning with those that decide something; leave out tests
    and generated code, not what is hard to test.
    """
    target = options.package if figure.package else options.minimum
    what = f"tests run {figure.percent:.1f} % of {figure.package or 'the code'}"
    counted = f"{figure.covered:,} of {figure.statements:,} statements"
    if figure.statements == 0:
        return not_applicable("no statement of it was measured")
    if figure.stale is not None:
        return review(f"{what} in an old report; is it still so? measure again", figure.stale, *figure.evidence)
    if figure.unmapped is not None and not figure.package:
        return review(f"{what} of the files that are here; whose are the others?", figure.unmapped, *figure.evidence)
    if figure.percent >= target:
        return passed(f"{what} ({counted})", *figure.evidence)
    if figure.most_percent >= target:
        return review(f"{what} in the best of several reports; combine them (`coverage combine`)", *figure.evidence)
    return fail(f"{what} ({counted}); at least {target:g} % are asked for", *figure.evidence)


@rule("TEST103", severity=Severity.CRITICAL)
def tests_never_run_in_ci(suite: TestSuite, service: Service) -> Verdict:
    """Tests are there, and no pipeline runs them before a change is merged.

    Why: tests that nobody runs are wrong within weeks, and then they are deleted.
    Fix: add a job on pull requests that runs them, and let it fail.
    """
    if not suite.tests:
        return not_applicable("no tests were found")
    if suite.runs:
        return passed("a pipeline runs the tests before a change is merged", *suite.runs)
    if suite.tolerated:
        return fail("a pipeline runs the tests, and goes on when they fail; let it fail", *suite.tolerated)
    if suite.other_runs:
        return review("are the tests run before a change is merged too?", *suite.other_runs)
    if suite.measured is not None:
        told = (suite.measured, suite.stale) if suite.stale is not None else (suite.measured,)
        return review("the tests were run, as a report says; does something run them on every change?", *told)
    if not suite.has_ci:
        return review("no pipeline is here; does something outside run the tests on every change?", *suite.tests)
    if suite.out_of_sight:
        return review("does a pipeline run the tests in what isn't here?", *suite.out_of_sight)
    return fail("no pipeline runs the tests; add a job on pull requests that does", *suite.tests)
