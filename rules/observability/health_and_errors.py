"""OBS3: health is shown by endpoints that mean it, and errors nobody handles are reported and can be traced."""

from __future__ import annotations

from assay.scanner.model.health import HealthCheck, HealthPurpose
from assay.scanner.model.log import Breadth, LoggedError, ProcessKind
from assay.scanner.model.place import Evidence
from assay.scanner.model.probing import endpoints_at
from assay.scanner.model.service import Service
from assay.scanner.model.telemetry import ErrorReporting
from assay.scanner.model.workload import Probe, ProbeKind
from assay.scanner.rulebook import rule
from assay.scanner.verdicts import Severity, Verdict, fail, not_applicable, passed, review


def _answers(probe: Probe, check: HealthCheck, service: Service) -> bool:
    return probe.path is not None and check.endpoint in endpoints_at(service.endpoints, probe.path)


def _readiness_uses(check: HealthCheck, service: Service) -> tuple[Evidence, ...]:
    """Why the check counts as readiness: the probes that decide by it about traffic, or else its name."""
    deciding = (ProbeKind.READINESS, ProbeKind.HEALTHCHECK)
    used = tuple(p.evidence for p in service.probes if p.kind in deciding and _answers(p, check, service))
    named = check.purpose is HealthPurpose.READINESS
    return used or ((Evidence(check.location, "its name says readiness"),) if named else ())


@rule("OBS301", severity=Severity.MEDIUM)
def no_health_endpoint(service: Service) -> Verdict:
    """The service has no route that a platform or a monitor can ask whether it is well.

    Why: without one, load balancers and orchestrators can only look whether the port is open, so that a process that
    hangs or can't serve goes on getting requests, and nobody is told.
    Fix: add a cheap liveness route and a readiness route that need no authentication.
    """
    if not service.endpoints:
        return not_applicable("it serves no HTTP")
    open_checks = [c for c in service.health_checks if not c.endpoint.auth]
    probed = [
        Evidence(endpoint.location, f"the {probe.noun} of {probe.workload} asks {endpoint.label}")
        for probe in service.probes
        if probe.path is not None and not probe.of_infrastructure
        for endpoint in endpoints_at(service.endpoints, probe.path)
        if not endpoint.auth and endpoint.method in ("GET", "HEAD", "ANY")
    ]
    scripts = [
        Evidence(probe.location, f"the {probe.noun} of {probe.workload} runs a script")
        for probe in service.probes
        if probe.runs_script and not probe.of_infrastructure
    ]
    if open_checks or service.other_probes:
        shown = tuple(Evidence(c.location, f"{c.endpoint.label} is open to probes") for c in open_checks)
        return passed("probes have something to ask", *shown, *service.other_probes)
    if not (probed or scripts or service.route_gaps):
        guarded = tuple(Evidence(c.location, f"{c.endpoint.label} needs a login") for c in service.health_checks)
        count = len(service.endpoints)
        message = f"none of its {count} endpoints is an open health check; add a liveness and a readiness route"
        return fail(message, *(guarded or (Evidence(service.location, "the application"),)))
    if probed:
        return review("is a page for its clients good enough as a health check? probes ask it", *probed)
    if scripts:
        return review("what does the script ask that probes run?", *scripts)
    return review("does a part whose routes can't be listed answer probes?", *service.route_gaps)


@rule("OBS302", severity=Severity.MEDIUM)
def readiness_proves_nothing(check: HealthCheck, service: Service) -> Verdict:
    """A readiness check says yes although the service can't serve a request.

    Why: an instance that can't reach its datastore (wrong password, lost network) is put behind the load balancer and
    fails every request, while the deployment is reported as healthy.
    Fix: let readiness try the one dependency without which every request fails, with a limit of a second or so.
    """
    uses = _readiness_uses(check, service)
    if not uses:
        return not_applicable("nothing is known to use it as readiness")
    hard = service.hard_dependencies
    if check.constant and hard:
        constant = Evidence(check.location, "it always gives the same answer")
        message = f"{check.endpoint.label} says ready without its datastore; try it, with a limit of a second"
        return fail(message, constant, *uses, *hard)
    if check.opened_only:
        return review("does opening a session prove that the database answers?", *check.opened_only)
    if check.waits:
        return review("can it hang when what it asks is slow? the call has no time limit", *check.waits)
    if check.dependencies:
        return passed("it asks what the service depends on", *check.dependencies)
    if check.unresolved:
        return review("does it ask what the service depends on?", *check.unresolved)
    if hard:
        return review("it answers by what the process knows: does that include the datastore?", *uses, *hard)
    return passed("no datastore is used by most of the service's routes", *uses)


@rule("OBS303", severity=Severity.HIGH, cwe=(200, 390))
def health_endpoint_lies_or_leaks(check: HealthCheck, service: Service) -> Verdict:
    """A health check says "fine" when it isn't, tells strangers about the inside, or changes something.

    Why: platforms and monitors look at the status code alone, so that a 200 with an error in its body hides an outage;
    texts of exceptions and addresses help whoever attacks; what is probed every few seconds must be cheap and pure.
    Fix: answer 503 with a bare status when a dependency is down, log the details, and write nothing.
    """
    if check.has_no_handler:
        return not_applicable("no function of the project answers it")
    guarded = bool(check.endpoint.auth)
    if check.swallowed and not guarded:
        message = f"{check.endpoint.label} answers 2xx when a dependency is down; answer 503 or let the exception out"
        return fail(message, *check.swallowed)
    if check.leaks and not guarded:
        told = ", ".join(dict.fromkeys(e.text for e in check.leaks))
        return fail(f"{check.endpoint.label} tells anybody {told}; log it and answer a bare status", *check.leaks)
    if check.effects:
        first = check.effects[0].text
        message = f"each probe of {check.endpoint.label} {first}; only ask something that is small and bounded"
        return review(message, *check.effects) if guarded else fail(message, *check.effects)
    if check.swallowed:
        return review("is it right that it answers 2xx when a dependency is down?", *check.swallowed)
    if check.tolerated:
        return review("is it right to answer 2xx when this dependency is down?", *check.tolerated)
    if check.trial_writes:
        return review("it writes on every probe to see whether writing works: is that meant?", *check.trial_writes)
    if check.versions and not guarded:
        return review("may anybody know which version runs?", *check.versions)
    if check.unresolved:
        return review("what it does could not be followed", *check.unresolved)
    if guarded and check.leaks:
        return passed("what it tells is behind authentication", *check.leaks)
    how = "a failed dependency becomes an error status" if check.dependencies else "it answers a bare status"
    return passed(how, Evidence(check.location, how), *check.dependencies)


@rule("OBS304", severity=Severity.MEDIUM, references=("https://sre.google/sre-book/monitoring-distributed-systems/",))
def unhandled_errors_not_reported(process: ErrorReporting, service: Service) -> Verdict:
    """Exceptions that nobody handles reach no one.

    Why: users see failures for days before somebody happens to read the log.
    Fix: set an error tracker up where each process starts, or export a count of failed requests and tasks.
    """
    if process.reported:
        return passed("unhandled exceptions are reported", *process.reported)
    metrics = [m for m in service.metric_exports if m.kind is process.kind]
    counted = [e for m in metrics if m.kind is ProcessKind.WORKER or m.of_requests for e in m.exported]
    if counted:
        return passed("failures are counted", *counted)
    unsure = (*process.doubtful, *(e for m in metrics for e in m.doubtful))
    places = {e.location for e in unsure}
    traces = [t for t in service.process_traces if t.kind is process.kind]
    traced = [e for t in traces for e in t.traced if e.location not in places]
    if traced:
        return passed("spans carry the exceptions", *traced)
    if unsure:
        return review(f"are errors of the {process.kind} process reported where it runs?", *unsure)
    here = Evidence(process.location, f"the {process.kind} process")
    return fail("nothing reports its unhandled exceptions or counts failures; set an error tracker up", here)


@rule(
    "OBS305", severity=Severity.MEDIUM, references=("https://docs.python.org/3/library/logging.html#logging.exception",)
)
def error_logged_without_traceback(error: LoggedError, service: Service) -> Verdict:
    """An unexpected exception ends at a log call that keeps its text only.

    Why: a text such as `'NoneType' object has no attribute 'id'` says neither where it happened nor how it got there.
    Fix: call `logger.exception(...)`, or pass `exc_info=True`, where the exception stops.
    """
    here = Evidence(error.location, "only the text is logged" if error.tells else "nothing of the exception is logged")
    if error.watched is not None:
        return not_applicable(f"a {error.watched} runs once, and somebody watches", here)
    if error.traceback is not None:
        return passed("the traceback is kept", error.traceback)
    if error.goes_on is not None:
        return passed("the exception doesn't end here", error.goes_on)
    if error.breadth is not Breadth.NARROW:
        return fail(
            "it may be any exception, and its traceback is lost; use `exception()` or `exc_info=True`",
            here,
            *(e for e in (error.refusal,) if e is not None),
        )
    told = " or ".join(name.rpartition(".")[2] for name in error.types)
    if _MISTAKES.isdisjoint(error.types) or error.tells or error.refusal is not None:
        return passed(f"it catches {told}, which the code expects", here)
    return review(f"can {told} be a mistake of the code? Then its text and traceback are missed", here)


_MISTAKES = frozenset(
    f"builtins.{name}"
    for name in ("AttributeError", "IndexError", "KeyError", "NameError", "RuntimeError", "TypeError")
)
"""What Python raises where code is wrong, and hardly for anything else."""
