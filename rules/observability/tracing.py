"""OBS2: requests can be followed through every process, and the outcomes that matter are counted."""

from __future__ import annotations

from assay.scanner.model.service import Service
from assay.scanner.model.telemetry import ProcessTrace, TracerSetup
from assay.scanner.rulebook import rule
from assay.scanner.verdicts import Evidence, Severity, Verdict, fail, not_applicable, passed, review


@rule(
    "OBS201", severity=Severity.MEDIUM, references=("https://opentelemetry.io/docs/languages/python/instrumentation/",)
)
def process_not_traced(process: ProcessTrace, service: Service) -> Verdict:
    """A process of a service that calls others takes part in no trace.

    Why: when a request is slow or fails behind it, nobody can see where, and the traces of others end at its door.
    Fix: set tracing up where each process starts, the workers too, and instrument the framework and the clients.
    """
    if process.traced:
        return passed(f"the {process.kind} process is traced", *process.traced)
    if not process.calls:
        return not_applicable("the service calls no other, and has no queue")
    if process.doubtful:
        return review(f"is the {process.kind} process traced where it runs?", *process.doubtful)
    here = Evidence(process.location, f"the {process.kind} process")
    return fail("nothing traces this process; set OpenTelemetry up where it starts", here, *process.calls)


@rule("OBS202", severity=Severity.MEDIUM, references=("https://opentelemetry.io/docs/specs/semconv/resource/#service",))
def tracer_misconfigured(tracer: TracerSetup, service: Service) -> Verdict:
    """Spans leave without the service's name, one by one, or for the console only.

    Why: spans of `unknown_service` can't be found, and a span that is sent at once makes the request wait for it.
    Fix: give the provider a resource with `service.name`, or the process OTEL_SERVICE_NAME, and export in batches.
    """
    here = Evidence(tracer.location, "the provider")
    if tracer.at_once:
        return fail("each span is sent while the request waits; use BatchSpanProcessor", *tracer.at_once)
    if tracer.shown:
        return fail("spans are printed in production; export them to a collector", *tracer.shown)
    if tracer.named is None and tracer.unsure is None:
        return fail("nothing names the service, so that its spans come from `unknown_service`", here)
    if tracer.named is None and tracer.unsure is not None:
        return review("does this resource name the service?", tracer.unsure)
    if tracer.vendors:
        return review("do the gateway and all other services read these headers?", *tracer.vendors)
    return passed("spans name the service and leave in batches", *(e for e in (tracer.named,) if e is not None))
