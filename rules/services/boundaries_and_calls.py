"""SVC1: services call each other over what has limits, and each keeps its data to itself."""

from __future__ import annotations

from dataclasses import dataclass

from assay.scanner.model.code_address import CodeAddress
from assay.scanner.model.dependency_client import DependencyClient
from assay.scanner.model.outbound import OutboundCall
from assay.scanner.model.retry import Ending, Pause, RetryPolicy
from assay.scanner.model.service import Service
from assay.scanner.model.shared_database import GivenDatabase
from assay.scanner.model.transport import Place
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


@dataclass(frozen=True)
class RetryOptions:
    """Up to how many attempts no wait is asked for between them."""

    attempts_without_wait: int = 2


@rule(
    "SVC103",
    severity=Severity.MEDIUM,
    cwe=(400, 834),
    references=(
        "https://sre.google/sre-book/addressing-cascading-failures/#xref_cascading-failure_server-overload",
        "https://aws.amazon.com/builders-library/timeouts-retries-and-backoff-with-jitter/",
    ),
)
def unbounded_or_tight_retry(policy: RetryPolicy, service: Service, options: RetryOptions) -> Verdict:
    """What fails is tried again without an end, or at once.

    Why: callers that keep asking keep a service down that has just failed, and each of them holds a worker meanwhile.
    Fix: limit the attempts and the time in all, wait longer each time with some chance in it, and try again only what
    can heal.
    """
    if policy.offline is not None:
        return not_applicable(f"it is in a {policy.offline}", policy.place)
    if policy.excuse is not None:
        return not_applicable("it has to go on for as long as the service runs", policy.excuse)
    ending = [policy.ending_shown or policy.place]
    pause = [policy.pause_shown or policy.place]
    if policy.ending is Ending.ENDLESS:
        return fail(f"this {policy.name} tries again for ever; limit the attempts or the time", *ending)
    few = policy.attempts is not None and policy.attempts <= options.attempts_without_wait
    if policy.pause is Pause.NONE and not few and policy.mild is None:
        return fail(f"this {policy.name} tries again at once; let it wait longer each time", *pause)
    if policy.ending is Ending.UNKNOWN:
        return review("does it stop trying again?", *ending)
    if policy.pause is Pause.UNKNOWN:
        return review("does it wait longer with each attempt?", *pause)
    if policy.pause is Pause.NONE:
        reason = "it tries again once" if few else "what it tries again isn't trouble at the other side"
        return passed(reason, policy.mild or ending[0])
    how = "waits longer each time" if policy.pause is Pause.GROWING else "waits"
    return passed(f"it stops trying again, and {how}", *ending, *pause)


@rule(
    "SVC105",
    severity=Severity.MEDIUM,
    cwe=(1051,),
    references=("https://12factor.net/backing-services",),
)
def hard_coded_service_address(address: CodeAddress, service: Service) -> Verdict:
    """The code itself names the host that it connects to.

    Why: the host is another one in each environment, and every move of it then takes a change of the code.
    Fix: read the address from a setting that each environment gives, with a default for development if need be.
    """
    if address.unused is not None:
        return not_applicable("production doesn't use it", address.unused)
    if not address.address:
        return passed(f"it is read from {' and '.join(address.read_from)}", address.evidence)
    if address.is_of_stage:
        return fail(f"{address.address} is the host of one environment; read it from a setting", address.evidence)
    if address.place is Place.NEAR or address.place is Place.LOCAL:
        return fail(f"{address.address} is written into the code; read it from a setting", address.evidence)
    return not_applicable(f"{address.address} is the same host for everybody", address.evidence)


@rule(
    "SVC106",
    severity=Severity.MEDIUM,
    references=("https://microservices.io/patterns/data/database-per-service.html",),
)
def database_shared_between_services(database: GivenDatabase, service: Service) -> Verdict:
    """Two services keep their data in one database.

    Why: neither can change its tables, its load or its version without the other, and nobody knows who wrote a row.
    Fix: give each service a schema and a user of its own, and let others ask through its API or its events.
    """
    if not database.others:
        return passed(f"no other service is given {database.name}", database.place)
    firm = [other for other in database.others if not other.doubt]
    if not firm:
        first = database.others[0]
        return review(f"do both keep data in {database.name}? {first.doubt}", database.place, first.place)
    names = " and ".join(other.name for other in firm)
    evidence = (database.place, *(other.place for other in firm))
    if database.only_reads or database.keeps is None:
        why = database.only_reads or "nothing of its own was found in there"
        return review(f"does {service.name} only read what {names} keep in {database.name}? {why}", *evidence)
    return fail(f"{service.name} shares {database.name} with {names}: give each its own", *evidence, database.keeps)
