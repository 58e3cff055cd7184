"""SVC1: services call each other over what has limits, and each keeps its data to itself."""

from __future__ import annotations

from assay.scanner.model.outbound import OutboundCall
from assay.scanner.model.service import Service
from assay.scanner.rulebook import rule
from assay.scanner.verdicts import Severity, Verdict, fail, not_applicable, passed, review


@rule(
    "SVC101",
    severity=Severity.HIGH,
    cwe=(400, 1088),
    references=("https://requests.readthedocs.io/en/latest/user/advanced/#timeouts",),
)
def outbound_http_without_timeout(call: OutboundCall, service: Service) -> Verdict:
    """A request to another service waits for ever.

    Why: when the other side hangs, each caller hangs with it, and soon no worker is left for anything else.
    Fix: set one timeout on the client that all requests share, and another one where a call needs it.
    """
    if call.offline is not None:
        return not_applicable(f"it is made in a {call.offline}", call.place)
    if call.timeout is not None:
        return passed("the wait is limited", call.timeout)
    if call.default_timeout is not None:
        return passed(f"{call.library} itself waits {call.default_timeout} at most", call.place)
    if call.unknown is not None:
        return review("is the wait for this request limited?", call.place, call.unknown)
    return fail(f"{call.library} waits for ever here; set a timeout", call.place)
