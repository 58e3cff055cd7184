"""OPS4: containers have limits, copies stand in for each other, and only what must be is reachable."""

from __future__ import annotations

from assay.scanner.model.concurrency import WorkloadConcurrency
from assay.scanner.model.published_port import PublishedPort
from assay.scanner.model.service import Service
from assay.scanner.model.workload import Platform, Workload, WorkloadKind
from assay.scanner.rulebook import rule
from assay.scanner.verdicts import Severity, Verdict, fail, not_applicable, passed, review


@rule(
    "OPS401",
    severity=Severity.HIGH,
    cwe=(770,),
    references=("https://kubernetes.io/docs/concepts/configuration/manage-resources-containers/",),
)
def container_without_memory_bound(workload: Workload, service: Service) -> Verdict:
    """A container may take all the memory of its machine.

    Why: one leak or one large request then ends its neighbours, as the kernel picks a victim; a scheduler that knows
    no need puts too much on one machine.
    Fix: limit the memory (resources.limits.memory, deploy.resources.limits.memory) by what it uses under load, and
    request processor time where an autoscaler looks at it.
    """
    if workload.platform not in (Platform.KUBERNETES, Platform.COMPOSE):
        return not_applicable("its platform is told nothing of memory here")
    capacity = workload.capacity
    if workload.platform is Platform.COMPOSE and workload.for_production is None and capacity.memory_limit is None:
        return not_applicable("nothing says that production runs this compose file")
    if capacity.memory_limit is None and capacity.may_change is not None:
        return review("does the overlay limit its memory?", workload.place, capacity.may_change)
    if capacity.memory_limit is None:
        return fail(f"nothing limits the memory of {workload.name}", workload.place)
    if "cpu" in capacity.scales_on and capacity.cpu_request is None and capacity.autoscaler is not None:
        return fail(
            f"{workload.name} is scaled by its use of a processor that it doesn't request",
            workload.place,
            capacity.autoscaler,
        )
    return passed("its memory is limited", capacity.memory_limit)


@rule(
    "OPS402",
    severity=Severity.MEDIUM,
    cwe=(770,),
    references=(
        "https://docs.sqlalchemy.org/en/20/core/pooling.html",
        "https://www.postgresql.org/docs/current/runtime-config-connection.html",
        "https://docs.celeryq.dev/en/stable/userguide/workers.html#concurrency",
    ),
)
def concurrency_does_not_fit(workload: WorkloadConcurrency, service: Service) -> Verdict:
    """A workload starts more processes than it may use processors, or opens more connections than its database takes.

    Why: processes that are counted by the machine's processors fight for the few that the container may use, and take
    memory each; connections beyond the database's limit are refused, just when there is most to do.
    Fix: state the number of processes by the container's limits, and share out the database's connections: copies ×
    processes × pool must stay below.
    """
    counted, limited, need = workload.by_processors, workload.cpu_limit, workload.need
    if counted is not None and limited is not None and workload.perhaps_told is not None:
        return review("does production say how many processes there are?", counted, limited)
    if counted is not None and limited is not None:
        return fail("the machine's processors decide, not those that it may use; state a number", counted, limited)
    if need is None or workload.most is None or workload.pool is None or workload.limit is None:
        return not_applicable("nothing states what it takes and what it may")
    proof = (workload.place, workload.pool, workload.limit)
    if need <= workload.most:
        return passed(f"{workload.sum_text} are fewer than {workload.most}", *proof)
    if workload.pooler is not None:
        return passed("a pooler shares the connections", workload.pooler, workload.pool)
    if workload.is_default:
        return review(f"does the database take {need} connections? {workload.sum_text}", *proof)
    return fail(f"{workload.sum_text} are {need}, and the database takes {workload.most}", *proof)


@rule(
    "OPS403",
    severity=Severity.HIGH,
    cwe=(668,),
    references=("https://docs.docker.com/engine/network/packet-filtering-firewalls/",),
)
def internal_port_published(port: PublishedPort, service: Service) -> Verdict:
    """A database, a broker or an administration page can be reached from outside.

    Why: a weak password or a flaw of the server is then enough; Docker opens published ports past the machine's
    firewall.
    Fix: let services reach it over the internal network and publish nothing, or bind it to 127.0.0.1.
    """
    if port.kept_inside is not None:
        return passed("only what is inside reaches it", port.kept_inside)
    if port.internal and port.perhaps_inside is not None:
        return review("is it bound to an address that only the inside reaches?", port.place, port.perhaps_inside)
    if port.internal:
        return fail(f"{port.label} is {port.internal}, and open to the outside", port.place)
    return passed("it is no database, broker or administration page", port.place)


@rule(
    "OPS405",
    severity=Severity.MEDIUM,
    references=("https://kubernetes.io/docs/concepts/workloads/controllers/deployment/",),
)
def single_point_of_failure(workload: Workload, service: Service) -> Verdict:
    """A service that serves requests runs once.

    Why: each restart, each node that is emptied and each crash is an outage, until the one copy is back.
    Fix: run two or more copies (replicas, or an autoscaler's minimum), and replace them one after another.
    """
    capacity = workload.capacity
    if workload.platform is not Platform.KUBERNETES or capacity.controller not in ("Deployment", "Rollout"):
        return not_applicable("no Kubernetes deployment of it is known")
    if not workload.serves_traffic or workload.kind is WorkloadKind.INFRASTRUCTURE:
        return not_applicable("it serves nobody's requests, or keeps state of its own")
    if capacity.keeps is not None and (workload.replicas or 1) < 2:
        return review("could more than one of it run with this volume?", workload.place, capacity.keeps)
    if capacity.recreates is not None:
        return fail(f"each new version of {workload.name} begins with an outage", capacity.recreates)
    if capacity.autoscaler is not None and capacity.least_copies is not None:
        if capacity.least_copies >= 2:
            return passed("an autoscaler keeps at least two of it", capacity.autoscaler)
        return fail(f"the autoscaler of {workload.name} goes down to {capacity.least_copies}", capacity.autoscaler)
    if workload.replicas is not None and workload.replicas >= 2:
        return passed(f"{workload.replicas} copies of it run", workload.place)
    if capacity.may_change is not None:
        return review("does the overlay run two or more of it?", workload.place, capacity.may_change)
    stated = "no number of copies is stated, which makes it one" if workload.replicas is None else "one copy"
    return fail(f"{workload.name} runs once: {stated}", workload.place)
