"""SVC3: a change that spans services is made by events, and by sagas that undo what fails half-way."""

from __future__ import annotations

from assay.scanner.model.dual_write import DualWrite, Rescue
from assay.scanner.model.remote_steps import Compensation, RemoteSteps
from assay.scanner.model.service import Service
from assay.scanner.model.side_effect import Handover, Timing
from assay.scanner.rulebook import rule
from assay.scanner.verdicts import Severity, Verdict, fail, not_applicable, passed, review


@rule(
    "SVC301",
    severity=Severity.HIGH,
    cwe=(362, 367),
    references=(
        "https://docs.celeryq.dev/en/stable/userguide/tasks.html#database-transactions",
        "https://docs.djangoproject.com/en/stable/topics/db/transactions/#performing-actions-after-commit",
    ),
)
def publish_inside_open_transaction(handover: Handover, service: Service) -> Verdict:
    """A task or a message leaves while what it tells of isn't committed yet.

    Why: a worker that is quick doesn't find the row, or finds its old state; and when the transaction is rolled back,
    others have been told of something that never happened.
    Fix: send it after the commit (`transaction.on_commit(...)`, `task.delay_on_commit(...)`, below the block), or write
    it to an outbox table in the same transaction.
    """
    if handover.offline is not None:
        return not_applicable(f"it runs in a {handover.offline}")
    if handover.timing in (Timing.UNWRITTEN, Timing.HANDLED):
        return not_applicable(handover.timing.value, *handover.evidence)
    if handover.timing in (Timing.BEFORE, Timing.NEEDED):
        return fail(
            f"`{handover.what}` isn't held back until the commit, and no rollback calls it back; send it afterwards",
            *handover.evidence,
        )
    return passed(handover.timing.value, *handover.evidence)


@rule(
    "SVC302",
    severity=Severity.HIGH,
    references=(
        "https://microservices.io/patterns/data/transactional-outbox.html",
        "https://debezium.io/documentation/reference/stable/transformations/outbox-event-router.html",
    ),
)
def dual_write_without_outbox(write: DualWrite, service: Service) -> Verdict:
    """A change is committed, and then another service is told of it, with nothing that makes up for a failure between.

    Why: when the process stops between the two, or the broker or the other service doesn't answer, the change stands
    and nobody else ever hears of it: an order that is never shipped, and two services whose books differ for good.
    Fix: store the event in an outbox table in the transaction of the change, and let a relay send it until it arrives.
    """
    if write.offline is not None:
        return not_applicable(f"it runs in a {write.offline}")
    match write.rescue:
        case Rescue.UNRELATED | Rescue.ACCEPTED | Rescue.OF_WORKER:
            return not_applicable(write.rescue.value, *write.evidence)
        case Rescue.NONE:
            return fail(
                f"the change is committed before `{write.what}` tells of it, and when that fails nothing sends it "
                "again; store the event with the change, in an outbox that a relay sends",
                *write.evidence,
            )
        case Rescue.UNREAD:
            return fail(
                f"rows of {write.what} wait to be sent, and nothing reads them; have a relay send them", *write.evidence
            )
        case Rescue.SWALLOWED:
            return review(f"may what `{write.what}` tells be lost? when it fails, all goes on", *write.evidence)
        case Rescue.PERHAPS_STORED:
            return review(f"what sends the rows of the outbox that `{write.what}` leaves behind?", *write.evidence)
        case Rescue.PERHAPS_NOTED:
            return review(
                f"what takes up the rows that stay behind when `{write.what}` fails, or the process stops before it?",
                *write.evidence,
            )
        case Rescue.OF_WORKERS:
            return review(
                "tasks that tell other services are handed on after the commit: does anything find those that were "
                "lost between the two, and send them again?",
                *write.evidence,
            )
    return passed(write.rescue.value, *write.evidence)


@rule(
    "SVC303",
    severity=Severity.MEDIUM,
    references=(
        "https://microservices.io/patterns/data/saga.html",
        "https://learn.microsoft.com/azure/architecture/patterns/compensating-transaction",
    ),
)
def multi_step_write_without_compensation(steps: RemoteSteps, service: Service) -> Verdict:
    """Two services are asked for a change one after the other, and when the second fails, the first one's stays.

    Why: no transaction spans the two: money is taken for an order that the warehouse never got, and nobody gives it
    back.
    Fix: make it a saga: store how far it came, and give each step one that undoes it (a refund, a release), or have a
    worker go on until all are done.
    """
    if steps.offline is not None:
        return not_applicable(f"it runs in a {steps.offline}")
    match steps.compensation:
        case Compensation.REPEATABLE | Compensation.OF_WORKER:
            return not_applicable(steps.compensation.value, *steps.evidence)
        case Compensation.NONE if steps.is_binding:
            return fail(
                "when the second step fails, nothing undoes the first one; undo it there, or store how far it came "
                "and go on from that",
                *steps.evidence,
            )
        case Compensation.NONE | Compensation.ABOVE:
            return review("is what the first step leaves behind harmless when the second one fails?", *steps.evidence)
        case Compensation.TOLD:
            return review("does the handler undo the first step, or have somebody see to it?", *steps.evidence)
    return passed(steps.compensation.value, *steps.evidence)
