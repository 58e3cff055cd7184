"""MQ3: work is batched within limits, and urgent work doesn't wait for bulk work."""

from __future__ import annotations

from dataclasses import dataclass

from assay.scanner.model.priority_use import Effect, PriorityUse
from assay.scanner.model.role import Role
from assay.scanner.model.row_read import Extent, RowRead
from assay.scanner.model.service import Service
from assay.scanner.model.worker import TimeLimit
from assay.scanner.model.worker_app import WorkerApp
from assay.scanner.rulebook import rule
from assay.scanner.verdicts import Severity, Verdict, fail, not_applicable, passed, review

_OWN = ("time_limit", "soft_time_limit")


@rule(
    "MQ301",
    severity=Severity.HIGH,
    cwe=(400, 770),
    references=(
        "https://docs.celeryq.dev/en/stable/userguide/workers.html#time-limits",
        "https://python-rq.org/docs/jobs/#timeouts",
        "https://dramatiq.io/guide.html#message-time-limits",
    ),
)
def task_without_time_limit(limit: TimeLimit, service: Service) -> Verdict:
    """A task may run for ever: nothing ends one that hangs.

    Why: a task that waits for an answer that never comes holds its slot until somebody restarts the worker. A few of
    them, and no task runs at all.
    Fix: set a soft and a hard limit for all tasks, and raise them only for those tasks that are known to take longer.
    """
    if limit.framework == "Celery" and limit.task is None:
        tasks = [t for t in service.tasks if t.framework == "Celery" and t.role is Role.PROD]
        own = [stated for t in tasks if (stated := t.option(*_OWN)) is not None and stated.value not in ("None", "0")]
        if not tasks:
            return not_applicable("no task of this service runs with it", *limit.bound.evidence)
        if len(own) == len(tasks):
            return passed("each task sets a limit of its own", *(stated.evidence for stated in own[:3]))
    if limit.bound.is_safe is None:
        return review(f"does anything end a task of {limit.framework} that hangs?", *limit.bound.evidence)
    if not limit.bound.is_safe:
        what = f"the task {limit.task}" if limit.task is not None else f"a task of {limit.framework}"
        return fail(f"nothing ends {what} when it hangs; set a time limit", *limit.bound.evidence)
    if limit.doubt is not None:
        text = "this pool can't interrupt a task that waits; has each call in the tasks a timeout?"
        return review(text, limit.doubt, *limit.bound.evidence)
    return passed("what runs too long is ended", *limit.bound.evidence)


@dataclass(frozen=True, slots=True)
class SharingOptions:
    """`tasks` is how many there are at least in a service whose work has to be kept apart."""

    tasks: int = 5


@rule(
    "MQ303",
    severity=Severity.MEDIUM,
    references=(
        "https://docs.celeryq.dev/en/stable/userguide/routing.html",
        "https://docs.celeryq.dev/en/stable/userguide/optimizing.html#prefetch-limits",
    ),
)
def latency_and_batch_share_a_queue(
    app: WorkerApp, service: Service, options: SharingOptions = SharingOptions()
) -> Verdict:
    """What people wait for stands in one queue with long scheduled work.

    Why: workers take what comes first. While the nightly job and all that it asks for are worked off, nobody gets the
    mail that lets them sign in.
    Fix: send scheduled and bulk work to a queue of its own, and start workers of its own for it.
    """
    if app.unread:
        return fail("a queue gets tasks that no worker reads; start one for it", *app.unread)
    if not app.asked or not app.scheduled:
        return not_applicable("work that somebody waits for and long scheduled work don't meet here")
    both = (*app.asked[:2], *app.scheduled[:2])
    if len(app.queues) > 1:
        return passed(f"tasks go to the queues {', '.join(app.queues[:4])}", *app.apart, *both)
    if app.apart:
        return passed("urgent work is told from other work", *app.apart, *both)
    if app.chosen:
        return review("does what somebody waits for go to another queue than scheduled work?", *app.chosen, *both)
    if app.tasks < options.tasks:
        return review(f"may scheduled work delay what somebody waits for? both are in {app.shared[0]}", *both)
    return fail(f"all tasks go to the queue {app.shared[0]}, long scheduled ones too; give these their own", *both)


@rule(
    "MQ304",
    severity=Severity.MEDIUM,
    references=(
        "https://www.rabbitmq.com/docs/priority",
        "https://docs.celeryq.dev/en/stable/userguide/routing.html#special-routing-options",
    ),
)
def priority_without_effect(use: PriorityUse, service: Service) -> Verdict:
    """A message is given a priority that the broker ignores or reads the other way round.

    Why: the code says that this goes first, and nothing makes it so. That shows on the day when a lot waits, which is
    the day for which somebody wrote it.
    Fix: send urgent work to a queue of its own; or declare the queues with x-max-priority, and fetch one at a time.
    """
    match use.effect:
        case Effect.IGNORED:
            return fail(f"this priority has no effect: {use.why}", *use.evidence)
        case Effect.REVERSED:
            return fail(f"this priority does the opposite: {use.why}", *use.evidence)
        case Effect.UNKNOWN:
            return review(f"does the queue sort by this priority? {use.why}", *use.evidence)
    return passed(use.why, *use.evidence)


@rule(
    "MQ306",
    severity=Severity.MEDIUM,
    cwe=(770,),
    references=(
        "https://docs.djangoproject.com/en/stable/ref/models/querysets/#iterator",
        "https://docs.sqlalchemy.org/en/20/orm/queryguide/api.html#orm-queryguide-yield-per",
    ),
)
def unbounded_batch(read: RowRead, service: Service) -> Verdict:
    """A task goes through a whole table at once.

    Why: it takes longer and more memory each month, until it is killed in the middle, starts again from the beginning
    and never gets to the end.
    Fix: go through the table in chunks by key, commit each chunk, and go on where the last run stopped.
    """
    if not read.task or read.offline is not None:
        return not_applicable("no task is known to run it")
    if read.request:
        return not_applicable("a request runs it too; that has a rule of its own", *read.request)
    match read.extent:
        case Extent.WHOLE if not read.grows:
            return review(f"a task reads every {read.model}: how many can there be?", *read.task, *read.evidence)
        case Extent.WHOLE:
            return fail(
                f"a task reads every {read.model} at once; go through them in chunks", *read.task, *read.evidence
            )
        case Extent.NARROWED:
            return not_applicable("a filter says which rows it reads", *read.evidence)
        case Extent.UNKNOWN:
            return not_applicable("how many rows it reads is up to the code that makes the query", *read.evidence)
    return passed(f"{read.extent.value} keeps the rows few", *read.evidence)
