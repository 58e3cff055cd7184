"""MQ1: no message is lost: it is acknowledged after the work, retried, and dead-lettered when it can't be handled."""

from __future__ import annotations

from assay.scanner.model.delivery import (
    Acknowledgement,
    ConsumerFailure,
    DeadLetterPath,
    DeadLetters,
    FailedWork,
    Moment,
    PublishingGuarantee,
    Redelivery,
    Return,
    Surety,
)
from assay.scanner.model.service import Service
from assay.scanner.model.worker import Retrying, TaskRetry
from assay.scanner.rulebook import rule
from assay.scanner.verdicts import Severity, Verdict, fail, not_applicable, passed, review


@rule(
    "MQ101",
    severity=Severity.HIGH,
    cwe=(703,),
    references=(
        "https://docs.celeryq.dev/en/stable/userguide/tasks.html#Task.acks_late",
        "https://www.rabbitmq.com/docs/confirms#acknowledgement-modes",
        "https://docs.confluent.io/platform/current/clients/consumer.html#offset-management",
    ),
)
def message_acked_before_work(acknowledgement: Acknowledgement, service: Service) -> Verdict:
    """The broker forgets a message before the work that it asks for is done.

    Why: a worker that is killed in the middle (a deployment, no memory left) takes the message with it: what it was to
    do is done in part or not at all, and nothing anywhere says so.
    Fix: acknowledge, commit or delete after the work is done, and make the work safe to do twice.
    """
    shown = (*acknowledgement.evidence, *acknowledgement.lost)
    match acknowledgement.moment:
        case Moment.TRANSIENT:
            return not_applicable("its messages are only for who listens now", *shown)
        case Moment.HARMLESS:
            return not_applicable("no task in sight sends a mail or a request that would be missed", *shown)
        case Moment.INERT:
            text = "lost messages are to be rejected, but they are acknowledged before the work; set task_acks_late too"
            return fail(text, *shown)
        case Moment.BEFORE if acknowledgement.framework == "Celery":
            text = "what only this message asks for is lost with its worker; set acks_late on the task, or for all"
            return fail(text, *shown)
        case Moment.BEFORE:
            return fail("a message is gone before its work is done; acknowledge it after the work", *shown)
        case Moment.KEPT:
            return review("may this be lost when a worker is killed? it is acknowledged before the work", *shown)
        case Moment.UNKNOWN if not shown:
            return not_applicable("where its messages are acknowledged can't be told")
        case Moment.UNKNOWN:
            return review("is a message acknowledged only after its work is done?", *shown)
    note = f"; {acknowledgement.note}" if acknowledgement.note is not None else ""
    return passed(f"messages are acknowledged after the work{note}", *shown)


@rule(
    "MQ102",
    severity=Severity.HIGH,
    cwe=(390, 391),
    references=(
        "https://docs.celeryq.dev/en/stable/userguide/tasks.html#retrying",
        "https://python-rq.org/docs/exceptions/",
        "https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-dead-letter-queues.html",
    ),
)
def consumer_swallows_failure(failure: ConsumerFailure, service: Service) -> Verdict:
    """A task catches whatever goes wrong in it and ends as if it had worked.

    Why: the queue counts the message as done. Nothing tries it again, no list of failures has it, and what it was to do
    is never done; all that is left is a line in a log.
    Fix: catch what the work expects, and let all else reach the queue: raise again after logging, retry, reject, or
    store that it failed.
    """
    shown = failure.evidence
    match failure.outcome:
        case FailedWork.ESCAPES | FailedWork.GIVEN_BACK | FailedWork.UNACKNOWLEDGED:
            return passed(f"a failure reaches the queue: {failure.outcome}", *shown)
        case FailedWork.SENT_ON | FailedWork.STORED:
            return passed(f"the failure isn't lost: {failure.outcome}", *shown)
    if failure.schedule is not None:
        return not_applicable(f"it runs again by its schedule: {failure.schedule}", *shown)
    if failure.outcome is FailedWork.RETURNED and failure.is_read:
        return not_applicable("who asked for it is told of the failure", *shown)
    if failure.outcome is FailedWork.RETURNED:
        return review("does anybody read what this returns when it fails?", *shown)
    if failure.framework == "Celery" and not any(m.handler == failure.handler for m in service.messages):
        return not_applicable("nothing here sends it: no message is lost", *shown)
    if failure.outcome is FailedWork.EXPLAINED:
        return review("may a message be dropped whatever goes wrong with it?", *shown)
    return fail(f"{failure.name} counts as done whatever fails in it; raise again after logging, or retry", *shown)


@rule(
    "MQ103",
    severity=Severity.HIGH,
    cwe=(703,),
    references=(
        "https://www.rabbitmq.com/docs/dlx",
        "https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-dead-letter-queues.html",
        "https://cloud.google.com/pubsub/docs/dead-letter-topics",
    ),
)
def no_dead_letter_path(path: DeadLetterPath, service: Service) -> Verdict:
    """A message that fails each time is dropped, or comes back for ever: there is no place for it.

    Why: what was asked for is never done, nobody can look at the message to learn why, and it can't be sent again once
    the fault is mended.
    Fix: give each queue a dead-letter destination, or store failures, and write down how they are sent again.
    """
    shown = path.evidence
    match path.end:
        case DeadLetters.NOT_REJECTED:
            return not_applicable("no message of it is given up, as far as can be told", *shown)
        case DeadLetters.DROPPED if path.framework == "Celery":
            text = "a task that fails is gone: no result is kept, and nothing is told; keep results, or store failures"
            return fail(text, *shown)
        case DeadLetters.DROPPED if path.framework == "Kafka":
            return fail("what can't be handled is skipped or blocks its partition; send it to an error topic", *shown)
        case DeadLetters.DROPPED:
            return fail("what is given up is dropped; name a dead-letter destination", *shown)
        case DeadLetters.ENDLESS:
            return fail("what fails comes again for ever; set max_deliver, and keep what is given up", *shown)
        case DeadLetters.TOLD:
            return review("failures are told somewhere: can what failed be sent again?", *shown)
        case DeadLetters.ELSEWHERE:
            return review("has this queue, which is made elsewhere, a dead-letter destination?", *shown)
    return passed(f"what fails each time is kept: {path.end}", *shown)


@rule(
    "MQ104",
    severity=Severity.HIGH,
    cwe=(835, 400),
    references=(
        "https://www.rabbitmq.com/docs/nack",
        "https://www.rabbitmq.com/docs/quorum-queues#poison-message-handling",
        "https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-dead-letter-queues.html",
    ),
)
def poison_message_loop(redelivery: Redelivery, service: Service) -> Verdict:
    """A message that can't be handled goes back to the broker, and comes again, for ever.

    Why: one bad message keeps a worker busy day and night, fills the logs, and where the order counts nothing behind it
    is handled at all.
    Fix: count deliveries and give up after some; send what can never succeed to the dead-letter queue at once, and put
    back only what failed for something that passes.
    """
    shown = redelivery.evidence
    retries = (r for r in service.task_retries if r.task == redelivery.task and r.remote)
    if redelivery.task is not None and any(r.retrying is Retrying.ENDLESS for r in retries):
        return not_applicable("how often it asks another machine is judged as its retry policy", *shown)
    match redelivery.returned:
        case Return.ENDLESS if redelivery.task is not None:
            return fail(f"{redelivery.task} is tried again for ever; bound its retries", *shown)
        case Return.ENDLESS:
            return fail("whatever is wrong with it, the message comes back; count deliveries, and give up", *shown)
        case Return.HOPELESS:
            return fail("what can never be handled comes back for ever; dead-letter or delete it here", *shown)
        case Return.UNKNOWN:
            return review("does something end a message that comes back again and again?", *shown)
    return passed(f"no message comes back for ever: {redelivery.returned}", *shown)


@rule(
    "MQ105",
    severity=Severity.MEDIUM,
    cwe=(703, 755),
    references=(
        "https://docs.celeryq.dev/en/stable/userguide/tasks.html#automatic-retry-for-known-exceptions",
        "https://python-rq.org/docs/exceptions/#retrying-failed-jobs",
        "https://huey.readthedocs.io/en/latest/guide.html#retrying-tasks-that-fail",
    ),
)
def io_task_without_retry_policy(task: TaskRetry, service: Service) -> Verdict:
    """A task that sends a mail or a request is tried once, for ever, or again at once.

    Why: other machines are away for a minute every week. A task that is tried once loses its work then; one that is
    tried again at once, or for ever, adds to the load of what is just coming back.
    Fix: retry the exceptions of the client that may pass, a few times, with delays that grow and vary.
    """
    shown = (*task.remote, *task.evidence)
    if not task.remote:
        return not_applicable("it sends no mail and no request, as far as can be told")
    if task.schedule is not None and task.retrying is Retrying.NONE:
        return not_applicable(f"it runs again by its schedule: {task.schedule}", *shown)
    match task.retrying:
        case Retrying.TOLD:
            return not_applicable("who asked for it is told of the failure", *shown)
        case Retrying.NONE:
            return fail(f"{task.task} loses its work when this fails once; retry it with growing delays", *shown)
        case Retrying.ENDLESS:
            return fail(f"{task.task} is tried again for ever; bound its retries", *shown)
        case Retrying.AT_ONCE:
            return fail(f"{task.task} is tried again without waiting; give its retries growing delays", *shown)
        case Retrying.KEPT:
            return review("does something pick up what is stored as failed, and try it again?", *shown)
        case Retrying.UNSENT if task.schedule is not None:
            return not_applicable(f"it runs again by its schedule: {task.schedule}", *shown)
        case Retrying.UNSENT:
            return review("does a schedule run this again soon? nothing here sends it, or retries it", *shown)
        case Retrying.UNKNOWN:
            return review(f"is {task.task} tried again, with delays, a bounded number of times?", *shown)
    return passed("what fails is tried again, with an end", *shown)


@rule(
    "MQ106",
    severity=Severity.HIGH,
    cwe=(703,),
    references=(
        "https://www.rabbitmq.com/docs/reliability",
        "https://docs.confluent.io/platform/current/installation/configuration/producer-configs.html#acks",
        "https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessageBatch.html",
    ),
)
def publish_without_guarantee(guarantee: PublishingGuarantee, service: Service) -> Verdict:
    """What is published may be lost on the way, and nobody learns of it.

    Why: a broker that restarts forgets queues that aren't durable and messages that aren't stored, and a producer that
    doesn't ask for an answer, or ends before its buffer is sent, takes its events for delivered.
    Fix: make queue and message durable, wait for the broker's confirmation, and read what a batch says of each entry.
    """
    shown = guarantee.evidence
    match guarantee.surety:
        case Surety.TRANSIENT:
            return not_applicable(f"the {guarantee.what} is only for who listens now", *shown)
        case Surety.FORGOTTEN:
            return fail(f"a restart of the broker loses this; {guarantee.fix}", *shown)
        case Surety.UNASKED:
            return fail(f"what was not delivered is lost unnoticed; {guarantee.fix}", *shown)
        case Surety.UNSENT:
            return fail(f"what is in memory when the process ends is lost; {guarantee.fix}", *shown)
        case Surety.UNCONFIRMED:
            return review(f"may messages be lost between here and the broker? if not, {guarantee.fix}", *shown)
        case Surety.UNKNOWN:
            return review("is what is published here to outlast a restart of the broker?", *shown)
    return passed("the broker keeps what is published, and says so", *shown)
