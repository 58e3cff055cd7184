"""DB5: reads that may be stale go to replicas, and reads that may not be stale don't."""

from __future__ import annotations

from assay.scanner.model.replica import Choice, ReadReplica, ReplicaRouting, ReplicaUse
from assay.scanner.model.service import Service
from assay.scanner.rulebook import rule
from assay.scanner.verdicts import Severity, Verdict, fail, not_applicable, passed, review

_DJANGO = "https://docs.djangoproject.com/en/stable/topics/db/multi-db/"
_SQLALCHEMY = "https://docs.sqlalchemy.org/en/20/orm/persistence_techniques.html#custom-vertical-partitioning"


@rule("DB501", severity=Severity.LOW, references=(_DJANGO,))
def replica_declared_but_unused(replica: ReadReplica, service: Service) -> Verdict:
    """A replica is configured, and nothing reads from it.

    Why: it costs as much as the primary, which still serves every read; and whoever counts on it finds out in a peak.
    Fix: send the heavy reads there, by a router, a session of its own or `using()`; or remove it.
    """
    if not replica.is_declared:
        return not_applicable("no replica is declared", *replica.evidence)
    if replica.uses:
        return passed("reads go to it", *replica.uses)
    return fail(
        f"nothing reads from the {replica.label}; send heavy reads there, or remove it",
        *replica.evidence,
        *replica.dead_ends,
    )


@rule("DB502", severity=Severity.HIGH, cwe=(662,), references=(_DJANGO, _SQLALCHEMY))
def read_your_writes_not_guaranteed(routing: ReplicaRouting, service: Service) -> Verdict:
    """Reads go to a replica even in a request that has just written.

    Why: a replica is behind by milliseconds up to minutes. Whoever saves something and doesn't find it saves it again,
    and code that decides by what it reads decides by what was.
    Fix: read from the primary in requests that write and for a while after them; let reads ask for the replica.
    """
    if routing.late_reads:
        return fail("what was just written is read from the replica; read it from the primary", *routing.late_reads)
    match routing.choice:
        case Choice.NONE:
            return not_applicable("no reads are sent to a replica", *routing.evidence)
        case Choice.ALWAYS:
            return fail(
                f"{routing.name} sends reads to the replica after a write too; pin them to the primary then",
                *routing.evidence,
            )
        case Choice.MODEL:
            return review("may these tables be read from the replica right after a write?", *routing.evidence)
        case Choice.UNKNOWN:
            return review("does a request that has written read from the primary?", *routing.evidence)
        case Choice.STATE:
            return passed("the request or session decides whether a read goes to the replica", *routing.evidence)
    return passed("the code that reads asks for the replica", *routing.evidence)


@rule("DB504", severity=Severity.HIGH, cwe=(662,), references=(_DJANGO,))
def write_or_lock_through_replica(use: ReplicaUse, service: Service) -> Verdict:
    """A write or a lock is sent to a replica.

    Why: a replica refuses it, so the request fails, and only in production: in tests the replica is the primary. Where
    it doesn't refuse, the two databases part.
    Fix: send whatever writes or locks to the primary.
    """
    if not use.function:
        return not_applicable("no code sends statements to a replica", *use.reads)
    if use.writes:
        return fail(f"{use.function} writes or locks through the replica; use the primary for it", *use.writes)
    return passed("it only reads there", *use.reads)
