"""SVC2: circuit breakers keep failures where they are, and addresses lead to what is there."""

from __future__ import annotations

from assay.scanner.model.breaker import CircuitBreaker
from assay.scanner.model.service import Service
from assay.scanner.model.service_address import ServiceAddress
from assay.scanner.model.synchronous_dependency import SynchronousDependency
from assay.scanner.rulebook import rule
from assay.scanner.verdicts import Severity, Verdict, fail, not_applicable, passed, review


@rule(
    "SVC201",
    severity=Severity.MEDIUM,
    cwe=(400,),
    references=(
        "https://martinfowler.com/bliki/CircuitBreaker.html",
        "https://istio.io/latest/docs/tasks/traffic-management/circuit-breaking/",
    ),
)
def synchronous_dependency_without_breaker(dependency: SynchronousDependency, service: Service) -> Verdict:
    """Requests wait several times for a service that is down, and nothing refuses the calls at once.

    Why: each request then holds a worker for all attempts, until the service is down together with the other.
    Fix: wrap the client once in a circuit breaker with an answer for while it is open, or declare outlier detection in
    the mesh.
    """
    if dependency.breaker is not None:
        return passed("a circuit breaker stands before it", dependency.breaker, dependency.place)
    if dependency.retried is not None and dependency.is_internal:
        return fail(
            f"each request waits for all attempts when {dependency.name} is down; put a circuit breaker before it",
            dependency.place,
            dependency.retried,
            dependency.endpoint,
        )
    many = dependency.retried or dependency.repeated
    more = (many,) if many is not None else ()
    return review(
        "how long does a request take when this service is down? a circuit breaker would refuse at once",
        dependency.place,
        *more,
        dependency.endpoint,
    )


@rule(
    "SVC202",
    severity=Severity.HIGH,
    cwe=(400, 755),
    references=("https://martinfowler.com/bliki/CircuitBreaker.html",),
)
def breaker_cannot_open(breaker: CircuitBreaker, service: Service) -> Verdict:
    """A circuit breaker that never opens, or that turns into an error of the service's own once it does.

    Why: callers wait for a dependency that is down although a breaker stands there, and everybody believes it works.
    Fix: keep one breaker for each dependency, let failures reach it, and answer while it is open.
    """
    if breaker.offline is not None:
        return not_applicable(f"it is in a {breaker.offline}", breaker.place)
    if breaker.forgotten is not None:
        return fail("it is made anew for each call and counts no failures; keep one", breaker.forgotten)
    if breaker.swallowed is not None:
        return fail("it sees no failures: what it protects catches them itself", breaker.swallowed, *breaker.protects)
    if breaker.unnoticed is not None:
        return fail(
            "it takes answers with errors for successes; call raise_for_status()", breaker.unnoticed, *breaker.protects
        )
    if breaker.surfacing is not None:
        return fail("while it is open the endpoint fails; catch its error and answer", breaker.surfacing)
    if not breaker.protects:
        return not_applicable("nothing is seen to go through it", breaker.place)
    answer = (breaker.answered,) if breaker.answered is not None else ()
    return passed("it is kept, and sees the failures", breaker.place, *breaker.protects, *answer)


@rule(
    "SVC203",
    severity=Severity.HIGH,
    references=(
        "https://kubernetes.io/docs/concepts/services-networking/dns-pod-service/",
        "https://docs.docker.com/compose/how-tos/networking/",
    ),
)
def service_address_resolves_to_nothing(address: ServiceAddress, service: Service) -> Verdict:
    """A workload is given the address of a neighbour that isn't there.

    Why: the name or the port leads nowhere, so each call fails, and nobody sees it before the first one is made.
    Fix: give the name and the port that the Service or the compose service declares, or declare what is missing.
    """
    if address.found is not None:
        return passed(f"{address.address} is declared", address.place, address.found)
    if address.doubt is not None:
        return review(
            f"does anything answer at {address.address}? {address.problem}",
            address.place,
            *address.lead,
            address.doubt,
        )
    return fail(f"{address.problem}: {address.address} leads nowhere", address.place, *address.lead)
