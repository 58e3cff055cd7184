"""OBS2: requests can be followed through every process, and the outcomes that matter are counted."""

from __future__ import annotations

from dataclasses import dataclass

from assay.scanner.model.metric import OutcomeMetrics
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


@dataclass(frozen=True, slots=True)
class OutcomeOptions:
    """Names of metrics that the service has to keep, as Prometheus shows them."""

    outcomes: tuple[str, ...] = ()


@rule("OBS205", severity=Severity.LOW, references=("https://sre.google/workbook/implementing-slos/",))
def no_business_metrics(metrics: OutcomeMetrics, service: Service, options: OutcomeOptions) -> Verdict:
    """A service counts its requests, and nothing of what it is there for.

    Why: all requests can succeed while no order is placed, and only a count of orders shows it.
    Fix: count the outcomes that somebody would be called for, by result, where the code brings them about.
    """
    missing = [name for name in options.outcomes if not any(_is_same(name, kept) for kept in metrics.names)]
    if missing:
        return fail(f"nothing keeps {', '.join(missing)}", Evidence(metrics.location, "the service"))
    if not metrics.changes:
        return not_applicable("no endpoint changes anything")
    if metrics.outcomes:
        return passed("outcomes are counted where they happen", *metrics.outcomes)
    exported = tuple(evidence for export in service.metric_exports for evidence in (*export.exported, *export.kept))
    if not exported and not metrics.technical:
        return not_applicable("the service keeps no metrics at all")
    shown = metrics.technical or exported[:1]
    return review("which outcomes would somebody be called for? only requests and machinery are counted", *shown)


def _is_same(name: str, kept: str) -> bool:
    """Counters are shown with an ending that code may leave out."""
    return name.removesuffix("_total") == kept.removesuffix("_total")
