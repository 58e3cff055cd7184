"""PERF4: resources are watched, and benchmarks are kept and compared."""

from __future__ import annotations

from assay.scanner.model.load import Benchmarking
from assay.scanner.model.service import Service
from assay.scanner.model.telemetry import DependencyTelemetry, LatencyMeasurement
from assay.scanner.rulebook import rule
from assay.scanner.verdicts import Severity, Verdict, fail, not_applicable, passed, review


@rule("PERF401", severity=Severity.MEDIUM, references=("OpenTelemetry, http.server.request.duration",))
def request_latency_unmeasured(latency: LatencyMeasurement, service: Service) -> Verdict:
    """Nothing records how long requests take.

    Why: a service that gets slow is noticed by its customers first, and nobody can say which route it is.
    Fix: record a histogram of durations by route and status, with OpenTelemetry's or Prometheus' instrumentation of the
    framework.
    """
    if not latency.serves_requests:
        return not_applicable("it answers no requests")
    if latency.recorded:
        return passed("the durations of requests are recorded", *latency.recorded)
    if latency.doubtful:
        return review("are these durations kept by route, so that a p95 can be asked for?", *latency.doubtful)
    return fail("nothing here records how long requests take; add OpenTelemetry's or Prometheus' instrumentation")


@rule("PERF402", severity=Severity.LOW)
def dependency_calls_uninstrumented(calls: DependencyTelemetry, service: Service) -> Verdict:
    """Calls of a dependency are recorded nowhere.

    Why: most of a request's time is spent waiting for others, and without their share nobody knows for whom.
    Fix: instrument the database engine, the HTTP client and the worker too, not the web framework alone.
    """
    if calls.is_dark:
        return not_applicable("nothing of the service is recorded, which PERF401 says")
    if calls.instrumented:
        return passed(f"calls of {calls.kind} are recorded", *calls.instrumented)
    if calls.doubtful:
        return review(f"are the calls of {calls.kind} recorded here?", *calls.doubtful)
    return fail(f"requests are recorded, and calls of {calls.kind} are not; instrument them too", *calls.uses)


@rule("PERF405", severity=Severity.LOW)
def benchmarks_missing_or_ungated(benchmarks: Benchmarking, service: Service) -> Verdict:
    """No benchmark is kept and compared.

    Why: a service gets slower by small steps, and each of them looks harmless alone.
    Fix: keep a benchmark of each hot path, and let CI fail when it gets slower (pytest-benchmark's
    `--benchmark-compare-fail`, CodSpeed), or keep the results of load tests.
    """
    if not benchmarks.serves_requests and not benchmarks.suites:
        return not_applicable("it answers no requests")
    if benchmarks.compared:
        return passed("CI compares how fast it is", *benchmarks.compared)
    if benchmarks.measured:
        return passed("it was measured how fast it is", *benchmarks.measured)
    if benchmarks.runs:
        return review("is what these runs measure compared with anything?", *benchmarks.runs)
    if benchmarks.suites and benchmarks.has_ci:
        return fail(
            "no pipeline compares what measures its speed; add a job that does, and fails when it gets slower",
            *benchmarks.suites,
        )
    if benchmarks.suites:
        return review("are these benchmarks run, and compared with earlier ones?", *benchmarks.suites)
    return fail("there is neither a benchmark nor a result of a load test here; add one for each hot path")
