"""SVC1: services call each other over what has limits, and each keeps its data to itself."""

from __future__ import annotations

from assay.scanner.model.dependency_client import DependencyClient
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


@rule(
    "SVC102",
    severity=Severity.MEDIUM,
    cwe=(400, 1088),
    references=("https://redis.readthedocs.io/en/stable/connections.html",),
)
def dependency_client_without_timeout(client: DependencyClient, service: Service) -> Verdict:
    """A client of a cache, a mail server or a directory waits for ever.

    Why: a connection that the other side has silently dropped then holds a worker until somebody restarts it.
    Fix: give the client a limit for connecting and for reading, shorter than the time that its caller has.
    """
    if client.offline is not None:
        return not_applicable(f"it is made in a {client.offline}", client.place)
    if client.bound.is_safe:
        return passed("the wait is limited", *client.bound.evidence)
    if client.waiting is not None:
        return not_applicable("it waits for messages", client.waiting)
    if client.bound.is_safe is None:
        return review(f"is {client.remedy} set for this client?", client.place, *client.bound.evidence)
    return fail(f"this client of {client.kind} waits for ever; set {client.remedy}", *client.bound.evidence)
