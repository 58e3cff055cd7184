"""SVC4: requests can be followed from the gateway through every service and message."""

from __future__ import annotations

from assay.scanner.model.log import ProcessKind
from assay.scanner.model.place import Evidence
from assay.scanner.model.request_id import RequestId
from assay.scanner.model.service import Service
from assay.scanner.model.telemetry import ClientTracing, MessageTracing
from assay.scanner.rulebook import rule
from assay.scanner.verdicts import Severity, Verdict, fail, not_applicable, passed, review


@rule("SVC405", severity=Severity.LOW, references=("https://www.w3.org/TR/trace-context/",))
def incoming_request_id_discarded(made: RequestId, service: Service) -> Verdict:
    """A request gets a new id, whatever id it came with.

    Why: the gateway's records and the service's can't be put side by side, nor can a caller name the request.
    Fix: take a well-formed id from the caller, make one only where there is none, and give it back in the answer.
    """
    here = Evidence(made.location, f"{made.name} is made anew for each request")
    if made.inbound is not None:
        return passed("the caller's id is taken", made.inbound)
    traced = [e for t in service.process_traces if t.kind is ProcessKind.WEB for e in t.traced]
    if traced and any(m.recorded for m in service.latency_measurements):
        return passed("the trace's id joins the records", *traced)
    if not any(setup.correlation for setup in service.logging_setups):
        return not_applicable("no record carries it", here)
    if made.returned is not None:
        return review("a gateway's id is replaced: should a well-formed one be kept?", here, made.returned)
    return fail("take the caller's X-Request-ID or traceparent first, and give the id back", here)


@rule("SVC401", severity=Severity.MEDIUM, references=("https://www.w3.org/TR/trace-context/",))
def outbound_call_loses_trace_context(tracing: ClientTracing, service: Service) -> Verdict:
    """Requests to other services leave without the trace that the service was asked in.

    Why: what the other service does becomes a trace of its own, and nobody sees which request it was done for.
    Fix: instrument each client library next to the framework, as with `HTTPXClientInstrumentor().instrument()`.
    """
    if tracing.carried:
        return passed(f"requests of {tracing.library} carry the trace", *tracing.carried)
    if not tracing.inbound:
        return not_applicable("no trace is taken up where requests come in", *tracing.calls[:1])
    if tracing.to_others_only:
        return not_applicable("it only asks third parties", *tracing.calls)
    if tracing.doubtful:
        return review(f"do requests of {tracing.library} carry the trace where it runs?", *tracing.doubtful)
    if not tracing.to_ours:
        return review(f"do requests of {tracing.library} ask services of your own? they carry no trace", *tracing.calls)
    return fail(
        f"the trace ends at requests of {tracing.library}; instrument the library", *tracing.calls, *tracing.inbound[:1]
    )


@rule("SVC402", severity=Severity.MEDIUM, references=("https://opentelemetry.io/docs/concepts/context-propagation/",))
def message_loses_trace_context(tracing: MessageTracing, service: Service) -> Verdict:
    """Messages carry neither the trace nor the id of the request that they were sent in.

    Why: what a worker does, and how it fails, can't be put together with the request that asked for it.
    Fix: instrument the queue's library in the web process and in the workers, or send the id along and bind it there.
    """
    sends = [Evidence(m.location, m.label) for m in service.messages if m.library == tracing.library]
    if not sends:
        return not_applicable(f"nothing is sent by {tracing.library}")
    followed = [e for t in service.process_traces if t.kind is ProcessKind.WEB for e in t.traced]
    followed += [e for s in service.logging_setups if s.kind is ProcessKind.WEB for e in s.correlation]
    if not followed:
        return not_applicable("requests are neither traced nor do their records have an id")
    if tracing.sent and (tracing.received or not tracing.has_receivers):
        return passed("the trace or the id travels with messages", *tracing.sent, *tracing.received)
    if tracing.sent or tracing.received:
        return review("one side carries it: does the other take it up?", *tracing.sent, *tracing.received)
    return fail("the trace ends at the queue; instrument it on both sides", *sends[:3], *followed[:1])
