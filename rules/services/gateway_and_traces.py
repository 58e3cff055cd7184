"""SVC4: requests can be followed from the gateway through every service and message."""

from __future__ import annotations

from assay.scanner.model.log import ProcessKind
from assay.scanner.model.place import Evidence
from assay.scanner.model.request_id import RequestId
from assay.scanner.model.service import Service
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
